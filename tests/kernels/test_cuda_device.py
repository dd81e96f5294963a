"""Launches on a GPU. These run by themselves where there is one, with CuPy and a torch built for it."""

import numpy as np
import pytest
import torch

import optkit.optim as optim
from optkit.kernels.compiler import Unavailable
from optkit.kernels.cuda import CHUNK, Kernel, Table, device
from optkit.rules import RULES
from optkit.translation import program
from optkit.translation.path import path

pytestmark = pytest.mark.gpu

try:
    DEVICES = [device(index) for index in range(torch.cuda.device_count())]
    WHY = "torch finds no CUDA device"
except Unavailable as error:
    DEVICES, WHY = [], str(error)
if not DEVICES:
    pytest.skip(f"no launch on a GPU was tested: {WHY}", allow_module_level=True)

every_device = pytest.mark.parametrize("gpu", DEVICES, ids=lambda gpu: f"cuda:{gpu.index}")


class Lists:
    """Tensors on a device, and copies that the rule steps on NumPy."""

    def __init__(self, gpu, source, dtype=torch.float32, sizes=(0, 1, 7, 4097, 3 * CHUNK, 1_000_003)):
        self.gpu, self.source, self.split, self.dtype = gpu, source, program(source), dtype
        self.real = torch.float64 if dtype == torch.float64 else torch.float32
        self.random = torch.Generator().manual_seed(0)
        self.expected = [
            [self.normal(n), self.normal(n), *(torch.zeros(n, dtype=self.real) for _ in source.state)]
            for n in sizes
        ]
        self.arrays = [[x.to(f"cuda:{gpu.index}") for x in arrays] for arrays in self.expected]
        self.table = Table(
            gpu, [[x.data_ptr() for x in column] for column in zip(*self.arrays, strict=True)], sizes
        )
        self.hyper = {**source.defaults(), **dict.fromkeys(source.inputs, 1.5)}

    def normal(self, size):
        return torch.randn(size, generator=self.random, dtype=torch.float64).to(self.dtype)

    def kernel(self, t):
        scalars = self.split.scalars(t, **self.hyper)
        kernel = Kernel(path(self.split, scalars), str(self.dtype).removeprefix("torch."))
        return kernel, [scalars[name] for name in kernel.scalars]

    def step(self, t, **addresses):
        for arrays, expected in zip(self.arrays, self.expected, strict=True):
            expected[1] = self.normal(len(expected[1]))
            arrays[1].copy_(expected[1])
        kernel, scalars = self.kernel(t)
        kernel.step(self.table, scalars, **addresses)

    def reference(self, t, scale=1.0):
        for expected in self.expected:
            theta, g, *state = (x.to(self.real).numpy() for x in expected)
            theta, *state = self.source(theta, g / g.dtype.type(scale), *state, t, **self.hyper)
            expected[0] = torch.from_numpy(theta).to(self.dtype)
            expected[2:] = map(torch.from_numpy, state)

    def assert_equal(self, note):
        for arrays, expected in zip(self.arrays, self.expected, strict=True):
            for place in (0, *range(2, len(arrays))):
                assert torch.equal(arrays[place].cpu(), expected[place]), (place, note)


@every_device
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("source", RULES.values(), ids=lambda source: source.name)
def test_steps_have_the_bits_of_the_rule(gpu, source, dtype):
    lists = Lists(gpu, source, dtype)
    for t in range(1, 11):
        lists.step(t)
        lists.reference(t)
        lists.assert_equal(t)


@every_device
def test_a_step_keeps_the_order_of_its_stream(gpu):
    lists = Lists(gpu, RULES["adam"])
    stream = torch.cuda.Stream(gpu.index)
    for t in range(1, 11):
        with torch.cuda.stream(stream if t % 3 else torch.cuda.default_stream(gpu.index)):
            torch.cuda._sleep(10_000_000)  # a step that does not wait for this reads old gradients
            lists.step(t)
        torch.cuda.synchronize(gpu.index)
        lists.reference(t)
        lists.assert_equal(t)


@every_device
def test_scale_and_flag_of_the_scaler_are_read_on_the_device(gpu):
    lists = Lists(gpu, RULES["adam"])
    scale, found = (torch.full((), value, device=f"cuda:{gpu.index}") for value in (3.0, 0.0))
    addresses = {"grad_scale": scale.data_ptr(), "found_inf": found.data_ptr()}
    lists.step(1, **addresses)
    lists.reference(1, scale=3.0)
    lists.assert_equal("scaled")
    found.fill_(1)
    lists.step(2, **addresses)
    lists.assert_equal("skipped")


@every_device
def test_an_optimizer_steps_on_the_device_under_the_scaler(gpu):
    def made(where):
        theta = torch.linspace(-2, 2, 5_001, device=where).requires_grad_()
        return theta, optim.AdamW([theta], lr=0.1)

    (theta, optimizer), (on_cpu, other) = made(f"cuda:{gpu.index}"), made("cpu")
    assert optimizer.backend == "CUDA"
    scaler = torch.amp.GradScaler("cuda", init_scale=8.0)  # a power of two: unscaled without rounding
    for t in range(1, 6):
        for p, steps in ((theta, optimizer), (on_cpu, other)):
            steps.zero_grad()
            loss = (p * p).sum() * (float("inf") if t == 3 else 1.0)
            if p is theta:
                scaler.scale(loss).backward()
                scaler.step(steps)
                scaler.update()
            elif t != 3:
                loss.backward()
                steps.step()
        assert torch.equal(theta.cpu(), on_cpu), t
    assert optimizer.state[theta]["step"] == 4


@every_device
@pytest.mark.filterwarnings("ignore:The CUDA Graph is empty")
def test_a_captured_step_is_refused(gpu):
    lists = Lists(gpu, RULES["adam"], sizes=(9,))
    lists.step(1)
    lists.reference(1)
    kernel, scalars = lists.kernel(2)
    with torch.cuda.device(gpu.index):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph), pytest.raises(RuntimeError, match="must not be captured"):
            kernel.step(lists.table, scalars)
    lists.assert_equal("captured")


@every_device
def test_a_step_moves_its_bytes_at_least_half_as_fast_as_a_copy(gpu):
    lists = Lists(gpu, RULES["adam"], sizes=(50_000_000,))
    kernel, scalars = lists.kernel(2)
    source = torch.empty(175_000_000, device=f"cuda:{gpu.index}")  # the copy's two streams are Adam's seven
    target = torch.empty_like(source)

    def seconds(function):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        times = []
        for _ in range(11):
            start.record()
            function()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end))
        return float(np.median(times))

    with torch.cuda.device(gpu.index):
        step, copy = seconds(lambda: kernel.step(lists.table, scalars)), seconds(lambda: target.copy_(source))
    assert step < 2 * copy, (step, copy)
