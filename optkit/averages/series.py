"""The averages themselves: simple, weighted, exponentially weighted, and weights learned by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optkit.averages.checks import Array, checked_alpha, checked_count, checked_form, checked_series
from optkit.language.grammar import formula


@formula
def ewma_step(v, g, t, *, alpha=0.9):
    """One step of the exponentially weighted average; the first value starts it."""
    if t == 1:
        v = g
    else:
        v = alpha * v + (1 - alpha) * g
    return v


@formula
def ewma_normalised_step(s, g, t, *, alpha=0.9):
    """One step of the average from zero, and the average itself: its bias divided out."""
    s = alpha * s + (1 - alpha) * g
    v = s / (1 - alpha**t)
    return s, v


@formula
def weighted_term(total, g, *, weight):
    """A weighted average with one more of its values: what a convolution repeats."""
    return total + weight * g


def sma(series: ArrayLike, window: int) -> Array:
    """Simple moving average: v_t = (g_t + … + g_{t−w+1}) / w.

    Args:
        series: (n, …), time along axis 0, finite.
        window: Number of values w, from 1 to n.

    Returns:
        The same shape, float64; NaN for the first w − 1 steps, which lack a full window.

    Raises:
        ValueError: The window is longer than the series, or the series is empty or not finite.

    Example:
        >>> sma([1.0, 2.0, 6.0, 4.0], 2)
        array([nan, 1.5, 4. , 5. ])
    """
    return wma(series, np.ones(checked_count(window)))


def wma(series: ArrayLike, weights: ArrayLike) -> Array:
    """Weighted moving average: v_t = Σ w_i g_{t−i} / Σ w_i, a convolution.

    Args:
        series: (n, …), time along axis 0, finite.
        weights: (w,), newest first, with a sum other than zero; w from 1 to n. They are divided by their sum.

    Returns:
        The same shape, float64; NaN for the first w − 1 steps.

    Raises:
        ValueError: As for `sma`, or the weights sum to zero.

    Example:
        >>> wma([1.0, 2.0, 6.0], [3, 1])
        array([ nan, 1.75, 5.  ])
    """
    values, w = checked_series(series), normalised(weights)
    n, width = len(values), len(w)
    if width > n:
        raise ValueError(f"the window must not be longer than the series, got {width} > {n}; shorten it")
    result = np.full(values.shape, np.nan)
    total = np.zeros((n - width + 1, *values.shape[1:]))
    for i, weight in enumerate(w):
        total = weighted_term(total, values[width - 1 - i : n - i], weight=weight)
    result[width - 1 :] = total
    return result


def ewma(series: ArrayLike, alpha: float, *, form: str = "first") -> Array:
    """Exponentially weighted moving average: v_t = α v_{t−1} + (1 − α) g_t.

    Both forms run the one recursion that stands above as a formula. They differ in the weight of g₁:

    * ``"first"``: v₁ = g₁, so v_t = α^{t−1} g₁ + (1 − α) Σ α^i g_{t−i}: pandas' ``ewm(adjust=False)``;
    * ``"normalised"``: (g_t + α g_{t−1} + …) / (1 + α + …), Adam's bias correction: ``ewm(adjust=True)``.

    Args:
        series: (n, …), time along axis 0, finite.
        alpha: Smoothing factor in [0, 1): the share that stays. pandas' ``alpha`` is 1 − α.
        form: ``"first"`` or ``"normalised"``.

    Raises:
        ValueError: α is outside [0, 1), the form is unknown, or the series is empty or not finite.

    Example:
        >>> ewma([1.0, 2.0, 4.0], 0.5)
        array([1.  , 1.5 , 2.75])
        >>> ewma([1.0, 2.0, 4.0], 0.5, form="normalised").round(4)
        array([1.    , 1.6667, 3.    ])
    """
    values, alpha = checked_series(series), checked_alpha(alpha)
    checked_form(form)
    # A flat series runs on Python floats: the same doubles, many times faster than 0-d arrays.
    rows = values.tolist() if values.ndim == 1 else list(values)
    v: Any = 0.0 * rows[0]
    average = []
    for t, g in enumerate(rows, 1):
        if form == "first":
            v = ewma_step(v, g, t, alpha=alpha)
            average.append(v)
        else:
            v, corrected = ewma_normalised_step(v, g, t, alpha=alpha)
            average.append(corrected)
    return np.array(average, dtype=np.float64)


def normalised(weights: ArrayLike) -> Array:
    """The weights divided by their sum.

    Raises:
        ValueError: They are not a finite 1-D array of at least one, or sum to zero.

    Example:
        >>> normalised([3, 1])
        array([0.75, 0.25])
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or w.size == 0 or not np.isfinite(w).all():
        raise ValueError(f"weights must be a finite 1-D array of at least one, got shape {w.shape}")
    if w.sum() == 0:
        raise ValueError("weights must not sum to 0: an average divides by their sum")
    return w / w.sum()


def ewma_weights(alpha: float, count: int, *, form: str = "first") -> Array:
    """What the average of ``count`` values gives to each, newest first; the sum is 1.

    Args:
        alpha: Smoothing factor in [0, 1).
        count: Number of values, at least 1.
        form: ``"first"`` or ``"normalised"``, as for `ewma`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> ewma_weights(0.5, 4)
        array([0.5  , 0.25 , 0.125, 0.125])
        >>> ewma_weights(0.5, 3, form="normalised").round(4)
        array([0.5714, 0.2857, 0.1429])
    """
    alpha, count = checked_alpha(alpha), checked_count(count, "count")
    checked_form(form)
    powers = alpha ** np.arange(count)
    if form == "normalised":
        return powers / powers.sum()
    return np.append((1 - alpha) * powers[:-1], powers[-1])


def least_squares_weights(series: ArrayLike, target: ArrayLike, window: int) -> Array:
    """The weights, with sum 1, whose `wma` of ``series`` comes nearest to ``target``.

    min Σ_t (Σ_i w_i g_{t−i} − target_t)² subject to Σ w = 1; the shortest solution where several are best.

    Args:
        series: (n,), finite.
        target: (n,), finite: what the average should have been, such as the series without its noise, or the
            next value.
        window: Number of weights, from 1 to n.

    Returns:
        (window,) newest first. Single weights may be negative.

    Raises:
        ValueError: The shapes differ, or the window is longer than the series.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> series = rng.normal(size=50)
        >>> target = wma(series, [0.5, 0.3, 0.2])
        >>> least_squares_weights(series[2:], target[2:], 3).shape
        (3,)
    """
    values, wanted, width = checked_series(series), checked_series(target, "target"), checked_count(window)
    if values.ndim != 1 or values.shape != wanted.shape:
        raise ValueError(
            f"series and target must be 1-D of one length, got {values.shape} and {wanted.shape}"
        )
    if width > len(values):
        raise ValueError(f"the window must not be longer than the series, got {width} > {len(values)}")
    rows = np.lib.stride_tricks.sliding_window_view(values, width)[:, ::-1]
    # w = 1/width + Z c, where the columns of Z span the vectors with sum 0.
    equal = np.full(width, 1 / width)
    free = np.linalg.svd(np.ones((1, width)))[2][1:].T
    found = np.linalg.lstsq(rows @ free, wanted[width - 1 :] - rows @ equal, rcond=None)[0]
    return equal + free @ found
