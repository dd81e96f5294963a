"""The steps of chapter 9's derivations: symbolically, or against torch."""

import numpy as np
import pytest
import sympy as sp
import torch

from optkit.ghost import GhostBatchNorm1d, running_share
from optkit.noise import expected_square, sampled_with_replacement

Q, LAMBDA, LR, SIGMA, M, THETA, N = sp.symbols("q lambda epsilon sigma m theta n", positive=True)
K = sp.Symbol("k", positive=True, integer=True)


def after(q, lr, m):
    return expected_square.function(q, LAMBDA, lr=lr, sigma=SIGMA, m=m)


def test_the_recursion_is_the_mean_of_the_square():
    """n has mean 0 and variance 1 and is independent of θ."""
    square = sp.expand((THETA - LR * (LAMBDA * THETA + SIGMA / sp.sqrt(M) * N)) ** 2)
    mean = square.coeff(N, 0).subs(THETA, sp.sqrt(Q)) + square.coeff(N, 2)
    assert sp.simplify(mean - after(Q, LR, M)) == 0


@pytest.mark.parametrize("k", [2, 3, 5])
def test_one_long_step_is_many_short_ones_to_first_order(k):
    many = Q
    for _ in range(k):
        many = after(many, LR, M)
    one = after(Q, k * LR, k * M)
    apart = sp.expand(many - one)
    # Pull: equal to first order in ε. Noise: equal to second order, the first in which there is any.
    pull, noise = apart.coeff(SIGMA, 0), apart.coeff(SIGMA, 2)
    assert sp.expand(pull).coeff(LR, 1) == 0
    assert sp.expand(noise).coeff(LR, 2) == 0
    assert sp.expand(pull).coeff(LR, 2) != 0


def test_the_means_of_ghosts_are_as_noisy_as_small_batches():
    random = np.random.RandomState(0)
    x = 2.0 * random.standard_normal((4096, 64))
    means = x.mean(axis=1)
    assert means.std() == pytest.approx(sampled_with_replacement(sigma=2.0, m=64), rel=0.05)


@pytest.mark.parametrize("ghosts", [1, 4, 16])
def test_the_share_of_a_batch_in_the_running_mean(ghosts):
    layer = GhostBatchNorm1d(1, ghosts=ghosts).double()
    layer(torch.ones(2 * ghosts, 1, dtype=torch.float64))
    assert layer.running_mean.item() == pytest.approx(running_share(momentum=0.1, ghosts=ghosts))
