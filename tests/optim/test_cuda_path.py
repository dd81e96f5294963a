"""Optimizers on the path of GPUs, without one: the kernels' unchanged text runs behind the tests' shim."""

import importlib.util
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import optkit.optim as optim
from optkit.kernels import backend, cuda
from optkit.kernels.compiler import Unavailable, compilers
from optkit.optim import from_rule
from optkit.rules import RULES

if next(compilers(), None) is None or not (shutil.which("g++") or shutil.which("clang++")):
    pytest.skip("no C and C++ compiler on the PATH", allow_module_level=True)

_spec = importlib.util.spec_from_file_location(
    "shim_of_cuda", Path(__file__).parent.parent / "kernels" / "conftest.py"
)
_shim = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shim)

suitable = [r for r in RULES.values() if r.gradient_at is None and not r.inputs]


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    return _shim.Shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def by_shim(device, monkeypatch):
    """Parameters on the CPU are stepped as if they were on a GPU."""
    device.handle, device.asked, device.shape = 0, 0, None
    device.launches.clear()
    device.uploads.clear()
    monkeypatch.setattr(backend, "gpu", lambda where: device)
    monkeypatch.delenv("OPTKIT_BACKEND", raising=False)
    return device


def build(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 4, 5), (), (0,), (9_001,), (2, 3, 4, 4)]
    params = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
    params[4] = params[4].to(memory_format=torch.channels_last)
    return [torch.nn.Parameter(p) for p in params]


def train(optimizer, steps=range(1, 9)):
    params = optimizer.param_groups[0]["params"]
    for t in steps:
        generator = torch.Generator().manual_seed(t)
        for p in params:
            p.grad = torch.empty_like(p).copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
        optimizer.step()


def same(a, b):
    for p, q in zip(a.param_groups[0]["params"], b.param_groups[0]["params"], strict=True):
        assert torch.equal(p, q)
        assert a.state[p].keys() == b.state[q].keys()
        assert all(torch.equal(a.state[p][key], b.state[q][key]) for key in a.state[p])


def test_late_steps_need_no_other_kernel(by_shim, monkeypatch):
    """Where C leaves out a division by 1 − ρ₁ᵗ: the bits are the same, and nothing is compiled then."""
    late = []
    for where in (lambda _: by_shim, lambda _: None):
        monkeypatch.setattr(backend, "gpu", where)
        optimizer = optim.Adam(build())
        train(optimizer, [1])
        for entry in optimizer.state.values():
            entry["step"].fill_(162)
        train(optimizer, range(163, 168))
        late.append(optimizer)
    same(*late)
    kernels = [set(map(id, optimizer._orders[0][1].taken.values())) for optimizer in late]
    assert [len(some) for some in kernels] == [1, 2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str)
@pytest.mark.parametrize("source", suitable, ids=lambda r: r.name)
def test_steps_have_the_bits_of_the_c(by_shim, monkeypatch, source, dtype):
    on_gpu = from_rule(source)(build(dtype), weight_decay=0.1)
    assert on_gpu.backend == "CUDA"
    train(on_gpu)
    assert len(by_shim.launches) == 8
    monkeypatch.setattr(backend, "gpu", lambda where: None)
    on_cpu = from_rule(source)(build(dtype), weight_decay=0.1)
    assert on_cpu.backend == "C"
    train(on_cpu)
    same(on_gpu, on_cpu)


def test_the_tables_stay_while_nothing_moves(by_shim):
    params = build()
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer = optim.Adam(params)
    for _ in range(3):
        optimizer.step()
    assert len(by_shim.uploads) == 2
    params[0].grad = torch.ones_like(params[0])
    optimizer.step()
    assert len(by_shim.uploads) == 3


def test_what_has_gaps_goes_to_torch(by_shim, monkeypatch):
    def made():
        params = build()
        params[0].data = torch.randn(6, 4, 5, generator=torch.Generator().manual_seed(1))[::2]
        return optim.Adam(params)

    optimizer = made()
    assert optimizer.backend == "CUDA + torch"
    train(optimizer)
    assert len(by_shim.launches) == 8
    monkeypatch.setattr(backend, "gpu", lambda where: None)
    other = made()
    train(other)
    for p, q in zip(optimizer.param_groups[0]["params"], other.param_groups[0]["params"], strict=True):
        torch.testing.assert_close(p, q, rtol=3e-7, atol=1e-7)


def test_a_launch_that_is_refused_changes_nothing(by_shim, monkeypatch):
    optimizer = optim.Adam(build())
    train(optimizer, [1])
    before = [p.detach().clone() for p in optimizer.param_groups[0]["params"]]

    def refuse():
        raise RuntimeError("a step must not be captured")

    monkeypatch.setattr(by_shim, "stream", refuse)
    with pytest.raises(RuntimeError, match="must not be captured"):
        train(optimizer, [2])
    for p, old in zip(optimizer.param_groups[0]["params"], before, strict=True):
        assert torch.equal(p, old) and optimizer.state[p]["step"] == 1


def test_torch_can_be_forced(by_shim, monkeypatch):
    monkeypatch.setenv("OPTKIT_BACKEND", "torch")
    optimizer = optim.Adam(build())
    train(optimizer)
    assert by_shim.launches == [] and optimizer.backend == "torch chunks"


