"""What an average does to a series: how long it looks back, how late it is, how much noise it leaves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from optkit.averages.checks import checked_alpha
from optkit.averages.series import normalised
from optkit.language.functions import log
from optkit.language.grammar import formula


@formula
def ewma_reach(*, alpha):
    """How many values an EWMA averages, their mean age, and what it leaves of the variance of white noise."""
    window = 1 / (1 - alpha)
    age = alpha / (1 - alpha)
    left = (1 - alpha) / (1 + alpha)
    return window, age, left


@formula
def ewma_half_life(*, alpha):
    """Steps after which a value's weight in an EWMA has halved."""
    return log(0.5) / log(alpha)


def lag(average: float | ArrayLike) -> float:
    """The mean age of the values in the average: by how many steps its graph is shifted.

    Args:
        average: α of an EWMA (lag α/(1 − α)), or weights, newest first (lag Σ i w_i / Σ w_i).

    Example:
        >>> round(lag(0.9), 12), lag([1, 1, 1])
        (9.0, 1.0)
    """
    if np.ndim(average) == 0:
        _, age, _ = ewma_reach(alpha=checked_alpha(average))
        return age
    w = normalised(average)
    return float(np.arange(len(w)) @ w)


def variance_factor(average: float | ArrayLike) -> float:
    """What remains of the variance of white noise.

    Args:
        average: α of an EWMA ((1 − α)/(1 + α), after its start), or weights (Σ w_i² / (Σ w_i)²).

    Example:
        >>> variance_factor(0.5), variance_factor([1, 1, 1, 1])
        (0.3333333333333333, 0.25)
    """
    if np.ndim(average) == 0:
        _, _, left = ewma_reach(alpha=checked_alpha(average))
        return left
    w = normalised(average)
    return float(w @ w)


def effective_window(alpha: float) -> float:
    """About how many values an EWMA averages: 1/(1 − α), after which a weight has fallen to about 1/e.

    Example:
        >>> effective_window(0.5)
        2.0
    """
    window, _, _ = ewma_reach(alpha=checked_alpha(alpha))
    return window


def equivalent_window(average: float | ArrayLike) -> float:
    """The window of the simple average that quiets white noise as much: 1 / `variance_factor`.

    Example:
        >>> equivalent_window(0.5), equivalent_window([1, 1, 1, 1])
        (3.0, 4.0)
    """
    return 1 / variance_factor(average)


def half_life(alpha: float) -> float:
    """Steps after which a value's weight has halved: ln ½ / ln α; 0 for α = 0.

    Example:
        >>> half_life(0.5)
        1.0
    """
    alpha = checked_alpha(alpha)
    return 0.0 if alpha == 0 else ewma_half_life(alpha=alpha)


def smoothing_factor(
    *,
    swapped: float | None = None,
    window: float | None = None,
    lag: float | None = None,
    half_life: float | None = None,
    span: float | None = None,
) -> float:
    """α from another way to say it. Give exactly one.

    Args:
        swapped: Weight of the NEW value, in (0, 1], as in v ← (1 − β) v + β g or pandas' ``alpha``: 1 − β.
        window: Effective window N ≥ 1: 1 − 1/N.
        lag: Mean age ≥ 0 (pandas' ``com``): lag / (1 + lag).
        half_life: Steps > 0 until a weight has halved: ½^(1/h).
        span: pandas' ``span`` n ≥ 1, the `equivalent_window`: (n − 1)/(n + 1).

    Raises:
        TypeError: None or several are given.
        ValueError: Out of range.

    Example:
        >>> smoothing_factor(swapped=0.25), smoothing_factor(window=10), smoothing_factor(half_life=1)
        (0.75, 0.9, 0.5)
    """
    given = {"swapped": swapped, "window": window, "lag": lag, "half_life": half_life, "span": span}
    chosen = [(name, value) for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise TypeError(f"give exactly one of {', '.join(given)}, got {len(chosen)}")
    name, value = chosen[0]
    allowed, inside, alpha = {
        "swapped": ("in (0, 1]", lambda b: 0 < b <= 1, lambda b: 1 - b),
        "window": (">= 1", lambda n: 1 <= n < math.inf, lambda n: 1 - 1 / n),
        "lag": (">= 0", lambda a: 0 <= a < math.inf, lambda a: a / (1 + a)),
        "half_life": ("> 0", lambda h: 0 < h < math.inf, lambda h: 0.5 ** (1 / h)),
        "span": (">= 1", lambda n: 1 <= n < math.inf, lambda n: (n - 1) / (n + 1)),
    }[name]
    if isinstance(value, bool) or not hasattr(value, "__float__") or not inside(value):
        raise ValueError(f"{name} must be {allowed}, got {value}")
    return alpha(value)
