"""Gradient flow, the heavy ball with friction, and DIN in both its forms, by SciPy's integrators."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from optkit.problems.problem import Problem

__all__ = [
    "Flow",
    "check_damping",
    "din",
    "din_phase_space",
    "din_start",
    "gradient_flow",
    "heavy_ball",
    "starting_point",
]

METHODS = ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")


@dataclass(frozen=True)
class Flow:
    """A solution of a differential equation at chosen times.

    Attributes:
        t: Times, shape (n,).
        theta: θ there, shape (n, dim).
        velocity: θ′ there, shape (n, dim).
        psi: DIN's auxiliary variable ψ in the phase-space form, shape (n, dim); else None.
        loss: J(θ) there, shape (n,).
        evaluations: How often the integrator asked for the right-hand side.
    """

    t: np.ndarray
    theta: np.ndarray = field(repr=False)
    velocity: np.ndarray = field(repr=False)
    psi: np.ndarray | None = field(repr=False)
    loss: np.ndarray = field(repr=False)
    evaluations: int


def gradient_flow(
    problem: Problem, times: Any, *, start: Any = None, method: str = "DOP853", tolerance: float = 1e-9
) -> Flow:
    """θ′ = −∇J(θ): gradient descent with steps that shrink to nothing.

    Args:
        problem: Any problem.
        times: When to look, ascending from 0 or later, shape (n,). The motion starts at time 0.
        start: θ(0), shape (dim,); by default the problem's own.
        method: Of ``scipy.integrate.solve_ivp``. Where the gradient jumps, an explicit method slows down.
        tolerance: Relative, and absolute of a thousandth of it, in (0, 1).

    Returns:
        `Flow`.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: The integrator gave up, or the motion left the finite world.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"].replace(condition=1.0)
        >>> gradient_flow(bowl, [0.0, 1.0], start=(1.0, 0.0)).theta[:, 0].round(6)  # e^−t
        array([1.      , 0.367879])

    Source: cauchy1847methode.
    """

    def motion(t: float, theta: np.ndarray) -> np.ndarray:
        return -problem.gradient(theta)

    t, states, count = _solve(motion, starting_point(problem, start), times, method, tolerance)
    return Flow(t, states, -problem.gradient(states), None, _losses(problem, states), count)


def heavy_ball(
    problem: Problem,
    times: Any,
    *,
    friction: float,
    start: Any = None,
    velocity: Any = 0.0,
    method: str = "DOP853",
    tolerance: float = 1e-9,
) -> Flow:
    """θ″ + αθ′ + ∇J(θ) = 0: a ball with friction, which momentum follows in steps.

    Args:
        problem: Any problem.
        times: When to look, as for `gradient_flow`.
        friction: α ≥ 0.
        start: θ(0), shape (dim,); by default the problem's own.
        velocity: θ′(0), shape (dim,), or one number.
        method: Of ``scipy.integrate.solve_ivp``.
        tolerance: As for `gradient_flow`.

    Returns:
        `Flow`.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: The integrator gave up, or the motion left the finite world.

    Example:
        >>> from math import pi
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"].replace(condition=1.0)
        >>> swing = heavy_ball(bowl, [0.0, pi], friction=0.0, start=(1.0, 0.0))
        >>> swing.theta[:, 0].round(6)  # cos t
        array([ 1., -1.])

    Source: polyak1964some.
    """
    return din(
        problem, times, alpha=friction, beta=0.0, start=start, velocity=velocity, method=method,
        tolerance=tolerance,
    )  # fmt: skip


def din(
    problem: Problem,
    times: Any,
    *,
    alpha: float,
    beta: float,
    start: Any = None,
    velocity: Any = 0.0,
    method: str = "DOP853",
    tolerance: float = 1e-9,
) -> Flow:
    """DIN, the dynamical inertial Newton equation: θ″ + αθ′ + β∇²J(θ)θ′ + ∇J(θ) = 0.

    Inertia, friction, a brake by curvature, and the pull of the gradient. The loss must have a Hessian.

    Args:
        problem: Any problem; its derived Hessian is used.
        times: When to look, as for `gradient_flow`.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β ≥ 0; 0 is the heavy ball.
        start: θ(0), shape (dim,); by default the problem's own.
        velocity: θ′(0), shape (dim,), or one number.
        method: Of ``scipy.integrate.solve_ivp``.
        tolerance: As for `gradient_flow`.

    Returns:
        `Flow`.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: The integrator gave up, or the motion left the finite world.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"].replace(condition=1.0)  # θ″ + 2θ′ + θ = 0
        >>> motion = din(bowl, [0.0, 1.0], alpha=1.0, beta=1.0, start=(1.0, 0.0))
        >>> motion.theta[:, 0].round(6)  # (1 + t) e^−t
        array([1.      , 0.735759])

    Source: alvarez2002second.
    """
    check_damping(alpha, beta, beta_may_be_zero=True)
    theta = starting_point(problem, start)
    dim = len(theta)

    def motion(t: float, state: np.ndarray) -> np.ndarray:
        theta, speed = state[:dim], state[dim:]
        brake = beta * problem.hessian(theta) @ speed if beta else 0.0
        return np.concatenate([speed, -alpha * speed - brake - problem.gradient(theta)])

    begin = np.concatenate([theta, np.broadcast_to(np.asarray(velocity, dtype=float), theta.shape)])
    t, states, count = _solve(motion, begin, times, method, tolerance)
    return Flow(t, states[:, :dim], states[:, dim:], None, _losses(problem, states[:, :dim]), count)


def din_phase_space(
    problem: Problem,
    times: Any,
    *,
    alpha: float,
    beta: float,
    start: Any = None,
    velocity: Any = 0.0,
    method: str = "DOP853",
    tolerance: float = 1e-9,
) -> Flow:
    """DIN without a Hessian: θ′ + β∇J + (α − 1/β)θ + ψ/β = 0, ψ′ + (α − 1/β)θ + ψ/β = 0.

    Of first order in (θ, ψ), so that it makes sense where the loss has only a gradient, and costs no Hessian.

    Args:
        problem: Any problem.
        times: When to look, as for `gradient_flow`.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β > 0.
        start: θ(0), shape (dim,); by default the problem's own.
        velocity: θ′(0), shape (dim,), or one number. `din_start` gives the ψ(0) that belongs to it.
        method: Of ``scipy.integrate.solve_ivp``.
        tolerance: As for `gradient_flow`.

    Returns:
        `Flow`, with ``psi``.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: The integrator gave up, or the motion left the finite world.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"].replace(condition=1.0)
        >>> motion = din_phase_space(bowl, [0.0, 1.0], alpha=1.0, beta=1.0, start=(1.0, 0.0))
        >>> motion.theta[:, 0].round(6)
        array([1.      , 0.735759])

    Source: alvarez2002second, castera2021inertial.
    """
    check_damping(alpha, beta)
    theta = starting_point(problem, start)
    dim = len(theta)
    psi = din_start(problem, theta, alpha=alpha, beta=beta, velocity=velocity)

    def motion(t: float, state: np.ndarray) -> np.ndarray:
        theta, psi = state[:dim], state[dim:]
        drift = (1 / beta - alpha) * theta - psi / beta
        return np.concatenate([drift - beta * problem.gradient(theta), drift])

    t, states, count = _solve(motion, np.concatenate([theta, psi]), times, method, tolerance)
    theta, psi = states[:, :dim], states[:, dim:]
    speed = (1 / beta - alpha) * theta - psi / beta - beta * problem.gradient(theta)
    return Flow(t, theta, speed, psi, _losses(problem, theta), count)


def din_start(problem: Problem, theta: Any, *, alpha: float, beta: float, velocity: Any = 0.0) -> np.ndarray:
    """The ψ that gives the phase-space form this velocity: ψ = (1 − αβ)θ − βθ′ − β²∇J(θ).

    INNA's paper starts with θ′ = −∇J, its code with θ′ = −β∇J.

    Args:
        problem: Any problem.
        theta: θ, shape (dim,).
        alpha: α ≥ 0.
        beta: β > 0.
        velocity: θ′, shape (dim,), or one number.

    Returns:
        ψ, shape (dim,).

    Raises:
        ValueError: A damping is out of range.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"].replace(condition=1.0)
        >>> din_start(bowl, [1.0, 0.0], alpha=0.5, beta=0.5, velocity=[-0.5, 0.0])  # −βg: (1 − αβ)θ
        array([0.75, 0.  ])

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    place = np.asarray(theta, dtype=float)
    speed = np.asarray(velocity, dtype=float)
    return (1 - alpha * beta) * place - beta * speed - beta * beta * problem.gradient(place)


