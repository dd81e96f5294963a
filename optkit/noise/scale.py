"""The gradient noise scale tr Σ/|G|²: from which batch size on a larger batch is mostly wasted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from optkit.noise.statistics import GradientStatistics

__all__ = ["CriticalBatch", "NoiseScale", "fit_critical_batch", "noise_scale", "noise_scale_of_batches"]


@dataclass(frozen=True)
class NoiseScale:
    """The noise scale B = S/|G|², with a confidence interval.

    Attributes:
        value: B. Infinite where the estimate of |G|² is not positive: the gradient is lost in the noise, and
            more examples or draws are needed.
        low: Lower end of the interval, at least 0.
        high: Upper end; infinite where |G|² may be 0.
        noise: S, the estimate of tr Σ. Unbiased.
        square_gradient: The estimate of |G|². Unbiased, and so it may be negative.
        confidence: Of the interval.
    """

    value: float
    low: float
    high: float
    noise: float
    square_gradient: float
    confidence: float

    @property
    def resolved(self) -> bool:
        """Whether the gradient stands out from the noise: the interval ends."""
        return math.isfinite(self.high)


def noise_scale(statistics: GradientStatistics, *, confidence: float = 0.95) -> NoiseScale:
    """The noise scale from the gradients of single examples.

    S = Σ‖g_i − Ḡ‖²/(N − 1), |G|² = (‖Σg_i‖² − Σ‖g_i‖²)/(N(N − 1)): the mean of ⟨g_i, g_j⟩ over all pairs
    i ≠ j, without the examples' own squares, which would add S/N. The interval is Fieller's for a ratio, from
    the jackknife over the blocks of the statistics, with Student's t.

    Args:
        statistics: What `gradient_statistics` returns.
        confidence: Of the interval, in (0, 1).

    Returns:
        `NoiseScale`, of the distribution that the examples are drawn from.

    Raises:
        ValueError: ``confidence`` is out of range.

    Example:
        >>> import torch
        >>> from optkit.noise.statistics import moments
        >>> generator = torch.Generator().manual_seed(0)
        >>> gradients = 1 + 2 * torch.randn(5000, 10, generator=generator)  # tr Σ = 40, |G|² = 10
        >>> found = noise_scale(moments([gradients]))
        >>> round(found.value, 1), found.low < 4 < found.high
        (4.1, True)

    Source: mccandlish2018empirical.
    """
    products, squares, counts = (
        statistics.block_products,
        statistics.block_squares,
        statistics.block_counts,
    )
    whole = _pairwise(products.sum(), squares.sum(), statistics.count)
    left_out = [
        _pairwise(
            products.sum() - 2 * products[j].sum() + products[j, j],
            squares.sum() - squares[j],
            statistics.count - counts[j],
        )
        for j in range(len(counts))
    ]
    apart = np.asarray(left_out) - np.mean(left_out, axis=0)
    blocks = len(counts)
    covariance = (blocks - 1) / blocks * apart.T @ apart
    return _ratio(*whole, covariance, blocks - 1, confidence)


def noise_scale_of_batches(
    small_squares: Any, big_squares: Any, *, small: int, big: int, confidence: float = 0.95
) -> NoiseScale:
    """The noise scale from the lengths of gradients of two batch sizes, as data-parallel training has them.

    |G|² = (B_b|G_b|² − B_s|G_s|²)/(B_b − B_s), S = (|G_s|² − |G_b|²)/(1/B_s − 1/B_b). Both are averaged over
    the draws, and only then is the ratio taken: a mean of ratios would be biased, or have no mean at all.

    Args:
        small_squares: |G_s|² of each draw, or its mean over several small batches, shape (n,), n at least 2.
        big_squares: |G_b|² of each draw, shape (n,).
        small: B_s, at least 1.
        big: B_b, larger.
        confidence: Of the interval, in (0, 1). Draws must be independent of each other.

    Returns:
        `NoiseScale`.

    Raises:
        ValueError: Numbers out of range, or shapes that do not fit.

    Example:
        >>> found = noise_scale_of_batches([5.0, 5.2], [2.0, 2.1], small=1, big=4)
        >>> round(found.noise, 3), round(found.square_gradient, 3), found.resolved
        (4.067, 1.033, True)

    Source: mccandlish2018empirical.
    """
    short, long = np.asarray(small_squares, dtype=float), np.asarray(big_squares, dtype=float)
    if short.ndim != 1 or short.shape != long.shape or len(short) < 2:
        raise ValueError(
            "small_squares and big_squares must have one shape (n,) with n >= 2, "
            f"got {short.shape} and {long.shape}"
        )
    if not 1 <= small < big:
        raise ValueError(f"small and big must be 1 <= small < big, got {small}, {big}")
    draws = np.stack([(short - long) / (1 / small - 1 / big), (big * long - small * short) / (big - small)])
    covariance = np.cov(draws) / draws.shape[1]
    return _ratio(*draws.mean(axis=1), covariance, draws.shape[1] - 1, confidence)


class CriticalBatch(NamedTuple):
    """What a goal costs: least steps, least examples, and the batch size at which both are twice that."""

    batch_size: float
    least_steps: float
    least_examples: float


def fit_critical_batch(batch_sizes: Any, steps: Any) -> CriticalBatch:
    """The critical batch size from runs to the same goal: steps = S + E/m, m_crit = E/S.

    Least squares of the relative error. The steps at m_crit are twice the least steps S, and the examples
    twice the least examples E. The noise scale predicts m_crit from gradients alone.

    Args:
        batch_sizes: m of each run, at least two different ones.
        steps: Steps that each run took, > 0.

    Returns:
        `CriticalBatch`. The batch size is infinite where more examples a step always helped.

    Raises:
        ValueError: Numbers out of range; or more steps with larger batches, so that there is nothing to fit.

    Example:
        >>> fit_critical_batch([1, 10, 100], [1010, 110, 20]).batch_size.__round__(6)  # 10 + 1000/m
        100.0

    Source: mccandlish2018empirical.
    """
    m, taken = np.asarray(batch_sizes, dtype=float), np.asarray(steps, dtype=float)
    if m.ndim != 1 or m.shape != taken.shape or len(np.unique(m)) < 2:
        raise ValueError(
            f"batch_sizes and steps must be as many, of 2 batch sizes at least, got {m.shape}, {taken.shape}"
        )
    if not ((m >= 1).all() and (taken > 0).all() and np.isfinite([m, taken]).all()):
        raise ValueError("batch_sizes must be >= 1 and steps > 0, all finite")
    from scipy.optimize import nnls

    (least, examples), _ = nnls(np.stack([1 / taken, 1 / (m * taken)], axis=1), np.ones_like(m))
    if examples == 0:
        raise ValueError("steps must fall with the batch size, got runs in which they do not")
    return CriticalBatch(float(examples / least) if least else math.inf, float(least), float(examples))


def _pairwise(square_of_sum: float, sum_of_squares: float, count: int) -> tuple[float, float]:
    """Unbiased estimates of tr Σ and |G|²."""
    return (
        float((sum_of_squares - square_of_sum / count) / (count - 1)),
        float((square_of_sum - sum_of_squares) / (count * (count - 1))),
    )


def _ratio(
    noise: float, square: float, covariance: np.ndarray, freedom: int, confidence: float
) -> NoiseScale:
    """Fieller's interval: all r ≥ 0 for which noise − r·square is within t of its standard error."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
    from scipy.stats import t as student

    noise, square = float(noise), float(square)
    limit = student.ppf((1 + confidence) / 2, freedom) ** 2
    a = square**2 - limit * covariance[1, 1]
    b = noise * square - limit * covariance[0, 1]
    c = noise**2 - limit * covariance[0, 0]
    inside = b * b - a * c
    low, high = 0.0, math.inf
    if a > 0 and square > 0:  # the estimate itself always lies inside: only rounding makes the root imaginary
        root = math.sqrt(max(inside, 0.0))
        low, high = max((b - root) / a, 0.0), max((b + root) / a, 0.0)
    elif a < 0 and inside > 0:
        first, second = sorted(((b - math.sqrt(inside)) / a, (b + math.sqrt(inside)) / a))
        if first <= 0 < second:
            low = second  # all beyond the larger root, and below the smaller, which is negative
    value = noise / square if square > 0 else math.inf
    return NoiseScale(value, float(low), float(high), noise, square, confidence)
