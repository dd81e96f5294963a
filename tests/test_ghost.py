"""Ghost batch normalisation against the explicit loop, and torch's where the two must agree."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from optkit.ghost import GhostBatchNorm1d, GhostBatchNorm2d, convert, gradual_warmup, scaled_lr

SHAPES = {GhostBatchNorm1d: [(10, 3), (10, 3, 5)], GhostBatchNorm2d: [(10, 3, 4, 5)]}
CASES = [(kind, shape) for kind, shapes in SHAPES.items() for shape in shapes]
SIZES = [
    ({"ghost_size": 5}, (5, 5)),
    ({"ghost_size": 4}, (4, 4, 2)),
    ({"ghost_size": 4, "partial": "join"}, (4, 6)),
    ({"ghost_size": 16}, (10,)),
    ({"ghost_size": 16, "partial": "join"}, (10,)),
    ({"ghosts": 3}, (4, 3, 3)),
    ({"ghosts": 1}, (10,)),
]


def batch(shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (2 + 3 * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


def with_weights(layer):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
        layer.bias.copy_(torch.tensor([1.0, 0.0, -3.0]))
    return layer


def explicit_loop(x, layer, sizes, running, momentum):
    """NumPy, chunk by chunk: the outputs, and the running mean and variance after the batch."""
    values, start, outputs, means, variances = x.numpy(), 0, [], [], []
    axes = tuple(axis for axis in range(values.ndim) if axis != 1)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    shape = (1, -1) + (1,) * (values.ndim - 2)
    for size in sizes:
        chunk = values[start : start + size]
        start += size
        mean, variance = chunk.mean(axis=axes), chunk.var(axis=axes)
        count = chunk.size / chunk.shape[1]
        means.append(mean)
        variances.append(variance * count / (count - 1))
        normal = (chunk - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + layer.eps)
        outputs.append(normal * weight.reshape(shape) + bias.reshape(shape))
    if running == "mean":
        means, variances = [np.mean(means, axis=0)], [np.mean(variances, axis=0)]
    kept_mean, kept_variance = np.zeros(3), np.ones(3)
    for t, (mean, variance) in enumerate(zip(means, variances, strict=True), start=1):
        share = 1 / t if momentum is None else momentum
        kept_mean = (1 - share) * kept_mean + share * mean
        kept_variance = (1 - share) * kept_variance + share * variance
    return np.concatenate(outputs), kept_mean, kept_variance, len(means)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize("running", ["sequential", "mean"])
@pytest.mark.parametrize(("options", "sizes"), SIZES, ids=lambda value: str(value))
@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_training_is_the_explicit_loop(kind, shape, options, sizes, running, momentum):
    layer = with_weights(kind(3, running=running, momentum=momentum, dtype=torch.float64, **options))
    x = batch(shape)
    found = layer(x).detach().numpy()
    expected, mean, variance, count = explicit_loop(x, layer, sizes, running, momentum)
    assert layer.parts(10) == sizes
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-6)
    np.testing.assert_allclose(layer.running_var, variance, rtol=1e-6)
    assert int(layer.num_batches_tracked) == count


def test_the_two_rules_for_the_running_statistics_differ():
    x = batch((10, 3))
    layers = [GhostBatchNorm1d(3, 5, running=running).double() for running in ("sequential", "mean")]
    for layer in layers:
        layer(x)
    assert (layers[0].running_mean - layers[1].running_mean).abs().max() > 0.05


@pytest.mark.parametrize("running", ["sequential", "mean"])
@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_one_ghost_is_batch_normalisation_and_so_is_evaluation(kind, shape, running):
    ghost = kind(3, ghost_size=10, running=running, dtype=torch.float64)
    plain = {GhostBatchNorm1d: nn.BatchNorm1d, GhostBatchNorm2d: nn.BatchNorm2d}[kind](3, dtype=torch.float64)
    for seed in range(3):
        torch.testing.assert_close(ghost(batch(shape, seed)), plain(batch(shape, seed)), rtol=0, atol=0)
    torch.testing.assert_close(ghost.running_var, plain.running_var, rtol=1e-14, atol=0)
    other = kind(3, ghosts=2, dtype=torch.float64)
    other.load_state_dict(plain.state_dict())  # a drop-in: the same names
    x = batch(shape, seed=9)
    assert torch.equal(other.eval()(x), plain.eval()(x))
    assert torch.equal(other(x[:1]), plain(x[:1]))


def test_evaluation_without_running_statistics_is_torchs():
    x = batch((10, 3, 4, 4))
    ghost = GhostBatchNorm2d(3, 2, track_running_stats=False, dtype=torch.float64)
    plain = nn.BatchNorm2d(3, track_running_stats=False, dtype=torch.float64)
    assert torch.equal(ghost.eval()(x), plain.eval()(x))
    parts = torch.cat([plain.train()(part) for part in x.split(2)])
    torch.testing.assert_close(ghost.train()(x), parts, rtol=1e-12, atol=1e-12)


def test_gradients_are_those_of_the_explicit_loop():
    layer = with_weights(GhostBatchNorm2d(3, 4, dtype=torch.float64))
    x = batch((10, 3, 2, 2)).requires_grad_()
    weighting = batch((10, 3, 2, 2), seed=1)
    (layer(x) * weighting).sum().backward()
    y = x.detach().clone().requires_grad_()
    total = 0
    for part, weight in zip(y.split((4, 4, 2)), weighting.split((4, 4, 2)), strict=True):
        mean = part.mean(dim=(0, 2, 3), keepdim=True)
        variance = ((part - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        scale, shift = (p.detach().reshape(1, 3, 1, 1) for p in (layer.weight, layer.bias))
        total = total + (((part - mean) / (variance + 1e-5).sqrt() * scale + shift) * weight).sum()
    total.backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-6, atol=1e-9)


def test_channels_last_stays_and_changes_nothing():
    x = batch((10, 3, 4, 5), dtype=torch.float32)
    plain, last = GhostBatchNorm2d(3, 4), GhostBatchNorm2d(3, 4)
    found = last(x.to(memory_format=torch.channels_last))
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, plain(x), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(last.running_var, plain.running_var, rtol=1e-5, atol=1e-6)


def test_it_keeps_frozen_and_half_precision_like_torch():
    layer = GhostBatchNorm2d(3, 5).eval()
    before = layer.running_mean.clone()
    layer(batch((10, 3, 2, 2), dtype=torch.float32))
    assert torch.equal(layer.running_mean, before)
    half = GhostBatchNorm2d(3, 5)(batch((10, 3, 2, 2), dtype=torch.bfloat16))
    assert half.dtype == torch.bfloat16


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_keep_the_ghosts(copied):
    layer = copied(GhostBatchNorm1d(3, ghosts=2, running="mean", partial="join"))
    assert (layer.ghosts, layer.ghost_size, layer.running, layer.partial) == (2, None, "mean", "join")


def net():
    torch.manual_seed(0)
    shared = nn.BatchNorm2d(3)
    inner = nn.Sequential(nn.Conv2d(3, 3, 1), shared)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), shared, inner, nn.Flatten(), nn.BatchNorm1d(12), nn.Linear(12, 2)
    )


def test_convert_keeps_weights_buffers_and_shared_layers():
    model = net()
    names, tensors = list(model.state_dict()), list(model.parameters())
    model(batch((8, 1, 4, 4), dtype=torch.float32))
    model[4].eval()
    before = copy.deepcopy(model)
    assert convert(model, ghost_size=3, running="mean", partial="join") is model
    assert list(model.state_dict()) == names
    assert all(p is q for p, q in zip(model.parameters(), tensors, strict=True))
    assert model[1] is model[2][1] and type(model[1]) is GhostBatchNorm2d and model[1].ghost_size == 3
    assert type(model[4]) is GhostBatchNorm1d and not model[4].training and model[1].training
    x = batch((5, 1, 4, 4), dtype=torch.float32)
    assert torch.equal(model.eval()(x), before.eval()(x))


def test_convert_again_changes_the_size_and_a_single_layer_is_returned():
    again = convert(convert(net(), ghost_size=3), ghosts=2)
    assert (again[1].ghost_size, again[1].ghosts) == (None, 2)
    assert type(convert(nn.BatchNorm1d(3), ghost_size=2)) is GhostBatchNorm1d


def test_convert_refuses_what_has_no_ghost_form_and_changes_nothing():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm3d(3))
    with pytest.raises(ValueError, match="got BatchNorm3d at 1; there is no ghost form"):
        convert(model, ghost_size=2)
    assert type(model[0]) is nn.BatchNorm2d
    with pytest.raises(ValueError, match="model must have batch normalisation, got Linear"):
        convert(nn.Linear(2, 2), ghost_size=2)


def test_a_batch_smaller_than_a_ghost_is_one_ghost():
    x = batch((3, 3))
    small, plain = GhostBatchNorm1d(3, 32).double(), nn.BatchNorm1d(3).double()
    assert torch.equal(small(x), plain(x))


def test_batches_that_cannot_be_divided_are_refused_and_nothing_changes():
    layer = GhostBatchNorm1d(3, ghost_size=3)
    with pytest.raises(
        ValueError, match=r"at least 2 values .* got a batch of 10 examples in ghosts of 3, 3, 3, 1"
    ):
        layer(batch((10, 3), dtype=torch.float32))
    assert int(layer.num_batches_tracked) == 0
    assert layer.train()(batch((9, 3), dtype=torch.float32)).shape == (9, 3)
    with pytest.raises(ValueError, match="at least ghosts = 4 examples, got 3"):
        GhostBatchNorm1d(3, ghosts=4)(batch((3, 3), dtype=torch.float32))
    with pytest.raises(ValueError, match="got a batch of 0 examples in ghosts of none"):
        layer(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="expected 4D input"):
        GhostBatchNorm2d(3, 2)(torch.zeros(4, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "ghost_size or ghosts must be given, and not both"),
        ({"ghost_size": 2, "ghosts": 2}, "and not both, got ghost_size=2, ghosts=2"),
        ({"ghost_size": 0}, "ghost_size must be a whole number >= 1, got 0"),
        ({"ghosts": 2.5}, r"ghosts must be a whole number >= 1, got 2\.5"),
        ({"ghost_size": 2, "running": "last"}, "running must be 'sequential' or 'mean', got 'last'"),
        ({"ghost_size": 2, "partial": "drop"}, "partial must be 'own' or 'join', got 'drop'"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GhostBatchNorm2d(3, **options)
    with pytest.raises(ValueError, match=message):
        convert(net(), **options)


def test_scaled_rates():
    assert scaled_lr(0.1, 64, 64, exponent=0.3) == 0.1
    assert scaled_lr(0.1, 16, 64) == pytest.approx(0.025)
    for arguments, message in (
        ((-0.1, 2, 1), "lr must be >= 0"),
        ((0.1, 0, 1), "batch_size must be >= 1, got 0"),
        ((0.1, 1, 0), "reference must be >= 1, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            scaled_lr(*arguments)
    with pytest.raises(ValueError, match=r"exponent must be in \[0, 1\], got 2"):
        scaled_lr(0.1, 2, 1, exponent=2)


@pytest.mark.parametrize("k", [1, 2, 16])
def test_gradual_warmup_is_a_straight_line_from_one_to_k(k):
    schedule = gradual_warmup(64 * k, 64, steps=10)
    expected = [1 + (k - 1) * min(t / 10, 1) for t in range(1, 14)]
    np.testing.assert_allclose(schedule.factors(13), expected, rtol=1e-12)
    with pytest.raises(ValueError, match="batch_size must be >= reference = 64"):
        gradual_warmup(32, 64, steps=10)
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        gradual_warmup(64, 64, steps=0)
