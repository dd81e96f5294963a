"""``optkit study`` and ``optkit claims``: what they take, and what they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from optkit.studies import ledger
from optkit.studies.ledger import ResultError

__all__ = ["add_claims", "add_study", "print_claims"]


def add_claims(commands: Any) -> None:
    """Add ``optkit claims`` to the commands of a parser."""
    parser = commands.add_parser(
        "claims",
        help="the ledger: what the course asserts, and what was measured",
        description="Print each claim of the course with its measured number, its spread and its verdict.",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="such as C06; none for all")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=_claims)


def add_study(commands: Any) -> None:
    """Add ``optkit study`` to the commands of a parser."""
    parser = commands.add_parser(
        "study",
        help="run a study of many seeded trainings, or see how far it is",
        description="A study is declared in optkit/studies; its result is stored as results/NAME.json.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    texts = {
        "list": "the studies there are, and whether each has a result",
        "run": "carry out what is left of a study and store its result; safe to interrupt and to kill",
        "status": "how far a study is, what is in hand, and the time left",
        "show": "the result as a table: medians over the seeds, ranges, costs",
    }
    _add_all(actions)
    for action, text in texts.items():
        one = actions.add_parser(action, help=text, description=f"{text[0].upper()}{text[1:]}.")
        one.set_defaults(run=globals()[f"_{action}"])
        if action == "list":
            continue
        one.add_argument("name", metavar="NAME", help="of the study; `optkit study list` names them")
        one.add_argument(
            "--storage",
            metavar="URL",
            help="postgresql://user@host/database, to share the runs among machines; "
            "by default a file in results/.work",
        )
        if action == "run":
            one.add_argument(
                "--workers", type=int, default=1, metavar="N", help="processes on this machine (default 1)"
            )
            one.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
            one.add_argument("--anew", action="store_true", help="forget the finished runs and measure again")


def _claims(words: argparse.Namespace) -> int:
    try:
        rows = ledger.entries(*words.ids)
    except (KeyError, ResultError) as error:
        return _fail(error)
    if words.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    print_claims(rows)
    return 0


def print_claims(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the rows of `optkit.studies.ledger.entries`."""
    for row in rows:
        if row["verdict"] is None:
            print(f"{row['id']}  not measured yet\n     {row['missing']}\n")
            continue
        print("{id}  {verdict}\n     {statement}".format(**row))
        print("     measured: {measured}\n     spread: {spread}\n     {command}\n".format(**row))


def _list(words: argparse.Namespace) -> int:
    from optkit.studies.engine import load

    for name, study in sorted(ledger.declared().items()):
        try:
            state = f"measured at {str(load(study)['commit'])[:12]}"
        except ledger.MissingResult:
            state = "not measured yet"
        except ResultError as error:
            state = str(error)
        print(f"{name}\n     {study.question}\n     {state}\n     {study.plan}\n")
    return 0


def _add_all(actions: Any) -> None:
    text = "what is stored and what is missing, then run what is missing; the same command goes on"
    one = actions.add_parser("all", help=text, description=f"{text[0].upper()}{text[1:]}.")
    one.add_argument("--list", action="store_true", help="only say what is stored and what is missing")
    one.set_defaults(run=_all)


def _all(words: argparse.Namespace) -> int:
    """Run every study without a result of its declaration, but those for a GPU; 1 if one could not."""
    missing = []
    for name, command, results, gpu in _every_study():
        lacks = [problem for result in results if (problem := _problem(result, command))]
        state = "; ".join(lacks) or "stored"
        print(f"{name}: {state}{', made for a GPU' if gpu and lacks else ''}\n     {command}")
        if lacks and not gpu:
            missing.append((name, command))
    print(f"\n{len(missing)} to run{': ' if missing else ''}{', '.join(name for name, _ in missing)}")
    failed = []
    for name, command in [] if words.list else missing:
        print(f"\n{command}", flush=True)
        try:
            known = name in ledger.declared()
            status = _run(_words_for(name)) if known else _repeat(name)
        except KeyboardInterrupt:
            print(f"interrupted in {name}; the same command goes on", file=sys.stderr)
            return 130
        if status == 130:
            return 130
        failed += [name] * bool(status)
    if failed:
        print(f"not stored: {', '.join(failed)}; see the messages above", file=sys.stderr)
    return 1 if failed else 0


