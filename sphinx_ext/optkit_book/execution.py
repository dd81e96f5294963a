"""Execute the notebooks anew when what they compute with has changed.

The cache of executed notebooks knows a notebook by its own cells alone. A changed rule, a new stored result
or other versions of the packages change its outputs as well, so that the cache is emptied for them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

INPUTS = ("optkit", "results", "requirements.lock")
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
    cache = Path(app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
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
