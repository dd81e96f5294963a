"""The claims of the course with the numbers behind them, and the files in which measured numbers are kept.

A study measures, a verdict follows from the numbers, and the ledger collects the verdicts. Nothing here is
typed by hand: `claim` asks the study, and the study computes at once or reads its stored result.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

from optkit.atomic import atomic_write

if TYPE_CHECKING:
    from optkit.studies.engine.declaration import Study

__all__ = [
    "VERDICTS",
    "Claim",
    "Journal",
    "MissingResult",
    "ResultError",
    "claim",
    "claims",
    "declarations",
    "declared",
    "entries",
    "load",
    "save",
    "verdict",
]

VERDICTS = ("holds", "holds under conditions", "not reproduced here")


class ResultError(Exception):
    """A stored result is missing, damaged, or not what its name says."""


class MissingResult(ResultError):
    """A study was declared and is not measured yet, or its file was lost."""


@dataclass(frozen=True)
class Claim:
    """One statement of the course and what came out when it was measured.

    Attributes:
        id: ``C`` and two digits.
        statement: One sentence, as MyST Markdown.
        measured: The number that decides, as MyST Markdown.
        spread: How far it varies over seeds, or why it does not.
        verdict: One of `VERDICTS`, from `verdict`.
        command: What repeats the measurement, to be typed in the project's folder.
        seeds: The seeds used; empty where nothing is random.

    Raises:
        ValueError: Another verdict, or an empty text.

    Example:
        >>> Claim("C00", "Two is two.", "2", "exact", verdict(2 == 2), "python -c 'print(2)'").verdict
        'holds'
    """

    id: str
    statement: str
    measured: str
    spread: str
    verdict: str
    command: str
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, got {self.verdict!r}")
        for name in ("id", "statement", "measured", "spread", "command"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must not be empty in claim {self.id or '(no id)'}")

    def row(self) -> dict[str, Any]:
        """The entries that `optkit.page.claims` sets in a table."""
        return asdict(self)


def verdict(holds: bool, *, under_conditions: bool = False) -> str:
    """The verdict that follows from two comparisons of numbers.

    Args:
        holds: The statement is true as it stands in everything that was measured.
        under_conditions: It is true in a stated part of what was measured. Ignored when ``holds``.

    Example:
        >>> verdict(False, under_conditions=True)
        'holds under conditions'
    """
    return VERDICTS[0 if holds else 1 if under_conditions else 2]


def claim(id: str) -> Claim:
    """Measure one claim, or read its stored measurement.

    Raises:
        KeyError: No study states this claim.
        ResultError: The stored result is missing or damaged.

    Example:
        >>> claim("C05").verdict
        'holds'
    """
    found = _all_claims()
    if id not in found:
        raise KeyError(f"no study states claim {id!r}; there are {', '.join(sorted(found))}")
    return found[id]()


def claims(*ids: str) -> list[dict[str, Any]]:
    """Rows for `optkit.page.claims`: the claims with these ids, or all of them in order.

    Raises:
        KeyError: No study states one of them.
        ResultError: A stored result is missing or damaged.

    Example:
        >>> [row["id"] for row in claims("C05")]
        ['C05']
    """
    return [claim(id).row() for id in ids or sorted(_all_claims())]


def entries(*ids: str) -> list[dict[str, Any]]:
    """The whole ledger, also what is declared and not measured yet: what ``optkit claims`` prints.

    Args:
        *ids: Of which claims; none for all.

    Returns:
        Rows as `claims` gives them. A claim without a stored result has only ``id``, ``verdict`` None, and
        ``missing``: what to do.

    Raises:
        KeyError: No study states one of them.
        ResultError: A stored result is damaged, or no longer belongs to its declaration.
    """
    rows: list[dict[str, Any]] = []
    for id in ids or sorted(_all_claims()):
        try:
            rows.append(claim(id).row())
        except MissingResult as error:
            rows.append({"id": id, "verdict": None, "missing": str(error)})
    return rows


def declared() -> dict[str, Study]:
    """Name → declaration of every study that the engine runs: ``STUDIES`` of the modules of this room."""
    found: dict[str, Study] = {}
    for module in _modules().values():
        for study in getattr(module, "STUDIES", ()):
            if study.name in found:
                raise ValueError(f"two studies are named {study.name}; the second is in {module.__name__}")
            found[study.name] = study
    return found


def declarations() -> dict[str, str]:
    """Name of a stored result → hash of what was declared for it, as the code stands now.

    From ``STUDIES``, and from ``DECLARED`` (name → plain values) of modules that run their study themselves.
    """
    from optkit.studies.engine.declaration import digest

    found = {name: digest(study) for name, study in declared().items()}
    for module in _modules().values():
        found |= {name: digest(values) for name, values in getattr(module, "DECLARED", {}).items()}
    return found


def studies() -> dict[str, ModuleType]:
    """Every module of this room that has ``CLAIMS``: a mapping id → function without arguments → `Claim`.

    A module that also has ``repeat()`` measures anew, stores the result and returns the file's path.
    """
    return {name: module for name, module in _modules().items() if hasattr(module, "CLAIMS")}


def _modules() -> dict[str, ModuleType]:
    room = import_module("optkit.studies")
    names = [module.name for module in iter_modules(room.__path__) if not module.name.startswith("_")]
    return {name: import_module(f"optkit.studies.{name}") for name in names}


def _all_claims() -> dict[str, Callable[[], Claim]]:
    found: dict[str, Callable[[], Claim]] = {}
    for name, module in studies().items():
        twice = found.keys() & module.CLAIMS.keys()
        if twice:
            raise ValueError(
                f"claim {', '.join(sorted(twice))} is stated by two studies; the second is {name}"
            )
        found |= module.CLAIMS
    return found


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
