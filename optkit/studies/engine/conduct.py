"""Conduct a study: workers here or in processes of their own, a bar with the time left, the result."""

from __future__ import annotations

import signal
import sys
import time
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from optkit.studies.engine import result
from optkit.studies.engine.declaration import Study
from optkit.studies.engine.plan import planned
from optkit.studies.engine.storage import Storage, StorageError
from optkit.studies.engine.worker import work

__all__ = ["StudyInterrupted", "run"]

LOOK = 1.0  # seconds between two looks at the storage while workers work


class StudyInterrupted(KeyboardInterrupt):
    """A study was interrupted; its message says how much is kept and how to go on."""


def run(
    study: Study,
    *,
    workers: int = 1,
    storage: str | None = None,
    device: str = "cpu",
    anew: bool = False,
    progress: bool = True,
) -> Path:
    """Carry out what is left of a study, and store its result as ``results/NAME.json``.

    Safe to interrupt and to kill: the same call goes on. The same call on several machines, with one
    PostgreSQL storage, shares the runs among them.

    Args:
        study: The declaration.
        workers: Processes on this machine, at least 1; one thread each.
        storage: ``postgresql://user@host/database``; None for a file in the work folder.
        device: Where to train, ``"cpu"`` or ``"cuda"``.
        anew: Forget all finished runs first, and measure again.
        progress: Draw a bar, with the time left.

    Returns:
        The path of the stored result.

    Raises:
        ValueError: A name in the declaration leads nowhere, or workers < 1.
        StorageError: The storage does not answer, or a worker ended before its work.
        StudyInterrupted: After an interrupt.
    """
    if workers < 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    study.check()
    book = Storage(study, storage)
    if anew:
        book.forget()
        book = Storage(study, storage)
    try:
        finished = book.finished()
        with _bar(study, finished, progress) as bar:
            try:
                if workers == 1:
                    _alone(study, storage, device, book, bar)
                else:
                    _together(study, storage, device, workers, book, bar)
            except KeyboardInterrupt:
                done = len(book.finished())
                raise StudyInterrupted(
                    f"interrupted: {done} of {len(planned(study))} runs of {study.name} are kept; "
                    "the same command goes on"
                ) from None
        return result.store(study, book.finished())
    finally:
        book.close()


def _alone(study: Study, storage: str | None, device: str, book: Storage, bar: Any) -> None:
    # Asked of the storage each time: other machines may work on the same study.
    work(study, storage, device=device, watch=lambda *_: _draw(bar, study, book.finished()))


def _together(study: Study, storage: str | None, device: str, workers: int, book: Storage, bar: Any) -> None:
    context = get_context("spawn")  # a forked process shares the connections and threads of its parent
    processes = [
        context.Process(target=_process, args=(study, storage, device), name=f"worker {i + 1}")
        for i in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        while any(process.is_alive() for process in processes):
            time.sleep(LOOK)
            _draw(bar, study, book.finished())
    finally:
        for process in processes:
            if process.is_alive() and sys.exc_info()[0] is not None:
                process.terminate()
            process.join()
    ended = [f"{process.name} (exit {process.exitcode})" for process in processes if process.exitcode]
    if ended:
        text = f"{', '.join(ended)} ended before the study: see the message above"
        if len(book.finished()) < len(planned(study)):
            raise StorageError(f"{text}. Finished runs are kept; the same command goes on")
        print(f"{text}; the others have finished it", file=sys.stderr)


def _process(study: Study, storage: str | None, device: str) -> None:
    """The life of a worker process: quiet after an interrupt, and gone when its parent is."""
    signal.signal(signal.SIGTERM, _interrupted)
    parent = parent_process()
    try:
        work(study, storage, device=device, go_on=lambda: parent is None or parent.is_alive())
    except KeyboardInterrupt:
        sys.exit(0)
    except StorageError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _steps(study: Study, finished: dict[str, Any]) -> int:
    return sum(study.budget_of(run.arm, run.stage).steps for run in planned(study) if run.key in finished)


def _draw(bar: Any, study: Study, finished: dict[str, Any]) -> None:
    bar.set_postfix_str(f"{len(finished)} of {len(planned(study))} runs", refresh=False)
    bar.update(_steps(study, finished) - bar.n)


def _bar(study: Study, finished: dict[str, Any], progress: bool) -> Any:
    from tqdm import tqdm

    total = sum(study.budget_of(run.arm, run.stage).steps for run in planned(study))
    # smoothing=0: the time left is judged by all runs of this session, for arms differ in cost.
    bar = tqdm(
        total=total,
        initial=_steps(study, finished),
        desc=study.name,
        unit="step",
        unit_scale=True,
        smoothing=0,
        disable=not progress,
    )
    _draw(bar, study, finished)
    return bar
