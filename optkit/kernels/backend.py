"""Which path computes: compiled C, or torch."""

from __future__ import annotations

import os
import warnings

from optkit.kernels.compiler import Unavailable
from optkit.kernels.cpu import Counts, Kernel
from optkit.translation.path import Path

VARIABLE = "OPTKIT_BACKEND"
"""Environment variable: ``c`` or ``torch`` forces that path on the CPU; otherwise C where it can be had."""


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


def compiled(way: Path, dtype: str) -> Kernel | None:
    """The compiled kernel of a path, or None where torch must compute it. The first None warns.

    Raises:
        RuntimeError: `VARIABLE` asks for C, and there is none here.
        ValueError: `VARIABLE` has another value than it may have.
    """
    choice = wanted()
    if choice == "torch":
        return None
    try:
        Counts([])
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
