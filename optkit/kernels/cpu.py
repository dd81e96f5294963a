"""Steps of whole lists of arrays by compiled C: addresses in, one call.

This module knows addresses and lengths only. Whoever calls it answers for the memory behind them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from optkit.kernels.compiler import Build, build
from optkit.translation.c import c_source
from optkit.translation.path import Path

CHUNK = 16_384
"""Elements a chunk: small enough to share out evenly, large enough that a chunk costs nothing by itself."""

_COUNT = """
/* The step counts of many parameters: values[k] becomes the count plus `by`, and is stored where by != 0. */
#ifdef __cplusplus
extern "C"
#endif
void optkit_count(long long n, double* const* counts, double by, double* values)
{
    for (long long k = 0; k < n; k++) {
        values[k] = *counts[k] + by;
        if (by != 0) *counts[k] = values[k];
    }
}
"""


class Kernel:
    """One path through a rule for one dtype, compiled.

    Attributes:
        scalars: Names of the scalars in a row, in order.
        build: The library behind it.
    """

    def __init__(self, way: Path, dtype: str) -> None:
        self.scalars = way.scalars
        self.build: Build = build(c_source(way, dtype))
        self._step = self.build.library.optkit_step
        address, whole = ctypes.c_void_p, ctypes.c_longlong
        self._step.argtypes = [whole, address, address, address, ctypes.c_int]
        self._step.restype = None

    def step(self, table: Table, scalars: Any, threads: int) -> None:
        """Step every array of a table.

        Args:
            table: Addresses and lengths.
            scalars: Float64 array (rows, number of scalars), C-contiguous.
            threads: Threads at most; one where the library was built without OpenMP, and in a forked process.
        """
        if table.chunks:
            self._step(
                table.chunks, table.chunk_address, table.address, scalars.ctypes.data, threads_here(threads)
            )


class Table:
    """Where the arrays of a list of tensors lie, and how they are cut into chunks.

    Args:
        addresses: For each tensor the addresses of θ, g and the state, in the rule's order.
        lengths: For each tensor its number of elements.
        rows: For each tensor its row of the scalars.

    Attributes:
        addresses: They, as a uint64 array (tensors, arrays); written to where an array has moved.
        chunks: Number of chunks.
    """

    def __init__(
        self, addresses: Sequence[Sequence[int]], lengths: Sequence[int], rows: Sequence[int]
    ) -> None:
        self.addresses = np.array(addresses, dtype=np.uint64)
        size, row = np.array(lengths, dtype=np.int64), np.array(rows, dtype=np.int64)
        count = -(-size // CHUNK)
        tensor = np.repeat(np.arange(len(size)), count)
        start = CHUNK * (np.arange(len(tensor)) - np.repeat(np.cumsum(count) - count, count))
        table = (tensor, start, np.minimum(size[tensor] - start, CHUNK), row[tensor])
        self._chunks = np.ascontiguousarray(np.stack(table, axis=1), dtype=np.int64)
        self.chunks = len(self._chunks)
        self.address = self.addresses.ctypes.data
        self.chunk_address = self._chunks.ctypes.data


class Counts:
    """The step counts of many parameters: float64 numbers at these addresses."""

    def __init__(self, addresses: Sequence[int]) -> None:
        self._addresses = np.array(addresses, dtype=np.uint64)
        self._values = np.empty(len(addresses))
        self._count = _counter()
        self._arguments = len(addresses), self._addresses.ctypes.data
        self._out = self._values.ctypes.data

    def read(self) -> np.ndarray:
        """The counts as they are now."""
        self._count(*self._arguments, 0.0, self._out)
        return self._values

    def add(self, by: float) -> None:
        """Add to every count."""
        self._count(*self._arguments, by, self._out)


@cache
def _counter() -> Any:
    function = build(_COUNT).library.optkit_count
    function.argtypes = [ctypes.c_longlong, ctypes.c_void_p, ctypes.c_double, ctypes.c_void_p]
    function.restype = None
    return function


_forked = False


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def threads_here(wanted: int) -> int:
    """``wanted``, but 1 in a forked process: GNU's OpenMP hangs where its threads were left behind."""
    return 1 if _forked else wanted
