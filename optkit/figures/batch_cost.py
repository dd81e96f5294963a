"""What a batch size costs: the time of a step, and the steps and examples that a goal takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.curves import line_faces
from optkit.figures.palette import Face, series
from optkit.noise import examples_over_least, fit_critical_batch, fit_step_cost, steps_over_least

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["steps_and_examples", "time_of_a_step"]


def time_of_a_step(sizes: Sequence[int], seconds: Any) -> tuple[Figure, str]:
    """Draw the time of a gradient, and that time for each example, against the batch size.

    Args:
        sizes: Batch sizes, increasing.
        seconds: Shape (repeats, sizes), as `optkit.noise.gradient_seconds` returns. The lowest of each
            size is drawn: whatever else the machine does can only add to it.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: As for `optkit.noise.fit_step_cost`.

    Example:
        >>> figure, alt = time_of_a_step([1, 10, 100], [[1.01, 1.1, 2.0]])
        >>> "as much as 100 examples" in alt
        True
    """
    lowest = np.atleast_2d(seconds).min(axis=0)
    m = np.asarray(sizes, dtype=float)
    cost = fit_step_cost(m, lowest)
    fine = np.geomspace(m[0], m[-1], 200)
    fitted = cost.step + cost.example * fine
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.75, sharex=True)
        top.plot(m, 1e3 * lowest, series(0).marker, color=series(0).colour, label="measured")
        top.plot(fine, 1e3 * fitted, **series(0).line(label="a step + $m$ examples, fitted", markers=False))
        bottom.plot(m, 1e6 * lowest / m, series(1).marker, color=series(1).colour, label="measured")
        bottom.plot(fine, 1e6 * fitted / fine, **series(1).line(label="fitted", markers=False))
        for axes, each in ((top, 1e3 * lowest), (bottom, 1e6 * lowest / m)):
            axes.set_yscale("log")
            plain_ticks(axes.yaxis, each)
            axes.legend()
        top.set_ylabel("ms for a step")
        bottom.set_ylabel("µs for an example")
        bottom.set_xscale("log", base=2)
        bottom.xaxis.set_major_formatter("{x:.0f}")
        bottom.set_xlabel("batch size $m$")
    longer, more = lowest[-1] / lowest[0], sizes[-1] / sizes[0]
    alt = (
        f"Two panels against the batch size, all axes logarithmic. A step takes {1e3 * lowest[0]:.2g} ms "
        f"with m = {sizes[0]} and {1e3 * lowest[-1]:.2g} ms with m = {sizes[-1]}: {longer:.2g} times as long "
        f"for {more:.0f} times the examples. For each example that is {1e6 * lowest[0] / m[0]:.2g} µs and "
        f"{1e6 * lowest[-1] / m[-1]:.2g} µs. The step itself costs as much as {cost.even:.3g} examples."
    )
    return figure, alt


def steps_and_examples(
    runs: Mapping[str, Mapping[int, Sequence[float]]], *, faces: Mapping[str, Face] | None = None
) -> tuple[Figure, str]:
    """Draw the steps to a goal against the batch size, and against the examples seen, with the fitted law.

    Args:
        runs: Label → batch size → steps of each run, > 0; at least two batch sizes.
        faces: Label → face, over those by rule name or by order.

    Returns:
        The figure, and its alternative text with the critical batch size of each label.

    Raises:
        ValueError: As for `optkit.noise.fit_critical_batch`.

    Example:
        >>> figure, alt = steps_and_examples({"SGD": {1: [1010], 10: [110], 100: [20]}})
        >>> "critical batch size 100" in alt
        True
    """
    looks = line_faces(runs, faces)
    sentences, heights, widths = [], [], []
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.9)
        for label, by_size in runs.items():
            look = looks[label]
            m = np.repeat(list(by_size), [len(steps) for steps in by_size.values()])
            steps = np.concatenate([np.asarray(some, dtype=float) for some in by_size.values()])
            fit = fit_critical_batch(m, steps)
            fine = np.geomspace(m.min() / 2, 2 * m.max(), 200)
            law = fit.least_steps * steps_over_least(m=fine, noise_scale=fit.batch_size)
            seen = fit.least_examples * examples_over_least(m=fine, noise_scale=fit.batch_size)
            for axes, x, y in ((top, fine, law), (bottom, seen, law)):
                axes.plot(x, y, **replace(look, label=f"{look.label}, fit").line(markers=False))
            top.plot(m, steps, look.marker, color=look.colour, label=look.label)
            bottom.plot(m * steps, steps, look.marker, color=look.colour)
            at = (fit.batch_size, 2 * fit.least_steps), (2 * fit.least_examples, 2 * fit.least_steps)
            for axes, (x, y) in zip((top, bottom), at, strict=True):
                axes.plot(x, y, "o", markersize=12, markerfacecolor="none", color=look.colour)
            heights.append(steps)
            widths.append(np.stack([m, m * steps]))
            sentences.append(
                f"{look.label}: {np.median(by_size[min(by_size)]):.0f} steps with batches of {min(by_size)} "
                f"and {np.median(by_size[max(by_size)]):.0f} with batches of {max(by_size)} (medians); "
                f"critical batch size {fit.batch_size:.3g}, where steps and examples are twice the least, "
                f"{fit.least_steps:.0f} and {fit.least_examples:.0f}."
            )
        top.set_xlabel("batch size $m$")
        bottom.set_xlabel("examples seen on the way")
        top.legend()
        for axes in (top, bottom):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_ylabel("steps to the goal")
            plain_ticks(axes.yaxis, np.concatenate(heights))
        for axes, x in zip((top, bottom), np.concatenate(widths, axis=1), strict=True):
            plain_ticks(axes.xaxis, x)
    what = "steps to a goal against the batch size, and against the examples seen"
    return figure, f"Two panels, all axes logarithmic: {what}. " + " ".join(sentences)
