"""From text to a loaded library, and the cache between: what is kept, what is made again, what is refused."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optkit.kernels import Counts, Kernel, Table, Unavailable, backend, compiler
from optkit.kernels.compiler import build, cache_folder, compilers, processor
from optkit.rules import RULES, rule
from optkit.translation import program
from optkit.translation.path import path

REAL = next(compilers(), None)
if REAL is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)

SOURCE = "int answer(void) { return 42; }"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, in a process that has built nothing yet but what all kernels share."""
    Counts([])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(compiler, "cache_folder", cache_folder)
    monkeypatch.setattr(compiler, "_state", compiler._State())
    monkeypatch.setattr(backend, "_warned", False)
    monkeypatch.delenv("OPTKIT_BACKEND", raising=False)
    assert tmp_path in cache_folder().parents
    return cache_folder()


def forget(monkeypatch):
    monkeypatch.setattr(compiler, "_state", compiler._State())


def counting(monkeypatch):
    calls = []
    real = compiler._compile
    monkeypatch.setattr(compiler, "_compile", lambda *given: calls.append(given) or real(*given))
    return calls


def wrapper(folder, name, script):
    """A compiler that is a shell script, alone on the PATH with the shell itself."""
    file = folder / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script.format(real=REAL.path)}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file.parent


