"""Workers that are killed, that share a study, that are interrupted; storages that vanish.

Everything here happens for real: processes are killed with SIGKILL in mid-run, a server is stopped.
"""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from optkit.studies import ledger
from optkit.studies.engine import StorageError, StudyInterrupted, load, run, status
from optkit.studies.engine.conduct import _bar, _together
from optkit.studies.engine.plan import planned
from optkit.studies.engine.storage import Storage, work_folder
from optkit.studies.engine.worker import work

CALL = """
import pickle, sys
from optkit.studies.engine import run
study, url = pickle.load(sys.stdin.buffer)
run(study, storage=url, progress=False)
"""


def begin(study, url=None):
    """The study in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CALL], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(pickle.dumps((study, url)))
    process.stdin.close()
    return process


def end(process):
    """Its exit status and what it wrote to stderr."""
    text = process.stderr.read().decode()
    process.stderr.close()
    return process.wait(), text


@pytest.fixture
def fresh(storage, logged):
    """A study that no earlier test has begun in the server's database."""

    def make(**fixed):
        study = logged(**fixed)
        return replace(study, target=1.0 + time.time_ns() % 10**9 * 1e-12)

    return make


def test_kill_9_in_mid_run_loses_the_run_in_hand_and_nothing_else(fresh, storage, logged):
    study = fresh(at=3, do="die")
    assert end(begin(study, storage))[0] == -signal.SIGKILL
    assert len(logged.carried_out()) == 3
    found = status(study, storage)
    assert (found.finished, found.running) == (2, ())
    assert found.abandoned == (planned(study)[2].key,)
    kept = {path: path.stat().st_mtime_ns for path in (work_folder(study) / "runs").glob("*.parquet")}
    assert len(kept) == 2
    run(study, storage=storage, progress=False)
    assert len(logged.carried_out()) == len(planned(study)) + 1  # the run in hand alone was made twice
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    cost = load(study)["data"]["cost"]
    assert (cost["runs"], cost["failed"]) == (len(planned(study)), 0)


def test_a_killed_study_ends_as_one_that_was_not(logged, monkeypatch, tmp_path):
    study = logged(at=2, do="die")
    end(begin(study))
    run(study, progress=False)
    killed = load(study)["data"]["arms"]["sgd"]
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path / "whole"))
    run(study, progress=False)  # the log goes on, so nobody dies now
    whole = load(study)["data"]["arms"]["sgd"]
    assert [one["scores"] for one in killed["trials"]] == [one["scores"] for one in whole["trials"]]
    assert [one["curve"] for one in killed["fresh"]] == [one["curve"] for one in whole["fresh"]]


def test_two_workers_never_do_one_run_twice(fresh, storage, logged):
    # Each waits in its first run until both have one: so they do work at the same time.
    study = replace(fresh(meet=2), fresh_seeds=tuple(range(1, 11)))
    processes = [begin(study, storage) for _ in range(2)]
    assert [end(process) for process in processes] == [(0, ""), (0, "")]
    assert len(logged.carried_out()) == len(planned(study)) == 13
    assert len(set(logged.carried_out())) == 2
    with Storage(study, storage) as book:
        keys = [trial.user_attrs["run"] for trial in book._trials()]
    assert sorted(keys) == sorted(run.key for run in planned(study))


def test_several_processes_of_one_call(logged):
    study = logged(meet=2)
    run(study, workers=2, progress=False)
    assert len(logged.carried_out()) == len(planned(study))
    assert str(os.getpid()) not in logged.carried_out()


def test_a_worker_killed_among_several_is_said_and_the_others_go_on(logged, capfd):
    study = logged(meet=2, at=2, do="die")
    run(study, workers=2, progress=False)
    assert re.search(r"worker \d \(exit -9\) ended before the study", capfd.readouterr().err)
    assert load(study)["data"]["cost"]["runs"] == len(planned(study))
    assert len(logged.carried_out()) == len(planned(study)) + 1


def test_a_last_worker_that_is_killed_leaves_the_rest_to_the_same_call(logged):
    study = logged(at=3, do="die")
    book = Storage(study)
    with pytest.raises(StorageError, match=r"worker 1 \(exit -9\) ended.*the same command goes on"):
        _together(study, None, "cpu", 1, book, _bar(study, {}, False))
    book.close()
    run(study, progress=False)
    assert len(logged.carried_out()) == len(planned(study)) + 1


