"""Learning-rate schedules in a picture, and the warm-up that RAdam builds in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.figures.rates import steps_under
from optkit.rules import RULES
from optkit.schedules import Schedule, cosine, exponential, power, step_decay, warmup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["rectification", "schedules_and_rectification", "usual_schedules"]


def usual_schedules(steps: int = 100) -> dict[str, Schedule]:
    """Five schedules that are often met, fitted to a run of ``steps`` steps.

    Example:
        >>> usual_schedules(100)["cosine"](1), usual_schedules(100)["warm-up, cosine"](1)
        (1.0, 0.1)
    """
    tenth = max(steps // 10, 1)
    return {
        "step decay": step_decay(every=-(-steps // 3), decay=0.1),
        "exponential": exponential(decay=0.01 ** (1 / steps)),
        r"$1/\sqrt{t}$": power(q=0.5),
        "cosine": cosine(steps=steps),
        "warm-up, cosine": warmup(steps=tenth).then(cosine(steps=steps - tenth)),
    }


def rectification(steps: int, *, beta2: float) -> np.ndarray:
    """RAdam's factor on Adam's step, at t = 1 … steps: NaN while the rule takes plain momentum steps.

    Computed from the rule itself: the step at ε = 1 and δ = 0 when every gradient is 1.

    Args:
        steps: At least 1.
        beta2: ρ₂.

    Returns:
        Shape (steps,), float64.

    Example:
        >>> rectification(7, beta2=0.999).round(3)
        array([  nan,   nan,   nan,   nan,   nan, 0.026, 0.033])
    """
    rule = RULES["radam"]
    factor = steps_under(rule, np.ones(steps), lr=1.0, beta2=beta2, eps=0.0)
    # A gradient of 2 changes a momentum step and leaves a rectified one as it is.
    plain = steps_under(rule, np.full(steps, 2.0), lr=1.0, beta2=beta2, eps=0.0) > 1.5 * factor
    return np.where(plain, np.nan, factor)


def schedules_and_rectification(
    schedules: Mapping[str, Schedule] | None = None,
    *,
    steps: int = 100,
    decays: Sequence[float] = (0.99, 0.999),
    horizon: int = 10_000,
) -> tuple[Figure, str]:
    """Draw the factor on the learning rate: schedules above, RAdam's rectification for each ρ₂ below.

    Args:
        schedules: Label → schedule; by default `usual_schedules`.
        steps: Number of steps above, at least 2.
        decays: ρ₂ of each line below.
        horizon: Number of steps below, at least 10.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: Too few steps, or a ρ₂ for which RAdam never rectifies.

    Example:
        >>> figure, alt = schedules_and_rectification(steps=50, horizon=100)
        >>> alt.split(". ")[0]
        'Two panels, factors on the learning rate'
    """
    if steps < 2 or horizon < 10:
        raise ValueError(f"steps must be >= 2 and horizon >= 10, got {steps} and {horizon}")
    shown = usual_schedules(steps) if schedules is None else schedules
    sentences = []
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.85)
        for index, (label, one) in enumerate(shown.items()):
            factors = np.array(one.factors(steps))
            top.plot(np.arange(1, steps + 1), factors, **series(index).line(label=label))
            name = label.replace(r"$1/\sqrt{t}$", "1/√t")
            sentences.append(
                f"{name} {factors[0]:.2g} at first, {factors.max():.2g} at most, {factors[-1]:.2g} at last"
            )
        top.set_title(f"Schedules over {steps} steps")
        for index, beta2 in enumerate(decays):
            values = rectification(horizon, beta2=beta2)
            if not np.isfinite(values).any():
                raise ValueError(
                    f"decays must be so near 1 that RAdam rectifies within {horizon} steps, got {beta2}"
                )
            label = rf"RAdam, $\rho_2 = {beta2:g}$"
            bottom.plot(np.arange(1, horizon + 1), values, **series(index).line(label=label))
            first = int(np.flatnonzero(np.isfinite(values))[0])
            half = np.flatnonzero(values > 0.5)
            reached = f"passes 0.5 at step {half[0] + 1}" if half.size else "stays below 0.5"
            sentences.append(
                f"RAdam with rho_2 = {beta2:g} starts at step {first + 1} with {values[first]:.2g}, "
                f"{reached} and ends at {values[-1]:.2g}"
            )
        bottom.set_title("Rectification of Adam's step")
        bottom.set_xscale("log")
        for axes in (top, bottom):
            axes.set_xlabel("step $t$")
            axes.set_ylabel(r"factor on $\epsilon$")
            axes.set_ylim(0, 1.05)
            axes.legend()
    alt = (
        "Two panels, factors on the learning rate. Top, over "
        f"{steps} steps: {'; '.join(sentences[: len(shown)])}. "
        f"Bottom, step axis logarithmic, {horizon} steps: {'; '.join(sentences[len(shown) :])}."
    )
    return figure, alt
