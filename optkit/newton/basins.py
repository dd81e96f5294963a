"""Basins of attraction: where Newton's method ends, start by start."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optkit.language.grammar import Formula
from optkit.newton.methods import root_functions
from optkit.newton.path import STATUSES, check, iterate
from optkit.problems.problem import Problem


def basins(
    problem: Problem | Formula,
    starts: ArrayLike,
    targets: ArrayLike,
    *,
    on_indefinite: str = "follow",
    damping: float = 1e-3,
    max_steps: int = 50,
    tolerance: float = 1e-10,
    distance: float = 1e-3,
) -> NDArray[np.int64]:
    """Which target Newton's method reaches from each start.

    Args:
        problem: A problem, to be minimised; or a `Formula` of one array, whose roots are sought.
        starts: (..., dim); for roots (..., 1).
        targets: (k, dim), such as the problem's minima and saddles.
        on_indefinite: As for `minimise`; roots are always followed.
        damping: As for `minimise`.
        max_steps: Bound on the steps.
        tolerance: Converged once no entry of the gradient (for a root, of f) exceeds this.
        distance: A converged end point belongs to a target no farther away than this.

    Returns:
        (...) index of the target; −1 where it did not converge, or converged elsewhere.

    Raises:
        ValueError: Shapes do not fit, or an argument is out of range.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> saddle = PROBLEMS["saddle"]
        >>> basins(saddle, [[1.0, 2.0], [1.0, -2.0], [1.0, 0.1]], [*saddle.minima, *saddle.saddles])
        array([0, 1, 2])
    """
    if isinstance(problem, Problem):
        gradient, hessian, dim = problem.gradient, problem.hessian, problem.dim
    else:
        (gradient, hessian), dim, on_indefinite = root_functions(problem, None), 1, "follow"
    points, ends = np.asarray(starts, dtype=np.float64), np.atleast_2d(np.asarray(targets, dtype=np.float64))
    if points.shape[-1:] != (dim,) or ends.shape[-1] != dim:
        raise ValueError(
            f"starts and targets must have {dim} coordinate(s), got shapes {points.shape} and {ends.shape}"
        )
    check(max_steps, tolerance, on_indefinite, damping)
    flat = points.reshape(-1, dim)
    states = iterate(gradient, hessian, flat, max_steps, tolerance, on_indefinite, damping)
    flat, _, status, _ = deque(states, maxlen=1).pop()
    away = np.linalg.norm(flat[:, None, :] - ends, axis=-1)
    found = np.where(
        (status == STATUSES.index("converged")) & (away.min(axis=1) <= distance), away.argmin(axis=1), -1
    )
    return found.reshape(points.shape[:-1])
