"""`optkit study` and `optkit claims`, from the words to what is printed."""

import json
from dataclasses import replace
from typing import ClassVar

import pytest

from optkit.__main__ import main
from optkit.studies import ledger
from optkit.studies.engine import Arm, Budget, Data, Span, Study

SMALL = Study(
    "small",
    "Does it run?",
    data=Data("digits", validation=100, train=300),
    model="logistic_regression",
    budget=Budget(10, 32, 5),
    arms={"sgd": Arm("torch.optim.SGD", space={"lr": Span(0.01, 0.1)}, defaults={})},
    trials=2,
    tuning_seeds=(0,),
    fresh_seeds=(1, 2),
    score="validation_loss",
    plan="A second.",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    monkeypatch.setattr(ledger, "declared", lambda: {"small": SMALL})
    return tmp_path


def said(capsys):
    found = capsys.readouterr()
    return found.out, found.err


def test_run_status_show(folder, capsys):
    assert main(["study", "status", "small"]) == 1
    assert "small has not begun" in said(capsys)[1]
    assert main(["study", "list"]) == 0
    assert "not measured yet\n     A second." in said(capsys)[0]
    assert main(["study", "run", "small"]) == 0
    out, err = said(capsys)
    assert out == f"stored {folder / 'small.json'}\n"
    assert "6 of 6 runs" in err and "00:00" in err  # the bar and its time left
    assert main(["study", "status", "small"]) == 0
    assert (
        "small: 6 of 6 runs, 0 diverged, 0 failed\n  time left for one worker: 0.00 hours" in said(capsys)[0]
    )
    assert main(["study", "show", "small"]) == 0
    out = said(capsys)[0]
    assert "sgd, library defaults" in out and "test accuracy, %: " in out and "runs 6" in out
    assert main(["study", "list"]) == 0
    assert "measured at" in said(capsys)[0]


def test_show_before_the_end_says_so(folder, capsys):
    from optkit.studies.engine.worker import work

    left = [True, True, False]
    work(SMALL, go_on=lambda: left.pop(0))
    assert main(["study", "show", "small"]) == 0
    assert "small is not finished" in said(capsys)[0]
    assert main(["study", "status", "small"]) == 0
    assert "2 of 6 runs" in said(capsys)[0]


def test_a_result_cut_in_half_is_said_and_written_again(folder, capsys):
    assert main(["study", "run", "small"]) == 0
    path = folder / "small.json"
    whole = json.loads(path.read_text())
    path.write_text(path.read_text()[:500])
    assert main(["study", "show", "small"]) == 1
    assert "small.json is no readable JSON" in said(capsys)[1]
    assert main(["study", "run", "small"]) == 0
    assert json.loads(path.read_text())["data"] == whole["data"]


@pytest.mark.parametrize("action", ["run", "status", "show"])
def test_an_unknown_study_names_the_known_ones(folder, capsys, action):
    assert main(["study", action, "smal"]) == 1
    assert said(capsys)[1].startswith(
        "no study 'smal'; there are small. `python -m optkit.studies NAME` repeats"
    )


def test_bad_arguments_are_named(folder, capsys):
    assert main(["study", "run", "small", "--workers", "0"]) == 1
    assert said(capsys)[1] == "workers must be >= 1, got 0\n"
    assert main(["study", "run", "small", "--storage", "mysql://host/base"]) == 1
    assert "storage must be postgresql://" in said(capsys)[1]


def test_a_full_disk_and_a_missing_package_are_said(folder, capsys, monkeypatch):
    from optkit.studies import engine

    def fail(error):
        def run(*_, **__):
            raise error

        monkeypatch.setattr(engine, "run", run)
        assert main(["study", "run", "small"]) == 1
        return said(capsys)[1]

    assert (
        "No space left" in (text := fail(OSError(28, "No space left"))) and "the same command goes on" in text
    )
    assert "pip install 'optkit[studies]'" in fail(ModuleNotFoundError("No module named 'optuna'"))


def test_an_interrupt_ends_with_its_own_status(folder, capsys, monkeypatch):
    from optkit.studies import engine

    def interrupted(*_, **__):
        raise engine.StudyInterrupted("interrupted: 0 of 6 runs of small are kept; the same command goes on")

    monkeypatch.setattr(engine, "run", interrupted)
    assert main(["study", "run", "small"]) == 130
    assert "the same command goes on" in said(capsys)[1]


def test_claims_as_text_and_as_json(capsys):
    assert main(["claims", "C05"]) == 0
    assert said(capsys)[0].startswith("C05  holds\n")
    assert main(["claims", "C05", "--json"]) == 0
    (row,) = json.loads(said(capsys)[0])
    assert row == json.loads(json.dumps(ledger.claim("C05").row()))


def test_an_unknown_claim_names_the_known_ones(capsys):
    assert main(["claims", "C00"]) == 1
    assert said(capsys)[1].startswith("no study states claim 'C00'; there are C0")


@pytest.mark.parametrize("words", [[], ["train"], ["study"], ["study", "run"], ["claims"], ["doctor"]])
def test_help_is_there(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert said(capsys)[0].startswith("usage: optkit")


class Own:
    """Stands for a module that measures without the engine."""

    DECLARED: ClassVar = {"own": {"n": 1}}

    @staticmethod
    def repeat():
        from optkit.studies.engine import digest

        return ledger.save("own", {}, command="x", seeds=[], declaration=digest(Own.DECLARED["own"]))


@pytest.fixture
def two(folder, monkeypatch):
    from optkit.studies.engine import digest

    far = replace(SMALL, name="far", gpu=True)
    monkeypatch.setattr(ledger, "declared", lambda: {"small": SMALL, "far": far})
    monkeypatch.setattr(ledger, "repeatable", lambda: {"own": Own})
    found = {"small": digest(SMALL), "far": digest(far), "own": digest(Own.DECLARED["own"])}
    monkeypatch.setattr(ledger, "declarations", lambda: found)
    return folder


def test_all_says_what_is_missing_and_runs_it_once(two, capsys):
    assert main(["study", "all", "--list"]) == 0
    out = said(capsys)[0]
    assert "small: missing\n     optkit study run small\n" in out
    assert "far: missing, made for a GPU\n     optkit study run far --device cuda\n" in out
    assert "own: missing\n     python -m optkit.studies own\n" in out and "2 to run: small, own" in out
    assert not list(two.glob("*.json"))
    assert main(["study", "all"]) == 0
    assert sorted(path.name for path in two.glob("*.json")) == ["own.json", "small.json"]
    said(capsys)
    assert main(["study", "all"]) == 0
    out = said(capsys)[0]
    assert "small: stored" in out and "own: stored" in out and out.endswith("0 to run\n")


def test_all_measures_again_what_is_cut_in_half_or_of_another_declaration(two, capsys):
    assert main(["study", "all"]) == 0
    (two / "small.json").write_text((two / "small.json").read_text()[:300])
    ledger.save("own", {}, command="x", seeds=[], declaration="a" * 64)
    said(capsys)
    assert main(["study", "all"]) == 0
    out = said(capsys)[0]
    assert "small.json is no readable JSON" in out and "no longer belongs to the declaration of own" in out
    assert main(["study", "all", "--list"]) == 0
    assert "0 to run" in said(capsys)[0]


def test_all_goes_on_after_one_that_cannot_be_stored_and_ends_at_an_interrupt(two, capsys, monkeypatch):
    from optkit.studies import engine

    def run(error):
        def fail(*_, **__):
            raise error

        monkeypatch.setattr(engine, "run", fail)
        return main(["study", "all"])

    assert run(engine.StudyInterrupted("the same command goes on")) == 130
    assert not (two / "own.json").exists()
    assert run(engine.StorageError("the storage does not answer")) == 1
    assert (two / "own.json").exists()
    assert "not stored: small; see the messages above" in said(capsys)[1]
