"""One worker: the same bits again, tuning without test images, failures counted, records whole."""

import json
import math
from dataclasses import replace

import pytest

from optkit.studies import ledger
from optkit.studies.engine import Arm, Data, Span, StorageError, load, rows, run, status
from optkit.studies.engine.carry_out import carry_out, prepare, score
from optkit.studies.engine.plan import planned
from optkit.studies.engine.record import read_history, read_summary
from optkit.studies.engine.storage import Storage, work_folder
from optkit.training.run import Run


def without_times(part):
    """Every number but the times, and the commit, which nobody promises."""
    if isinstance(part, dict):
        return {
            key: without_times(value)
            for key, value in part.items()
            if "seconds" not in key and key not in ("commit", "commits")
        }
    return [without_times(value) for value in part] if isinstance(part, list) else part


def records(study):
    return {path.name: read_history(path) for path in (work_folder(study) / "runs").glob("*.parquet")}


def test_a_study_repeats_bit_for_bit(declare, monkeypatch, tmp_path):
    study = declare()
    run(study, progress=False)
    first, steps = load(study), records(study)
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path / "again"))
    run(study, progress=False)
    assert without_times(load(study)["data"]) == without_times(first["data"])
    again = records(study)
    assert set(again) == set(steps) and len(steps) == len(planned(study))
    for name, history in steps.items():
        assert len(history) == 21
        for column in set(history.columns) - {"seconds"}:
            assert history[column].tobytes() == again[name][column].tobytes(), (name, column)


def test_a_result_says_what_is_needed_to_repeat_it(declare):
    study = declare()
    path = run(study, progress=False)
    stored = json.loads(path.read_text())
    assert stored["command"] == "optkit study run small" and stored["seeds"] == [0, 1, 2]
    assert {"versions", "commit", "machine", "declaration"} <= set(stored)
    assert stored["data"]["declaration"]["budget"] == {"steps": 20, "batch_size": 32, "evaluate_every": 10}
    arm = stored["data"]["arms"]["sgd"]
    assert [trial["point"]["lr"] for trial in arm["trials"]] == [0.01, 0.0316227766, 0.1]
    best = min(range(3), key=lambda i: sum(arm["trials"][i]["scores"]))
    assert arm["chosen"] == best
    assert [one["options"] for one in arm["fresh"]] == [arm["trials"][best]["point"]] * 2
    assert [one["options"] for one in arm["defaults"]] == [{}] * 2
    assert [one["gradients"] for one in arm["fresh"]] == [20, 20]
    assert stored["data"]["cost"]["runs"] == 7 and stored["data"]["cost"]["steps"] == 140
    table = rows(stored["data"])
    assert [row["arm"] for row in table] == ["sgd", "sgd, library defaults"]


def test_a_second_call_measures_nothing_and_keeps_what_is_stored(logged):
    study = logged()
    path = run(study, progress=False)
    before = path.read_bytes(), len(logged.carried_out())
    run(study, progress=False)
    assert (path.read_bytes(), len(logged.carried_out())) == before
    run(study, anew=True, progress=False)
    assert len(logged.carried_out()) == 2 * len(planned(study))


def test_another_declaration_is_another_study(logged):
    study = logged()
    run(study, progress=False)
    other = replace(study, target=0.9)
    with pytest.raises(StorageError, match="has not begun"):
        status(other)
    with pytest.raises(ledger.ResultError, match="no longer belongs to the declaration of small"):
        load(other)
    run(other, progress=False)
    assert len(logged.carried_out()) == 2 * len(planned(study))


def test_tuning_sees_no_test_image_and_the_split_is_that_of_the_declaration():
    from optkit.data import digits

    data = prepare(Data("digits", validation=100, train=300))
    everything = digits().tensors()
    known = {image.numpy().tobytes() for image in everything.train_images}
    parts = [data.tuning.train_images, data.tuning.test_images]
    seen = [image.numpy().tobytes() for part in parts for image in part]
    assert set(seen) <= known
    assert not {x.numpy().tobytes() for x in parts[0]} & {x.numpy().tobytes() for x in parts[1]}
    assert len(parts[0]) == 300 and len(parts[1]) == 100
    assert data.tuning.test_labels.bincount().tolist() == [10] * 10
    assert data.fresh.train_images is data.tuning.train_images
    assert (data.fresh.test_images == everything.test_images).all()
    again = prepare(Data("digits", validation=100, train=300))
    assert (again.tuning.train_images == data.tuning.train_images).all()


