"""Figures of a series in time: averages over noise, their weights, their lag, what noise they let through.

Each function takes numbers, draws them in the house style, and returns the figure with its alternative text,
whose numbers come from the data drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.palette import INK, RAW, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["averages_over", "choice", "formula_against_measurement", "responses", "weights_by_age"]

Values = Sequence[float] | np.ndarray
OUTLIERS_FROM = 100  # so many values before one of them may lie outside the picture


def averages_over(
    values: Values,
    averages: Mapping[str, Values],
    *,
    truth: Values | None = None,
    windows: Mapping[str, tuple[int, int]] | None = None,
    ylabel: str = "value",
) -> tuple[Figure, str]:
    """Noisy values as points, averages over them as lines, and the true value where it is known.

    Of 100 values and more, the outermost 2 % may lie outside the picture; the lines never do.

    Args:
        values: g₁, g₂, …, shape (T,).
        averages: Label → v₁, v₂, …, each of shape (T,); NaN where there is none yet.
        truth: What the values scatter about, shape (T,).
        windows: Title → first and last step shown, one panel for each; by default one panel with all.
        ylabel: What the values are.

    Raises:
        ValueError: An array of another length, or a window outside 1 … T.

    Example:
        >>> figure, alt = averages_over([1.0, 3.0], {"mean": [1.0, 2.0]}, truth=[2.0, 2.0])
        >>> print(alt)
        2 values with a standard deviation of 1.00 about the true value;
        mean is off by 0.71 (root mean square).
    """
    values = np.asarray(values, dtype=float)
    steps = np.arange(1, len(values) + 1)
    lines = {label: _like(values, line, label) for label, line in averages.items()}
    true = None if truth is None else _like(values, truth, "truth")
    windows = windows or {"": (1, len(values))}
    with style():
        figure, panels = _stack(len(windows), 0.85)
        for axes, (title, (first, last)) in zip(panels, windows.items(), strict=True):
            if not 1 <= first < last <= len(values):
                raise ValueError(f"windows must lie in 1 … {len(values)}, got {first} … {last} for {title!r}")
            part = slice(first - 1, last)
            axes.plot(steps[part], values[part], ".", color=RAW.colour, alpha=0.55, ms=4, label="data gₜ")
            for index, (label, line) in enumerate(lines.items()):
                axes.plot(steps[part], line[part], **series(index).line(label=label, markers=False))
            if true is not None:
                axes.plot(steps[part], true[part], color=INK, linewidth=1.2, label="true value")
            axes.set(title=title, xlabel="step t", ylabel=ylabel)
            drawn = [line[part] for line in (*lines.values(), *([] if true is None else [true]))]
            axes.set_ylim(*_limits(values[part], drawn))
        panels[0].legend()
    return figure, _averages_alt(values, lines, true, windows)


def _stack(panels: int, height: float) -> tuple[Figure, np.ndarray]:
    """Panels below each other: side by side, their texts would be too small to read on a phone."""
    figure, grid = canvas(panels, 1, squeeze=False, height=1.0 if panels == 1 else height)
    return figure, grid[:, 0]


def _limits(values: np.ndarray, lines: Sequence[np.ndarray]) -> tuple[float, float]:
    """Limits that hold every line and 98 % of the values: single outliers must not flatten the lines."""
    central = np.quantile(values, (0.01, 0.99)) if len(values) >= OUTLIERS_FROM else values
    held = np.concatenate([central, *(line[np.isfinite(line)] for line in lines)])
    margin = 0.05 * (held.max() - held.min())
    return held.min() - margin, held.max() + margin


def _averages_alt(
    values: np.ndarray, lines: Mapping[str, np.ndarray], truth: np.ndarray | None, windows: Mapping[str, Any]
) -> str:
    def parts(first: int, last: int) -> str:
        part = slice(first - 1, last)
        if truth is None:
            jumps = [f"{label} by {_rms(np.diff(line[part])):.2f}" for label, line in lines.items()]
            return (
                f"{last - first + 1} values jump by {_rms(np.diff(values[part])):.2f} from step to step "
                f"(root mean square); {_join(jumps)}"
            )
        errors = [f"{label} is off by {_rms(line[part] - truth[part]):.2f}" for label, line in lines.items()]
        return (
            f"{last - first + 1} values with a standard deviation of {_rms(values[part] - truth[part]):.2f} "
            f"about the true value; {_join(errors)} (root mean square)"
        )

    if len(windows) == 1:
        return parts(*next(iter(windows.values()))) + "."
    return " ".join(f"{title}: {parts(*window)}." for title, window in windows.items())


def weights_by_age(weights: Mapping[str, Values], *, longest: int | None = None) -> tuple[Figure, str]:
    """The weight that each average gives to a value, against the value's age in steps.

    Args:
        weights: Label → w₀ (of the newest value), w₁, …; every list as long as it needs to be.
        longest: Largest age drawn; by default the longest list's.

    Raises:
        ValueError: No weights, or an empty list.

    Example:
        >>> weights_by_age({"plain mean": [0.5, 0.5]})[1]
        'Weights against age. plain mean: 0.50 for the newest value, sum 1.00, mean age 0.5 steps.'
    """
    if not weights or any(len(line) == 0 for line in weights.values()):
        raise ValueError("weights must hold at least one list of at least one weight")
    longest = max(len(line) for line in weights.values()) - 1 if longest is None else longest
    texts = []
    with style():
        figure, axes = canvas(height=0.85)
        for index, (label, line) in enumerate(weights.items()):
            line = np.asarray(line, dtype=float)
            texts.append(
                f"{label}: {line[0]:.2f} for the newest value, sum {line.sum():.2f}, "
                f"mean age {np.arange(len(line)) @ line / line.sum():.1f} steps"
            )
            # A weight of zero after the last one shows where a window ends.
            drawn = np.append(line, 0.0)[: longest + 1]
            axes.plot(np.arange(len(drawn)), drawn, **series(index).line(label=label) | {"markevery": 1})
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.set(xlabel="age of the value, in steps", ylabel="weight")
        axes.legend()
    return figure, "Weights against age. " + "; ".join(texts) + "."


def responses(panels: Mapping[str, tuple[Values, Mapping[str, Values]]]) -> tuple[Figure, str]:
    """What averages make of a clean input, one panel for each input: a step, a ramp.

    Args:
        panels: Title → (input, label → output), all of one length in each panel.

    Raises:
        ValueError: No panel, or an output of another length.

    Example:
        >>> responses({"Ramp": ([0.0, 1.0, 2.0, 3.0], {"late": [0.0, 0.0, 1.0, 2.0]})})[1]
        'Ramp: the input rises from 0.00 to 3.00. It has done half of it by step 3, late by step 4.'
    """
    if not panels:
        raise ValueError("panels must hold at least one input")
    texts = []
    with style():
        figure, grid = _stack(len(panels), 0.7)
        for axes, (title, (values, outputs)) in zip(grid, panels.items(), strict=True):
            values = np.asarray(values, dtype=float)
            steps = np.arange(1, len(values) + 1)
            axes.plot(steps, values, color=INK, linewidth=1.2, label="input gₜ")
            for index, (label, line) in enumerate(outputs.items()):
                axes.plot(steps, _like(values, line, label), **series(index).line(label=label))
            middle = (values[0] + values[-1]) / 2
            half = {label: _first_above(line, middle) for label, line in {"It": values, **outputs}.items()}
            late = [f"{label} {when}" for label, when in half.items() if label != "It"]
            texts.append(
                f"{title}: the input rises from {values[0]:.2f} to {values[-1]:.2f}. "
                f"It has done half of it {half['It']}, {_join(late)}."
            )
            axes.set(title=title, xlabel="step t")
        grid[0].legend()
    return figure, " ".join(texts)


def formula_against_measurement(
    panels: Mapping[str, tuple[Callable[[float], float], Values]],
    x: Values,
    *,
    xlabel: str,
    xticks: Sequence[str] = (),
) -> tuple[Figure, str]:
    """A formula as a line, what was measured with several seeds as points; both axes logarithmic.

    Args:
        panels: Title → (formula, a function of one number; measurements, shape (seeds, K)).
        x: Where was measured, shape (K,), positive.
        xlabel: What ``x`` is.
        xticks: Labels for the entries of ``x``; by default matplotlib's.

    Raises:
        ValueError: Measurements whose shape does not fit.

    Example:
        >>> panels = {"Lag": (lambda points: points - 1, [[1.0, 9.0], [1.0, 9.09]])}
        >>> formula_against_measurement(panels, [2, 10], xlabel="points")[1]
        'Lag: measurements with 2 seeds differ from the formula by at most 1.0 %.'
    """
    x = np.asarray(x, dtype=float)
    texts = []
    with style():
        figure, grid = _stack(len(panels), 0.7)
        for axes, (title, (formula, measured)) in zip(grid, panels.items(), strict=True):
            measured = np.asarray(measured, dtype=float)
            if measured.ndim != 2 or measured.shape[1] != len(x):
                raise ValueError(
                    f"the measurements of {title!r} must have shape (seeds, {len(x)}), got {measured.shape}"
                )
            dense = np.geomspace(x.min(), x.max(), 100)
            line = [formula(point) for point in dense]
            axes.loglog(dense, line, **series(0).line(label="formula", markers=False))
            points = {"color": series(1).colour, "marker": series(1).marker, "linestyle": "none"}
            axes.loglog(
                np.tile(x, len(measured)), measured.ravel(), label="measured", fillstyle="none", **points
            )
            axes.set(title=title, xlabel=xlabel)
            _plain_ticks(axes, x, measured.ravel())
            if xticks:
                axes.set_xticks(x, xticks)
            worst = np.max(np.abs(measured / [formula(point) for point in x] - 1))
            texts.append(
                f"{title}: measurements with {len(measured)} seeds differ from the formula "
                f"by at most {100 * worst:.1f} %."
            )
        grid[0].legend()
    return figure, " ".join(texts)


def choice(
    x: Values, curves: Mapping[str, Mapping[str, Values]], *, xlabel: str, ylabels: Sequence[str] = ()
) -> tuple[Figure, str]:
    """Errors against a setting, both on logarithmic axes, with the best setting of each curve marked.

    Args:
        x: The settings tried, shape (K,), positive.
        curves: Title of a panel → label → errors, shape (K,).
        xlabel: What the setting is.
        ylabels: What the errors are, one for each panel.

    Raises:
        ValueError: A curve of another length, or not as many labels as panels.

    Example:
        >>> choice([1, 2, 4], {"Error": {"late": [3.0, 1.0, 2.0]}}, xlabel="points")[1]
        'Error: late is least at 2, with 1.000.'
    """
    if ylabels and len(ylabels) != len(curves):
        raise ValueError(f"ylabels must hold {len(curves)} labels, one for each panel, got {len(ylabels)}")
    x = np.asarray(x, dtype=float)
    texts = []
    with style():
        figure, grid = _stack(len(curves), 0.75)
        for axes, (title, lines) in zip(grid, curves.items(), strict=True):
            found = []
            for index, (label, line) in enumerate(lines.items()):
                line, face = _like(x, line, label), series(index)
                axes.plot(x, line, **face.line(label=label, markers=False))
                best = int(np.argmin(line))
                axes.plot(x[best], line[best], marker=face.marker, color=face.colour, markersize=9)
                found.append(f"{label} is least at {x[best]:.3g}, with {line[best]:.3f}")
            axes.set(title=title, xlabel=xlabel, xscale="log", yscale="log")
            _plain_ticks(axes, x, np.concatenate([np.asarray(line, dtype=float) for line in lines.values()]))
            texts.append(f"{title}: {_join(found)}.")
        for axes, label in zip(grid, ylabels, strict=False):
            axes.set_ylabel(label)
        grid[0].legend()
    return figure, " ".join(texts)


def _plain_ticks(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    plain_ticks(axes.xaxis, x)
    plain_ticks(axes.yaxis, y)


def _like(values: np.ndarray, line: Values, label: str) -> np.ndarray:
    line = np.asarray(line, dtype=float)
    if line.shape != values.shape:
        raise ValueError(f"{label} must have shape {values.shape}, as the values, got {line.shape}")
    return line


def _first_above(line: Values, level: float) -> str:
    """From which step on, counted from 1, a line has reached a level; NaN has not."""
    reached = np.flatnonzero(np.asarray(line, dtype=float) >= level)
    return f"by step {reached[0] + 1}" if reached.size else "not at all"


def _rms(differences: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(differences**2)))


def _join(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]
