"""Where the runs of a study are kept: Optuna's tables, in a file of the work folder or in PostgreSQL.

Each run is one of Optuna's trials. A run is claimed in a turn (see `turns`), so no two workers ever hold the
same one; a run whose worker died is abandoned there and claimed anew; a result is accepted only while its
worker still holds the run. So every run is counted once.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from optkit.studies.engine.declaration import Study, digest
from optkit.studies.engine.plan import Planned, options, planned, ready
from optkit.studies.engine.turns import FileTurns, PostgresTurns, Turns
from optkit.studies.results import results_folder

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["Claimed", "Storage", "StorageError", "work_folder"]

# Without these the run of a machine that lost its power would stay held for hours.
KEEP_ALIVE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


class StorageError(Exception):
    """The storage of a study is not there, does not answer, or is another."""


@dataclass(frozen=True)
class Claimed:
    """A run that this worker, and nobody else, is to carry out."""

    run: Planned
    options: dict[str, Any] | None
    trial: int


def work_folder(study: Study) -> Path:
    """Where a study that is not finished keeps its storage and the records of its runs; not committed."""
    return results_folder() / ".work" / f"{study.name}-{digest(study)[:12]}"


class Storage:
    """The runs of one study as one worker sees them.

    Args:
        study: The declaration. Runs of another declaration are never touched: they bear another hash.
        url: ``postgresql://user@host/database``; None for a file in the study's work folder.
        create: Whether to begin the study if it is not there.

    Raises:
        StorageError: The storage cannot be opened, or nothing has begun and ``create`` is False.
    """

    def __init__(self, study: Study, url: str | None = None, *, create: bool = True) -> None:
        import optuna
        from sqlalchemy import make_url

        self.study = study
        self.name = f"{study.name}-{digest(study)[:12]}"
        self.worker = f"worker-{secrets.token_hex(8)}"
        self.folder = work_folder(study)
        self.file: Path | None = None
        if url is None:
            self.file = self.folder / "runs.sqlite"
            if not create and not self.file.exists():
                raise StorageError(f"{study.name} has not begun: there is no {self.file}")
            self.folder.mkdir(parents=True, exist_ok=True)
            address = make_url(f"sqlite:///{self.file}")
        else:
            address = self._address(url)
        self.place = address.render_as_string(hide_password=True)
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # its notes on every trial
        self._backend: Any = None
        try:
            with self._answers():
                self._turns = self._open(address, create)
        except BaseException:
            self.close()
            raise
        self._inode = self.file.stat().st_ino if self.file is not None else None

    def _address(self, url: str) -> Any:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            address = make_url(url)
        except ArgumentError as error:
            raise StorageError(
                f"storage must be a URL like postgresql://user@host/database: {error}"
            ) from None
        if address.get_backend_name() != "postgresql":
            raise StorageError(
                f"storage must be postgresql://…, got {address.render_as_string(hide_password=True)}; "
                "leave it out to use a file on this machine"
            )
        return address.set(drivername="postgresql+psycopg")

    def _open(self, address: Any, create: bool) -> Turns:
        """Make the tables if need be, in a turn: two workers must not make them at once."""
        from sqlalchemy import create_engine

        if self.file is not None:
            turns = FileTurns(self.folder)
            with turns.turn():
                self._load(address, create, {"timeout": 60})
            return turns
        first = create_engine(address)
        try:
            with PostgresTurns(first, "optkit tables").turn():
                self._load(address, create, {"options": KEEP_ALIVE})
        finally:
            first.dispose()
        return PostgresTurns(self._backend.engine, self.name)

    def _load(self, address: Any, create: bool, connect: dict[str, Any]) -> None:
        import optuna

        self._backend = optuna.storages.RDBStorage(
            address.render_as_string(hide_password=False),
            engine_kwargs={"connect_args": connect, "pool_pre_ping": True},
        )
        if create:
            self._optuna = optuna.create_study(
                study_name=self.name, storage=self._backend, load_if_exists=True
            )
            return
        try:
            self._optuna = optuna.load_study(study_name=self.name, storage=self._backend)
        except KeyError:
            raise StorageError(f"{self.study.name} has not begun in {self.place}") from None

    def __enter__(self) -> Storage:
        with self._answers():
            self._turns.join(self.worker)
        return self

    def __exit__(self, *exception: object) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._turns.leave()
        except (SQLAlchemyError, OSError):
            if exception[0] is None:
                raise
        finally:
            self.close()

    def forget(self) -> None:
        """Remove every run of this study, here and in the storage, and close it.

        Raises:
            StorageError: A worker is at work on it.
        """
        import optuna

        at_work = [key for key, alive in self.running().items() if alive]
        if at_work:
            raise StorageError(
                f"{self.study.name} cannot begin anew while workers carry out {', '.join(at_work)}"
            )
        with self._answers():
            if self.file is None:
                optuna.delete_study(study_name=self.name, storage=self._backend)
            self.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Close all connections."""
        if self._backend is not None:
            self._backend.engine.dispose()

    def finished(self) -> dict[str, dict[str, Any]]:
        """Key → summary of every run that was carried out."""
        with self._answers():
            return self._finished(self._trials())

    def running(self) -> dict[str, bool]:
        """Key → whether its worker is alive, of every run that is in hand."""
        with self._answers(), self._turns.turn():
            return {
                trial.user_attrs["run"]: self._turns.alive(trial.user_attrs["worker"])
                for trial in self._trials()
                if not trial.state.is_finished()
            }

    def claim(self) -> Claimed | Literal["wait", "done"]:
        """Take up the next run: its options are known, and nobody who is alive holds it.

        Returns:
            The run; ``"wait"`` while other workers hold what the open runs depend on; ``"done"`` at the end.
        """
        with self._answers(), self._turns.turn():
            trials = self._trials()
            held = set()
            for trial in trials:
                if not trial.state.is_finished():
                    if self._turns.alive(trial.user_attrs["worker"]):
                        held.add(trial.user_attrs["run"])
                    else:
                        self._end(trial.number, "FAIL")  # abandoned, unless it has its summary already
            finished = self._finished(self._trials())
            open_runs = [run for run in planned(self.study) if run.key not in finished]
            if not open_runs:
                return "done"
            for run in open_runs:
                if run.key not in held and ready(self.study, run, finished):
                    scores = {
                        key: summary["score"] for key, summary in finished.items() if "score" in summary
                    }
                    found = options(self.study, run, _numbers(scores))
                    return Claimed(run, found, self._begin(run))
            return "wait"

    def finish(self, claimed: Claimed, summary: Mapping[str, Any], score: float) -> bool:
        """Hand in the summary of a run.

        Returns:
            False where the run is no longer this worker's, after a broken connection: another one makes it.
        """
        with self._answers(), self._turns.turn():
            trial = self._optuna.get_trials(deepcopy=False)[claimed.trial]
            if trial.state.is_finished():
                return False
            self._backend.set_trial_user_attr(trial._trial_id, "summary", dict(summary))
            if summary["outcome"] == "failed":
                self._end(claimed.trial, "FAIL")
            else:
                self._end(claimed.trial, "COMPLETE", score)
            return True

    def abandon(self, claimed: Claimed) -> None:
        """Give a run back that was interrupted."""
        with self._answers(), self._turns.turn():
            if not self._optuna.get_trials(deepcopy=False)[claimed.trial].state.is_finished():
                self._end(claimed.trial, "FAIL")

    def _begin(self, run: Planned) -> int:
        import optuna

        # In one statement: a worker killed here has either begun the run in its own name, or not.
        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING, user_attrs={"run": run.key, "worker": self.worker}
        )
        self._optuna.add_trial(trial)
        return self._optuna.get_trials(deepcopy=False)[-1].number

    def _end(self, number: int, state: str, value: float | None = None) -> None:
        from optuna.trial import TrialState

        self._optuna.tell(number, value, state=TrialState[state])

    def _trials(self) -> list[FrozenTrial]:
        return self._optuna.get_trials(deepcopy=False)

    def _finished(self, trials: list[FrozenTrial]) -> dict[str, dict[str, Any]]:
        return {
            trial.user_attrs["run"]: trial.user_attrs["summary"]
            for trial in trials
            if trial.state.is_finished() and "summary" in trial.user_attrs
        }

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Say what happened when the storage does not answer, and that no finished run is lost."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if getattr(self, "_inode", None) is not None:
                # SQLite goes on writing into a file that was removed: nobody would ever see that.
                try:
                    same = self.file.stat().st_ino == self._inode
                except FileNotFoundError:
                    same = False
                if not same:
                    raise OSError("the file was removed or replaced")
            yield
        except (SQLAlchemyError, StorageInternalError, OSError) as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise StorageError(
                f"the storage {self.place} of {self.study.name} does not answer: {reason}. Finished runs are "
                f"recorded in {self.folder / 'runs'}: once the storage is back, or begun anew, the "
                "same command takes them over and goes on"
            ) from error


def _numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """JSON has no infinity: None stands for it."""
    return {key: float("inf") if value is None else value for key, value in scores.items()}
