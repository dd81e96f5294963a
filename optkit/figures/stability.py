"""The factor by which gradient descent shrinks the error, against the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics import best_gradient_descent, rate
from optkit.figures.canvas import canvas, style
from optkit.figures.palette import INK, RAW, face, series
from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.trajectories import run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["factor_against_rate", "measured_factor"]


def measured_factor(condition: float, lr: float, *, steps: int = 400) -> float:
    """The factor by which a step of gradient descent changes the error, over the second half of a run.

    Args:
        condition: κ of the quadratic, >= 1; its curvatures are 1 and κ.
        lr: ε > 0.
        steps: Length of the run, even, >= 2.

    Raises:
        ValueError: ``steps`` is odd or below 2.

    Example:
        >>> round(measured_factor(10.0, 0.1), 6)  # the gentle axis: 1 − 0.1
        0.9
    """
    if steps < 2 or steps % 2:
        raise ValueError(f"steps must be even and >= 2, got {steps}")
    bowl = PROBLEMS["quadratic"].replace(condition=condition)
    theta = run(RULES["gradient_descent"], bowl, steps=steps, lr=lr).theta
    away = np.linalg.norm(theta, axis=1)
    away = away[np.isfinite(away)]  # beyond the limit the path leaves all bounds, and ends there
    half = len(away) // 2
    return float((away[-1] / away[half]) ** (1 / (len(away) - 1 - half)))


def factor_against_rate(
    *, condition: float = 10.0, shares: Sequence[float] = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.04, 1.1)
) -> tuple[Figure, str]:
    """Draw |1 − ελ| for the steepest and the gentlest axis, and the factors that runs have.

    Args:
        condition: κ = L/μ, > 1; μ = 1.
        shares: Learning rates of the runs, in units of the limit 2/L.

    Returns:
        The figure, and its alternative text with the largest distance between runs and formula.

    Raises:
        ValueError: κ is not above 1.

    Example:
        >>> figure, alt = factor_against_rate()
        >>> "lowest, 0.818, at 0.182" in alt
        True
    """
    if not condition > 1:
        raise ValueError(f"condition must be > 1, got {condition}")
    limit, best = 2 / condition, best_gradient_descent(1.0, condition)
    rates = np.linspace(0, 1.15 * limit, 231)
    tried = np.array(shares) * limit
    found = np.array([measured_factor(condition, lr) for lr in tried])
    formula = np.array([rate([1.0, condition], lr=lr, momentum=0.0) for lr in tried])
    with style():
        figure, axes = canvas()
        gentle, steep = np.abs(1 - rates), np.abs(1 - rates * condition)
        axes.fill_between(rates, 1.0, 1.3, color=RAW.colour, alpha=0.15, linewidth=0)
        axes.plot(rates, steep, **series(1).line(label=r"steepest axis, $|1-\epsilon L|$", markers=False))
        axes.plot(rates, gentle, **series(0).line(label=r"gentlest axis, $|1-\epsilon\mu|$", markers=False))
        axes.plot(tried, found, face("gradient_descent").marker, color=INK, label="runs", zorder=4)
        axes.plot(best.lr, best.rate, "*", color=INK, markersize=13, label="best", zorder=5)
        for place, text in ((1 / condition, r"$1/L$"), (limit, r"$2/L$")):
            axes.axvline(place, color=series(5).colour, linestyle=series(5).dash, linewidth=1)
            axes.annotate(text, (place, 1.3), (4, -14), textcoords="offset points")
        axes.annotate("diverges", (0, 1.3), (4, -14), textcoords="offset points")
        axes.set(xlim=(0, rates[-1]), ylim=(0, 1.3), xlabel=r"learning rate $\epsilon$")
        axes.set_ylabel("factor per step")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
    alt = (
        f"Factor per step against the learning rate, for curvatures from 1 to {condition:g}. That of the "
        f"steepest axis falls from 1 to 0 at {1 / condition:.3g} and rises to 1 at {limit:.3g}; that of the "
        f"gentlest falls from 1 to {gentle[-1]:.2g} at the right end. The larger of the two is lowest, "
        f"{best.rate:.3g}, at {best.lr:.3g}. {len(tried)} runs lie on the larger one, at most "
        f"{np.abs(found - formula).max():.1g} away from it."
    )
    return figure, alt
