"""The C of every rule, compiled and run: the bits that the rule itself gives on NumPy."""

import itertools
import subprocess

import numpy as np
import pytest
import torch

from optkit.kernels import Kernel, Table, Unavailable
from optkit.kernels.compiler import compilers
from optkit.rules import RULES, maximum, minimum, rule, sign, sqrt
from optkit.translation import program, to_c
from optkit.translation.c import body
from optkit.translation.path import DECAYS, decay_scalars, ones_of, path

SIZES = (0, 1, 7, 4097, 100_003)

if not list(compilers()):
    pytest.skip("no C compiler on the PATH", allow_module_level=True)


@rule
def awkward(theta, g, narrow, real, theta_at, t, *, lr=0.1, linux=0.5, half_life=3, decay_h0=0.2, up=True):
    """Names of the text around, every function, brackets that matter, integers, states that change places."""
    i = 2 - (g - theta) - (-real)
    n = 3 / (1 + narrow * narrow) / (i * i + 1e-3)
    if t == 2:
        scalars = sqrt(abs(i)) * sign(g)
    elif t > 3 and up:
        scalars = maximum(minimum(i, n), lr) - minimum(0.25, -g)
    else:
        scalars = -(i + n) * half_life / (1 + abs(i)) - t
    old = narrow
    narrow = theta_at
    theta_at = real
    real = 0.5 * old + lr * scalars / (1 + abs(scalars)) - linux * sign(i) + decay_h0
    theta = theta - lr * (scalars / (1 + abs(scalars) / (1 + i / (n * i) * n)))
    return theta, narrow, real, theta_at


EVERY = [*RULES.values(), awkward]
every_rule = pytest.mark.parametrize("source", EVERY, ids=lambda r: r.name)


def flags(source):
    """Every combination of the rule's flags."""
    names = [name for name, hyper in source.hyperparameters.items() if hyper.is_flag]
    return [
        dict(zip(names, values, strict=True))
        for values in itertools.product((True, False), repeat=len(names))
    ]


class Lists:
    """Arrays of every size, stepped by C and, as copies, by the rule on NumPy."""

    def __init__(self, source, dtype, sizes=SIZES, seed=0):
        self.source, self.split = source, program(source)
        self.random = np.random.default_rng(seed)
        self.real = np.dtype(dtype)
        self.thetas = [self.normal(size) for size in sizes]
        self.gradients = [self.normal(size) for size in sizes]
        self.states = [[np.zeros(size, self.real) for _ in source.state] for size in sizes]
        self.expected = [[theta.copy(), *map(np.copy, state)] for theta, state in self.arrays()]

    def arrays(self):
        return zip(self.thetas, self.states, strict=True)

    def normal(self, size):
        # Of many magnitudes: sums round, and eps counts.
        return (self.random.standard_normal(size) * 10.0 ** self.random.integers(-6, 3, size)).astype(
            self.real
        )

    def step(self, t, hyper, maximize=False, decay="", lr=0.05, weight_decay=0.3, threads=2):
        for g in self.gradients:
            g[:] = self.normal(len(g))
        scalars = {
            **self.split.scalars(t, **hyper), **decay_scalars(decay, lr=lr, weight_decay=weight_decay)
        }  # fmt: skip
        dtype = str(self.real)
        kernel = Kernel(path(self.split, scalars, maximize=maximize, decay=decay, dtype=dtype), dtype)
        columns = [self.thetas, self.gradients, *zip(*self.states, strict=True)]
        table = Table(
            [[x.ctypes.data for x in column] for column in columns], [len(theta) for theta in self.thetas]
        )
        kernel.step(table, [scalars[name] for name in kernel.scalars], threads)
        for arrays, g in zip(self.expected, self.gradients, strict=True):
            theta, *state = arrays
            if maximize:
                g = -g
            if decay == "coupled":
                g = g + weight_decay * theta
            elif decay == "decoupled":
                theta = (1 - lr * weight_decay) * theta
            with np.errstate(all="ignore"):
                arrays[:] = self.source(theta, g, *state, t, **hyper)

    def assert_equal(self, note):
        for arrays, (theta, state) in zip(self.expected, self.arrays(), strict=True):
            for name, a, b in zip(("theta", *self.source.state), arrays, (theta, *state), strict=True):
                bits = f"u{self.real.itemsize}"
                assert np.array_equal(a.view(bits), b.view(bits)), (name, note)


def hyper_of(source, **options):
    return {**source.defaults(), **dict.fromkeys(source.inputs, 1.5), **options}


@every_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_thirty_steps_have_the_bits_of_the_rule(source, dtype):
    for options in flags(source):
        lists = Lists(source, dtype)
        for t in range(1, 31):
            lists.step(t, hyper_of(source, **options))
            lists.assert_equal((t, options))