def _every_study() -> list[tuple[str, str, list[str], bool]]:
    """Name, command, names of its results, and whether it is made for a GPU."""
    found = [
        (name, f"optkit study run {name}" + " --device cuda" * study.gpu, [name], study.gpu)
        for name, study in sorted(ledger.declared().items())
    ]
    own = sorted(ledger.repeatable().items())
    return found + [(name, f"python -m optkit.studies {name}", list(m.DECLARED), False) for name, m in own]


def _problem(result: str, command: str) -> str:
    """Why a stored result does not count; empty if it does."""
    try:
        ledger.load(result, command=command, declaration=ledger.declarations()[result])
    except ledger.MissingResult:
        return "missing"
    except ResultError as error:
        return str(error)
    return ""


def _words_for(name: str) -> argparse.Namespace:
    return argparse.Namespace(name=name, workers=1, storage=None, device="cpu", anew=False)


def _repeat(name: str) -> int:
    try:
        print(f"stored {ledger.repeatable()[name].repeat()}")
    except (ResultError, OSError, ValueError, RuntimeError) as error:
        return _fail(error)
    return 0


def _run(words: argparse.Namespace) -> int:
    from optkit.data import DataError
    from optkit.studies.engine import StorageError, StudyInterrupted, run
    from optkit.training import CheckpointError

    try:
        path = run(
            _find(words.name),
            workers=words.workers,
            storage=words.storage,
            device=words.device,
            anew=words.anew,
        )
    except (KeyError, ValueError, ModuleNotFoundError, StorageError, DataError) as error:
        return _fail(error)
    except (OSError, CheckpointError) as error:
        return _fail(error, "Finished runs are kept: once that is mended, the same command goes on.")
    except StudyInterrupted as error:
        print(error, file=sys.stderr)
        return 130
    print(f"stored {path}")
    return 0


def _status(words: argparse.Namespace) -> int:
    from optkit.studies.engine import StorageError, status

    try:
        print(status(_find(words.name), words.storage))
    except (KeyError, ModuleNotFoundError, StorageError) as error:
        return _fail(error)
    return 0


def _show(words: argparse.Namespace) -> int:
    from optkit.studies.engine import StorageError, result
    from optkit.studies.engine.storage import Storage

    try:
        study = _find(words.name)
        if words.storage is None:
            try:
                found = result.load(study)["data"]
            except ledger.MissingResult:
                found = None
        if words.storage is not None or found is None:
            book = Storage(study, words.storage, create=False)
            try:
                found = result.data(study, book.finished())
            finally:
                book.close()
            print(f"{study.name} is not finished: this is what there is so far.\n")
    except (KeyError, ModuleNotFoundError, ResultError, StorageError) as error:
        return _fail(error)
    print(study.question)
    for row in result.rows(found):
        print("\n" + row.pop("arm"))
        for name, value in row.items():
            print(f"    {name}: {value}")
    print("\n" + ", ".join(f"{name} {value}" for name, value in found["cost"].items()))
    return 0


def _find(name: str) -> Any:
    known = ledger.declared()
    if name not in known:
        own = sorted(ledger.repeatable())
        raise KeyError(
            f"no study {name!r}; there are {', '.join(sorted(known))}. "
            f"`python -m optkit.studies NAME` repeats {', '.join(own)}"
        )
    return known[name]


def _fail(error: Exception, advice: str = "") -> int:
    if isinstance(error, ModuleNotFoundError):
        error = ModuleNotFoundError(f"{error}: studies need `pip install 'optkit[studies]'`")
    # str() of a KeyError puts quotes around the message.
    text = error.args[0] if isinstance(error, KeyError) else f"{error}"
    print(f"{text}\n{advice}".strip(), file=sys.stderr)
    return 1
