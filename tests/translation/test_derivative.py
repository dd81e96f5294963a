"""Gradient and Hessian against torch's autograd, in float64, on written and on random formulas."""

import ast

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optkit.language import cos, exp, floor, formula, log, maximum, minimum, relu, sign, sin, sqrt, step
from optkit.language.generated import generated
from optkit.translation.derivative import gradient, hessian
from optkit.translation.javascript import to_javascript


def autograd(source, point, **scalars):
    """Gradient and upper triangle of the Hessian by torch, as flat lists."""
    inputs = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in point]
    value = source(*inputs, **scalars)
    first = _partials(value, inputs, create_graph=True)
    second = [d for row, g in enumerate(first) for d in _partials(g, inputs, retain_graph=True)[row:]]
    return [float(d.detach()) for d in first], [float(d.detach()) for d in second]


def _partials(value, inputs, **options):
    if not value.requires_grad:
        return [torch.zeros((), dtype=torch.float64) for _ in inputs]
    return torch.autograd.grad(value, inputs, allow_unused=True, materialize_grads=True, **options)


def derived(source, point, **scalars):
    first, second = gradient(source)(*point, **scalars), hessian(source)(*point, **scalars)
    return (list(first) if isinstance(first, tuple) else [first]), (
        list(second) if isinstance(second, tuple) else [second]
    )


@formula
def every_function(x, y, *, k=1.5):
    r = sqrt(x * x + 0.5) / (y * y + k**2)
    r = r + exp(-r * x) * log(2 + y * y) - 3 * cos(k * x) / 4
    return r * r * r + abs(sin(x - y)) + relu(x * y) * maximum(x, r) - minimum(x * x, y) / k


@formula
def branches(x, y, *, k=0.0, smooth=True):
    r = 2 * x
    w = x * y
    if smooth:
        r = r * y + k
        if k > 1:
            r = r * r
    else:
        s = x - y
        r = abs(s) * k + w * w
    x = x + r
    return x * r


@formula
def flat(x, y):
    return sign(x) + step(y) + floor(x * y) + 3


@formula
def linear_in_one(x):
    half = x / 2
    return half + 7 * x


FORMULAS = [(every_function, {}), (every_function, {"k": -0.3})]
FORMULAS += [(branches, {"k": k, "smooth": smooth}) for k in (0.5, 2.0) for smooth in (True, False)]
FORMULAS += [(flat, {}), (linear_in_one, {})]


@pytest.mark.parametrize(("source", "scalars"), FORMULAS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_equals_autograd(source, scalars, data):
    point = [data.draw(st.floats(-2, 2).filter(lambda v: abs(v) > 1e-3)) for _ in source.arrays]
    for ours, theirs in zip(
        derived(source, point, **scalars), autograd(source, point, **scalars), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_on_arrays_and_tensors_as_on_floats():
    grid = np.random.default_rng(0).uniform(-2, 2, size=(2, 5, 3))
    arrays = gradient(every_function)(*grid)
    tensors = gradient(every_function)(*torch.from_numpy(grid))
    for index in np.ndindex(5, 3):
        alone = gradient(every_function)(*(float(a[index]) for a in grid))
        np.testing.assert_allclose([a[index] for a in arrays], alone, rtol=1e-13)
        np.testing.assert_allclose([float(a[index]) for a in tensors], alone, rtol=1e-13)


@formula
def absolute(x):
    return abs(x)


@formula
def rectified(x):
    return relu(x)


@formula
def larger(x, y):
    return maximum(x, y)


@formula
def smaller(x, y):
    return minimum(x, y)


@pytest.mark.parametrize(
    ("source", "point", "expected"),
    [
        (absolute, [0.0], [0.0]),
        (rectified, [0.0], [0.0]),
        (larger, [1.0, 1.0], [0.5, 0.5]),
        (smaller, [1.0, 1.0], [0.5, 0.5]),
    ],
)
def test_at_a_kink_the_convention_is_torchs(source, point, expected):
    assert derived(source, point)[0] == expected
    assert autograd(source, point)[0] == expected


def test_only_the_larger_side_counts_away_from_a_tie():
    @formula
    def steeper(x, y):
        return maximum(x, 2 * y)

    assert gradient(steeper)(3.0, 1.0) == (1.0, 0.0)
    assert gradient(steeper)(1.0, 1.0) == (0.0, 2.0)


def test_dead_statements_are_left_out_and_terms_are_joined():
    @formula
    def cube(x, *, k=2.0):
        unused = exp(x)
        r = x * x * x / 4
        return k * r + 0 * unused

    text = gradient(cube).source
    assert "exp" not in text
    assert "dr_dx = 0.75 * x * x" in text
    assert gradient(cube).description == "Gradient of cube: d/dx."


def test_names_do_not_collide():
    @formula
    def shadow(x, dr_dx):
        r = x * dr_dx
        return r * r

    assert gradient(shadow)(2.0, 3.0) == (36.0, 24.0)


def test_refuses_several_results_and_no_array():
    @formula
    def two(x):
        return x, x

    @formula
    def none(t):
        return 2 * t

    with pytest.raises(ValueError, match="exactly one result, got 1 and 2"):
        gradient(two)
    with pytest.raises(ValueError, match="at least one array parameter"):
        hessian(none)


def test_translates_to_javascript():
    assert to_javascript(gradient(linear_in_one)).endswith("return 7.5;\n}")
    assert "return [" in to_javascript(hessian(every_function))


# Random formulas: the derivative of whatever the grammar can say.
LEAVES = st.sampled_from(["x", "y", "k", "2", "0.5", "3", "1"])


def _grow(inner):
    unary = st.sampled_from(
        ["-({})", "sin({})", "cos({})", "abs({})", "relu({})", "exp(-abs({}))", "sqrt(1 + ({}) * ({}))"]
    )
    binary = st.sampled_from(
        [
            "({}) + ({})",
            "({}) - ({})",
            "({}) * ({})",
            "({}) / (1 + abs({}))",
            "maximum({}, {})",
            "minimum({}, {})",
            "({}) / 3 * ({})",
        ]
    )
    return st.builds(lambda f, a: f.format(a, a), unary, inner) | st.builds(
        lambda f, a, b: f.format(a, b), binary, inner, inner
    )


TEXTS = st.recursive(LEAVES, _grow, max_leaves=7)


@given(first=TEXTS, second=TEXTS, x=st.floats(0.1, 1.9), y=st.floats(-1.9, -0.1))
@settings(max_examples=150, deadline=None)
def test_random_formulas_equal_autograd(first, second, x, y):
    text = (
        f"def made(x, y, *, k=1.25):\n    r = 0 * x + {first}\n    r = r * y + {second}\n    return r * r + x"
    )
    source = generated(ast.parse(text).body[0], "A random formula.")

    def value(a, b):
        return float(source(a, b))

    point = [x, y]
    ours, _ = derived(source, point)
    theirs, _ = autograd(source, point)
    # At a kink the sides differ, and sums of kinks need not agree: ask that the point be smooth.
    h = 1e-6
    for index in range(2):
        up = [v + h * (i == index) for i, v in enumerate(point)]
        down = [v - h * (i == index) for i, v in enumerate(point)]
        slopes = (value(*up) - value(*point)) / h, (value(*point) - value(*down)) / h
        assume(abs(slopes[0] - slopes[1]) < 1e-3 * (1 + abs(slopes[0])))
    np.testing.assert_allclose(np.array(ours, float), theirs, rtol=1e-8, atol=1e-8)
