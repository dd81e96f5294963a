"""Execute the notebooks anew when what they compute with has changed, several at a time.

The cache of executed notebooks knows a notebook by its own cells alone. A changed rule, a new stored result
or other versions of the packages change its outputs as well, so that the cache is emptied for them.
MyST-NB would execute a notebook when it comes to its page, one after the other; here they are executed before
it comes to the first, and it finds them in its cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
MOST_AT_A_TIME = 4  # each kernel takes some hundred MB of memory
INPUTS = ("optkit", "results", "benchmarks/step.json", "requirements.lock")
MARK = "optkit-inputs.sha256"


def digest(source: Path, names: Iterable[str] = INPUTS) -> str:
    """A hash of all files under these names: by default, what the outputs of the notebooks depend on."""
    total = hashlib.sha256()
    for path in sorted(_files(source, names)):
        total.update(str(path.relative_to(source)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def folder_digest(folder: Path) -> str:
    """A hash of all files in a folder."""
    return digest(folder, ("",))


def _files(source: Path, names: Iterable[str]) -> Iterable[Path]:
    for name in names:
        top = source / name
        found = [top] if top.is_file() else top.rglob("*")
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def empty_stale_cache(app: Sphinx) -> None:
    """Remove the executed notebooks if they were executed with other inputs."""
    cache = _cache(app)
    mark, now = cache / MARK, digest(Path(app.srcdir))
    if not mark.is_file() or mark.read_text(encoding="ascii") != now:
        if cache.exists():
            shutil.rmtree(cache)
        cache.mkdir(parents=True)
        mark.write_text(now, encoding="ascii")


def outdated_notebooks(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The notebooks to read again: all, if they were last read with other inputs."""
    now = digest(Path(app.srcdir))
    if getattr(env, "optkit_inputs", now) == now:
        env.optkit_inputs = now
        return []
    env.optkit_inputs = now  # stored with the pages, once all of them are read
    return [name for name in env.found_docs if env.doc2path(name).endswith(".ipynb")]


def execute_ahead(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Execute the notebooks that are to be read and are not in the cache, as many at a time as cores allow.

    One that fails is left to MyST-NB, which executes it once more and says what is wrong.
    """
    if app.config.nb_execution_mode != "cache":
        return
    paths = [Path(path) for name in names if (path := env.doc2path(name)).endswith(".ipynb")]
    cache = get_cache(str(_cache(app)))
    waiting = [path for path in paths if not _is_known(cache, _read(path))]
    at_a_time = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, MOST_AT_A_TIME)
    if waiting:
        LOGGER.info("executing %d notebooks, %d at a time", len(waiting), at_a_time)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_a_time) as pool:
        targets = [Path(folder) / f"{number}.ipynb" for number in range(len(waiting))]
        running = {
            pool.submit(_execute, path, target, app.config.nb_execution_timeout): (path, target)
            for path, target in zip(waiting, targets, strict=True)
        }
        for done in as_completed(running):  # the cache is written by this thread alone
            path, target = running[done]
            if not done.result():
                LOGGER.info("%s failed, and is executed once more", path.name)
                continue
            notebook = _read(target)
            data = {"execution_seconds": notebook.metadata.pop("execution_seconds")}
            LOGGER.info("executed %s in %.1f seconds", path.name, data["execution_seconds"])
            bundle = CacheBundleIn(notebook, str(path), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _cache(app: Sphinx) -> Path:
    return Path(app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")


def _read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def _is_known(cache: object, notebook: nbformat.NotebookNode) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def _execute(path: Path, target: Path, timeout: int) -> bool:
    """Whether the notebook ran without an error; its kernel is a child of a process of its own."""
    program = Path(__file__).with_name("run_notebook.py")
    arguments = [sys.executable, program, path, str(timeout), target]
    return subprocess.run(arguments, check=False).returncode == 0
