"""The step itself: the bits of the rule, in whatever memory, and no place overwritten too early."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optkit.optim.layout import flat_views, is_dense
from optkit.optim.stepping import CHUNK, made, step_tensors
from optkit.optim.variants import adam_amsgrad
from optkit.rules import RULES, maximum, minimum, rule, sign
from optkit.translation.path import DECAYS, decay_scalars


@rule
def swapping(theta, g, a, b, previous, t, *, lr=0.1):
    """States that change places, and one that remembers the old θ."""
    old = a
    a = b
    b = old + g
    previous = theta
    theta = theta - lr * maximum(a, 0.1) / (1 / (1 + abs(b)))
    return theta, a, b, previous


@rule
def rotating(theta, g, a, b, c, t, *, lr=0.1):
    """A cycle of three that nothing breaks, at every step but the first."""
    if t == 1:
        a = g
        b = 2 * g
        c = -g
    else:
        old = a
        a = b
        b = c
        c = old
    theta = theta - lr * a * b + c / 3
    return theta, a, b, c


@rule
def doubling(theta, g, a, b, t, *, lr=0.1):
    """Two states that end as one value, beside scalars left of − and /, and t itself in arithmetic."""
    d = 2 - g
    a = 3 / (1 + d * d) - minimum(d, a)
    b = a
    theta = theta - (lr * sign(g) - g / t) + abs(a) * maximum(theta, b) / 16
    return theta, a, b


@rule
def forgetting(theta, g, a, t, *, lr=0.1):
    """A result that nobody reads, a state that stays, and a θ that is read after it was set."""
    unread = theta * g
    theta = theta - lr * g + 0 * unread
    unread = theta + a
    theta = theta * 1
    return theta, a


OWN = [swapping, rotating, doubling, forgetting, adam_amsgrad]
every_rule = pytest.mark.parametrize(
    "source", [r for r in [*RULES.values(), *OWN] if not r.inputs], ids=lambda r: r.name
)


def flags(source):
    """Every combination of the rule's flags."""
    combinations = [{}]
    for name, hyper in source.hyperparameters.items():
        if hyper.is_flag:
            combinations = [{**c, name: value} for c in combinations for value in (True, False)]
    return combinations


@every_rule
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bits_are_those_of_the_rule(source, dtype):
    for options in flags(source):
        hyper = {**source.defaults(), **options}
        generator = torch.Generator().manual_seed(0)
        theta = torch.randn(1000, dtype=dtype, generator=generator)
        state = [torch.zeros(1000, dtype=dtype) for _ in source.state]
        place, *kept = [tensor.clone() for tensor in (theta, *state)]
        for t in range(1, 9):
            g = torch.randn(1000, dtype=dtype, generator=generator)
            before = g.clone()
            theta, *state = reference(source, theta, g, state, t, hyper)
            step_tensors(source, [place], [g], [kept], [made(source).program.scalars(t, **hyper)])
            assert torch.equal(g, before)
            for name, a, b in zip(("theta", *source.state), (theta, *state), (place, *kept), strict=True):
                assert torch.equal(a, b), (name, t, options)


def reference(source, theta, g, state, t, hyper):
    # torch writes 1 / x as a reciprocal times 1, which is the same for 1 and not for 3: NumPy divides.
    if source is doubling:
        results = source(*(x.numpy() for x in (theta, g, *state)), t, **hyper)
        return [torch.from_numpy(np.ascontiguousarray(x)) for x in results]
    return source(theta, g, *state, t, **hyper)


