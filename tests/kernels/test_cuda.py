"""Tables, launches and the way to CuPy, without a GPU: everything but the launch itself."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from optkit.kernels import cuda, nvrtc
from optkit.kernels.compiler import Unavailable
from optkit.kernels.cuda import CHUNK, Device, Kernel, Table
from optkit.rules import RULES
from optkit.translation import program
from optkit.translation.path import path

DESCENT = path(program(RULES["gradient_descent"]), {})


def ones(*sizes):
    return [np.ones(size, np.float32) for size in sizes]


def descent_table(device, thetas):
    g = np.ones(max(map(len, thetas)), np.float32)
    columns = [[x.ctypes.data for x in thetas], [g.ctypes.data] * len(thetas)]
    return g, Table(device, columns, [len(x) for x in thetas])  # whoever keeps the table keeps g


def test_every_element_is_stepped_once(shim):
    shim.shape = None
    shim.launches.clear()
    thetas = ones(2 * CHUNK + 1, 5, CHUNK, 0)
    _g, table = descent_table(shim, thetas)
    Kernel(DESCENT, "float32").step(table, [0.25])
    assert [set(x.tolist()) for x in thetas] == [{0.75}, {0.75}, {0.75}, set()]
    assert (table.tensors, table.chunks) == (4, 5)
    assert shim.launches == [(5, cuda.THREADS, 0)]


def test_fewer_blocks_than_chunks(shim, monkeypatch):
    monkeypatch.setattr(cuda, "BLOCKS", 3)
    shim.shape = None
    shim.launches.clear()
    thetas = ones(10 * CHUNK + 7)
    _g, table = descent_table(shim, thetas)
    Kernel(DESCENT, "float32").step(table, [0.5])
    assert set(thetas[0].tolist()) == {0.5}
    assert [blocks for blocks, *_ in shim.launches] == [3]


@pytest.mark.parametrize("sizes", [(), (0, 0)])
def test_nothing_to_step_is_no_launch(shim, sizes):
    shim.launches.clear()
    Kernel(DESCENT, "float32").step(Table(shim, [[0] * len(sizes)] * 2, sizes), [0.5])
    assert shim.launches == []


def test_a_table_is_sent_again_only_when_something_moved(shim):
    shim.shape = None
    shim.uploads.clear()
    (theta,), (other,) = ones(9), ones(9)
    _g, table = descent_table(shim, [theta])
    kernel = Kernel(DESCENT, "float32")
    for _ in range(3):
        table.move(0, [theta.ctypes.data])
        kernel.step(table, [0.25])
    assert theta.tolist() == [0.25] * 9 and len(shim.uploads) == 2
    for _ in range(2):
        table.move(0, [other.ctypes.data])
        kernel.step(table, [0.25])
    assert theta.tolist() == [0.25] * 9 and other.tolist() == [0.5] * 9 and len(shim.uploads) == 3


def test_a_table_is_sent_again_on_another_stream(shim):
    shim.uploads.clear()
    shim.launches.clear()
    (theta,) = ones(9)
    _g, table = descent_table(shim, [theta])
    for shim.handle in (0, 7, 7, 0):
        Kernel(DESCENT, "float32").step(table, [0.25])
    assert len(shim.uploads) == 6
    assert [stream for *_, stream in shim.launches] == [0, 7, 7, 0]


def test_a_text_is_loaded_once_for_each_device():
    loads = []

    class Counting:
        def load(self, source):
            loads.append(self)
            return lambda blocks, threads, arguments, stream: None

        def stream(self):
            return SimpleNamespace(cuda_stream=0)

        def upload(self, array):
            return torch.from_numpy(array)

    kernel, devices = Kernel(DESCENT, "float32"), [Counting(), Counting()]
    for device in (*devices, *devices):
        kernel.step(Table(device, [[0], [0]], [9]), [0.25])
    assert loads == devices


@pytest.fixture
def cupy(shim, monkeypatch):
    """Stands for CuPy: loads what `nvrtc.compiled` gives into the shim, and notes what it is asked."""
    asked = []

    class Within:
        def __init__(self, index):
            self.index = index

        def __enter__(self):
            asked.append(("enter", self.index))

        def __exit__(self, *error):
            asked.append(("exit", self.index))

    class Module:
        def load(self, code):
            self.code = code

        def get_function(self, name):
            assert name == "optkit_step"
            run = shim.load(self.code.decode())

            def function(grid, block, arguments, *, stream):
                asked.append((grid, block, stream.ptr))
                run(*grid, *block, arguments, SimpleNamespace(cuda_stream=stream.ptr))

            return function

    stand_in = SimpleNamespace(
        asked=asked,
        cuda=SimpleNamespace(
            is_available=lambda: True,
            Device=Within,
            Module=Module,
            Stream=SimpleNamespace(
                from_external=lambda stream: SimpleNamespace(ptr=stream.__cuda_stream__()[1])
            ),
        ),
    )
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    monkeypatch.setattr(nvrtc, "library", lambda: None)
    monkeypatch.setattr(nvrtc, "architectures", lambda: (75, 90))
    monkeypatch.setattr(nvrtc, "compiled", lambda source, target: source.encode())
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    stream = SimpleNamespace(cuda_stream=4096, __cuda_stream__=lambda: (0, 4096))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda index: stream)
    return stand_in


class OnTheCpu(Device):
    """Pinned memory needs a driver, so `upload` is the one thing that this leaves out."""

    def upload(self, array):
        return torch.from_numpy(array).clone()


def test_a_launch_is_made_on_the_device_and_the_stream_of_torch(shim, cupy):
    shim.shape = None
    device = OnTheCpu(1)
    (theta,) = ones(CHUNK + 1)
    _g, table = descent_table(device, [theta])
    Kernel(DESCENT, "float32").step(table, [0.25])
    assert set(theta.tolist()) == {0.75}
    assert device.target == "sm_90"
    launch = ((2,), (cuda.THREADS,), 4096)
    assert cupy.asked == [("enter", 1), ("exit", 1), ("enter", 1), launch, ("exit", 1)]


def test_a_graph_must_not_repeat_the_scalars_of_a_step(cupy, monkeypatch):
    device = OnTheCpu(0)
    (theta,) = ones(3)
    _g, table = descent_table(device, [theta])
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with pytest.raises(RuntimeError, match="must not be captured in a CUDA graph"):
        Kernel(DESCENT, "float32").step(table, [0.25])
    assert theta.tolist() == [1, 1, 1]


def test_no_cupy_no_device_and_no_nvrtc_are_said(cupy, monkeypatch):
    cupy.cuda.is_available = lambda: False
    with pytest.raises(Unavailable, match="CuPy finds no CUDA device"):
        Device(0)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(
        Unavailable, match=r"CuPy does not import \(.*\); pip install 'optkit\[gpu\]' brings it"
    ):
        Device(0)

    def none():
        raise Unavailable("NVRTC is not installed")

    monkeypatch.setattr(nvrtc, "library", none)
    with pytest.raises(Unavailable, match="NVRTC is not installed"):
        cuda.device(0)
