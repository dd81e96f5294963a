"""DIN along one eigenvector of the Hessian: θ″ + (α + βλ)θ′ + λθ = 0, and what INNA's step makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from optkit.dynamics.flows import check_damping

__all__ = ["damping_ratio", "decay_rate", "inna_matrix"]


def damping_ratio(curvature: Any, *, alpha: float, beta: float) -> np.ndarray:
    """The damping ratio ζ = (α + βλ)/(2√λ): below 1 the ball swings, from 1 on it does not.

    With β > 0 it is lowest at λ = α/β, where it is √(αβ).

    Args:
        curvature: λ > 0, of any shape.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β ≥ 0; 0 is the heavy ball.

    Returns:
        Of the shape of the curvature, float64.

    Raises:
        ValueError: A damping or a curvature is out of range.

    Example:
        >>> damping_ratio([0.25, 4.0], alpha=1.0, beta=0.25)  # 4 = α/β
        array([1.0625, 0.5   ])

    Source: alvarez2002second.
    """
    check_damping(alpha, beta, beta_may_be_zero=True)
    curvature = _positive(curvature)
    return (alpha + beta * curvature) / (2 * np.sqrt(curvature))


def decay_rate(curvature: Any, *, alpha: float, beta: float) -> np.ndarray:
    """How fast the error fades, per unit of time: in the long run it falls as exp(−rate · τ).

    The rate is minus the larger real part of the roots of s² + (α + βλ)s + λ = 0. It tends to 1/β for steep
    directions, as under Newton's method, whatever their curvature.

    Args:
        curvature: λ > 0, of any shape.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β ≥ 0; 0 is the heavy ball.

    Returns:
        Of the shape of the curvature, float64.

    Raises:
        ValueError: A damping or a curvature is out of range.

    Example:
        >>> decay_rate([1.0, 1e6], alpha=0.5, beta=0.1).round(3)
        array([ 0.3  , 10.001])

    Source: alvarez2002second.
    """
    check_damping(alpha, beta, beta_may_be_zero=True)
    curvature = _positive(curvature)
    brake = alpha + beta * curvature
    inside = np.maximum(brake * brake - 4 * curvature, 0.0)
    # The product of the roots is λ: dividing by the fast one loses no digits, as subtracting would.
    return np.where(inside > 0, 2 * curvature / (brake + np.sqrt(inside)), brake / 2)


def inna_matrix(curvature: float, *, lr: float, alpha: float, beta: float) -> np.ndarray:
    """The matrix of one step of INNA along one eigenvector of the Hessian, in the momentum form.

    (θ, m) ← M (θ, m), with M = [[1 − γβλ, −γ], [γ(1 − αβ)λ, 1 − αγ]]. Both of its eigenvalues lie inside the
    unit circle if, and only if, γ < β + α/λ and 4 − 2γ(α + βλ) + γ²λ > 0.

    Args:
        curvature: λ > 0.
        lr: γ > 0.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β > 0.

    Returns:
        Shape (2, 2), float64.

    Raises:
        ValueError: A damping or the curvature is out of range.

    Example:
        >>> inna_matrix(2.0, lr=0.5, alpha=1.0, beta=0.5)
        array([[ 0.5, -0.5],
               [ 0.5,  0.5]])

    Source: castera2021inertial.
    """
    check_damping(alpha, beta)
    curvature = float(_positive(curvature))
    return np.array([[1 - lr * beta * curvature, -lr], [lr * (1 - alpha * beta) * curvature, 1 - alpha * lr]])


def _positive(curvature: Any) -> np.ndarray:
    values = np.asarray(curvature, dtype=float)
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError(f"curvature must be > 0 and finite, got {curvature}")
    return values
