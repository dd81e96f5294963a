"""What SAM needs besides a rule: the sum of squares of many arrays, and copies of them, each in one call."""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import Any

from optkit.kernels.compiler import build
from optkit.kernels.cpu import Table

_TEMPLATE = """
static double squares_TYPE(long long n, const TYPE* theta, const TYPE* g, double eta)
{
    double lanes[LANES] = {0}, sum = 0;   /* sums side by side, as a vector unit takes them */
    for (long long i = 0; i < n; i += LANES) {
        double x[LANES];
        const int length = n - i < LANES ? (int)(n - i) : LANES;
        if (length == LANES)
            for (int k = 0; k < LANES; k++) x[k] = g[i + k];
        else
            for (int k = 0; k < LANES; k++) x[k] = k < length ? g[i + k] : 0;
        if (eta >= 0)
            for (int k = 0; k < length; k++) x[k] *= __builtin_fabs((double)theta[i + k]) + eta;
        for (int k = 0; k < LANES; k++) lanes[k] += x[k] * x[k];
    }
    for (int k = 0; k < LANES; k++) sum += lanes[k];
    return sum;
}
"""
_SOURCE = (
    """
#include <string.h>
typedef unsigned long long whole;
"""
    + "".join(_TEMPLATE.replace("TYPE", name).replace("LANES", "32") for name in ("float", "double"))
    + """
#ifdef __cplusplus
extern "C" {
#endif

/* For each chunk the sum of squares of g, or with eta >= 0 of (|theta| + eta) g. The columns are theta, g. */
void optkit_squares(long long chunks, const long long* table, long long tensors, const whole* pointers,
                    int is_double, double eta, int threads, double* sums)
{
    (void)threads;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) if (threads > 1)
#endif
    for (long long c = 0; c < chunks; c++) {
        const long long *chunk = table + 3 * c, start = chunk[1], n = chunk[2];
        const whole *theta = pointers + chunk[0], *g = theta + tensors;
        if (is_double)
            sums[c] = squares_double(n, (const double*)*theta + start, (const double*)*g + start, eta);
        else
            sums[c] = squares_float(n, (const float*)*theta + start, (const float*)*g + start, eta);
    }
}

/* Copies one column over another. */
void optkit_copy(long long chunks, const long long* table, const whole* to, const whole* from, int bytes,
                 int threads)
{
    (void)threads;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) if (threads > 1)
#endif
    for (long long c = 0; c < chunks; c++) {
        const long long *chunk = table + 3 * c, start = chunk[1] * bytes;
        memcpy((char*)to[chunk[0]] + start, (const char*)from[chunk[0]] + start, chunk[2] * bytes);
    }
}
#ifdef __cplusplus
}
#endif
"""
)


def norm(table: Table, addresses: Any, dtype: str, threads: int, eta: float | None = None) -> float:
    """‖g‖₂ over all arrays, or ‖(|θ| + η) g‖₂. Squared and summed in double, chunk by chunk.

    The result does not depend on the count of threads.

    Args:
        table: Lengths of the arrays.
        addresses: A ctypes array: the addresses of every θ, then those of every g.
        dtype: ``"float32"`` or ``"float64"``.
        threads: Threads at most.
        eta: η ≥ 0, or None.
    """
    sums = (ctypes.c_double * table.chunks)()
    _library().optkit_squares(
        table.chunks, table.starts, table.tensors, addresses, dtype == "float64",
        -1.0 if eta is None else eta, table.threads(threads), sums,
    )  # fmt: skip
    return math.sqrt(sum(sums))


def copy(table: Table, addresses: Any, to: int, source: int, dtype: str, threads: int) -> None:
    """Copy one column over another, bit for bit.

    Args:
        table: Lengths of the arrays.
        addresses: A ctypes array: the addresses of all columns, one column after the other.
        to: The column that is written.
        source: The one that is read.
        dtype: ``"float32"`` or ``"float64"``.
        threads: Threads at most.
    """
    columns = [ctypes.byref(addresses, 8 * table.tensors * column) for column in (to, source)]
    size = 8 if dtype == "float64" else 4
    _library().optkit_copy(table.chunks, table.starts, *columns, size, table.threads(threads))


def check() -> None:
    """Raise if there is no such C here.

    Raises:
        Unavailable: There is no compiler.
    """
    _library()


@cache
def _library() -> Any:
    library = build(_SOURCE).library
    address, whole, number = ctypes.c_void_p, ctypes.c_longlong, ctypes.c_int
    library.optkit_squares.argtypes = [
        whole, address, whole, address, number, ctypes.c_double, number, address
    ]  # fmt: skip
    library.optkit_copy.argtypes = [whole, address, address, address, number, number]
    library.optkit_squares.restype = library.optkit_copy.restype = None
    return library
