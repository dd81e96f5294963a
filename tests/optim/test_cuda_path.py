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
    device.handle, device.shape = 0, None
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
