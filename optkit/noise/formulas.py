"""Gradient noise in formulas: how it falls with the batch size, and what a larger batch is good for."""

from __future__ import annotations

from optkit.language.functions import sqrt
from optkit.language.grammar import formula

__all__ = [
    "examples_over_least",
    "expected_square",
    "greedy_rate",
    "sampled_with_replacement",
    "sampled_without_replacement",
    "settled_square",
    "steps_over_least",
]


@formula
def sampled_with_replacement(*, sigma, m):
    """Noise of a mini-batch of m examples drawn one by one from all N: σ/√m."""
    return sigma / sqrt(m)


@formula
def sampled_without_replacement(*, sigma, m, N):
    """Noise of a mini-batch of m different examples out of N: zero at m = N."""
    return sigma / sqrt(m) * sqrt((N - m) / (N - 1))


@formula
def expected_square(q, curvature, *, lr, sigma, m):
    """Mean of θ² after one step on ½λθ² with gradient noise σ/√m, from the mean before."""
    return (1 - lr * curvature) * (1 - lr * curvature) * q + lr**2 * sigma**2 / m


@formula
def settled_square(curvature, *, lr, sigma, m):
    """Mean of θ² that `expected_square` settles at, for a learning rate below 2/λ."""
    return lr * sigma**2 / (m * curvature * (2 - lr * curvature))


@formula
def greedy_rate(q, curvature, *, sigma, m):
    """The rate that makes the next mean of θ² smallest: 1/λ without noise, less with more of it."""
    return curvature * q / (curvature * curvature * q + sigma**2 / m)


@formula
def steps_over_least(*, m, noise_scale):
    """Steps to a goal with batches of m examples, over the steps with all the data: 1 + B/m."""
    return 1 + noise_scale / m


@formula
def examples_over_least(*, m, noise_scale):
    """Examples seen on the way to a goal, over those with the smallest batches: 1 + m/B."""
    return 1 + m / noise_scale