@every_rule
def test_float32_is_within_an_ulp_of_numpy(source):
    hyper, random = source.defaults(), np.random.default_rng(0)
    theta = random.standard_normal(4096).astype(np.float32)
    state = [np.zeros(4096, np.float32) for _ in source.state]
    for t in range(1, 30):
        g = random.standard_normal(4096).astype(np.float32)
        place, *kept = [torch.from_numpy(x.copy()) for x in (theta, *state)]
        scalars = made(source).program.scalars(t, **hyper)
        step_tensors(source, [place], [torch.from_numpy(g)], [kept], [scalars])
        theta, *state = source(theta, g, *state, t, **hyper)
        for a, b in zip((theta, *state), (place, *kept), strict=True):
            if (
                "sqrt" in source.source
            ):  # torch's square root is not correctly rounded; nothing else may differ
                np.testing.assert_allclose(b.numpy(), a, rtol=1.2e-7, atol=2.4e-7)
            else:
                assert np.array_equal(b.numpy(), a)


@settings(max_examples=60, deadline=None)
@given(
    length=st.sampled_from([1, 5, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]),
    maximize=st.booleans(),
    decay=st.sampled_from(DECAYS),
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
)
def test_decay_and_direction_come_before_the_rule(length, maximize, decay, dtype):
    source, hyper = swapping, {"lr": 0.05}
    generator = torch.Generator().manual_seed(length)
    theta = torch.randn(length, generator=generator).to(dtype)
    g = torch.randn(length, generator=generator).to(dtype)
    state = [torch.randn(length, generator=generator) for _ in source.state]
    place, *kept = [tensor.clone() for tensor in (theta, *state)]
    step_tensors(
        source,
        [place],
        [g],
        [kept],
        [{**made(source).program.scalars(4, **hyper), **decay_scalars(decay, lr=0.05, weight_decay=0.3)}],
        decay=decay,
        maximize=maximize,
    )
    theta, g = theta.float(), -g.float() if maximize else g.float()
    if decay == "decoupled":
        theta = (1 - 0.05 * 0.3) * theta
    elif decay == "coupled":
        g = g + 0.3 * theta
    expected = source(theta, g, *state, 4, **hyper)
    for a, b in zip(expected, (place, *kept), strict=True):
        assert torch.equal(a.to(b.dtype), b)


def test_many_tensors_of_many_shapes_and_steps_at_once():
    source = RULES["adam"]
    generator = torch.Generator().manual_seed(0)
    shapes = [(), (3,), (0,), (2, 3), (5, 1, 2)]
    thetas = [torch.randn(shape, generator=generator) for shape in shapes]
    grads = [torch.randn(shape, generator=generator) for shape in shapes]
    states = [[torch.zeros(shape), torch.zeros(shape)] for shape in shapes]
    expected = [
        source(theta, g, *state, t, **source.defaults())
        for t, (theta, g, state) in enumerate(zip(thetas, grads, states, strict=True), start=1)
    ]
    scalars = [made(source).program.scalars(t, **source.defaults()) for t in range(1, 6)]
    step_tensors(source, thetas, grads, states, scalars)
    for results, theta, state in zip(expected, thetas, states, strict=True):
        for a, b in zip(results, (theta, *state), strict=True):
            assert torch.equal(a, b)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), max_size=4),
    order=st.randoms(use_true_random=False),
    gap=st.integers(1, 2),
)
def test_flat_views_pair_the_same_elements(shape, order, gap):
    """Whatever their strides: element k of every vector belongs to the same place of the shape."""

    def strided():
        dims = list(range(len(shape)))
        order.shuffle(dims)
        wide = torch.empty([shape[d] for d in dims] + [gap])[..., 0]
        return wide.permute([dims.index(d) for d in range(len(shape))])

    numbers = torch.arange(float(np.prod(shape))).reshape(shape)
    tensors = [strided().copy_(numbers) for _ in range(3)]
    vectors, copied = flat_views(tensors)
    for vector in vectors:
        assert vector.shape == (numbers.numel(),) and vector.is_contiguous()
        assert torch.equal(vector, vectors[0])
    for vector in vectors:
        vector.neg_()
    for tensor, copy in copied:
        tensor.copy_(copy)
    assert all(torch.equal(tensor, -numbers) for tensor in tensors)
    if is_dense(tensors[0]):
        assert not any(tensor is tensors[0] for tensor, _ in copied)