def test_a_build_is_made_once_and_found_again(cache, monkeypatch):
    calls = counting(monkeypatch)
    first = build(SOURCE)
    assert first.library.answer() == 42 and build(SOURCE) is first
    forget(monkeypatch)
    again = build(SOURCE)
    assert len(calls) == 1 and again.library.answer() == 42
    assert again.file == first.file and list(cache.iterdir()) == [first.file]
    assert not any("fast" in flag for flag in first.flags) and "-ffp-contract=off" in first.flags


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_entry_is_made_again(cache, monkeypatch, damage):
    file = build(SOURCE).file
    content = file.read_bytes()
    # Not written in place: the library is mapped into this process.
    file.unlink()
    changed = content[:1000] + bytes([content[1000] ^ 1]) + content[1001:]
    wrong = {"cut": content[: len(content) // 2], "changed": changed, "emptied": b""}[damage]
    assert wrong != content
    file.write_bytes(wrong)
    forget(monkeypatch)
    calls = counting(monkeypatch)
    assert build(SOURCE).library.answer() == 42 and len(calls) == 1
    assert file.read_bytes() == content


def test_the_key_holds_text_flags_compiler_and_processor(cache, monkeypatch):
    one = REAL
    key = compiler._key(SOURCE, one, ("-O3",))
    assert re.fullmatch("[0-9a-f]{32}", key)
    others = {
        compiler._key(SOURCE + " ", one, ("-O3",)),
        compiler._key(SOURCE, one, ("-O3", "-fopenmp")),
        compiler._key(SOURCE, compiler.Compiler(one.path, one.version + "1"), ("-O3",)),
    }
    monkeypatch.setattr(compiler, "processor", lambda: "another")
    others.add(compiler._key(SOURCE, one, ("-O3",)))
    assert len(others) == 4 and key not in others
    assert len(processor()) > 5


def test_eight_processes_may_start_at_once(tmp_path):
    script = (
        "from optkit.kernels.compiler import build\n"
        f"b = build({SOURCE!r})\n"
        "print(b.library.answer(), b.file)\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    answers = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 8
    (answer,) = answers
    number, file = answer.split()
    assert number == "42" and [str(f) for f in Path(file).parent.iterdir()] == [file]


def test_nothing_runs_from_or_stays_in_the_temporary_folder(cache, tmp_path, monkeypatch):
    # It may be mounted noexec.
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert build(SOURCE).library.answer() == 42
    assert not list(folder.iterdir())
    maps = Path("/proc/self/maps")
    assert not maps.exists() or str(folder) not in maps.read_text()


def test_no_compiler(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(Unavailable, match=r"no C compiler was found \(looked for gcc, clang, cc, g\+\+"):
        build(SOURCE)


def test_a_compiler_that_fails_and_one_that_works(cache, tmp_path, monkeypatch):
    folder = wrapper(
        tmp_path, "gcc", 'case "$1" in --version) echo broken 1.0;; *) echo "error: no" >&2; exit 1;; esac'
    )
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(Unavailable, match=r"the C compiler failed: .*/bin/gcc: error: no"):
        build(SOURCE)
    wrapper(tmp_path, "cc", 'exec {real} "$@"')
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    forget(monkeypatch)
    assert build(SOURCE).library.answer() == 42


def test_the_environment_names_the_compiler(cache, tmp_path, monkeypatch):
    folder = wrapper(tmp_path, "mine", 'exec {real} "$@"')
    monkeypatch.setenv("CC", str(folder / "mine"))
    assert build(SOURCE).compiler.path == str(folder / "mine")


@rule
def falling(theta, g, v, t, *, lr=0.25):
    """One state."""
    v = v + g
    theta = theta - lr * v
    return theta, v


def stepped(kernel, threads=2):
    theta, g, v = (
        np.arange(50_000, dtype=np.float32),
        np.ones(50_000, np.float32),
        np.zeros(50_000, np.float32),
    )
    kernel.step(Table([[x.ctypes.data] for x in (theta, g, v)], [len(theta)]), [0.25], threads)
    return np.array_equal(theta, np.arange(50_000) - 0.25)


def test_without_openmp_and_without_native_code(cache, tmp_path, monkeypatch):
    refuse = (
        'for x in "$@"; do case "$x" in -fopenmp|-march=native) echo "error: $x" >&2; exit 1;; esac; done\n'
    )
    monkeypatch.setenv("CC", str(wrapper(tmp_path, "plain", refuse + 'exec {real} "$@"') / "plain"))
    calls = counting(monkeypatch)
    kernel = Kernel(path(program(falling), {}), "float32")
    assert not kernel.build.openmp and kernel.build.flags == compiler.STRICT
    assert len(calls) == 4 and stepped(kernel)
    Kernel(path(program(falling), {}), "float64")
    assert len(calls) == 5  # the flags that worked are remembered


def test_as_cpp(cache, monkeypatch):
    cpp = [found for found in compilers() if found.language == "c++"]
    if not cpp:
        pytest.skip("no C++ compiler on the PATH")
    monkeypatch.setenv("CC", cpp[0].path)
    kernel = Kernel(path(program(falling), {}), "float16")
    assert kernel.build.compiler.language == "c++"
    assert stepped(Kernel(path(program(falling), {}), "float32"))


@pytest.mark.parametrize("openmp", [True, False], ids=["openmp", "no openmp"])
@pytest.mark.parametrize("found", list(compilers()), ids=lambda found: Path(found.path).name)
def test_every_compiler_here_gives_the_bits_of_the_rule(found, openmp, cache, monkeypatch):
    """gcc, clang, as C and as C++: whichever of them this machine has."""
    monkeypatch.setenv("CC", found.path)
    if not openmp:
        monkeypatch.setattr(compiler, "VARIANTS", compiler.VARIANTS[1:2])
    random = np.random.RandomState(0)
    odd = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-40, 3e38]
    for name in ("adam", "radam", "inna"):
        source, split = RULES[name], program(RULES[name])
        arrays = [random.standard_normal(70_001).astype(np.float32) for _ in range(2)]
        arrays += [np.zeros(70_001, np.float32) for _ in source.state]
        arrays[0][:8] = arrays[1][-8:] = odd
        for t in range(1, 9):
            with np.errstate(all="ignore"):
                expected = source(arrays[0], arrays[1], *arrays[2:], t)
            scalars = split.scalars(t, **source.defaults())
            kernel = Kernel(path(split, scalars), "float32")
            assert kernel.build.compiler.path == found.path and (openmp or not kernel.build.openmp)
            table = Table([[x.ctypes.data] for x in arrays], [len(arrays[0])])
            kernel.step(table, [scalars[x] for x in kernel.scalars], 2)
            for array, wanted in zip((arrays[0], *arrays[2:]), expected, strict=True):
                assert np.array_equal(array, wanted, equal_nan=True), (name, t)
                assert np.array_equal(np.signbit(array[array == 0]), np.signbit(wanted[wanted == 0]))


def test_a_cache_that_cannot_be_written(cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match=r"the cache folder .*/file/optkit/kernels cannot be written: "):
        build(SOURCE)


def test_the_way_of_computing_can_be_forced(cache, tmp_path, monkeypatch):
    way = path(program(falling), {})
    monkeypatch.setenv("OPTKIT_BACKEND", "torch")
    assert backend.compiled(way, "float32") is None
    monkeypatch.setenv("OPTKIT_BACKEND", "c")
    assert stepped(backend.compiled(way, "float32"))
    monkeypatch.setenv("OPTKIT_BACKEND", "fast")
    with pytest.raises(ValueError, match=r"OPTKIT_BACKEND must be c or torch, got 'fast'"):
        backend.compiled(way, "float32")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    forget(monkeypatch)
    monkeypatch.setenv("OPTKIT_BACKEND", "c")
    with pytest.raises(
        RuntimeError, match=r"OPTKIT_BACKEND is c, but falling cannot be compiled here: no C comp"
    ):
        backend.compiled(way, "float32")
    monkeypatch.delenv("OPTKIT_BACKEND")
    with pytest.warns(RuntimeWarning, match=r"no C compiler was found .*torch in chunks.*doctor") as caught:
        assert backend.compiled(way, "float32") is None
        assert backend.compiled(way, "float64") is None
    assert len(caught) == 1


FORK = """
import os, sys
sys.path.insert(0, {folder!r})
from test_compiler import Kernel, falling, path, program, stepped
kernel = Kernel(path(program(falling), {{}}), "float32")
assert stepped(kernel)  # leaves OpenMP's threads behind
if (child := os.fork()) == 0:
    Kernel(path(program(falling), {{}}, maximize=True), "float32")
    os._exit(0 if stepped(kernel) else 1)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_steps_without_the_threads_it_lacks():
    script = FORK.format(folder=str(Path(__file__).parent))
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
