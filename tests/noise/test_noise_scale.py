"""Statistics and noise scale: of a model whose gradients have a known mean and covariance, and of a net."""

import numpy as np
import pytest
import torch
from torch import nn

from optkit.models import mlp
from optkit.noise import (
    batch_square_norms,
    examples_over_least,
    fit_critical_batch,
    gradient_gram,
    gradient_statistics,
    noise_against_batch_size,
    noise_scale,
    noise_scale_of_batches,
    one_example_noise,
    per_example_gradients,
    sampled_with_replacement,
    sampled_without_replacement,
    steps_over_least,
)
from optkit.noise.statistics import moments

DIM = 6
DEVIATIONS = np.array([3.0, 1.0, 1.0, 0.5, 0.0, 2.0])
SPREAD = float((DEVIATIONS**2).sum())  # tr Σ = 15.25
MEAN = np.array([1.0, 0.0, -0.5, 0.0, 0.5, 0.0])
SQUARE = float((MEAN**2).sum())  # |G|² = 1.5


class Gradients(nn.Module):
    """A model with loss ⟨θ, x⟩: the gradient of an example is its input."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.zeros(DIM, dtype=torch.float64))

    def forward(self, x):
        return x @ self.theta


def mean_output(outputs, labels):
    return outputs.mean()


def examples(count, seed, mean=MEAN):
    drawn = mean + DEVIATIONS * np.random.RandomState(seed).standard_normal((count, DIM))
    return torch.as_tensor(drawn), torch.zeros(count)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    model = mlp(input_shape=(1, 3, 3), hidden=(4,), classes=3, seed=1).double()
    return model, torch.randn(60, 1, 3, 3, dtype=torch.float64), torch.randint(0, 3, (60,))


def one_by_one(model, x, y):
    rows = []
    for i in range(len(x)):
        loss = nn.functional.cross_entropy(model(x[i : i + 1]), y[i : i + 1])
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("chunk", [1, 7, 60, 100])
def test_statistics_are_those_of_the_gradients_one_by_one(net, chunk):
    each = one_by_one(*net)
    found = gradient_statistics(*net, chunk=chunk, blocks=7)
    np.testing.assert_allclose(torch.cat(list(per_example_gradients(*net, chunk=chunk))), each, atol=1e-12)
    np.testing.assert_allclose(found.mean, each.mean(axis=0), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.variance, each.var(axis=0, ddof=1), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.std, each.std(axis=0, ddof=1), rtol=1e-9, atol=1e-13)
    sums = np.stack([each[j::7].sum(axis=0) for j in range(7)])
    np.testing.assert_allclose(found.block_products, sums @ sums.T, rtol=1e-9, atol=1e-12)
    squares = [(each[j::7] ** 2).sum() for j in range(7)]
    np.testing.assert_allclose(found.block_squares, squares, rtol=1e-9)
    assert found.count == 60 and found.block_counts.tolist() == [9, 9, 9, 9, 8, 8, 8]
    # The matrix of all inner products, divided by N there and by N − 1 here.
    sigma = one_example_noise(gradient_gram(*net))
    assert found.total_variance == pytest.approx(sigma**2 * 60 / 59, rel=1e-9)


def test_a_large_mean_does_not_drown_the_variance():
    found = gradient_statistics(Gradients(), *examples(2000, 0, mean=MEAN + 1e7), loss=mean_output)
    exact = examples(2000, 0)[0].numpy().var(axis=0, ddof=1)
    np.testing.assert_allclose(found.variance, exact, rtol=1e-6, atol=1e-14)


def test_memory_is_bounded_and_the_model_left_alone(net):
    model = net[0]
    model.train()
    pieces = [len(piece) for piece in per_example_gradients(*net, chunk=8)]
    assert max(pieces) == 8 and sum(pieces) == 60
    assert model.training and all(p.grad is None for p in model.parameters())


def test_batch_normalisation_does_not_mix_examples():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)).double()
    x, y = torch.randn(9, 3, dtype=torch.float64), torch.arange(9) % 2
    model(x)
    tracked = int(model[1].num_batches_tracked)
    found = torch.cat(list(per_example_gradients(model, x, y)))
    model.eval()
    np.testing.assert_allclose(found, one_by_one(model, x, y), atol=1e-12)
    assert int(model[1].num_batches_tracked) == tracked


# Estimators: unbiased, and intervals that hold what they promise.

REPEATS = 300


def of_examples(seed):
    return noise_scale(moments([examples(200, seed)[0]]))


def of_batches(seed):
    random = np.random.RandomState(seed)
    batches = MEAN + DEVIATIONS * random.standard_normal((60, 4, 8, DIM)).mean(axis=2)
    short, long = (batches**2).sum(axis=2).mean(axis=1), (batches.mean(axis=1) ** 2).sum(axis=1)
    return noise_scale_of_batches(short, long, small=8, big=32)


@pytest.mark.parametrize("estimate", [of_examples, of_batches])
def test_estimators_are_unbiased_and_their_intervals_cover(estimate):
    runs = [estimate(seed) for seed in range(REPEATS)]
    for name, exact in (("noise", SPREAD), ("square_gradient", SQUARE)):
        values = np.array([getattr(run, name) for run in runs])
        assert abs(values.mean() - exact) < 3.5 * values.std() / REPEATS**0.5, name
    covered = np.mean([run.low <= SPREAD / SQUARE <= run.high for run in runs])
    assert abs(covered - 0.95) < 3.5 * (0.95 * 0.05 / REPEATS) ** 0.5
    half = [estimate(seed) for seed in range(3)]
    assert all(run.low < run.value < run.high for run in half)


def test_a_higher_confidence_is_a_wider_interval():
    statistics = moments([examples(500, 0)[0]])
    narrow, wide = (noise_scale(statistics, confidence=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


def test_a_gradient_lost_in_the_noise_is_said_to_be():
    runs = [noise_scale(moments([examples(100, seed, mean=np.zeros(DIM))[0]])) for seed in range(100)]
    negative = [run for run in runs if run.square_gradient <= 0]
    assert 20 < len(negative) < 80
    assert all(run.value == np.inf and run.high == np.inf and not run.resolved for run in negative)
    assert np.mean([run.resolved for run in runs]) < 0.1
    assert not any(np.isnan([run.value, run.low, run.high]).any() for run in runs)


def test_without_any_noise_the_scale_is_zero():
    found = noise_scale(moments([torch.ones(40, 3, dtype=torch.float64)]))
    assert found.value == pytest.approx(0, abs=1e-12) and found.high == pytest.approx(0, abs=1e-12)


def test_both_estimators_agree_on_a_net(net):
    one = noise_scale(gradient_statistics(*net))
    lengths = batch_square_norms(*net, small=4, big=40, draws=400)
    two = noise_scale_of_batches(*lengths, small=4, big=40)
    # With replacement from 60 examples: their own tr Σ is N − 1 parts of the unbiased one's N.
    assert two.noise == pytest.approx(one.noise * 59 / 60, rel=0.06)


def test_lengths_are_those_of_the_batches(net):
    model, x, y = net
    short, long = batch_square_norms(model, x, y, small=3, big=9, draws=2, seed=5)
    each = one_by_one(model, x, y)
    for draw, batches in enumerate(np.random.RandomState(5).randint(60, size=(2, 3, 3))):
        means = each[batches].mean(axis=1)
        assert short[draw] == pytest.approx((means**2).sum(axis=1).mean(), rel=1e-9)
        assert long[draw] == pytest.approx((means.mean(axis=0) ** 2).sum(), rel=1e-9)


# Noise against batch size.


@pytest.mark.parametrize("replacement", [True, False])
def test_noise_falls_as_one_over_the_root_of_the_batch_size(net, replacement):
    sizes = [1, 4, 15, 50]
    curve = noise_against_batch_size(*net, sizes, draws=600, replacement=replacement)
    sigma = one_example_noise(gradient_gram(*net))
    for size, noise, error in zip(sizes, curve.noise, curve.standard_error, strict=True):
        exact = (
            sampled_with_replacement(sigma=sigma, m=size)
            if replacement
            else sampled_without_replacement(sigma=sigma, m=size, N=60)
        )
        assert abs(noise - exact) < 4 * error
        assert error < 0.05 * exact
    slope = curve.slope()
    assert abs(slope.value + 0.5) < 4 * slope.standard_error < 0.1


def test_all_the_data_have_no_noise_and_do_not_count_for_the_slope(net):
    curve = noise_against_batch_size(*net, [2, 8, 60], draws=50, replacement=False, chunk=7)
    assert curve.noise[-1] < 1e-12 and np.isnan(curve.per_population[-1])
    assert -0.7 < curve.slope().value < -0.3
    flat = noise_against_batch_size(*net, [60], draws=2, replacement=False)
    with pytest.raises(ValueError, match="2 at least with noise"):
        flat.slope()


# Critical batch.


def test_the_critical_batch_is_found_in_runs_that_follow_the_law():
    sizes = np.array([8, 32, 128, 512, 2048])
    steps = 50 * steps_over_least(m=sizes, noise_scale=200.0)
    found = fit_critical_batch(sizes, steps)
    assert found.batch_size == pytest.approx(200, rel=1e-9) and found.least_steps == pytest.approx(50)
    assert found.least_examples == pytest.approx(200 * 50)
    at = found.batch_size
    assert steps_over_least(m=at, noise_scale=at) == examples_over_least(m=at, noise_scale=at) == 2
    product = (steps / 50 - 1) * (sizes * steps / found.least_examples - 1)
    np.testing.assert_allclose(product, 1, rtol=1e-9)
    assert fit_critical_batch([1, 2, 4], [400, 200, 100]).batch_size > 1e6


def test_what_cannot_be_measured_is_refused(net):
    model, x, y = net
    for call, message in (
        (lambda: gradient_statistics(nn.ReLU(), x, y), "model must have parameters .* got ReLU"),
        (lambda: gradient_statistics(model, x[:5], y[:5], blocks=6), "as many examples as blocks = 6, got 5"),
        (lambda: gradient_statistics(model, x, y, blocks=1), "blocks must be >= 2, got 1"),
        (lambda: gradient_statistics(model, x, y[:3]), "at least 1, got 3 for 60"),
        (lambda: list(per_example_gradients(model, x, y, chunk=0)), "chunk must be >= 1, got 0"),
        (lambda: noise_against_batch_size(model, x, y, [0]), "each of sizes must be >= 1"),
        (lambda: noise_against_batch_size(model, x, y, [61], replacement=False), "<= 60 .* got 61"),
        (lambda: noise_against_batch_size(model, x, y, []), "sizes must be 1 at least"),
        (lambda: noise_against_batch_size(model, x, y, [1], draws=1), "draws must be >= 2, got 1"),
        (lambda: noise_against_batch_size(nn.ReLU(), x, y, [1]), "got ReLU without any"),
        (lambda: batch_square_norms(model, x, y, small=4, big=6), "big must be a multiple of small"),
        (lambda: batch_square_norms(model, x, y, small=4, big=8, draws=1), "draws must be >= 2"),
        (lambda: noise_scale_of_batches([1.0], [1.0], small=1, big=2), r"n >= 2, got \(1,\)"),
        (lambda: noise_scale_of_batches([1, 2], [1, 2], small=2, big=2), "1 <= small < big, got 2, 2"),
        (lambda: noise_scale_of_batches([1, 2], [1, 2], small=1, big=2, confidence=1), "got 1"),
        (lambda: fit_critical_batch([4, 4], [1, 2]), "of 2 batch sizes at least"),
        (lambda: fit_critical_batch([1, 4], [1, -2]), "steps > 0"),
        (lambda: fit_critical_batch([1, 4], [1, 400]), "steps must fall with the batch size"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