@every_rule
@pytest.mark.parametrize(
    "maximize, decay", [(True, ""), (False, "coupled"), (True, "coupled"), (True, "decoupled")]
)
def test_direction_and_decay_come_before_the_rule(source, maximize, decay):
    lists = Lists(source, "float32", sizes=(7, 1000))
    for t in range(1, 8):
        lists.step(t, hyper_of(source), maximize, decay)
        lists.assert_equal(t)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.0, 1e-42, 3e38])
def test_special_gradients_pass_through_as_in_numpy(value):
    for source in EVERY:
        lists = Lists(source, "float32", sizes=(65,))
        normal = lists.normal
        for t in range(1, 5):
            special = np.where(np.arange(65) % 3, normal(65), value).astype(np.float32)
            lists.normal = lambda size, special=special: special
            lists.step(t, hyper_of(source))
            (expected,), ((theta, state),) = lists.expected, lists.arrays()
            for a, b in zip(expected, (theta, *state), strict=True):
                assert np.array_equal(np.isnan(a), np.isnan(b)), source.name
                assert np.array_equal(np.nan_to_num(a, nan=7), np.nan_to_num(b, nan=7)), source.name


@every_rule
@pytest.mark.parametrize("dtype, around", [("float32", (165, 17_321)), ("float64", (356, 37_412))])
def test_steps_late_in_training_have_the_bits_of_the_rule(source, dtype, around):
    lists = Lists(source, dtype, sizes=(7, 4097))
    for t in [1, *(t + k for t in around for k in (-2, -1, 0, 1))]:
        lists.step(t, hyper_of(source))
        lists.assert_equal(t)


@pytest.mark.parametrize("name", ["adam", "radam"])
@pytest.mark.parametrize("dtype, around", [("float32", (165, 17_321)), ("float64", (356, 37_412))])
def test_nothing_is_divided_by_one(name, dtype, around):
    def divisors(t):
        text = to_c(RULES[name], t, dtype=dtype)
        return {scalar for scalar in ("h2", "h3") if f"/ {scalar};" in text}

    first, second = around
    assert divisors(first - 1) == {"h2", "h3"}
    assert divisors(first) == divisors(second - 1) == {"h3"}
    assert divisors(second) == set()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_one_is_what_the_arithmetic_rounds_to_one(dtype):
    split = program(RULES["adam"])
    real = np.float64 if dtype == "float64" else np.float32
    near = [
        1 + sign * 2.0**-k * (1 + nudge)
        for sign in (-1, 1)
        for k in range(20, 56)
        for nudge in (-1e-9, 0, 1e-9)
    ]
    for number in [0.0, -1.0, np.nan, np.inf, 1.0, *near]:
        found = ones_of(split, {"h2": number, "h3": 0.5}, dtype)
        assert found == [real(number) == 1, False], number


def test_a_number_divided_by_one_keeps_its_bits():
    @rule
    def divided(theta, g, a, t, *, scale=1.0):
        a = g / scale / (2 * scale)
        theta = theta / scale
        return theta, a

    text = to_c(divided)
    assert text.count(" / ") == 1 and "theta = theta;" in text
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint32)
    theta = np.concatenate([bits.view(np.float32), np.float32([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45])])
    theta = theta[~np.isnan(theta)]
    arrays = [theta.copy(), theta.copy(), np.zeros_like(theta)]
    split = program(divided)
    scalars = split.scalars(1, scale=1.0)
    kernel = Kernel(path(split, scalars, dtype="float32"), "float32")
    kernel.step(
        Table([[x.ctypes.data] for x in arrays], [len(theta)]), [scalars[n] for n in kernel.scalars], 1
    )
    expected, _ = divided(theta, theta, np.zeros_like(theta), 1, scale=1.0)
    assert np.array_equal(arrays[0].view(np.uint32), expected.view(np.uint32))
    assert np.array_equal(arrays[2], theta / np.float32(2))


