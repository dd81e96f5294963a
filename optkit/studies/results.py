"""Stored results: numbers in files that are whole or not there, with what is needed to repeat them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from optkit.atomic import atomic_write

__all__ = ["Journal", "MissingResult", "ResultError", "commit", "load", "results_folder", "save"]


class ResultError(Exception):
    """A stored result is missing, damaged, or not what its name says."""


class MissingResult(ResultError):
    """A study was declared and is not measured yet, or its file was lost."""


def results_folder() -> Path:
    """Where stored results lie: ``OPTKIT_RESULTS`` if set, else ``results`` in the project's folder."""
    chosen = os.environ.get("OPTKIT_RESULTS")
    return Path(chosen) if chosen else Path(__file__).parents[2] / "results"


def save(
    name: str,
    data: Mapping[str, Any],
    *,
    command: str,
    seeds: Sequence[int],
    declaration: str | None = None,
) -> Path:
    """Store a measurement as ``results/NAME.json``, whole or not at all, with what is needed to repeat it.

    Args:
        name: File name without its ending.
        data: Anything that JSON holds; NaN and infinity are refused.
        command: What repeats the measurement.
        seeds: Every seed used.
        declaration: Hash of what was declared before the runs, from `optkit.studies.engine.digest`.

    Returns:
        The file's path.

    Raises:
        ValueError: A number in ``data`` is NaN or infinite: store None, and count it.
    """
    stored = {
        "name": name,
        "command": command,
        "seeds": list(seeds),
        "versions": _versions(),
        "commit": commit(),
        "machine": _machine(),
        **({} if declaration is None else {"declaration": declaration}),
        "data": data,
    }
    path = results_folder() / f"{name}.json"
    text = json.dumps(stored, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    with atomic_write(path) as file:
        file.write(text.encode())
    return path


def load(name: str, *, command: str, declaration: str | None = None) -> dict[str, Any]:
    """Read what `save` stored under ``name``: ``data``, and ``seeds``, ``versions``, ``commit``, ``machine``.

    Args:
        name: File name without its ending.
        command: What makes the file; the error names it when the file is not there.
        declaration: Hash of the declaration as it stands now; None where there is none to compare.

    Raises:
        MissingResult: There is no such file.
        ResultError: It is damaged, holds another result, or was measured under another declaration.
    """
    path = results_folder() / f"{name}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingResult(
            f"there is no stored result {name} at {path}: measure it with `{command}`, "
            "or set OPTKIT_RESULTS to the folder that holds it"
        ) from None
    except ValueError as error:
        raise ResultError(f"{path} is no readable JSON ({error}): repeat it with `{command}`") from error
    needed = {"name", "command", "seeds", "versions", "commit", "machine", "data"}
    missing = sorted(needed - stored.keys()) if isinstance(stored, dict) else sorted(needed)
    if missing:
        raise ResultError(f"{path} lacks {', '.join(missing)}: repeat it with `{command}`")
    if stored["name"] != name:
        raise ResultError(f"{path} holds the result {stored['name']!r}, not {name!r}: restore the right file")
    if declaration is not None and stored.get("declaration") != declaration:
        raise ResultError(
            f"{path} no longer belongs to the declaration of {name}: it was measured under "
            f"{str(stored.get('declaration'))[:12]}, and the declaration is now {declaration[:12]}. Restore "
            f"the declaration, or measure anew with `{command}`"
        )
    return stored


class Journal(MutableMapping[str, Any]):
    """Results of single runs, each on the disk as soon as it is known, so that a killed study goes on.

    A journal belongs to one study under one protocol: when the protocol changes, a new journal begins.

    Args:
        name: The study.
        protocol: Everything that decides a run's outcome; JSON.

    Example:
        >>> import tempfile, os
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     os.environ["OPTKIT_RESULTS"] = folder
        ...     Journal("demo", {"steps": 3})["first"] = 0.5
        ...     again = Journal("demo", {"steps": 3})["first"], len(Journal("demo", {"steps": 4}))
        ...     del os.environ["OPTKIT_RESULTS"]
        >>> again
        (0.5, 0)
    """

    def __init__(self, name: str, protocol: Mapping[str, Any]) -> None:
        key = hashlib.sha256(json.dumps(protocol, sort_keys=True).encode()).hexdigest()[:12]
        self.path = results_folder() / f".{name}-{key}.journal"
        try:
            self._runs: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._runs = {}
        except ValueError as error:
            raise ResultError(
                f"{self.path} is damaged ({error}): remove it to start this study anew"
            ) from error

    def __getitem__(self, key: str) -> Any:
        return self._runs[key]

    def __setitem__(self, key: str, value: Any) -> None:
        text = json.dumps(self._runs | {key: value}, allow_nan=False)
        with atomic_write(self.path) as file:
            file.write(text.encode())
        self._runs[key] = json.loads(text)[key]  # what a resumed study would read

    def __delitem__(self, key: str) -> None:
        raise TypeError("a journal only grows; remove its file to start anew")

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def close(self) -> None:
        """Remove the file: its content has gone into a stored result."""
        self.path.unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("optkit", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def commit() -> str | None:
    """The commit the code was at, with ``+`` when the package had been changed since; None outside git."""
    folder = Path(__file__).parents[2]

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", "optkit") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _machine() -> dict[str, Any]:
    """The kind of machine; never its name."""
    import torch

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
