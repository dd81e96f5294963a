"""How far Adam steps: without its correction, at most, and where the gradients that matter are rare.

All lengths are multiples of the learning rate, with the stabiliser δ = 0. Sources: kingma2015adam,
reddi2018convergence.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["longest_step", "longest_step_gradients", "rare_drift", "rare_gradients", "uncorrected_step"]


def uncorrected_step(t: int, *, beta1: float = 0.9, beta2: float = 0.999) -> float:
    """Adam's step number t under a constant gradient, without bias correction: (1 − ρ₁ᵗ)/√(1 − ρ₂ᵗ).

    Args:
        t: Number of the step, counted from 1.
        beta1: ρ₁, in [0, 1).
        beta2: ρ₂, in [0, 1).

    Raises:
        ValueError: A number out of range.

    Example:
        >>> round(uncorrected_step(1), 3), round(uncorrected_step(12), 3), round(uncorrected_step(5000), 3)
        (3.162, 6.569, 1.003)
    """
    _check(beta1, beta2)
    if t < 1:
        raise ValueError(f"t must be >= 1, got {t}: steps count from 1")
    return (1 - beta1**t) / math.sqrt(1 - beta2**t)


def longest_step(*, beta1: float = 0.9, beta2: float = 0.999) -> float:
    """The longest step that any gradients can bring about, in the long run: infinite from ρ₁² = ρ₂ on.

    By the inequality of Cauchy and Schwarz ``|s|/√r`` is at most (1 − ρ₁)/√((1 − ρ₂)(1 − ρ₁²/ρ₂)).

    Raises:
        ValueError: A decay out of range, or ρ₂ = 0 with ρ₁ > 0.

    Example:
        >>> round(longest_step(), 2), longest_step(beta1=0.0, beta2=0.0), longest_step(beta2=0.8)
        (7.27, 1.0, inf)
    """
    _check(beta1, beta2)
    if beta1 == 0:
        return 1 / math.sqrt(1 - beta2)
    if beta1**2 >= beta2:
        return math.inf
    return (1 - beta1) / math.sqrt((1 - beta2) * (1 - beta1**2 / beta2))


def longest_step_gradients(steps: int, *, beta1: float = 0.9, beta2: float = 0.999) -> np.ndarray:
    """Gradients whose last step is the longest possible: each is ρ₂/ρ₁ times the one before, the last is 1.

    Args:
        steps: How many.
        beta1: ρ₁, > 0.
        beta2: ρ₂, larger than ρ₁².

    Example:
        >>> longest_step_gradients(3).round(4)
        array([0.8116, 0.9009, 1.    ])
    """
    if not 0 < beta1**2 < beta2 < 1:
        raise ValueError(f"need 0 < beta1² < beta2 < 1, got beta1 = {beta1} and beta2 = {beta2}")
    return (beta1 / beta2) ** np.arange(steps - 1, -1, -1.0)


def rare_gradients(period: int, size: float, periods: int = 1) -> np.ndarray:
    """One gradient ``size`` and period − 1 gradients of −1, again and again.

    The loss is linear with the mean slope (size − period + 1)/period. If that is positive, downhill is to
    the left, and only the rare gradient says so.

    Example:
        >>> rare_gradients(3, 4.0, periods=2).tolist()
        [4.0, -1.0, -1.0, 4.0, -1.0, -1.0]
    """
    if period < 2 or periods < 1:
        raise ValueError(f"period must be >= 2 and periods >= 1, got {period} and {periods}")
    one = np.full(period, -1.0)
    one[0] = size
    return np.tile(one, periods)


def rare_drift(period: int, size: float, *, beta1: float = 0.9, beta2: float = 0.999) -> float:
    """How far Adam has moved after one period of `rare_gradients`, once its moments repeat themselves.

    With C the size, n the period and j steps since the rare gradient,
    s = −1 + (C + 1)(1 − ρ₁)ρ₁ʲ/(1 − ρ₁ⁿ) and r = 1 + (C² − 1)(1 − ρ₂)ρ₂ʲ/(1 − ρ₂ⁿ). The drift is −Σ s/√r.

    Returns:
        Multiples of ε; negative is downhill if size > period − 1.

    Raises:
        ValueError: A number out of range.

    Example:
        >>> round(rare_drift(101, 101.0), 3), round(rare_drift(101, 101.0, beta2=0.9999), 3)
        (0.105, -0.079)
    """
    _check(beta1, beta2)
    if period < 2:
        raise ValueError(f"period must be >= 2, got {period}")
    since = np.arange(period)
    s = -1 + (size + 1) * (1 - beta1) / (1 - beta1**period) * beta1**since
    r = 1 + (size**2 - 1) * (1 - beta2) / (1 - beta2**period) * beta2**since
    return float(-(s / np.sqrt(r)).sum())


def _check(beta1: float, beta2: float) -> None:
    for name, value in (("beta1", beta1), ("beta2", beta2)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be >= 0 and < 1, got {value}")
