"""Gradient descent on a quadratic at learning rates around the limit of stability, and Newton's one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics import best_gradient_descent, rate
from optkit.figures.canvas import canvas, style
from optkit.figures.curves import draw_curves
from optkit.figures.surface import draw_surface
from optkit.newton import minimise
from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.trajectories import run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["rates_around_the_limit"]


def rates_around_the_limit(
    *, condition: float = 10.0, slow: float = 0.25, fast: float = 1.04, steps: int = 40, shown: int = 12
) -> tuple[Figure, str]:
    """Draw gradient descent on a quadratic at three learning rates, and Newton's method, from one start.

    Above: the paths. Below: the distance to the minimum. The rates are ``slow`` times the limit 2/L, the best
    one 2/(L + μ), and ``fast`` times the limit.

    Args:
        condition: κ = L/μ, > 1; μ = 1.
        slow: > 0 and < 1.
        fast: > 1.
        steps: Number of steps below, >= 2.
        shown: Steps of the paths above, 1 … steps.

    Returns:
        The figure, and its alternative text with the factor by which each distance shrinks in a step.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> figure, alt = rates_around_the_limit(condition=4.0)
        >>> "Newton's method is there after 1 step" in alt
        True
    """
    for name, value, allowed, good in (
        ("condition", condition, "> 1", condition > 1),
        ("slow", slow, "> 0 and < 1", 0 < slow < 1),
        ("fast", fast, "> 1", fast > 1),
        ("steps", steps, ">= 2", steps >= 2),
        ("shown", shown, f">= 1 and <= steps = {steps}", 1 <= shown <= steps),
    ):
        if not good:
            raise ValueError(f"{name} must be {allowed}, got {value}")
    problem = PROBLEMS["quadratic"].replace(condition=condition)
    curvatures = np.array([1.0, condition])
    limit = 2.0 / condition
    best = best_gradient_descent(1.0, condition).lr
    paths, distances, sentences = {}, {}, []
    for lr in (slow * limit, best, fast * limit):
        label = rf"$\epsilon = {lr:.3g}$"
        theta = run(RULES["gradient_descent"], problem, steps=steps, lr=lr).theta
        away = np.linalg.norm(theta, axis=1)
        paths[label], distances[label] = theta[: shown + 1], away
        measured = away[np.isfinite(away)]  # a path that left all bounds ends in NaN
        sentences.append(
            f"at the learning rate {lr:.3g} it goes to {measured[-1]:.2g} in {len(measured) - 1} steps, by "
            f"the factor {measured[-1] / measured[-2]:.3g} in the last one "
            f"({rate(curvatures, lr=lr, momentum=0.0):.3g} by the formula)"
        )
    newton = minimise(problem)
    paths["Newton"] = newton.points
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.9)
        draw_surface(top, problem, paths)
        draw_curves(
            bottom, distances, steps=np.arange(steps + 1), y_label="distance to the minimum", log=True
        )
    alt = (
        f"Two panels: paths on the contours of a quadratic with condition number {condition:g}, and the "
        f"distance to its minimum over {steps} steps, logarithmic, from {distances[label][0]:.2g}. "
        f"The limit of stability is {limit:.3g}: {'; '.join(sentences)}. The largest zigzags across the "
        f"valley and leaves; Newton's method is there after {newton.steps} step."
    )
    return figure, alt