@pytest.mark.parametrize("wrong", [{"validation": 105}, {"validation": 100, "train": 301}])
def test_a_split_that_is_not_even_over_the_classes_is_refused(wrong):
    with pytest.raises(ValueError, match="must be a multiple of 10, the classes, got"):
        prepare(Data("digits", **wrong))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train_loss", 0.5), ("validation_loss", 0.6), ("validation_error", 0.25), ("steps_to_target", 40)],
)
def test_scores_are_of_training_and_validation_alone(declare, name, expected):
    summary = {
        "outcome": "finished", "steps": 20, "steps_to_target": None, "train_loss": 0.5,
        "validation_loss": 0.6, "validation_accuracy": 0.75,
    }  # fmt: skip
    study = declare(score=name)
    assert score(study, summary) == expected
    for lost in ("diverged", "failed"):
        assert score(study, summary | {"outcome": lost}) == math.inf


def test_a_failed_and_a_diverged_run_are_results(declare):
    arms = {
        "fragile": Arm("hooks.fragile", space={"lr": Span(0.01, 0.1)}),
        "hot": Arm("torch.optim.SGD", space={"lr": Span(0.01, 1e6)}),
    }
    study = declare(arms=arms)
    run(study, progress=False)
    found = load(study)["data"]
    assert [trial["failed"] for trial in found["arms"]["fragile"]["trials"]] == [0, 0, 1]
    assert [trial["diverged"] for trial in found["arms"]["hot"]["trials"]] == [0, 1, 1]
    assert found["arms"]["hot"]["trials"][2]["scores"] == [None]
    assert (found["cost"]["failed"], found["cost"]["diverged"]) == (1, 2)
    assert (status(study).failed, status(study).diverged) == (1, 2)
    table = {row["arm"]: row for row in rows(found)}
    assert table["hot"]["lost in tuning"] == "2 of 3" and table["hot"]["lost"] == "0 of 2"


def test_an_arm_all_of_whose_trials_fail_ends_with_a_reason(declare):
    study = declare(arms={"broken": Arm("hooks.broken", space={"lr": Span(0.01, 0.1)})})
    run(study, progress=False)
    arm = load(study)["data"]["arms"]["broken"]
    assert arm["chosen"] is None
    assert {one["outcome"] for one in arm["fresh"]} == {"failed"}
    assert "every trial in tuning diverged or failed" in arm["fresh"][0]["error"]
    assert rows(load(study)["data"])[0]["lost"] == "2 of 2"


def test_a_net_without_parameters_ends_with_a_reason(declare, monkeypatch):
    import hooks

    monkeypatch.setattr(hooks, "bare", lambda **_: __import__("torch").nn.Flatten(), raising=False)
    study = declare(model="hooks.bare")
    run(study, progress=False)
    found = load(study)["data"]
    assert found["cost"]["failed"] == found["cost"]["runs"] == 7
    assert found["arms"]["sgd"]["chosen"] is None
    with Storage(study) as book:
        errors = {one["error"] for one in book.finished().values()}
    assert "ValueError: optimizer got an empty parameter list" in errors


def test_a_full_disk_is_no_result(logged):
    study = logged(at=2, do="disk")
    with pytest.raises(OSError, match="No space left"):
        run(study, progress=False)
    found = status(study)
    assert (found.finished, found.failed, found.running, found.abandoned) == (1, 0, (), ())
    run(study, progress=False)
    assert status(study).finished == len(planned(study))


def test_measures_are_taken_of_fresh_runs_only(declare):
    study = declare(measures={"size": "hooks.size"})
    import hooks

    hooks.size = lambda net, tensors, seed: {"weights": float(sum(p.numel() for p in net.parameters()))}
    run(study, progress=False)
    found = load(study)["data"]["arms"]["sgd"]
    assert [one["measures"] for one in found["fresh"]] == [{"weights": 650.0}] * 2


def test_a_damaged_record_is_made_again(logged):
    study = logged()
    run(study, progress=False)
    path = next((work_folder(study) / "runs").glob("tuning*.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert read_summary(path, declaration="", run="") is None
    (work_folder(study) / "runs.sqlite").unlink()
    run(study, progress=False)
    assert len(logged.carried_out()) == len(planned(study)) + 1


def test_a_long_run_goes_on_from_its_checkpoint(logged, monkeypatch):
    resumed, load_checkpoint = [], Run.load
    monkeypatch.setattr(
        Run, "load", lambda self, *given: (load_checkpoint(self, *given), resumed.append(self.step))
    )
    study = replace(logged(at=1, do="interrupt"), checkpoint_every=4)
    with pytest.raises(KeyboardInterrupt):
        run(study, progress=False)
    assert list((work_folder(study) / "runs").glob("*.checkpoint"))
    run(study, progress=False)
    assert resumed == [8]  # interrupted in step 10, the checkpoint before it is of step 8
    plain = replace(study, checkpoint_every=None)
    first = planned(study)[0]
    with Storage(study) as book:
        kept = book.finished()[first.key]
    _, summary = carry_out(plain, first, kept["options"] | {"at": None}, prepare(study.data))
    assert summary["train_loss"] == kept["train_loss"]
    assert not list((work_folder(study) / "runs").glob("*.checkpoint"))
