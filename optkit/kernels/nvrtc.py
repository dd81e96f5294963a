"""CUDA text in, machine code out: by NVRTC, NVIDIA's compiler as a library, without a device or a driver."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from optkit.kernels.compiler import Unavailable

STRICT = ("--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true")
"""Options of every compilation: float operations as the text has them, each correctly rounded, none fused."""

REMEDY = "pip install 'optkit[gpu]' brings it"


def compiled(source: str, target: str) -> bytes:
    """Compile a CUDA text.

    Args:
        source: The text. It can include no header.
        target: ``"sm_90"`` for the machine code of one architecture, ``"compute_90"`` for PTX, which a driver
            translates for that architecture or a newer one.

    Returns:
        A cubin or the text of PTX.

    Raises:
        Unavailable: There is no NVRTC, or it does not take the text or the target; the message has its log.
    """
    return _compiled(source.encode(), target)


def target(capability: tuple[int, int]) -> str:
    """What to compile for a device of this compute capability.

    That is its own machine code or, for a device newer than NVRTC, PTX for the newest one that NVRTC knows.

    Raises:
        Unavailable: The device is too old for this NVRTC, or there is none.
    """
    number, known = 10 * capability[0] + capability[1], architectures()
    if number in known:
        return f"sm_{number}"
    older = [architecture for architecture in known if architecture < number]
    if not older:
        raise Unavailable(
            f"NVRTC {'.'.join(map(str, version()))} knows no compute capability below "
            f"{known[0] / 10}, the device has {number / 10}; install an older CUDA"
        )
    return f"compute_{older[-1]}"


def version() -> tuple[int, int]:
    """Version of NVRTC, such as (13, 0)."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
    return major.value, minor.value


def architectures() -> tuple[int, ...]:
    """What NVRTC compiles for, such as 75 for compute capability 7.5, in ascending order."""
    count = ctypes.c_int()
    _call("nvrtcGetNumSupportedArchs", ctypes.byref(count))
    numbers = (ctypes.c_int * count.value)()
    _call("nvrtcGetSupportedArchs", numbers)
    return tuple(sorted(numbers))


@cache
def library() -> ctypes.CDLL:
    """NVRTC itself: of NVIDIA's Python package, of CUDA_PATH or CUDA_HOME, or of the system.

    Raises:
        Unavailable: None of them has it, or it does not load.
    """
    reasons = []
    for place in places():
        try:
            # NVRTC opens a second library by its bare name, and finds it only if it is loaded already.
            if os.path.isabs(place):
                for beside in sorted(Path(place).parent.glob("*nvrtc-builtins*")):
                    if ".alt." not in beside.name:
                        ctypes.CDLL(str(beside))
            found = ctypes.CDLL(place)
        except OSError as error:
            reasons.append(f"{place} does not load: {error}")
        else:
            found.nvrtcGetErrorString.restype = ctypes.c_char_p
            return found
    raise Unavailable("; ".join(reasons) or f"NVRTC is not installed; {REMEDY}")


def places() -> Iterator[str]:
    """Where NVRTC may lie."""
    folders = []
    package = importlib.util.find_spec("nvidia")
    for location in (package.submodule_search_locations if package else None) or ():
        folders += sorted(Path(location).glob("*/lib"), reverse=True)
        folders += sorted(Path(location).glob("*/bin"), reverse=True)
    for name in ("CUDA_PATH", "CUDA_HOME"):
        if os.environ.get(name):
            folders += [Path(os.environ[name]) / part for part in ("lib64", "lib", "bin")]
    for folder in folders:
        for pattern in ("libnvrtc.so*", "nvrtc64_*.dll", "x86_64/nvrtc64_*.dll"):
            for file in sorted(folder.glob(pattern), reverse=True):
                if ".alt." not in file.name:
                    yield str(file)
    system = ctypes.util.find_library("nvrtc")
    if system:
        yield system


@cache
def _compiled(source: bytes, target: str) -> bytes:
    program = ctypes.c_void_p()
    _call("nvrtcCreateProgram", ctypes.byref(program), source, b"optkit.cu", 0, None, None)
    try:
        options = [option.encode() for option in (f"--gpu-architecture={target}", *STRICT)]
        try:
            _call("nvrtcCompileProgram", program, len(options), (ctypes.c_char_p * len(options))(*options))
        except Unavailable as error:
            raise Unavailable(f"{error}\n{_text('ProgramLog', program).decode(errors='replace')}") from None
        return _text("CUBIN", program) if target.startswith("sm_") else _text("PTX", program)
    finally:
        _call("nvrtcDestroyProgram", ctypes.byref(program))


def _text(what: str, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    _call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    _call(f"nvrtcGet{what}", program, buffer)
    return buffer.raw if what == "CUBIN" else buffer.raw.rstrip(b"\0")


def _call(name: str, *arguments: Any) -> None:
    nvrtc = library()
    code = getattr(nvrtc, name)(*arguments)
    if code:
        raise Unavailable(f"{name} failed: {nvrtc.nvrtcGetErrorString(code).decode()}")
