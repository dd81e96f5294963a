"""The critical points that Newton's method finds in a window, and what kind each is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optkit.newton.path import STATUSES, Array, iterate
from optkit.problems.problem import Problem

__all__ = ["CriticalPoint", "critical_points"]

_KINDS = ("minimum", "saddle", "maximum")
_SAME = 1e-5  # ends nearer than this share of the window are one point


class CriticalPoint(NamedTuple):
    """A point with zero gradient.

    Attributes:
        point: Its coordinates.
        kind: ``"minimum"``, ``"saddle"`` or ``"maximum"``, by the signs of the Hessian's eigenvalues.
    """

    point: tuple[float, ...]
    kind: str


def critical_points(problem: Problem, *, points: int = 41, max_steps: int = 50) -> list[CriticalPoint]:
    """The critical points in a problem's window that Newton's method reaches from a grid of starts there.

    A point whose Hessian is singular there, to rounding, is left out: its kind cannot be read off it.

    Args:
        problem: The problem.
        points: Starts along each side of the window, >= 2.
        max_steps: Bound on the steps from each.

    Returns:
        Minima, then saddles, then maxima, each kind in the order of the coordinates. A point that no start of
        the grid leads to is missing.

    Raises:
        ValueError: Fewer than 2 points.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> [(kind, tuple(round(x, 3) for x in point)) for point, kind in critical_points(PROBLEMS["saddle"])]
        [('minimum', (0.0, -1.0)), ('minimum', (0.0, 1.0)), ('saddle', (0.0, 0.0))]
    """
    if points < 2:
        raise ValueError(f"points must be >= 2, got {points}")
    sides = [np.linspace(low, high, points) for low, high in problem.window]
    starts = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, problem.dim)
    steps = iterate(problem.gradient, problem.hessian, starts, max_steps, 1e-10, "follow", 1e-3)
    for ends, _, status, _ in steps:
        last = ends, status
    ends, status = last
    low, high = np.array(problem.window).T
    inside = (status == STATUSES.index("converged")) & ((ends >= low) & (ends <= high)).all(axis=1)
    found = [_kind(problem, point) for point in _distinct(ends[inside], _SAME * (high - low))]
    return sorted((one for one in found if one), key=lambda one: (_KINDS.index(one.kind), one.point))


def _distinct(points: Array, apart: Array) -> list[Array]:
    distinct: list[Array] = []
    for point in points:
        if not any((np.abs(point - other) <= apart).all() for other in distinct):
            distinct.append(point)
    return distinct


def _kind(problem: Problem, point: Array) -> CriticalPoint | None:
    curvatures = np.linalg.eigvalsh(problem.hessian(point))
    if np.abs(curvatures).min() <= 1e-6 * np.abs(curvatures).max():
        return None
    up, down = (curvatures > 0).any(), (curvatures < 0).any()
    # + 0.0 turns a negative zero into zero; nine digits are enough to be at home in one order.
    place = tuple(float(x) + 0.0 for x in np.round(point, 9))
    return CriticalPoint(place, _KINDS[1 if up and down else 0 if up else 2])
