"""Quantities that never rise along a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics.flows import Flow, check_damping

if TYPE_CHECKING:
    from optkit.problems.problem import Problem

__all__ = ["din_energy", "energy_rate", "mechanical_energy"]


def mechanical_energy(flow: Flow) -> np.ndarray:
    """The heavy ball's energy J(θ) + ½‖θ′‖², which falls at the rate α‖θ′‖².

    Args:
        flow: A solution of `heavy_ball`.

    Returns:
        Shape (n,).

    Example:
        >>> from optkit.dynamics import heavy_ball
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"]
        >>> mechanical_energy(heavy_ball(bowl, [0.0, 5.0], friction=0.0, start=(1.0, 1.0))).round(6)
        array([5.5, 5.5])

    Source: polyak1964some.
    """
    return flow.loss + (flow.velocity**2).sum(axis=-1) / 2


def din_energy(problem: Problem, flow: Flow, *, alpha: float, beta: float) -> np.ndarray:
    """DIN's Lyapunov function E = 2(1 + αβ)J + ‖(α − 1/β)θ + ψ/β‖².

    The vector in it is −(θ′ + β∇J), so that E needs no ψ and serves both forms of DIN. It never rises, at the
    rate that `energy_rate` gives.

    Args:
        problem: The problem of the flow.
        flow: A solution of `din` or `din_phase_space`.
        alpha: α ≥ 0 of the flow.
        beta: β > 0 of the flow.

    Returns:
        Shape (n,).

    Raises:
        ValueError: A damping is out of range.

    Example:
        >>> from optkit.dynamics import din
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"]
        >>> motion = din(bowl, np.linspace(0.0, 9.0, 50), alpha=0.5, beta=0.1)
        >>> bool((np.diff(din_energy(bowl, motion, alpha=0.5, beta=0.1)) < 0).all())
        True

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    push = flow.velocity + beta * problem.gradient(flow.theta)
    return 2 * (1 + alpha * beta) * flow.loss + (push**2).sum(axis=-1)


def energy_rate(problem: Problem, flow: Flow, *, alpha: float, beta: float) -> np.ndarray:
    """The derivative of `din_energy` in time: E′ = −2(α‖θ′‖² + β‖∇J‖²).

    Args:
        problem: The problem of the flow.
        flow: A solution of `din` or `din_phase_space`.
        alpha: α ≥ 0 of the flow.
        beta: β > 0 of the flow.

    Returns:
        Shape (n,), never positive.

    Raises:
        ValueError: A damping is out of range.

    Example:
        >>> from optkit.dynamics import din
        >>> from optkit.problems import PROBLEMS
        >>> bowl = PROBLEMS["quadratic"]
        >>> motion = din(bowl, [0.0], alpha=0.5, beta=0.5, start=(1.0, 0.0))
        >>> energy_rate(bowl, motion, alpha=0.5, beta=0.5)  # at rest: −2β‖g‖²
        array([-1.])

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    slope = problem.gradient(flow.theta)
    return -2 * (alpha * (flow.velocity**2).sum(axis=-1) + beta * (slope**2).sum(axis=-1))
