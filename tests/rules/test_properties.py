"""What every rule must do, whatever it computes. Registered once, tested all: no rule is named here."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from optkit.rules import RULES

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
steps = st.integers(1, 10_000)
shapes = st.one_of(
    st.sampled_from([(), (0,), (3, 0, 2), (8, 3, 3, 3), (4, 2, 1, 1)]), array_shapes(max_dims=3, max_side=4)
)


def inputs(rule):
    return dict.fromkeys(rule.inputs, 2.0)


@st.composite
def situations(draw, rule, dtype=np.float64):
    """θ, g, a state that the rule can reach, and a step number."""
    shape = draw(shapes)
    elements = st.floats(-100, 100, width=np.dtype(dtype).itemsize * 8)
    theta, first, g = (draw(arrays(dtype, shape, elements=elements)) for _ in range(3))
    zeros = [np.zeros(shape, dtype) for _ in rule.state]
    with np.errstate(all="ignore"):  # float16 holds neither the stabilisers nor 100²
        _, *state = rule(theta, first, *zeros, 1, **inputs(rule))
    return [theta, g, *state], draw(steps)


@every_rule
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_arguments_stay_as_they_are(rule, data):
    given_arrays, t = data.draw(situations(rule))
    before = [array.tobytes() for array in given_arrays]
    rule(*given_arrays, t, **inputs(rule))
    assert [array.tobytes() for array in given_arrays] == before
    tensors = [torch.tensor(array) for array in given_arrays]
    versions = [tensor._version for tensor in tensors]
    rule(*tensors, t, **inputs(rule))
    assert [tensor._version for tensor in tensors] == versions
    assert [tensor.numpy().tobytes() for tensor in tensors] == before


@every_rule
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_dtype_and_shape_are_kept_in_numpy(rule, dtype, data):
    given_arrays, t = data.draw(situations(rule, dtype))
    with np.errstate(all="ignore"):
        results = rule(*given_arrays, t, **inputs(rule))
    assert len(results) == 1 + len(rule.state)
    for result in results:
        assert np.asarray(result).dtype == dtype
        assert np.shape(result) == given_arrays[0].shape


@every_rule
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_dtype_and_shape_are_kept_in_torch(rule, dtype, data):
    given_arrays, t = data.draw(situations(rule))
    results = rule(*(torch.tensor(array).to(dtype) for array in given_arrays), t, **inputs(rule))
    for result in results:
        assert result.dtype == dtype
        assert tuple(result.shape) == given_arrays[0].shape


@every_rule
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_elements_do_not_see_each_other(rule, data):
    """Permuting the elements of the arguments permutes those of the results, and does nothing else."""
    given_arrays, t = data.draw(situations(rule))
    order = np.array(data.draw(st.permutations(range(given_arrays[0].size))), dtype=int)
    straight = rule(*given_arrays, t, **inputs(rule))
    permuted = rule(*(array.reshape(-1)[order] for array in given_arrays), t, **inputs(rule))
    for a, b in zip(straight, permuted, strict=True):
        assert np.array_equal(np.asarray(a).reshape(-1)[order], b, equal_nan=True)


@every_rule
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_numbers_arrays_and_tensors_agree(rule, data):
    (theta, g, *state), t = data.draw(situations(rule))
    results = rule(theta, g, *state, t, **inputs(rule))
    in_torch = rule(*(torch.tensor(array) for array in (theta, g, *state)), t, **inputs(rule))
    for a, b in zip(results, in_torch, strict=True):
        # torch's vectorised square root may differ in the last bit
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-13, atol=1e-13)
    for index in np.ndindex(theta.shape):
        numbers = rule(*(float(array[index]) for array in (theta, g, *state)), t, **inputs(rule))
        assert [type(x) for x in numbers] == [float] * len(numbers)
        assert list(numbers) == [float(np.asarray(result)[index]) for result in results]
        break


@every_rule
def test_mirror_image(rule):
    """No rule prefers a sign: mirrored arguments give mirrored results, or equal ones for squares."""
    random = np.random.default_rng(3)
    theta, g = random.standard_normal((2, 50))
    zeros = [np.zeros(50) for _ in rule.state]
    straight = rule(theta, g, *zeros, 1, **inputs(rule))
    mirrored = rule(-theta, -g, *zeros, 1, **inputs(rule))
    assert np.array_equal(straight[0], -mirrored[0])
    for a, b in zip(straight[1:], mirrored[1:], strict=True):
        assert np.array_equal(a, b) or np.array_equal(a, -b)


@every_rule
def test_zero_learning_rate_changes_nothing(rule):
    if "lr" not in rule.hyperparameters:
        assert rule.inputs  # only what another rule completes may do without
        return
    random = np.random.default_rng(4)
    theta, g = random.standard_normal((2, 50))
    zeros = [np.zeros(50) for _ in rule.state]
    assert np.array_equal(rule(theta, g, *zeros, 1, **inputs(rule), lr=0.0)[0], theta)
