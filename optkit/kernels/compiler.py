"""C text in, a loaded library out: compiled at first use, and kept in the user's cache folder.

A cache entry is one file, named by what it was made from (text, flags, compiler version, processor) and by
the digest of its own bytes. So it appears whole or not at all, several processes may write it at once, and a
damaged one is not loaded but made again.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optkit.atomic import atomic_write

CANDIDATES = ("gcc", "clang", "cc", "g++", "clang++")
"""Compilers, the first that works is taken; before them the one that the environment variable CC names."""

STRICT = ("-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fPIC", "-shared", "-lm")
"""Flags of every build. None of them changes a result; ``-ffast-math`` would."""

VARIANTS = (("-march=native", "-fopenmp"), ("-march=native",), ("-fopenmp",), ())
"""Flags that not every compiler has, the best first."""


class Unavailable(Exception):
    """There is no compiled kernel here; the message says why."""


@dataclass(frozen=True)
class Compiler:
    """A C or C++ compiler: its path and the first line of its ``--version``."""

    path: str
    version: str

    @property
    def language(self) -> str:
        """``"c"`` or ``"c++"``, as the option ``-x`` names them."""
        return "c++" if Path(self.path).name.rstrip(".0123456789-").endswith("++") else "c"


@dataclass(frozen=True)
class Build:
    """A loaded library.

    Attributes:
        library: The library; its functions release Python's lock while they run.
        file: Where it lies in the cache.
        compiler: What made it.
        flags: The flags, of `STRICT` and of one of `VARIANTS`.
    """

    library: ctypes.CDLL
    file: Path
    compiler: Compiler
    flags: tuple[str, ...]

    @property
    def openmp(self) -> bool:
        """Whether it can use several threads."""
        return "-fopenmp" in self.flags


def build(source: str) -> Build:
    """Compile a C text, or load what was made from it before.

    Raises:
        Unavailable: There is no compiler, none that takes the text, or no folder to keep the result in.

    Example:
        >>> build("int answer(void) { return 42; }").library.answer()
        42
    """
    with _state.lock:
        if source not in _state.builds:
            try:
                _state.builds[source] = _build(source)
            except Unavailable as reason:
                _state.builds[source] = reason
        found = _state.builds[source]
    if isinstance(found, Unavailable):
        raise Unavailable(*found.args)
    return found


def cache_folder() -> Path:
    """The folder of compiled kernels, inside the user's cache folder."""
    import platformdirs

    return Path(platformdirs.user_cache_path("optkit", appauthor=False)) / "kernels"


def compilers() -> Iterator[Compiler]:
    """The compilers on the PATH that say their version, in the order in which they are tried."""
    seen = set()
    for name in filter(None, (os.environ.get("CC"), *CANDIDATES)):
        path = shutil.which(name)
        if path is None or path in seen:
            continue
        seen.add(path)
        version = _version(path)
        if version:
            yield Compiler(path, version)


def _build(source: str) -> Build:
    folder = cache_folder()
    failures = []
    for compiler in compilers():
        for variant in VARIANTS[_state.variant.get(compiler, 0) :]:
            flags = (*STRICT, *variant)
            key = _key(source, compiler, flags)
            found = _load(folder, key)
            if found is None:
                try:
                    content = _compile(source, compiler, flags)
                except _Failure as failure:
                    failures.append(f"{compiler.path}: {failure}")
                    continue
                found = _keep(folder, key, content)
            _state.variant[compiler] = VARIANTS.index(variant)
            return Build(*found, compiler, flags)
    if not failures:
        raise Unavailable(f"no C compiler was found (looked for {', '.join(CANDIDATES)})")
    raise Unavailable(f"the C compiler failed: {failures[0]}")


class _Failure(Exception):
    """One compiler, one set of flags, no result."""


def _compile(source: str, compiler: Compiler, flags: tuple[str, ...]) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="optkit-") as folder:
            target = Path(folder) / "kernel.so"
            command = [compiler.path, "-x", compiler.language, "-", "-o", str(target), *flags]
            done = subprocess.run(command, input=source, capture_output=True, text=True, timeout=120)
            if done.returncode:
                lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
                raise _Failure((lines or done.stderr.splitlines() or ["it gave no message"])[0])
            return target.read_bytes()
    except (OSError, subprocess.SubprocessError) as error:
        raise _Failure(str(error)) from error


def _load(folder: Path, key: str) -> tuple[ctypes.CDLL, Path] | None:
    """What the cache holds for a key, where it is whole and the system takes it."""
    try:
        files = sorted(folder.glob(f"{key}-*.so"))
    except OSError:
        return None
    for file in files:
        try:
            if hashlib.sha256(file.read_bytes()).hexdigest()[:32] == file.stem.rpartition("-")[2]:
                return ctypes.CDLL(str(file)), file
        except OSError:
            continue  # removed by another process, or not loadable here: made again
    return None


def _keep(folder: Path, key: str, content: bytes) -> tuple[ctypes.CDLL, Path]:
    file = folder / f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.so"
    try:
        with atomic_write(file) as writer:
            writer.write(content)
    except OSError as error:
        raise Unavailable(f"the cache folder {folder} cannot be written: {error}") from error
    try:
        return ctypes.CDLL(str(file)), file
    except OSError as error:
        raise Unavailable(f"the compiled kernel cannot be loaded: {error}") from error


def _key(source: str, compiler: Compiler, flags: tuple[str, ...]) -> str:
    parts = (source, compiler.version, compiler.language, *flags, processor())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def processor() -> str:
    """The processor's model and abilities: what ``-march=native`` depends on."""
    lines = [platform.machine(), platform.processor()]
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            wanted = ("model name", "flags", "features", "cpu part", "cpu implementer")
            for line in file:
                if line.lower().startswith(wanted):
                    lines.append(line.strip())
                if not line.strip() and len(lines) > 2:
                    break  # the first processor speaks for all
    except OSError:
        pass  # not Linux: the two names above must do
    return "\n".join(lines)


@cache
def _version(path: str) -> str | None:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


class _State:
    """What this process has built, and which flags worked."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.builds: dict[str, Build | Unavailable] = {}
        self.variant: dict[Compiler, int] = {}

    def renew_lock(self) -> None:
        # Another thread of the parent may have held it at the fork; that thread is not in the child.
        self.lock = threading.Lock()


_state = _State()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.renew_lock)
