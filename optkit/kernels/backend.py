"""Which path computes: compiled C, compiled CUDA, or torch."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

from optkit.kernels import cuda, look
from optkit.kernels.compiler import Unavailable
from optkit.kernels.cpu import Counts, Kernel
from optkit.translation.path import Path

VARIABLE = "OPTKIT_BACKEND"
"""Environment variable: ``torch`` forces torch, ``c`` forces C on the CPU; otherwise whatever can be had.

It is read when an optimizer looks for a kernel: in its first step, and when memory or options have
changed, the learning rate excepted."""


def wanted() -> str:
    """What `VARIABLE` says: ``"c"``, ``"torch"`` or ``""``.

    Raises:
        ValueError: It says something else.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in ("", "c", "torch"):
        raise ValueError(
            f"the environment variable {VARIABLE} must be c or torch, got {value!r}; or unset it"
        )
    return value


def gpu(device: Any) -> cuda.Device | None:
    """What launches kernels on a ``torch.device``; None for the CPU, and where torch must compute."""
    return _gpu(device.index or 0)[0] if device.type == "cuda" else None


def why_no_cuda(index: int = 0) -> str:
    """Why a GPU gets no kernels; empty where it does."""
    return _gpu(index)[1]


@cache
def _gpu(index: int) -> tuple[cuda.Device | None, str]:
    try:
        Counts([])  # the step counts lie on the CPU
        look.check()
        return cuda.device(index), ""
    except Unavailable as reason:
        return None, str(reason)


def compiled(way: Path, dtype: str, device: cuda.Device | None = None) -> Kernel | cuda.Kernel | None:
    """The compiled kernel of a path, or None where torch must compute it. The first None warns.

    Args:
        way: The path.
        dtype: One of ``optkit.translation.c.DTYPES``.
        device: What `gpu` returned: the kernel is loaded there. None for the CPU.

    Raises:
        RuntimeError: `VARIABLE` asks for C, and there is none here.
        ValueError: `VARIABLE` has another value than it may have.
    """
    choice = wanted()
    if choice == "torch":
        return None
    if device is not None:
        kernel = cuda.Kernel(way, dtype)
        kernel.load(device)
        return kernel
    try:
        Counts([])
        look.check()
        return Kernel(way, dtype)
    except Unavailable as reason:
        if choice == "c":
            raise RuntimeError(
                f"{VARIABLE} is c, but {way.name} cannot be compiled here: {reason}; unset {VARIABLE}"
            ) from reason
        _warn(str(reason))
        return None


_warned = False


def _warn(reason: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"{reason}. Optimizers take the slower path, torch in chunks, with the same results to 1 ulp; "
            f"see python -m optkit doctor, or set {VARIABLE}=torch to be content with it",
            RuntimeWarning,
            stacklevel=2,
        )