def check_damping(alpha: float, beta: float, *, beta_may_be_zero: bool = False) -> None:
    """Raise unless α ≥ 0 and β > 0 (or ≥ 0) are finite."""
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha must be >= 0 and finite, got {alpha}")
    if not (math.isfinite(beta) and (beta > 0 or (beta_may_be_zero and beta == 0))):
        allowed = ">= 0" if beta_may_be_zero else "> 0"
        raise ValueError(f"beta must be {allowed} and finite, got {beta}")


def starting_point(problem: Problem, start: Any) -> np.ndarray:
    """The start, or the problem's own, as a checked array of shape (dim,)."""
    theta = np.array(problem.start if start is None else start, dtype=float)
    if theta.shape != (problem.dim,) or not np.isfinite(theta).all():
        raise ValueError(
            f"start must have shape ({problem.dim},) for {problem.name} and be finite, got {theta.tolist()}"
        )
    return theta


def _losses(problem: Problem, theta: np.ndarray) -> np.ndarray:
    return np.asarray(problem.loss(theta), dtype=float)


def _solve(
    motion: Callable[[float, np.ndarray], np.ndarray],
    begin: np.ndarray,
    times: Any,
    method: str,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Times, states (n, …), and the number of evaluations."""
    from scipy.integrate import solve_ivp

    t = np.asarray(times, dtype=float)
    if t.ndim != 1 or not len(t) or not np.isfinite(t).all() or t[0] < 0 or (np.diff(t) <= 0).any():
        raise ValueError("times must be ascending, finite and >= 0, of shape (n,) with n >= 1")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be in (0, 1), got {tolerance}")
    if t[-1] == 0:
        return t, begin[None], 0
    with np.errstate(over="raise", invalid="raise"):
        try:
            solved = solve_ivp(
                motion, (0.0, t[-1]), begin, method, t_eval=t, rtol=max(tolerance, 3e-14),
                atol=1e-3 * tolerance,
            )  # fmt: skip
        except FloatingPointError as error:
            raise RuntimeError("the motion left the finite world; choose another start or damping") from error
    if not solved.success:
        raise RuntimeError(f"the integrator gave up: {solved.message}; try method='Radau' or 'LSODA'")
    return t, solved.y.T, int(solved.nfev)
