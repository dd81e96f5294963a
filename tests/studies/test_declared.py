"""The declared studies of C09, C10 and C19: fair, run on a tiny scale, with verdicts from numbers."""

import pytest

from optkit.studies import inna, ledger, scheduling
from optkit.studies.engine import Budget, Data, load, rows, run
from optkit.studies.engine.plan import planned

DECLARED = sorted(ledger.declared().items())
TINY = {"data": Data("digits", validation=100, train=300), "trials": 2, "fresh_seeds": (1,)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    return tmp_path


def store(study, arms):
    from optkit.studies.engine import digest

    ledger.save(study.name, {"arms": arms}, command="x", seeds=[], declaration=digest(study))


@pytest.mark.parametrize(("name", "study"), DECLARED)
def test_every_declared_study_is_fair(name, study):
    study.check()
    assert len(study.fresh_seeds) >= 5 and study.score in ("train_loss", "validation_loss")
    assert study.plan
    tuned = [arm for arm in study.arms.values() if arm.space]
    assert any(arm.defaults is not None for arm in tuned)
    # Every tuned arm is searched over at least a hundredfold range of learning rates.
    assert all(arm.space["lr"].high / arm.space["lr"].low >= 100 for arm in tuned)
    counts = {
        arm: sum(run.stage == "tuning" and run.arm == arm for run in planned(study)) for arm in study.arms
    }
    assert len({counts[name] for name, arm in study.arms.items() if arm.space}) == 1


@pytest.mark.parametrize("study", inna.PAPER, ids=lambda study: study.name)
def test_the_studies_of_the_paper_run_on_a_tiny_scale(folder, study):
    tiny = study.smaller(budget=Budget(4, 32, 2), model_options={"width": 6}, checkpoint_every=2, **TINY)
    run(tiny, progress=False)
    table = rows(load(tiny)["data"])
    assert [row["arm"] for row in table if "defaults" not in row["arm"]] == list(study.arms)
    assert load(tiny)["data"]["cost"]["failed"] == 0
    epoch = study.budget.evaluate_every
    assert (study.budget.steps, study.tuning_budget.steps) == (200 * epoch, 15 * epoch)


@pytest.mark.parametrize("study", [scheduling.STEP_DECAY, scheduling.SCALING, inna.COMPARISON])
def test_the_small_studies_run_on_a_tinier_scale(folder, study):
    tiny = study.smaller(model="mlp", budget=Budget(4, 32, 2), **TINY)
    run(tiny, progress=False)
    assert load(tiny)["data"]["cost"]["runs"] == len(planned(tiny))


def test_an_epoch_is_an_epoch_at_every_batch_size():
    for arm in scheduling.SCALING.arms:
        budget = scheduling.SCALING.budget_of(arm, "fresh")
        assert budget.steps == 6 * budget.evaluate_every
        assert (
            (budget.evaluate_every - 1) * budget.batch_size
            < 8000
            <= budget.evaluate_every * budget.batch_size
        )


def falls(*losses):
    """A run whose training loss at the epochs 4, 5, 8 and 9 is this."""
    return {"curve": {"step": [125 * epoch for epoch in (4, 5, 8, 9)], "train_loss": list(losses)}}


@pytest.mark.parametrize(
    ("decayed", "held", "expected"),
    [
        (falls(0.5, 0.4, 0.39, 0.37), falls(0.5, 0.45, 0.41, 0.40), "holds"),
        (falls(0.5, 0.4, 0.39, 0.385), falls(0.5, 0.45, 0.41, 0.40), "holds under conditions"),
        (falls(0.5, 0.46, 0.39, 0.37), falls(0.5, 0.45, 0.41, 0.40), "not reproduced here"),
        (falls(0.5, None, None, None), falls(0.5, 0.45, 0.41, 0.40), "not reproduced here"),
    ],
)
def test_c09_follows_from_the_falls(folder, decayed, held, expected):
    store(scheduling.STEP_DECAY, {"step decay": {"fresh": [decayed] * 5}, "held": {"fresh": [held] * 5}})
    assert ledger.claim("C09").verdict == expected


def accuracies(base, *, without, with_):
    """Arms that keep the accuracy up to k, and lose two points beyond."""
    arms = {}
    for name in scheduling.SCALING.arms:
        k = int(name.split()[2].rstrip(","))
        limit = with_ if "warm" in name else without
        found = base if k <= limit else base - 0.02
        arms[name] = {"fresh": [{"outcome": "finished", "test_accuracy": found}] * 5}
    return arms


@pytest.mark.parametrize(
    ("without", "with_", "expected"),
    [
        (8, 16, "holds"),
        (8, 8, "holds under conditions"),
        (64, 64, "holds under conditions"),
        (8, 4, "not reproduced here"),
    ],
)
def test_c10_follows_from_the_limits(folder, without, with_, expected):
    store(scheduling.SCALING, accuracies(0.85, without=without, with_=with_))
    assert scheduling.limits(load(scheduling.SCALING)["data"]["arms"]) == {"without": without, "with": with_}
    assert ledger.claim("C10").verdict == expected


def test_a_diverged_run_ends_the_rule():
    found = accuracies(0.85, without=64, with_=64)
    found["k = 8"]["fresh"][2] = {"outcome": "diverged", "test_accuracy": None}
    assert scheduling.limits(found) == {"without": 4, "with": 64}
    found["k = 1"] = found["k = 8"]
    assert scheduling.limits(found) == {"without": 0, "with": 0}


@pytest.mark.parametrize(
    ("loss", "accuracy", "expected"),
    [
        (0.1, 0.88, "holds"),
        (0.1, 0.86, "holds under conditions"),
        (0.3, 0.88, "holds under conditions"),
        (0.3, 0.86, "not reproduced here"),
    ],
)
def test_c19_follows_from_both_medians(folder, loss, accuracy, expected):
    rival = {"outcome": "finished", "train_loss": 0.2, "test_accuracy": 0.88}
    arms = {name: {"fresh": [rival] * 5} for name in inna.COMPARISON.arms}
    mine = {"outcome": "finished", "train_loss": loss, "test_accuracy": accuracy}
    lost = {"outcome": "diverged", "train_loss": None, "test_accuracy": None}
    arms["INNA, q = 0.25"] = {"fresh": [mine] * 4 + [lost]}
    store(inna.COMPARISON, arms)
    assert ledger.claim("C19").verdict == expected