def test_a_gpu_without_cupy_is_left_to_torch(monkeypatch):
    def none(index):
        raise Unavailable(f"CuPy does not see device {index}")

    monkeypatch.setattr(cuda, "device", none)
    backend._gpu.cache_clear()
    try:
        assert backend.gpu(torch.device("cuda", 3)) is None
        assert backend.why_no_cuda(3) == "CuPy does not see device 3"
        assert backend.gpu(torch.device("cpu")) is None
    finally:
        backend._gpu.cache_clear()


def test_a_gpu_with_cupy_launches(device, monkeypatch):
    monkeypatch.setattr(cuda, "device", lambda index: SimpleNamespace(index=index))
    backend._gpu.cache_clear()
    try:
        assert backend.gpu(torch.device("cuda", 1)).index == 1 and backend.why_no_cuda(1) == ""
    finally:
        backend._gpu.cache_clear()


class Waiting(torch.Tensor):
    """A number on a device: to read it on the CPU is to wait for it."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (
            torch.Tensor.item,
            torch.Tensor.__float__,
            torch.Tensor.__bool__,
            torch.Tensor.tolist,
        ):
            raise AssertionError("the step waited for the device")
        return super().__torch_function__(function, types, args, kwargs or {})


def scaled(optimizer, steps, *, overflow=(), wait=True):
    """Steps under a GradScaler whose gradients are inf at some of them."""
    (p,) = optimizer.param_groups[0]["params"]
    scaler = torch.amp.GradScaler(device="cpu", init_scale=1024.0, growth_interval=1000)
    for t in range(steps):
        optimizer.zero_grad()
        loss = (p * p * (t + 1)).sum() * (float("inf") if t in overflow else 1.0)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    return p


def test_a_scaler_is_not_waited_for(by_shim, monkeypatch):
    """Unscaled and left out by the kernel: the steps of torch's own way, bit for bit, and the counts too."""
    ours = optim.Adam([torch.nn.Parameter(torch.linspace(-2, 2, 5_001))], lr=0.1)
    assert not ours._step_supports_amp_scaling  # not bound yet: this first step is torch's way
    scaled(ours, 1)
    assert ours._step_supports_amp_scaling and by_shim.asked == 0
    p = scaled(ours, 6, overflow=(2, 5))
    assert by_shim.asked == 6 and ours.state[p]["step"] == 6  # the last was left out, and is still counted
    counted = ours.state_dict()["state"][0]["step"]
    assert counted == 5 == ours.state[p]["step"]

    monkeypatch.setattr(backend, "gpu", lambda where: None)
    other = optim.Adam([torch.nn.Parameter(torch.linspace(-2, 2, 5_001))], lr=0.1)
    assert not other._step_supports_amp_scaling
    scaled(other, 1)
    scaled(other, 6, overflow=(2, 5))
    same(ours, other)


def test_scale_and_flag_are_read_by_the_kernel_alone(by_shim):
    ours = optim.SGD([p := torch.nn.Parameter(torch.ones(9))], lr=1.0, momentum=0.5)
    p.grad = torch.zeros(9)
    ours.step()
    p.grad = torch.full((9,), 8.0)
    ours.grad_scale, ours.found_inf = (torch.tensor([x]).as_subclass(Waiting) for x in (4.0, 0.0))
    ours.step()
    assert set(p.tolist()) == {-1.0} and set(p.grad.tolist()) == {2.0}  # g = 8 / 4, stored so
    ours.found_inf = torch.tensor([1.0]).as_subclass(Waiting)
    ours.step()
    assert set(p.tolist()) == {-1.0} and ours.state[p]["step"] == 3
    del ours.grad_scale, ours.found_inf
    ours.step()  # begins by uncounting
    assert ours.state[p]["step"] == 3 and set(p.tolist()) == {-1.0 - (0.5 * 2 + 2)}


def test_what_kernels_do_not_take_is_unscaled_before(by_shim):
    """One parameter with gaps: then torch steps it, and the scaler is waited for."""
    params = build()
    params[0].data = torch.zeros(6, 4, 5)[::2]
    ours = optim.SGD(params, lr=1.0)
    train(ours, [1])
    assert not ours._step_supports_amp_scaling
    before = [p.detach().clone() for p in params]
    for found in (1.0, 0.0):
        for p in params:
            p.grad = torch.full_like(p, 6.0)
        ours.grad_scale, ours.found_inf = torch.tensor([3.0]), torch.tensor([found])
        ours.step()
        for p, old in zip(params, before, strict=True):
            assert torch.equal(p, old if found else old - 2) and (ours.state[p]["step"] == 1 + (not found))
    assert by_shim.asked == 0


def test_a_count_that_was_replaced_is_not_uncounted(by_shim):
    ours = optim.SGD([p := torch.nn.Parameter(torch.ones(3))], lr=1.0)
    p.grad = torch.ones(3)
    ours.step()
    ours.found_inf = torch.tensor([1.0])
    ours.step()
    del ours.found_inf
    ours.state[p]["step"] = torch.tensor(7.0, dtype=torch.float64)
    ours.step()
    assert ours.state[p]["step"] == 8 and p.tolist() == [-1, -1, -1]