def test_functions_have_numpys_edges():
    @rule
    def edges(theta, g, a, b, c, d, t):
        a = sign(theta)
        b = maximum(theta, g)
        c = minimum(theta, g)
        d = abs(theta)
        theta = sqrt(d)
        return theta, a, b, c, d

    values = np.array([np.nan, -np.inf, -1, -0.0, 0.0, 1e-45, 1, np.inf], np.float32)
    theta, g = (x.ravel().copy() for x in np.meshgrid(values, values))
    states = [np.zeros_like(theta) for _ in range(4)]
    expected = edges(theta, g, *states, 1)
    kernel = Kernel(path(program(edges), {}), "float32")
    kernel.step(Table([[x.ctypes.data] for x in (theta, g, *states)], [64]), [], 1)
    for a, b in zip(expected, (theta, *states), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.signbit(states[0][theta == 0]).any()


@rule
def keep(theta, g, a, t):
    """θ takes the state, the state takes the gradient."""
    theta = a
    a = 1 * g
    return theta, a


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_types_are_widened_and_rounded_as_in_torch(dtype):
    kernel = Kernel(path(program(keep), {}), str(dtype).removeprefix("torch."))
    random = np.random.default_rng(0)
    bits = random.integers(0, 2**32, 500_000, dtype=np.uint32)
    every = torch.arange(65536).to(torch.uint16).view(dtype)
    ties = (
        every.float().numpy().view(np.uint32)[:, None] + np.uint32([0x7FFF, 0x8000, 0xFFF, 0x1000, 0x1001])
    ).ravel()
    small = (random.standard_normal(500_000) * 2.0 ** random.integers(-30, 18, 500_000)).astype(np.float32)
    a = torch.from_numpy(np.concatenate([bits.view(np.float32), ties.view(np.float32), small]))
    expected = a.to(dtype)
    g = every.repeat(len(a) // len(every) + 1)[: len(a)].contiguous()
    theta = torch.zeros(len(a), dtype=dtype)
    table = Table([[theta.data_ptr()], [g.data_ptr()], [a.data_ptr()]], [len(a)])
    kernel.step(table, [], 2)
    assert torch.equal(theta.isnan(), expected.isnan())
    nan = expected.isnan()
    assert torch.equal(theta.view(torch.int16)[~nan], expected.view(torch.int16)[~nan])
    assert torch.equal(a.isnan(), g.isnan())
    assert torch.equal(a.view(torch.int32)[~g.isnan()], g.float().view(torch.int32)[~g.isnan()])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@every_rule
def test_half_types_step_in_float32(source, dtype):
    split, hyper = program(source), hyper_of(source)
    theta = torch.randn(1001, generator=torch.Generator().manual_seed(0)).to(dtype)
    state = [torch.zeros(1001) for _ in source.state]
    reference = [theta.clone(), *[x.clone() for x in state]]
    for t in range(1, 8):
        g = torch.randn(1001, generator=torch.Generator().manual_seed(t)).to(dtype)
        scalars = split.scalars(t, **hyper)
        kernel = Kernel(path(split, scalars), str(dtype).removeprefix("torch."))
        table = Table([[x.data_ptr()] for x in (theta, g, *state)], [1001])
        kernel.step(table, [scalars[name] for name in kernel.scalars], 1)
        wide, *rest = source(*(x.float().numpy() for x in (reference[0], g, *reference[1:])), t, **hyper)
        reference = [torch.from_numpy(np.asarray(x)) for x in (wide, *rest)]
        reference[0] = reference[0].to(dtype)
        for a, b in zip(reference, (theta, *state), strict=True):
            assert torch.equal(a, b), t


def test_the_text_is_the_rule_line_by_line():
    assert body(path(program(RULES["momentum_standard"]), {}, decay="decoupled")).lines == (
        "theta = decay_h0 * theta;",
        "v = momentum * v - lr * g;",
        "theta = theta + v;",
    )
    late, first = to_c(RULES["inna"], 2), to_c(RULES["inna"], 1)
    assert "psi = h0 * theta" in first and "psi = h0 * theta" not in late


@every_rule
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_the_text_is_clean_c_and_clean_cpp(source, dtype, tmp_path):
    text = to_c(source, dtype=dtype, decay="coupled", maximize=True, **dict.fromkeys(source.inputs, 1.0))
    for compiler in compilers():
        for standard in (("c", "c99"),) if compiler.language == "c" else (("c++", "c++11"),):
            command = [compiler.path, "-x", standard[0], f"-std={standard[1]}", "-pedantic-errors", "-Wall"]
            command += [
                "-Wextra",
                "-Werror",
                "-Wno-unused-function",
                "-Wno-unknown-pragmas",
                "-fsyntax-only",
                "-",
            ]
            done = subprocess.run(command, input=text, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


def test_bad_names_are_refused():
    with pytest.raises(ValueError, match=r"dtype must be float32, .* or float16, got 'int8'"):
        to_c(RULES["adam"], dtype="int8")
    with pytest.raises(ValueError, match=r"decay must be '', 'coupled' or 'decoupled', got 'l2'"):
        to_c(RULES["adam"], decay="l2")
    assert DECAYS == ("", "coupled", "decoupled")
    with pytest.raises(Unavailable, match=r"the C compiler failed: .*error"):
        from optkit.kernels.compiler import build

        build("this is no C\n")
