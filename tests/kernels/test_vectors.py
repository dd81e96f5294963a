"""Norms of many arrays against exact sums, and copies of them."""

import ctypes
import math
from fractions import Fraction

import numpy as np
import pytest

from optkit.kernels import Table, vectors
from optkit.kernels.compiler import compilers
from optkit.kernels.cpu import CHUNK, SHARE

if next(compilers(), None) is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)

SIZES = (1, 31, 32, 33, 0, 4097, CHUNK + 5, 2 * SHARE)


def columns(dtype, count, sizes=SIZES):
    generator = np.random.default_rng(0)
    arrays = [[generator.normal(size=n).astype(dtype) for n in sizes] for _ in range(count)]
    places = [array.ctypes.data for column in arrays for array in column]
    return arrays, (ctypes.c_uint64 * len(places))(*places), Table([], [len(x) for x in arrays[0]])


@pytest.mark.parametrize("eta", [None, 0.0, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_are_those_of_an_exact_sum(dtype, eta):
    (thetas, gradients), addresses, table = columns(dtype, 2)
    scaled = [
        g.astype(np.float64) * (1.0 if eta is None else np.abs(theta.astype(np.float64)) + eta)
        for theta, g in zip(thetas, gradients, strict=True)
    ]
    exact = math.sqrt(sum(Fraction(x) ** 2 for array in scaled for x in array.tolist()))
    found = [vectors.norm(table, addresses, dtype, threads, eta) for threads in (1, 2, 3)]
    assert found[0] == pytest.approx(exact, rel=1e-14)
    assert found[0] == found[1] == found[2], "the count of threads must not matter"


def test_of_nothing_the_norm_is_zero():
    for sizes in ((), (0,), (0, 0)):
        _, addresses, table = columns("float32", 2, sizes)
        assert vectors.norm(table, addresses, "float32", 2) == 0


@pytest.mark.parametrize("place", [k for k, size in enumerate(SIZES) if size])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_told_from_any_place(place, bad):
    (_, gradients), addresses, table = columns("float32", 2)
    gradients[place][-1] = bad
    assert not math.isfinite(vectors.norm(table, addresses, "float32", 2))


def test_large_numbers_of_float32_do_not_overflow():
    (_, (g,)), addresses, table = columns("float32", 2, (2,))
    g[:] = 3e38, 0
    assert vectors.norm(table, addresses, "float32", 1) == float(np.float32(3e38))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_column_is_copied_bit_for_bit_and_no_other_changes(dtype, threads):
    arrays, addresses, table = columns(dtype, 3)
    arrays[0][1][:3] = math.nan, -0.0, -math.inf
    before = [[array.tobytes() for array in column] for column in arrays]
    vectors.copy(table, addresses, 2, 0, dtype, threads)
    after = [[array.tobytes() for array in column] for column in arrays]
    assert after == [before[0], before[1], before[0]]
