"""Newton's method from one start: a root of a function, or a minimum of a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optkit.language.grammar import Formula
from optkit.newton.path import Array, NewtonPath, follow
from optkit.problems.problem import Problem
from optkit.translation.derivative import gradient as derived_gradient


def find_root(
    f: Callable[[Any], Any] | Formula,
    start: float,
    *,
    derivative: Callable[[Any], Any] | None = None,
    max_steps: int = 50,
    tolerance: float = 1e-12,
) -> NewtonPath:
    """A root of a function of one number: x ← x − f(x)/f′(x).

    Args:
        f: A `Formula` of one array, whose derivative is derived; or any function, with ``derivative``.
        start: Where to start, finite.
        derivative: f′; needed unless ``f`` is a formula.
        max_steps: Bound on the steps, >= 0; cycles end here.
        tolerance: Converged once |f(x)| is at most this.

    Returns:
        The path; ``points`` is (steps + 1, 1).

    Raises:
        TypeError: ``f`` is no formula and ``derivative`` is missing.
        ValueError: start, max_steps or tolerance is out of range.

    Example:
        >>> path = find_root(lambda x: x * x - 2, 1.0, derivative=lambda x: 2 * x)
        >>> path.points[:, 0].round(6).tolist(), path.status
        ([1.0, 1.5, 1.416667, 1.414216, 1.414214, 1.414214], 'converged')
    """
    value, slope = root_functions(f, derivative)
    return follow(value, slope, [start], max_steps, tolerance, "follow", 0.0)


def minimise(
    problem: Problem | None = None,
    start: ArrayLike | None = None,
    *,
    gradient: Callable[[Array], ArrayLike] | None = None,
    hessian: Callable[[Array], ArrayLike] | None = None,
    on_indefinite: str = "refuse",
    damping: float = 1e-3,
    max_steps: int = 50,
    tolerance: float = 1e-10,
) -> NewtonPath:
    """A minimum by θ ← θ − H⁻¹∇f; on a quadratic in one step.

    Args:
        problem: A problem, whose gradient and Hessian are used; or None, with ``gradient`` and ``hessian``.
        start: (dim,) where to start; by default the problem's own.
        gradient: (dim,) → (dim,).
        hessian: (dim,) → (dim, dim), symmetric.
        on_indefinite: What to do where H has an eigenvalue ≤ 0:

            * ``"refuse"``: stop there, with status ``"indefinite"`` (``"singular"`` if H is singular);
            * ``"damp"``: step with H + τI, where τ lifts the smallest eigenvalue to ``damping`` times the
              largest absolute one (to ``damping`` itself where H = 0): a downhill direction;
            * ``"follow"``: step all the same, as the textbook does: saddles and maxima attract. A singular H
              stops it.
        damping: See above, > 0.
        max_steps: Bound on the steps, >= 0; cycles end here.
        tolerance: Converged once no entry of the gradient exceeds this.

    Raises:
        TypeError: Neither a problem nor both callables are given.
        ValueError: An argument is out of range.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> minimise(PROBLEMS["quadratic"]).points
        array([[-4. ,  1.5],
               [ 0. ,  0. ]])
        >>> minimise(PROBLEMS["saddle"], on_indefinite="refuse").reason
        "after 0 step(s): the Hessian is not positive definite, and on_indefinite is 'refuse'"
    """
    if problem is not None:
        if not isinstance(problem, Problem):
            raise TypeError(f"problem must be a problem, got {problem!r}; take one of PROBLEMS")
        first, second = problem.gradient, problem.hessian
        start = problem.start if start is None else start
    elif gradient is None or hessian is None or start is None:
        raise TypeError("give a problem, or all of start, gradient and hessian")
    else:
        first, second = _batched(gradient), _batched(hessian)
    return follow(first, second, start, max_steps, tolerance, on_indefinite, damping)


def _batched(function: Callable[[Array], ArrayLike]) -> Callable[[Array], Array]:
    return lambda points: np.array([np.asarray(function(point), dtype=np.float64) for point in points])


def root_functions(
    f: Callable[[Any], Any] | Formula, derivative: Callable[[Any], Any] | None
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """The function and its derivative on (n, 1) points, shaped as a gradient and a Hessian."""
    if derivative is None:
        if not isinstance(f, Formula):
            raise TypeError(f"derivative must be given: {f!r} is no formula that could be differentiated")
        derivative = derived_gradient(f)
    slope = derivative
    return (
        lambda points: np.array([[f(x)] for x in points[:, 0]], dtype=np.float64),
        lambda points: np.array([[[slope(x)]] for x in points[:, 0]], dtype=np.float64),
    )
