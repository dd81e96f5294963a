"""The claims of the course with the numbers behind them.

A study measures, a verdict follows from the numbers, and the ledger collects the verdicts. Nothing here is
typed by hand: `claim` asks the study, and the study computes at once or reads its stored result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

from optkit.studies.results import Journal, MissingResult, ResultError, load, save

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
    "repeatable",
    "save",
    "verdict",
]

VERDICTS = ("holds", "holds under conditions", "not reproduced here")


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
    """Every module of this room that has ``CLAIMS``: a mapping id → function without arguments → `Claim`."""
    return {name: module for name, module in _modules().items() if hasattr(module, "CLAIMS")}


def repeatable() -> dict[str, ModuleType]:
    """Modules that measure without the engine: ``repeat()`` measures, stores, and returns the file's path.

    What they store is named in their ``DECLARED``.
    """
    return {name: module for name, module in studies().items() if hasattr(module, "repeat")}


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
