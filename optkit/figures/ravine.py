"""INNA on the nonsmooth ravine of its paper: what the two kinds of damping do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.curves import draw_curves
from optkit.figures.surface import draw_surface
from optkit.problems import PROBLEMS
from optkit.rules import RULES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["damping_on_the_ravine", "inna_paths"]

NEAR = 0.1
"""A path has arrived where its distance to the minimum is below this for good."""


def inna_paths(
    settings: Sequence[tuple[float, float]],
    *,
    lr: float = 1e-4,
    steps: int = 100_000,
    paper_start: bool = False,
) -> np.ndarray:
    """The paths of INNA on the nonsmooth ravine, one for each (α, β), side by side.

    Args:
        settings: (α, β) of each path, α ≥ 0 and β > 0.
        lr: γ, constant, ≥ 0.
        steps: At least 1.
        paper_start: Initial velocity −g as in the paper, or −βg as in the published code.

    Returns:
        Shape (steps + 1, number of settings, 2), float64; row 0 is the start.

    Raises:
        ValueError: A hyper-parameter or number of steps out of range.

    Example:
        >>> inna_paths([(0.5, 0.1)], steps=1)[:, 0].round(6).tolist()
        [[-1.0, 1.5], [-1.00099, 1.499]]
    """
    rule, problem = RULES["inna"], PROBLEMS["nonsmooth_ravine"]
    for alpha, beta in settings:
        rule.check(alpha=alpha, beta=beta, lr=lr)
    if steps < 1:
        raise ValueError(f"steps must be >= 1, got {steps}")
    # α and β as columns: one pass of the rule moves all paths at once.
    alpha, beta = (np.array(column, dtype=float)[:, None] for column in zip(*settings, strict=True))
    theta = np.tile(np.array(problem.start), (len(settings), 1))
    psi = np.zeros_like(theta)
    paths = np.empty((steps + 1, *theta.shape))
    paths[0] = theta
    for t in range(1, steps + 1):
        theta, psi = rule(
            theta, problem.gradient(theta), psi, t, lr=lr, alpha=alpha, beta=beta, paper_start=paper_start
        )
        paths[t] = theta
    return paths


def damping_on_the_ravine(
    settings: Sequence[tuple[float, float]] = ((0.5, 0.01), (0.5, 0.1), (1.3, 0.1)),
    *,
    lr: float = 1e-4,
    steps: int = 100_000,
) -> tuple[Figure, str]:
    """Draw the paths of INNA on the ravine for each (α, β), and the distance to the minimum on the way.

    Args:
        settings: (α, β) of each path.
        lr: γ.
        steps: Number of steps, at least 100.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: As for `inna_paths`.

    Example:
        >>> figure, alt = damping_on_the_ravine(((0.5, 0.1),), steps=1000)
        >>> alt.split(": ")[0]
        'Two panels, INNA on the nonsmooth ravine from (-1, 1.5)'
    """
    problem = PROBLEMS["nonsmooth_ravine"]
    minimum = np.array(problem.minima[0])
    every = inna_paths(settings, lr=lr, steps=steps)
    thin = max(steps // 1000, 1)  # what is drawn; what is said comes from every step
    paths, distances, sentences = {}, {}, []
    for index, (alpha, beta) in enumerate(settings):
        label = rf"$\alpha = {alpha:g},\ \beta = {beta:g}$"
        path = every[:, index]
        away = np.linalg.norm(path - minimum, axis=1)
        paths[label], distances[label] = path[::thin], away[::thin]
        sentences.append(f"alpha {alpha:g}, beta {beta:g} {_journey(path, away)}")
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.95)
        draw_surface(top, problem, paths)
        thousands = np.arange(0, steps + 1, thin) / 1000
        draw_curves(
            bottom,
            distances,
            steps=thousands,
            x_label="step, in thousands",
            y_label="distance to the minimum",
        )
    start = ", ".join(f"{x:g}" for x in problem.start)
    alt = (
        f"Two panels, INNA on the nonsmooth ravine from ({start}): paths on the contours, and the distance "
        f"to the minimum over {steps} steps. " + "; ".join(sentences) + "."
    )
    return figure, alt


def _journey(path: np.ndarray, away: np.ndarray) -> str:
    outside = np.flatnonzero(away >= NEAR)
    arrived = outside[-1] + 1 < len(path)
    end = outside[-1] + 1 if arrived else len(path)
    side = np.sign(path[:end, 1] - np.abs(path[:end, 0]))
    crossings = int((np.diff(side[side != 0]) != 0).sum())
    length = float(np.linalg.norm(np.diff(path[:end], axis=0), axis=1).sum())
    where = (
        f"is within {NEAR:g} of the minimum from step {end} on"
        if arrived
        else f"is still {away[-1]:.2g} from the minimum at the end"
    )
    return f"{where}, crosses the floor of the ravine {crossings} times on the way and travels {length:.1f}"
