"""What a falling learning rate does to the loss of noisy gradient descent: by formula, and by the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.noise import expected_square
from optkit.rules import RULES
from optkit.schedules import Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["expected_losses", "losses_under_schedules", "mean_losses"]


def expected_losses(
    rates: Sequence[float], curvatures: Sequence[float], *, start: float, sigma: float
) -> np.ndarray:
    """The mean loss ½Σλθ² before the first step and after each, under noise of standard deviation σ.

    Example:
        >>> expected_losses([1.0], [1.0], start=2.0, sigma=0.5).tolist()
        [2.0, 0.125]
    """
    steepness = np.asarray(curvatures, dtype=float)
    square = np.full(len(steepness), start**2)
    losses = [0.5 * (steepness * square).sum()]
    for lr in rates:
        square = expected_square(square, steepness, lr=lr, sigma=sigma, m=1)
        losses.append(0.5 * (steepness * square).sum())
    return np.array(losses)


def mean_losses(
    rates: Sequence[float], curvatures: Sequence[float], *, start: float, sigma: float, seed: int, runs: int
) -> np.ndarray:
    """The same from the rule `gradient_descent` with normal noise, averaged over ``runs`` runs.

    Example:
        >>> mean_losses([1.0], [1.0], start=2.0, sigma=0.0, seed=0, runs=2).tolist()
        [2.0, 0.0]
    """
    steepness = np.asarray(curvatures, dtype=float)
    random = np.random.RandomState(seed)
    theta = np.full((runs, len(steepness)), start)
    losses = [0.5 * (steepness * theta**2).sum(axis=1).mean()]
    for t, lr in enumerate(rates, start=1):
        g = steepness * theta + sigma * random.standard_normal(theta.shape)
        (theta,) = RULES["gradient_descent"](theta, g, t, lr=lr)
        losses.append(0.5 * (steepness * theta**2).sum(axis=1).mean())
    return np.array(losses)


def losses_under_schedules(
    schedules: Mapping[str, Schedule],
    *,
    lr: float = 0.3,
    steps: int = 400,
    curvatures: Sequence[float] = (1.0, 0.05),
    start: float = 3.0,
    sigma: float = 1.0,
    seed: int = 0,
    runs: int = 1000,
) -> tuple[Figure, str]:
    """Draw the learning rate under each schedule, and below it the mean loss on a noisy quadratic.

    Args:
        schedules: Label → schedule, 1 or more.
        lr: ε.
        steps: Length of the run.
        curvatures: λ of each direction.
        start: θ in each direction.
        sigma: Noise of the gradient in each direction.
        seed: Of the noise.
        runs: Runs of the rule for the markers.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: No schedule.

    Example:
        >>> from optkit.schedules import constant
        >>> figure, alt = losses_under_schedules({"held": constant()}, steps=4, runs=2)
        >>> alt.split(". ")[0]
        'Two panels over 4 steps'
    """
    if not schedules:
        raise ValueError("schedules must hold at least 1 schedule, got none")
    sentences, off = [], []
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.75, sharex=True)
        for index, (label, schedule) in enumerate(schedules.items()):
            look = series(index)
            rates = lr * np.array(schedule.factors(steps))
            top.plot(np.arange(1, steps + 1), rates, **look.line(label=label, markers=False))
            losses = expected_losses(rates, curvatures, start=start, sigma=sigma)
            bottom.plot(np.arange(steps + 1), losses, **look.line(label=label, markers=False))
            measured = mean_losses(rates, curvatures, start=start, sigma=sigma, seed=seed, runs=runs)
            places = np.linspace(0, steps, 11).astype(int)
            off.append(float(np.abs(measured[places] / losses[places] - 1).max()))
            bottom.plot(places, measured[places], look.marker, color=look.colour, fillstyle="none")
            ends = f"rate {rates[0]:.2g} to {rates[-1]:.2g}, loss {losses[-1]:.2g} at the end"
            sentences.append(f"{label}: {ends}")
        top.set_ylabel(r"learning rate $\epsilon\,\eta(t)$")
        bottom.set(yscale="log", xlabel="step $t$", ylabel="mean loss")
        top.legend()
    return figure, (
        f"Two panels over {steps} steps. Top, the learning rate; bottom, the mean loss, logarithmic: by "
        f"formula as lines, over {runs} runs as markers, {100 * max(off):.0f} % off at most. "
        + "; ".join(sentences)
        + "."
    )
