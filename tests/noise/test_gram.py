"""Gradient noise: the measured mini-batches against the formulas, and both against a direct computation."""

import itertools

import numpy as np
import pytest
import torch

from optkit.models import mlp
from optkit.noise import (
    expected_square,
    gradient_gram,
    mini_batch_noise,
    one_example_noise,
    sampled_with_replacement,
    sampled_without_replacement,
)


@pytest.fixture(scope="module")
def example():
    torch.manual_seed(0)
    model = mlp(input_shape=(1, 3, 3), hidden=(4,), classes=3, seed=1)
    images, labels = torch.randn(24, 1, 3, 3), torch.randint(0, 3, (24,))
    return model, images, labels, gradient_gram(model, images, labels)


def flat_gradient(model, images, labels):
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    return (
        torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]).double().numpy()
    )


def test_the_gram_matrix_is_that_of_the_gradients_one_by_one(example):
    model, images, labels, gram = example
    each = np.stack([flat_gradient(model, images[i : i + 1], labels[i : i + 1]) for i in range(len(images))])
    each -= each.mean(axis=0)
    np.testing.assert_allclose(gram, each @ each.T, atol=1e-6)
    np.testing.assert_allclose(gram.sum(axis=0), 0, atol=1e-5)


def test_the_noise_of_a_batch_is_the_distance_of_its_gradient(example):
    model, images, labels, gram = example
    whole = flat_gradient(model, images, labels)
    batch = np.random.RandomState(5).permutation(24)[:6]
    direct = np.linalg.norm(flat_gradient(model, images[batch], labels[batch]) - whole)
    assert mini_batch_noise(gram, 6, seed=5, draws=1, replacement=False) == pytest.approx(direct, rel=1e-5)


def test_the_model_is_left_alone(example):
    model, *_ = example
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("size", [1, 2, 5, 12, 23])
def test_measured_noise_follows_the_formulas(example, size):
    gram = example[-1]
    sigma = one_example_noise(gram)
    again = mini_batch_noise(gram, size, seed=0, draws=20_000)
    once = mini_batch_noise(gram, size, seed=0, draws=20_000, replacement=False)
    assert again == pytest.approx(sampled_with_replacement(sigma=sigma, m=size), rel=0.03)
    assert once == pytest.approx(sampled_without_replacement(sigma=sigma, m=size, N=24), rel=0.03)


def test_all_the_data_have_no_noise(example):
    assert mini_batch_noise(example[-1], 24, seed=0, replacement=False) < 1e-6
    assert sampled_without_replacement(sigma=3.0, m=24, N=24) == 0


@pytest.mark.parametrize("size", range(1, 7))
def test_the_formulas_are_exact_over_all_batches(size):
    gradients = np.random.RandomState(1).standard_normal((6, 3))
    gradients -= gradients.mean(axis=0)
    sigma = np.sqrt((gradients**2).sum(axis=1).mean())
    each = {
        sampled_with_replacement(sigma=sigma, m=size): itertools.product(range(6), repeat=size),
        sampled_without_replacement(sigma=sigma, m=size, N=6): itertools.combinations(range(6), size),
    }
    for formula, batches in each.items():
        means = gradients[np.array(list(batches))].mean(axis=1)
        assert np.sqrt((means**2).sum(axis=1).mean()) == pytest.approx(formula, rel=1e-12, abs=1e-12)


def test_expected_square_is_the_mean_over_the_noise():
    # Noise of ±1, as often the one as the other: the mean is exact.
    after = np.array([0.3 - 0.1 * (0.5 * 0.3 + noise) for noise in (-1.0, 1.0)])
    expected = expected_square(0.3 * 0.3, 0.5, lr=0.1, sigma=2.0, m=4)
    assert expected == pytest.approx((after * after).mean(), rel=1e-12)


def test_arguments_out_of_range_are_refused(example):
    gram = example[-1]
    with pytest.raises(ValueError, match=r"batch_size must be >= 1 and <= 24 .* got 25"):
        mini_batch_noise(gram, 25, seed=0, replacement=False)
    with pytest.raises(ValueError, match="batch_size must be >= 1"):
        mini_batch_noise(gram, 0, seed=0)
    with pytest.raises(ValueError, match="draws must be >= 1, got 0"):
        mini_batch_noise(gram, 1, seed=0, draws=0)
    with pytest.raises(ValueError, match="at least 2, got 2 for 1"):
        gradient_gram(example[0], torch.zeros(1, 1, 3, 3), torch.tensor([0, 1]))
