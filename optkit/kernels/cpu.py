"""Steps of whole lists of arrays by compiled C: addresses in, one call.

This module knows addresses and lengths only. Whoever calls it answers for the memory behind them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from optkit.kernels.compiler import Build, build
from optkit.translation.c import c_source
from optkit.translation.path import Path

CHUNK = 16_384
"""Elements a chunk: few enough to share out evenly, and so many that a chunk costs nothing by itself."""

SHARE = 65_536
"""Elements that are worth a thread: they take ten times as long as it takes to wake one."""

_RUN = """
typedef void step_t(long long, const long long*, long long, void* const*, const double*, int);
#ifdef __cplusplus
extern "C" {
#endif
void optkit_count(long long n, double* const* counts)
{
    for (long long k = 0; k < n; k++) *counts[k] += 1;
}
void optkit_run(step_t* step, long long chunks, const long long* table, long long tensors,
                void* const* pointers, const double* scalars, int threads, double* const* counts)
{
    step(chunks, table, tensors, pointers, scalars, threads);
    if (counts) optkit_count(tensors, counts);
}
#ifdef __cplusplus
}
#endif
"""


class Kernel:
    """One path through a rule for one dtype, compiled.

    Args:
        way: The path.
        dtype: One of ``optkit.translation.c.DTYPES``.

    Attributes:
        scalars: Names of the scalars that a step takes, in order.
        build: The library behind it.
        address: Where its function for a step lies.
        row: Makes of the values of ``scalars`` what that function takes.

    Raises:
        Unavailable: It cannot be compiled or loaded here.
    """

    def __init__(self, way: Path, dtype: str) -> None:
        self.scalars = way.scalars
        self.build: Build = build(c_source(way, dtype))
        self._run = _library().optkit_run
        self.address = ctypes.cast(self.build.library.optkit_step, ctypes.c_void_p).value
        self.row = ctypes.c_double * len(way.scalars)

    def step(
        self,
        table: Table,
        scalars: Iterable[float],
        threads: int,
        addresses: Any = None,
        counts: Counts | None = None,
    ) -> None:
        """Step every array of a table, without Python's lock.

        Args:
            table: Addresses and lengths.
            scalars: The values of ``self.scalars``.
            threads: Threads at most; fewer where there are not `SHARE` elements for each. One is used where
                the library was built without OpenMP, and in a forked process.
            addresses: A ctypes array with the columns that hold instead of the table's; None for those.
            counts: The step counts, one for each tensor, to which 1 is added then.
        """
        self._run(
            self.address, table.chunks, table.starts, table.tensors,
            table.addresses if addresses is None else addresses,
            self.row(*scalars), table.threads(threads), None if counts is None else counts.there,
        )  # fmt: skip


class Table:
    """Where the arrays of a list of tensors lie, and how they are cut into chunks.

    Args:
        columns: The addresses of every tensor's θ, then of every g, then of each state in the rule's order;
            empty for a table that is only used with addresses of the caller's.
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

    def threads(self, most: int) -> int:
        """How many threads these elements are worth."""
        return min(1 if _forked else most, 1 + self.elements // SHARE)


class Counts:
    """The step counts of many parameters: float64 numbers at these addresses.

    Attributes:
        addresses: The same, as tuple.
        there: The same, as ctypes array.
    """

    def __init__(self, addresses: Sequence[int]) -> None:
        self._count, self.addresses = _library().optkit_count, tuple(addresses)
        self.there = (ctypes.c_uint64 * len(addresses))(*addresses)

    def advance(self) -> None:
        """Add 1 to every count."""
        self._count(len(self.there), self.there)


@cache
def _library() -> Any:
    library = build(_RUN).library
    address, whole = ctypes.c_void_p, ctypes.c_longlong
    library.optkit_count.argtypes = [whole, address]
    library.optkit_run.argtypes = [address, whole, address, whole, address, address, ctypes.c_int, address]
    library.optkit_count.restype = library.optkit_run.restype = None
    return library


_forked = False


def _note_fork() -> None:
    # GNU's OpenMP hangs in a child whose parent left its threads behind.
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
