"""The CUDA of every rule, compiled for the CPU as it is and run: the bits that the rule gives on NumPy."""

import itertools

import numpy as np
import pytest
import torch

from optkit.kernels.cuda import Kernel, Table
from optkit.rules import RULES, maximum, minimum, rule, sign, sqrt
from optkit.rules.weight_decay import coupled, decoupled
from optkit.translation import program
from optkit.translation.path import decay_scalars, path

SIZES = (0, 1, 7, 4097)
SHAPES = ((1, 1), (1, 256), (2, 33), (3, 1024), (64, 128))
"""Blocks and threads a block: fewer and more than there are chunks and elements."""

BEFORE = ((False, ""), (True, ""), (False, "coupled"), (True, "decoupled"))


@rule
def awkward(
    theta,
    g,
    scalar0,
    grad_scale,
    t,
    *,
    tensors=0.1,
    found_inf=0.25,
    blockDim=2,
    threadIdx=3.0,
    scalar1=2,
    up=True,
):
    """Names of the kernel around, names that CUDA knows, every function."""
    n = theta - (g - scalar0) / (scalar1 + grad_scale * grad_scale)
    warpSize = n * blockDim - threadIdx
    if t > 2 and up:
        dim3 = maximum(minimum(n, warpSize), tensors) - minimum(found_inf, -g)
    else:
        dim3 = sqrt(abs(n)) * sign(warpSize)
    old = scalar0
    scalar0 = grad_scale
    grad_scale = dim3 - old
    theta = theta - tensors * dim3
    return theta, scalar0, grad_scale


EVERY = [*RULES.values(), awkward]
every_rule = pytest.mark.parametrize("source", EVERY, ids=lambda r: r.name)


def flags(source):
    """Every combination of the rule's flags."""
    names = [name for name, hyper in source.hyperparameters.items() if hyper.is_flag]
    values = itertools.product((True, False), repeat=len(names))
    return [dict(zip(names, row, strict=True)) for row in values]


class Lists:
    """Tensors of several sizes, stepped by the kernel and, as copies, by the rule on NumPy."""

    def __init__(self, shim, source, dtype=torch.float32, sizes=SIZES):
        self.shim, self.source, self.split, self.dtype = shim, source, program(source), dtype
        self.real = torch.float64 if dtype == torch.float64 else torch.float32
        self.random = np.random.default_rng(0)
        self.arrays = []
        for size in sizes:
            state = [torch.zeros(size, dtype=self.real) for _ in source.state]
            self.arrays.append([self.normal(size), self.normal(size), *state])
        self.expected = [[x.clone() for x in arrays] for arrays in self.arrays]

    def normal(self, size):
        """Numbers of many magnitudes: sums round, and eps counts."""
        values = self.random.standard_normal(size) * 10.0 ** self.random.integers(-6, 3, size)
        return torch.from_numpy(values).to(self.dtype)

    def step(
        self, t, *, maximize=False, decay="", lr=0.05, weight_decay=0.3, scale=None, found=None, **options
    ):
        """One step of both. With ``scale`` both get gradients that are that many times as large."""
        hyper = {**self.source.defaults(), **dict.fromkeys(self.source.inputs, 1.5), **options}
        numbers = {
            **self.split.scalars(t, **hyper), **decay_scalars(decay, lr=lr, weight_decay=weight_decay)
        }  # fmt: skip
        way = path(self.split, numbers, maximize=maximize, decay=decay)
        kernel = Kernel(way, str(self.dtype).removeprefix("torch."))
        for arrays, expected in zip(self.arrays, self.expected, strict=True):
            arrays[1].copy_(self.normal(len(arrays[1])))
            expected[1].copy_(arrays[1])
        table = Table(
            self.shim,
            [[x.data_ptr() for x in column] for column in zip(*self.arrays, strict=True)],
            [len(arrays[0]) for arrays in self.arrays],
        )
        scale_, found_ = np.array(scale, np.float32), np.array(found, np.float32)
        kernel.step(
            table,
            [numbers[name] for name in kernel.scalars],
            grad_scale=0 if scale is None else scale_.ctypes.data,
            found_inf=0 if found is None else found_.ctypes.data,
        )
        if not found:
            for expected in self.expected:
                self.reference(expected, t, hyper, maximize, decay, lr, weight_decay, scale)

    def reference(self, expected, t, hyper, maximize, decay, lr, weight_decay, scale):
        theta, g, *state = (x.to(self.real).numpy() for x in expected)
        if scale is not None:
            g = g / g.dtype.type(np.float32(scale))
            expected[1] = torch.from_numpy(g).to(self.dtype)
        g = -g if maximize else g
        if decay == "coupled":
            g = coupled(theta, g, weight_decay=weight_decay)
        elif decay:
            theta = decoupled(theta, lr=lr, weight_decay=weight_decay)
        with np.errstate(all="ignore"):
            theta, *state = self.source(theta, g, *state, t, **hyper)
        expected[0] = torch.from_numpy(theta).to(self.dtype)
        expected[2:] = map(torch.from_numpy, state)

    def assert_equal(self, note):
        kind = {2: torch.int16, 4: torch.int32, 8: torch.int64}
        for arrays, expected in zip(self.arrays, self.expected, strict=True):
            for name, a, b in zip(("theta", "g", *self.source.state), arrays, expected, strict=True):
                bits = kind[a.dtype.itemsize]
                assert a.dtype == b.dtype and torch.equal(a.view(bits), b.view(bits)), (name, note)


@every_rule
@pytest.mark.parametrize("maximize, decay", BEFORE)
def test_thirty_steps_have_the_bits_of_the_rule(shim, source, maximize, decay):
    for options in flags(source):
        lists = Lists(shim, source)
        for t in range(1, 31):
            shim.shape = SHAPES[t % len(SHAPES)]
            lists.step(t, maximize=maximize, decay=decay, **options)
            lists.assert_equal((t, options))


@every_rule
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_other_dtypes_have_the_bits_of_the_rule(shim, source, dtype):
    lists = Lists(shim, source, dtype)
    for t in range(1, 31):
        shim.shape = SHAPES[t % len(SHAPES)]
        lists.step(t, decay="coupled", maximize=True)
        lists.assert_equal(t)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_gradients_are_divided_by_the_scale_and_kept_so(shim, dtype):
    shim.shape = None
    lists = Lists(shim, RULES["adam"], dtype)
    for t in range(1, 8):
        lists.step(t, scale=65536.0 / 3, found=0.0, maximize=True)  # no power of two: the division rounds
        lists.assert_equal(t)


@pytest.mark.parametrize("name", RULES)
def test_nothing_changes_where_inf_was_found(shim, name):
    shim.shape = None
    lists = Lists(shim, RULES[name])
    lists.step(1)
    lists.assert_equal(1)
    lists.step(2, scale=1024.0, found=1.0)
    lists.assert_equal("found")


def test_a_scale_alone_and_a_flag_alone(shim):
    shim.shape = None
    lists = Lists(shim, RULES["momentum_common"])
    lists.step(1, scale=3.0)
    lists.assert_equal("scale")
    lists.step(2, found=0.0)
    lists.assert_equal("flag")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0, 1e-42, 3e38])
def test_special_gradients_pass_through_as_in_numpy(shim, value):
    shim.shape = None
    for source in EVERY:
        lists = Lists(shim, source, sizes=(65,))
        normal = lists.normal
        lists.normal = lambda size, normal=normal: torch.where(
            torch.arange(size) % 3 == 0, value, normal(size)
        )
        for t in range(1, 5):
            lists.step(t)
        for a, b in zip(lists.arrays[0], lists.expected[0], strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=source.name)
