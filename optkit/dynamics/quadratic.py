"""Gradient descent and momentum on a quadratic, as powers of a matrix: roots, rates, the best settings.

Along an eigenvector of the Hessian with eigenvalue λ the gradient is λθ, and one step of momentum in the
standard form maps (θ, v) to M(θ, v) with the 2×2 matrix M of `momentum_matrix`. Its two eigenvalues, the
roots σ, decide everything: after t steps the error is of the size of ``max|σ|ᵗ``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from optkit.language.functions import relu, sqrt
from optkit.language.grammar import formula

__all__ = [
    "Setting",
    "best_gradient_descent",
    "best_momentum",
    "critical_momentum",
    "larger_modulus",
    "momentum_matrix",
    "rate",
    "roots",
    "steady_variance",
]


@formula
def root_parts(curvature, *, lr, momentum):
    """The two roots: their real parts, and the imaginary part that one has with +, the other with −."""
    half = (1 + momentum - lr * curvature) / 2
    inside = half * half - momentum
    spread = sqrt(relu(inside))
    turn = sqrt(relu(-inside))
    return half + spread, half - spread, turn


@formula
def larger_modulus(curvature, *, lr, momentum):
    """The larger ``|σ|``: the factor by which the error shrinks in each step in the long run."""
    half = (1 + momentum - lr * curvature) / 2
    inside = half * half - momentum
    reach = abs(half) + sqrt(relu(inside))
    return sqrt(reach * reach + relu(-inside))


@formula
def meeting(*, pull):
    """The momentum at which the two roots meet, for the product ελ."""
    return (1 - sqrt(pull)) ** 2


@formula
def best_descent(*, smallest, largest):
    """The best ε of gradient descent between two curvatures, no momentum, and the rate."""
    lr = 2 / (largest + smallest)
    best = (largest - smallest) / (largest + smallest)
    return lr, 0.0, best


@formula
def best_heavy_ball(*, smallest, largest):
    """The best ε and α of momentum between two curvatures, and the rate."""
    low = sqrt(smallest)
    high = sqrt(largest)
    best = (high - low) / (high + low)
    return 4 / (high + low) ** 2, best * best, best


class Setting(NamedTuple):
    """A learning rate, a momentum, and the factor by which the error shrinks in each step."""

    lr: float
    momentum: float
    rate: float


def momentum_matrix(curvature: float, *, lr: float, momentum: float) -> np.ndarray:
    """The matrix of one step of momentum in the standard form, along one eigenvector of the Hessian.

    (θ, v) ← M (θ, v), with M = [[1 − ελ, α], [−ελ, α]].

    Args:
        curvature: λ, the eigenvalue.
        lr: ε, the learning rate.
        momentum: α; 0 gives gradient descent.

    Returns:
        Shape (2, 2), float64. Its determinant is α.

    Example:
        >>> momentum_matrix(2.0, lr=0.1, momentum=0.9)
        array([[ 0.8,  0.9],
               [-0.2,  0.9]])
    """
    pull = lr * curvature
    return np.array([[1.0 - pull, momentum], [-pull, momentum]])


def roots(curvature: Any, *, lr: Any, momentum: Any) -> np.ndarray:
    """The two eigenvalues of `momentum_matrix`: σ² − (1 + α − ελ)σ + α = 0.

    Args:
        curvature: λ; these three broadcast against each other.
        lr: ε.
        momentum: α ≥ 0.

    Returns:
        Complex, of the broadcast shape and a last axis of 2: the root with the plus sign first.

    Example:
        >>> abs(roots(1.0, lr=0.5, momentum=0.81)).round(6)  # a complex pair: both have modulus √α
        array([0.9, 0.9])
    """
    numbers = (np.asarray(value, dtype=float) for value in (curvature, lr, momentum))
    curvature, lr, momentum = np.broadcast_arrays(*numbers)
    first, second, turn = root_parts(curvature, lr=lr, momentum=momentum)
    return np.stack([first + 1j * turn, second - 1j * turn], axis=-1)


def rate(curvature: Any, *, lr: float, momentum: float) -> float:
    """The factor by which the error shrinks in each step in the long run: the largest ``|σ|``.

    Args:
        curvature: λ, or all eigenvalues of the Hessian.
        lr: ε.
        momentum: α.

    Returns:
        Below 1: it converges. Above 1: it diverges.

    Example:
        >>> round(rate([1.0, 100.0], lr=0.01, momentum=0.0), 6)  # gradient descent: max |1 − ελ|
        0.99
    """
    return float(np.max(larger_modulus(np.asarray(curvature, dtype=float), lr=lr, momentum=momentum)))


def critical_momentum(curvature: float, *, lr: float) -> float:
    """The momentum at which the two roots meet: less creeps, more swings. α = (1 − √(ελ))².

    Args:
        curvature: λ > 0.
        lr: ε > 0, with ελ < 4.

    Raises:
        ValueError: ελ is not in (0, 4): there is no such momentum below 1.

    Example:
        >>> round(critical_momentum(1.0, lr=0.01), 6)
        0.81
    """
    pull = lr * curvature
    if not 0.0 < pull < 4.0:
        raise ValueError(f"lr * curvature must be in (0, 4), got {pull}")
    return meeting(pull=pull)


def best_gradient_descent(smallest: float, largest: float) -> Setting:
    """The best constant learning rate on a quadratic: ε = 2/(L + μ), rate (κ − 1)/(κ + 1), κ = L/μ.

    Args:
        smallest: μ > 0, the smallest eigenvalue of the Hessian.
        largest: L ≥ μ, the largest.

    Raises:
        ValueError: Not 0 < smallest ≤ largest.

    Example:
        >>> best_gradient_descent(1.0, 99.0)
        Setting(lr=0.02, momentum=0.0, rate=0.98)
    """
    _check(smallest, largest)
    return Setting(*best_descent(smallest=smallest, largest=largest))


def best_momentum(smallest: float, largest: float) -> Setting:
    """The best ε and α on a quadratic: ε = 4/(√L + √μ)², √α = (√κ − 1)/(√κ + 1), which is also the rate.

    Args:
        smallest: μ > 0, the smallest eigenvalue of the Hessian.
        largest: L ≥ μ, the largest.

    Raises:
        ValueError: Not 0 < smallest ≤ largest.

    Example:
        >>> best_momentum(1.0, 100.0).rate.__round__(6)  # 9/11
        0.818182
    """
    _check(smallest, largest)
    return Setting(*best_heavy_ball(smallest=smallest, largest=largest))


def steady_variance(curvature: float, *, lr: float, momentum: float, noise: float) -> float:
    """How far θ still jitters about the minimum in the long run, when every gradient carries noise.

    Var θ = εσ²(1 + α) / (λ (1 − α) (2(1 + α) − ελ)), of the quadratic ½λθ² under independent noise.

    Args:
        curvature: λ > 0.
        lr: ε > 0, of the standard and the common form.
        momentum: 0 ≤ α < 1.
        noise: σ, the standard deviation of the noise of a gradient.

    Returns:
        The variance of θ.

    Raises:
        ValueError: It diverges: ε is not below 2(1 + α)/λ.

    Example:
        >>> round(steady_variance(1.0, lr=0.5, momentum=0.0, noise=1.0), 6)  # ε/(2 − ε)
        0.333333
    """
    edge = 2.0 * (1.0 + momentum) / curvature
    if not 0.0 < lr < edge:
        raise ValueError(f"lr must be > 0 and < 2 (1 + momentum) / curvature = {edge:.6g}, got {lr}")
    still = (1.0 - momentum) * (2.0 * (1.0 + momentum) - lr * curvature)
    return lr * noise * noise * (1.0 + momentum) / (curvature * still)


def _check(smallest: float, largest: float) -> None:
    if not 0.0 < smallest <= largest < math.inf:
        raise ValueError(f"smallest and largest must be 0 < smallest <= largest, got {smallest}, {largest}")
