"""A worker: claims one run after the other, carries it out, records it, hands it in."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optkit.studies.engine import record
from optkit.studies.engine.carry_out import Prepared, carry_out, prepare, score
from optkit.studies.engine.declaration import Study, digest
from optkit.studies.engine.plan import Planned
from optkit.studies.engine.storage import Claimed, Storage
from optkit.studies.results import commit

__all__ = ["record_path", "work"]

PATIENCE = 0.5  # seconds between two looks when others hold all that is left


def record_path(folder: Path, run: Planned) -> Path:
    """Where the record of a run lies."""
    return folder / "runs" / f"{run.key.replace('/', '.')}.parquet"


def work(
    study: Study,
    url: str | None = None,
    *,
    device: str = "cpu",
    watch: Callable[[Planned, dict[str, Any]], None] | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Carry out runs until none is left.

    Args:
        study: The declaration.
        url: Of the storage, as for `Storage`.
        device: Where to train.
        watch: Called with every run that this worker has handed in, and its summary.
        go_on: Asked before each run; False ends the work.

    Raises:
        StorageError: The storage does not answer.
        DataError: The data are not on this machine.
    """
    prepared: Prepared | None = None
    at = commit()
    with Storage(study, url) as storage:
        while go_on():
            claimed = storage.claim()
            if claimed == "done":
                return
            if claimed == "wait":
                time.sleep(PATIENCE)
                continue
            try:
                if prepared is None:
                    prepared = prepare(study.data, device)
                summary = _made(study, claimed, storage.folder, prepared, device, at)
            except BaseException:
                # Also after an interrupt: the run goes back at once, its checkpoint stays.
                storage.abandon(claimed)
                raise
            value = math.inf if summary.get("score") is None else summary["score"]
            if storage.finish(claimed, summary, value) and watch is not None:
                watch(claimed.run, summary)


def _made(
    study: Study, claimed: Claimed, folder: Path, prepared: Prepared, device: str, at: str | None
) -> dict[str, Any]:
    """The summary of a run: from its record if there is one, else by carrying it out."""
    run, path = claimed.run, record_path(folder, claimed.run)
    if claimed.options is None:
        error = "every trial in tuning diverged or failed, so there is no point to run"
        return {"seed": run.seed, "options": {}, "outcome": "failed", "error": error}
    names = {"declaration": digest(study), "run": run.key}
    summary = record.read_summary(path, **names)
    if summary is not None and summary["options"] == claimed.options:
        return summary
    checkpoint = path.with_suffix(".checkpoint")
    history, summary = carry_out(study, run, claimed.options, prepared, device=device, checkpoint=checkpoint)
    if run.stage == "tuning":
        value = score(study, summary)
        summary["score"] = value if math.isfinite(value) else None
    summary |= {"device": device, "commit": at}
    record.write(path, history, summary, **names)
    checkpoint.unlink(missing_ok=True)
    return summary
