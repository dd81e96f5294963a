"""The functions of the grammar mean the same on floats, NumPy arrays and torch tensors."""

import math

import numpy as np
import pytest
import torch

from optkit.language.functions import ARITY, MATHEMATICS, maximum, minimum, sign

VALUES = np.array([0.25, 1.0, 2.5, 9.0, 1e-8, 30.0])
SIGNED = np.array([-2.5, -1.0, -0.0, 0.0, 1.0, 3.5, math.inf, -math.inf])
POSITIVE_ONLY = {"sqrt", "log"}


@pytest.mark.parametrize("name", sorted(MATHEMATICS))
def test_floats_numpy_and_torch_agree(name):
    function = MATHEMATICS[name]
    x = VALUES if name in POSITIVE_ONLY or name in ("sin", "cos", "exp") else SIGNED
    arguments = (x,) if ARITY[name] == 1 else (x, x[::-1].copy())
    on_numpy = function(*arguments)
    on_torch = function(*(torch.from_numpy(a) for a in arguments)).numpy()
    on_floats = np.array([function(*(float(v) for v in values)) for values in zip(*arguments, strict=True)])
    tolerance = 0 if name not in ("sin", "cos", "exp", "log") else 4e-16
    np.testing.assert_allclose(on_torch, on_numpy, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(on_floats, on_numpy, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("function", "expected"), [(maximum, [0.5, 2.0]), (minimum, [-1.0, 0.5])])
def test_extrema_with_a_number_on_either_side_keep_the_dtype(dtype, function, expected):
    x = torch.tensor([-1.0, 2.0], dtype=dtype)
    for result in (function(x, 0.5), function(0.5, x)):
        assert result.dtype == dtype
        assert result.tolist() == expected


@pytest.mark.parametrize("name", ["sign", "maximum", "minimum"])
def test_nan_stays_nan(name):
    function = MATHEMATICS[name]
    arguments = (math.nan,) if ARITY[name] == 1 else (1.0, math.nan)
    assert math.isnan(function(*arguments))
    assert np.isnan(function(*map(np.array, arguments)))
    assert math.isnan(function(*reversed(arguments)))


def test_sign_of_negative_zero_is_positive_zero():
    assert math.copysign(1.0, sign(-0.0)) == 1.0


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="must be a Python number, a NumPy array or a torch tensor"):
        sign(object())
