"""How far a study is, without touching it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optkit.studies.engine.declaration import Study
from optkit.studies.engine.plan import Planned, planned
from optkit.studies.engine.storage import Storage

__all__ = ["Status", "status"]


@dataclass(frozen=True)
class Status:
    """How far a study is.

    Attributes:
        name: Of the study.
        place: Its storage, without a password.
        total: Number of runs that the study has.
        finished: Number of runs that are done, those that diverged or failed among them.
        diverged: Number of runs whose loss diverged.
        failed: Number of runs that ended in an error.
        running: Keys of runs in the hands of living workers.
        abandoned: Keys of runs whose worker died; the next worker takes them up.
        hours_left: Of one worker, judged by the time of the finished runs; None before the first.
        by_arm: Arm → (finished, total).
    """

    name: str
    place: str
    total: int
    finished: int
    diverged: int
    failed: int
    running: tuple[str, ...]
    abandoned: tuple[str, ...]
    hours_left: float | None
    by_arm: Mapping[str, tuple[int, int]]

    def __str__(self) -> str:
        left = "not known before the first run" if self.hours_left is None else f"{self.hours_left:.2f} hours"
        lost = f"{self.diverged} diverged, {self.failed} failed"
        lines = [
            f"{self.name}: {self.finished} of {self.total} runs, {lost}",
            f"  time left for one worker: {left}",
            f"  in hand: {', '.join(self.running) or 'nothing'}",
        ]
        if self.abandoned:
            lines.append(f"  abandoned by dead workers, to be taken up again: {', '.join(self.abandoned)}")
        lines += [f"  {arm}: {done} of {total}" for arm, (done, total) in self.by_arm.items()]
        return "\n".join([*lines, f"  storage: {self.place}"])


def status(study: Study, storage: str | None = None) -> Status:
    """Look how far a study is.

    Args:
        study: The declaration.
        storage: As for `optkit.studies.engine.run`.

    Raises:
        StorageError: Nothing has begun there, or the storage does not answer.
    """
    book = Storage(study, storage, create=False)
    try:
        finished, running = book.finished(), book.running()
    finally:
        book.close()
    runs = planned(study)
    by_arm = {
        name: (sum(run.key in finished for run in of_arm), len(of_arm))
        for name in study.arms
        if (of_arm := [run for run in runs if run.arm == name])
    }
    return Status(
        name=study.name,
        place=book.place,
        total=len(runs),
        finished=len(finished),
        diverged=sum(one["outcome"] == "diverged" for one in finished.values()),
        failed=sum(one["outcome"] == "failed" for one in finished.values()),
        running=tuple(key for key, alive in running.items() if alive),
        abandoned=tuple(key for key, alive in running.items() if not alive and key not in finished),
        hours_left=_hours_left(study, runs, finished),
        by_arm=by_arm,
    )


def _hours_left(study: Study, runs: list[Planned], finished: Mapping[str, Mapping[str, Any]]) -> float | None:
    """By seconds a step of each arm; of all arms for an arm that has no finished run."""
    spent: dict[str, tuple[float, int]] = {}
    for run in runs:
        if run.key in finished and finished[run.key].get("steps"):
            seconds, steps = spent.get(run.arm, (0.0, 0))
            one = finished[run.key]
            spent[run.arm] = seconds + one["wall_seconds"], steps + one["steps"]
    if not spent:
        return None
    everything = tuple(sum(column) for column in zip(*spent.values(), strict=True))
    left = 0.0
    for run in runs:
        if run.key not in finished:
            seconds, steps = spent.get(run.arm, everything)
            left += study.budget_of(run.arm, run.stage).steps * seconds / steps
    return left / 3600
