"""The portable sine and cosine: within an ulp of the truth, and really taken by the language's functions."""

import math

import mpmath
import numpy as np
import pytest
import torch

from optkit.language import cos, formula, portable, sin
from optkit.problems import PROBLEMS

mpmath.mp.prec = 160


def angles(reach):
    random = np.random.default_rng(3)
    near_roots = np.round(random.uniform(-reach, reach, 400) / (np.pi / 2)) * (np.pi / 2)
    return np.concatenate(
        [random.uniform(-reach, reach, 1500), near_roots, [0.0, 1e-300, -1e-9, reach, -reach]]
    )


@pytest.mark.parametrize("reach", [0.8, 10.0, 1e3, portable.FARTHEST])
@pytest.mark.parametrize(("ours", "true"), [(sin, mpmath.sin), (cos, mpmath.cos)])
def test_within_one_ulp(ours, true, reach):
    x = angles(reach)
    for angle, value in zip(x, ours(x), strict=True):
        exact = true(mpmath.mpf(float(angle)))
        assert abs(mpmath.mpf(float(value)) - exact) <= np.spacing(abs(float(exact)))


def test_floats_and_arrays_have_the_same_bits():
    x = angles(50.0)
    assert [sin(float(v)) for v in x] == sin(x).tolist()
    assert [cos(float(v)) for v in x] == cos(x).tolist()


def test_beyond_the_reach_the_library_answers():
    x = np.array([1e7, 0.5, -1e300])
    assert sin(x).tolist() == [np.sin(1e7), sin(0.5), np.sin(-1e300)]
    assert cos(1e9) == math.cos(1e9)
    assert np.isnan(sin(np.array([np.nan, 1.0]))).tolist() == [True, False]
    with pytest.raises(ValueError, match=r"domain|finite"):
        sin(math.inf)


def test_other_dtypes_and_torch_keep_their_own():
    assert sin(np.float32([0.5])).dtype == np.float32
    x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    assert torch.equal(sin(x), torch.sin(x))


def test_wave_is_in_the_grammar():
    assert formula(portable.wave).arrays == ("x",)


def test_the_wavy_problem_takes_it():
    point = np.array([0.3, -1.7])
    a = 10 * (2 - cos(2 * math.pi * 0.3) - cos(2 * math.pi * -1.7))
    assert PROBLEMS["rastrigin"].loss(point) == 0.3 * 0.3 + -1.7 * -1.7 + a
