"""Steps of whole lists of CUDA tensors: addresses in, one launch.

NVRTC compiles the text that `optkit.translation.cuda` prints, CuPy loads it and launches it on torch's
current stream. `Device` is all that touches a GPU. Everything else here, and the text itself, is tested
without one; `Device` was written where there was none, and has its own tests, which run where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from optkit.kernels import nvrtc
from optkit.kernels.compiler import Unavailable
from optkit.translation.cuda import cuda_source
from optkit.translation.path import Path

CHUNK = 4_096
"""Elements a chunk: the work of one block at a time."""

THREADS = 256
"""Threads a block."""

BLOCKS = 1 << 20
"""Blocks a launch, at most; where there are more chunks, a block steps several."""

Launch = Callable[[int, int, Sequence[Any], Any], None]
"""A loaded kernel: (blocks, threads a block, arguments, stream). Arguments are NumPy scalars."""


class Device:
    """One GPU.

    Args:
        index: torch's number of the device.

    Raises:
        Unavailable: There is no CuPy, no NVRTC, no device, or one too old for this NVRTC.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        nvrtc.library()
        try:
            import cupy
        except ImportError as error:
            raise Unavailable(f"CuPy does not import ({error}); {nvrtc.REMEDY}") from error
        if not cupy.cuda.is_available():
            raise Unavailable("CuPy finds no CUDA device")
        import torch

        self._cupy, self._torch = cupy, torch
        self.target = nvrtc.target(torch.cuda.get_device_capability(index))

    def stream(self) -> Any:
        """The current stream of torch on this device.

        Raises:
            RuntimeError: The stream is being captured in a graph, which would repeat the scalars of one step.
        """
        if self._torch.cuda.is_current_stream_capturing():
            raise RuntimeError(
                "a step must not be captured in a CUDA graph: the graph would repeat the scalars of this "
                "step; capture the forward and backward pass, and call step() outside"
            )
        return self._torch.cuda.current_stream(self.index)

    def upload(self, array: np.ndarray) -> Any:
        """A torch tensor on this device with these numbers, copied in the order of the current stream."""
        return (
            self._torch.from_numpy(array).pin_memory().to(f"cuda:{self.index}", non_blocking=True)
        )  # torch keeps the pinned memory until the copy is done

    def later(self, number: Any) -> Callable[[], float]:
        """Ask for a number on this device; what is returned gives it, and waits if it is not there yet."""
        cuda = self._torch.cuda
        host = self._torch.empty((), dtype=number.dtype, pin_memory=True)
        host.copy_(number.reshape(()), non_blocking=True)
        arrived = cuda.Event()
        arrived.record(cuda.current_stream(self.index))

        def answer() -> float:
            arrived.synchronize()
            return host.item()

        return answer

    def load(self, source: str) -> Launch:
        """Compile a text for this device and load it."""
        code, cuda = nvrtc.compiled(source, self.target), self._cupy.cuda
        with cuda.Device(self.index):
            module = cuda.Module()
            module.load(code)
            function = module.get_function("optkit_step")

        def launch(blocks: int, threads: int, arguments: Sequence[Any], stream: Any) -> None:
            with cuda.Device(self.index):
                function((blocks,), (threads,), arguments, stream=cuda.Stream.from_external(stream))

        return launch


@cache
def device(index: int) -> Device:
    """The `Device` with this number, made once.

    Raises:
        Unavailable: As for `Device`.
    """
    return Device(index)


class Kernel:
    """One path through a rule for one dtype, compiled and loaded at first use on each device.

    Attributes:
        scalars: Names of the scalars that a step takes, in order.
        source: The CUDA text.
    """

    def __init__(self, way: Path, dtype: str) -> None:
        self.scalars = way.scalars
        self.source = cuda_source(way, dtype)
        self._loaded: dict[Any, Launch] = {}

    def load(self, device: Any) -> Launch:
        """Compile and load it on a `Device`, unless that is done.

        Raises:
            Unavailable: The text does not compile here.
        """
        if device not in self._loaded:
            self._loaded[device] = device.load(self.source)
        return self._loaded[device]

    def step(
        self, table: Table, scalars: Sequence[float], *, grad_scale: int = 0, found_inf: int = 0
    ) -> None:
        """Step every tensor of a table with one launch, on torch's current stream.

        Args:
            table: Addresses and lengths.
            scalars: The values of ``self.scalars``. The launch takes them by value, so that nobody has to
                wait until they have been read.
            grad_scale: Address on the device of one float32: gradients are divided by it, and stored so. 0
                for none.
            found_inf: Address on the device of one float32: nothing changes if it is not 0. 0 for none.

        Raises:
            Unavailable: The text does not compile or load here.
            RuntimeError: A CUDA graph is being captured.
        """
        if not table.chunks:
            return
        stream = table.device.stream()
        launch = self.load(table.device)
        cuts, addresses = table.on(stream)
        arguments = (
            np.int64(table.chunks),
            np.uint64(cuts),
            np.int64(table.tensors),
            *(np.uint64(address) for address in (addresses, grad_scale, found_inf)),
            *map(np.float64, scalars),
        )
        launch(min(table.chunks, BLOCKS), THREADS, arguments, stream)


class Table:
    """Where the tensors of a list lie on one device, and how they are cut into chunks.

    Args:
        device: A `Device`.
        columns: The addresses of every tensor's θ, then of every g, then of each state in the rule's order.
        lengths: The number of elements of each tensor.

    Attributes:
        chunks, tensors: How many there are.
    """

    def __init__(self, device: Any, columns: Sequence[Sequence[int]], lengths: Sequence[int]) -> None:
        self.device = device
        self.tensors = len(lengths)
        cuts = [
            (tensor, start, min(CHUNK, length - start))
            for tensor, length in enumerate(lengths)
            for start in range(0, length, CHUNK)
        ]
        self.chunks = len(cuts)
        self._cuts = np.array(cuts, dtype=np.int64)
        self._addresses = np.array(columns, dtype=np.uint64)
        self._stream: int | None = None
        self._moved = True

    def move(self, column: int, addresses: Sequence[int]) -> None:
        """Write the present addresses of one column: 0 for θ, 1 for g, then the state."""
        present = np.array(addresses, dtype=np.uint64)
        if not np.array_equal(self._addresses[column], present):
            self._addresses[column] = present
            self._moved = True

    def on(self, stream: Any) -> tuple[int, int]:
        """Addresses on the device of the chunks, and of the columns.

        They are copied there when an address has changed, and on every change of stream: only on its own
        stream a copy is known to be done.
        """
        elsewhere = self._stream != stream.cuda_stream
        if elsewhere:
            self._cuts_there = self.device.upload(self._cuts)
        if elsewhere or self._moved:
            # A copy of its own: the next move must not reach an upload that is still under way.
            self._addresses_there = self.device.upload(self._addresses.view(np.int64).copy())
        self._stream, self._moved = stream.cuda_stream, False
        return self._cuts_there.data_ptr(), self._addresses_there.data_ptr()
