"""INNA's iteration as Euler's method on DIN, and the order at which it follows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.dynamics.flows import check_damping, din_phase_space, starting_point
from optkit.rules import inna

if TYPE_CHECKING:
    from optkit.problems.problem import Problem

__all__ = ["Convergence", "inna_convergence", "inna_path"]


def inna_path(
    problem: Problem,
    *,
    lr: float,
    steps: int,
    alpha: float,
    beta: float,
    start: Any = None,
    paper_start: bool = True,
) -> np.ndarray:
    """INNA's iterates, by its rule: step k is at the time kγ of the flow.

    Args:
        problem: Any problem.
        lr: γ > 0.
        steps: At least 0.
        alpha: α ≥ 0.
        beta: β > 0.
        start: θ₀, shape (dim,); by default the problem's own.
        paper_start: Start with the velocity −g, as the paper; else −βg, as its code.

    Returns:
        Shape (steps + 1, dim), float64.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> inna_path(PROBLEMS["quadratic"], lr=0.1, steps=2, alpha=0.5, beta=0.1).shape
        (3, 2)

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    if not (math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr must be > 0 and finite, got {lr}")
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}")
    theta = starting_point(problem, start)
    psi = np.zeros_like(theta)
    path = [theta]
    for t in range(1, steps + 1):
        g = problem.gradient(theta)
        theta, psi = inna(theta, g, psi, t, lr=lr, alpha=alpha, beta=beta, paper_start=paper_start)
        path.append(theta)
    return np.stack(path)


@dataclass(frozen=True)
class Convergence:
    """How the distance to the flow falls with the step size.

    Attributes:
        lr: Step sizes γ, shape (n,).
        error: Largest ‖θ_k − θ(kγ)‖₂ over the path, shape (n,).
        order: Slope of log error against log γ, by least squares.
    """

    lr: np.ndarray
    error: np.ndarray = field(repr=False)
    order: float


def inna_convergence(
    problem: Problem,
    *,
    duration: float,
    steps: Sequence[int],
    alpha: float,
    beta: float,
    start: Any = None,
    paper_start: bool = True,
) -> Convergence:
    """Measure the order at which INNA's path tends to the solution of DIN. Euler's method has order 1.

    Args:
        problem: A problem with a continuous gradient along the path.
        duration: T > 0, time of the flow. Every path has its steps of γ = T/steps.
        steps: Numbers of steps, at least two different ones, each at least 1.
        alpha: α ≥ 0.
        beta: β > 0.
        start: θ₀, shape (dim,); by default the problem's own.
        paper_start: Start with the velocity −g, as the paper; else −βg, as its code.

    Returns:
        `Convergence`.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: The integrator gave up.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"]
        >>> found = inna_convergence(bowl, duration=2.0, steps=[500, 1000, 2000], alpha=0.5, beta=0.1)
        >>> round(found.order, 1)
        1.0

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    if not (math.isfinite(duration) and duration > 0):
        raise ValueError(f"duration must be > 0 and finite, got {duration}")
    if len(set(steps)) < 2 or min(steps) < 1:
        raise ValueError(f"steps must be 2 different numbers >= 1 at least, got {list(steps)}")
    theta = starting_point(problem, start)
    g = problem.gradient(theta)
    velocity = -g if paper_start else -beta * g
    errors = []
    for count in steps:
        times = np.linspace(0.0, duration, count + 1)
        exact = din_phase_space(
            problem, times, alpha=alpha, beta=beta, start=theta, velocity=velocity, tolerance=1e-11
        )
        path = inna_path(
            problem, lr=duration / count, steps=count, alpha=alpha, beta=beta, start=theta,
            paper_start=paper_start,
        )  # fmt: skip
        errors.append(np.linalg.norm(path - exact.theta, axis=1).max())
    lr, error = duration / np.asarray(steps, dtype=float), np.asarray(errors)
    return Convergence(lr, error, float(np.polyfit(np.log(lr), np.log(error), 1)[0]))
