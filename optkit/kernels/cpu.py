"""Steps of whole lists of arrays by compiled C: addresses in, one call.

This module knows addresses and lengths only. Whoever calls it answers for the memory behind them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from optkit.kernels.compiler import Build, build
from optkit.translation.c import c_source
from optkit.translation.path import Path

CHUNK = 16_384
"""Elements a chunk: few enough to share out evenly, and so many that a chunk costs nothing by itself."""

SHARE = 65_536
"""Elements that are worth a thread: they take ten times as long as it takes to wake one."""

_COUNT = """
#ifdef __cplusplus
extern "C"
#endif
void optkit_count(long long n, double* const* counts)
{
    for (long long k = 0; k < n; k++) *counts[k] += 1;
}
"""


class Kernel:
    """One path through a rule for one dtype, compiled.

    Args:
        way: The path.
        dtype: One of ``optkit.translation.c.DTYPES``.

    Attributes:
        scalars: Names of the scalars that a step takes, in order.
        build: The library behind it.

    Raises:
        Unavailable: It cannot be compiled or loaded here.
    """

    def __init__(self, way: Path, dtype: str) -> None:
        self.scalars = way.scalars
        self.build: Build = build(c_source(way, dtype))
        self._step = self.build.library.optkit_step
        address, whole = ctypes.c_void_p, ctypes.c_longlong
        self._step.argtypes = [whole, address, whole, address, address, ctypes.c_int]
        self._step.restype = None
        self._row = ctypes.c_double * len(way.scalars)

    def step(self, table: Table, scalars: Sequence[float], threads: int) -> None:
        """Step every array of a table, without Python's lock.

        Args:
            table: Addresses and lengths.
            scalars: The values of ``self.scalars``.
            threads: Threads at most; fewer where there are not `SHARE` elements for each. One is used where
                the library was built without OpenMP, and in a forked process.
        """
        threads = min(1 if _forked else threads, 1 + table.elements // SHARE)
        self._step(table.chunks, table.starts, table.tensors, table.addresses, self._row(*scalars), threads)


class Table:
    """Where the arrays of a list of tensors lie, and how they are cut into chunks.

    Args:
        columns: The addresses of every tensor's θ, then of every g, then of each state in the rule's order.
        lengths: The number of elements of each tensor.

    Attributes:
        addresses: The columns, one after the other, as ctypes array.
        starts: Tensor, first element and length of each chunk, as ctypes array.
        chunks: How many chunks there are.
        elements: How many elements the tensors have together.
        tensors: How many tensors there are.
    """

    def __init__(self, columns: Sequence[Sequence[int]], lengths: Sequence[int]) -> None:
        self.tensors = len(lengths)
        cuts = [
            (tensor, start, min(CHUNK, length - start))
            for tensor, length in enumerate(lengths)
            for start in range(0, length, CHUNK)
        ]
        self.chunks, self.elements = len(cuts), sum(lengths)
        self.starts = (ctypes.c_longlong * (3 * len(cuts)))(*[x for cut in cuts for x in cut])
        self.addresses = (ctypes.c_uint64 * (len(columns) * self.tensors))(*[x for c in columns for x in c])

    def move(self, column: int, addresses: Any) -> None:
        """Write the present addresses of one column, a ctypes array: 0 for θ, 1 for g, then the state."""
        ctypes.memmove(ctypes.byref(self.addresses, 8 * column * self.tensors), addresses, 8 * self.tensors)


class Counts:
    """The step counts of many parameters: float64 numbers at these addresses."""

    def __init__(self, addresses: Sequence[int]) -> None:
        self._count, self.addresses = _counter(), tuple(addresses)
        self._addresses = (ctypes.c_uint64 * len(addresses))(*addresses)

    def advance(self) -> None:
        """Add 1 to every count."""
        self._count(len(self._addresses), self._addresses)


@cache
def _counter() -> Any:
    function = build(_COUNT).library.optkit_count
    function.argtypes = [ctypes.c_longlong, ctypes.c_void_p]
    function.restype = None
    return function


_forked = False


def _note_fork() -> None:
    # GNU's OpenMP hangs in a child whose parent left its threads behind.
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