def test_an_interrupt_gives_the_run_back_and_says_how_to_go_on(logged):
    study = logged(at=3, do="interrupt")
    with pytest.raises(StudyInterrupted, match="interrupted: 2 of 5 runs of small are kept"):
        run(study, progress=False)
    assert status(study).running == status(study).abandoned == ()
    run(study, progress=False)
    assert len(logged.carried_out()) == 6


def test_a_result_comes_too_late_after_another_worker_took_the_run_over(fresh, storage):
    study = fresh()
    with Storage(study, storage) as slow, Storage(study, storage) as other:
        mine = slow.claim()
        slow._turns.leave()  # as when its connection breaks: nobody can tell it from a dead one
        theirs = other.claim()
        assert theirs.run == mine.run and theirs.trial != mine.trial
        summary = {"outcome": "finished", "score": 1.0}
        assert other.finish(theirs, summary | {"by": "other"}, 1.0)
        assert not slow.finish(mine, summary | {"by": "slow"}, 1.0)
        assert [one["by"] for one in other.finished().values()] == ["other"]


def test_a_worker_killed_while_it_hands_in_has_handed_in(fresh, storage):
    study = fresh()
    with Storage(study, storage) as killed, Storage(study, storage) as other:
        mine = killed.claim()
        summary = {"outcome": "finished", "score": 1.0}
        killed._backend.set_trial_user_attr(killed._trials()[mine.trial]._trial_id, "summary", summary)
        killed._turns.leave()  # killed between the summary and the end of the run
        assert other.claim().run != mine.run
        assert other.finished() == {mine.run.key: summary}


def test_a_storage_file_that_vanishes_loses_nothing(logged, folder):
    study = logged()
    file = work_folder(study) / "runs.sqlite"

    def vanish(planned_run, summary):
        if len(logged.carried_out()) == 3:
            file.unlink()

    with pytest.raises(
        StorageError, match=r"runs\.sqlite of small does not answer.*removed.*takes them over"
    ):
        work(study, watch=vanish)
    run(study, progress=False)
    assert len(logged.carried_out()) == len(planned(study))


def test_a_storage_file_that_vanishes_in_mid_run_is_noticed(logged, folder):
    study = logged(at=2, do=f"remove {folder}/.work/*/runs.sqlite")
    with pytest.raises(StorageError, match="the file was removed or replaced"):
        run(study, progress=False)
    run(study, progress=False)
    assert len(logged.carried_out()) == len(planned(study))  # the run in hand was recorded, and is taken over


def test_a_damaged_storage_file_is_said(logged):
    study = logged()
    folder = work_folder(study)
    folder.mkdir(parents=True)
    (folder / "runs.sqlite").write_text("this is no database, however long it may be " * 9)
    with pytest.raises(StorageError, match=r"does not answer: .*not a database"):
        run(study, progress=False)


def test_a_server_that_stops_loses_nothing(logged, postgres):
    study = replace(logged(), target=1.0 + time.time_ns() % 10**9 * 1e-12)

    def stop(planned_run, summary):
        if len(logged.carried_out()) == 3:
            postgres.stop()

    try:
        with pytest.raises(StorageError, match="does not answer") as caught:
            work(study, postgres.url, watch=stop)
        assert "secret" not in str(caught.value)
        with pytest.raises(StorageError, match="does not answer"):
            status(study, postgres.url)
    finally:
        postgres.start()
    run(study, storage=postgres.url, progress=False)
    assert len(logged.carried_out()) == len(planned(study))


@pytest.mark.parametrize("url", ["mysql://host/base", "nonsense", "sqlite:///here"])
def test_other_storages_are_refused(declare, url):
    with pytest.raises(StorageError, match="storage must be"):
        run(declare(), storage=url, progress=False)


def test_a_result_that_misses_runs_is_not_stored(declare):
    from optkit.studies.engine.result import store

    with pytest.raises(ledger.ResultError, match="7 of 7 runs of small are missing"):
        store(declare(), {})


def test_workers_must_be_at_least_one(declare):
    with pytest.raises(ValueError, match="workers must be >= 1, got 0"):
        run(declare(), workers=0)
