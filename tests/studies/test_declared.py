"""The declared studies: fair, run on a tiny scale, with verdicts from numbers."""

import pytest

from optkit.studies import adaptive_rates, inna, large_batch, ledger, scheduling, sharpness_aware
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
    assert not tuned or any(arm.defaults is not None for arm in tuned)
    # Every tuned arm is searched over at least a hundredfold range of learning rates.
    assert all(arm.space["lr"].high / arm.space["lr"].low >= 100 for arm in tuned)
    counts = {
        arm: sum(run.stage == "tuning" and run.arm == arm for run in planned(study)) for arm in study.arms
    }
    assert len({counts[name] for name, arm in study.arms.items() if arm.space}) <= 1


@pytest.mark.parametrize("study", inna.PAPER, ids=lambda study: study.name)
def test_the_studies_of_the_paper_run_on_a_tiny_scale(folder, study):
    tiny = study.smaller(budget=Budget(4, 32, 2), model_options={"width": 6}, checkpoint_every=2, **TINY)
    run(tiny, progress=False)
    table = rows(load(tiny)["data"])
    assert [row["arm"] for row in table if "defaults" not in row["arm"]] == list(study.arms)
    assert load(tiny)["data"]["cost"]["failed"] == 0
    epoch = study.budget.evaluate_every
    assert (study.budget.steps, study.tuning_budget.steps) == (200 * epoch, 15 * epoch)


SMALL = [
    scheduling.STEP_DECAY, scheduling.SCALING, inna.COMPARISON, inna.DAMPING, sharpness_aware.SAM_AGAINST_SGD,
    large_batch.BATCH_SIZE, large_batch.EQUAL_STEPS, large_batch.GHOSTS, adaptive_rates.ADAPTIVE,
]  # fmt: skip


@pytest.mark.parametrize("study", SMALL, ids=lambda study: study.name)
def test_the_small_studies_run_on_a_tinier_scale(folder, study):
    tiny = study.smaller(model="mlp", model_options={"hidden": (6,)}, budget=Budget(4, 32, 2), **TINY)
    run(tiny, progress=False)
    cost = load(tiny)["data"]["cost"]
    assert (cost["runs"], cost["failed"]) == (len(planned(tiny)), 0)
    for arm in load(tiny)["data"]["arms"].values():
        for one in arm["fresh"]:
            assert bool(one["measures"]) == bool(study.measures) or one["outcome"] == "diverged"


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


def test_a_diverged_run_ends_the_rule(folder):
    found = accuracies(0.85, without=64, with_=64)
    found["k = 8"]["fresh"][2] = {"outcome": "diverged", "test_accuracy": None}
    assert scheduling.limits(found) == {"without": 4, "with": 64}
    found["k = 64"] = {"fresh": [found["k = 8"]["fresh"][2]] * 5}
    store(scheduling.SCALING, found)
    assert "k = 64: no run trained; k = 64, warm-up: 85.0 (85.0–85.0) %" in ledger.claim("C10").spread
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


def sharp(rise, top, accuracy=0.85):
    measures = {"sharpness": rise, "top_eigenvalue": top}
    return {"outcome": "finished", "measures": measures, "test_accuracy": accuracy}


LOST = {"outcome": "diverged", "measures": {}, "test_accuracy": None, "train_loss": None}


def fresh(*runs):
    return {"fresh": list(runs)}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (sharp(0.1, 9.0), "holds"),
        (sharp(0.1, 11.0), "holds under conditions"),
        (LOST, "holds under conditions"),
    ],
)
def test_c12_follows_from_pairs_and_medians(folder, last, expected):
    found = {name: fresh(*[sharp(0.2, 10.0)] * 5) for name in sharpness_aware.SAM_AGAINST_SGD.arms}
    found["SAM"] = fresh(*[sharp(0.1, 9.0)] * 4, last)
    store(sharpness_aware.SAM_AGAINST_SGD, found)
    assert ledger.claim("C12").verdict == expected
    found["SAM"] = fresh(*[sharp(0.1, 11.0)] * 5)  # flatter by one measure, sharper by the other
    store(sharpness_aware.SAM_AGAINST_SGD, found)
    assert ledger.claim("C12").verdict == "not reproduced here"


def test_sam_pays_two_gradients_and_twice_the_steps_cost_as_many():
    study = sharpness_aware.SAM_AGAINST_SGD
    steps = {name: study.budget_of(name, "fresh").steps for name in study.arms}
    assert steps["SGD, twice the steps"] == 2 * steps["SAM"] == 2 * steps["SGD"]


@pytest.mark.parametrize(
    ("epochs", "steps", "expected"),
    [
        ((0.3, 12.0, 0.84), (0.3, 12.0, 0.84), "holds"),
        ((0.3, 12.0, 0.84), (0.3, 12.0, 0.86), "holds under conditions"),
        ((0.1, 12.0, 0.84), (0.3, 12.0, 0.84), "holds under conditions"),
        ((0.3, 9.0, 0.84), (0.1, 12.0, 0.84), "not reproduced here"),
    ],
)
def test_c13_follows_from_the_largest_batches(folder, epochs, steps, expected):
    found = {name: fresh(*[sharp(0.2, 10.0)] * 5) for name in large_batch.BATCH_SIZE.arms}
    found["batch 1024"] = fresh(*[sharp(*epochs)] * 5)
    found["batch 256, equal steps"] = fresh(*[sharp(*steps)] * 5)
    store(large_batch.BATCH_SIZE, found)
    assert ledger.claim("C13").verdict == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (sharp(0.3, 12.0), "holds"),
        (sharp(0.3, 10.5), "holds under conditions"),
        (LOST, "holds under conditions"),
    ],
)
def test_c13a_follows_from_what_rises_with_every_seed(folder, last, expected):
    found = {
        "batch 16": fresh(*[sharp(0.1, 10.0)] * 5),
        "batch 64": fresh(*[sharp(0.2, 11.0)] * 5),
        "batch 256": fresh(*[sharp(0.3, 12.0)] * 4, last),
    }
    store(large_batch.EQUAL_STEPS, found)
    assert ledger.claim("C13a").verdict == expected
    found["batch 64"] = fresh(*[sharp(0.2, 9.0)] * 5)
    store(large_batch.EQUAL_STEPS, found)
    assert ledger.claim("C13a").verdict == "not reproduced here"


def test_equal_epochs_and_equal_steps_are_equal():
    for study in large_batch.STUDIES:
        first = next(iter(study.arms))
        for name in study.arms:
            budget = study.budget_of(name, "fresh")
            if name.endswith("equal steps") or study is large_batch.EQUAL_STEPS:
                assert budget.steps == study.budget_of(first, "fresh").steps
            else:
                assert budget.steps == 6 * -(-4000 // budget.batch_size)


@pytest.mark.parametrize(
    ("small", "added", "expected"),
    [
        (0.86, (0.01, 0.01), "holds"),
        (0.86, (0.01, 0.0), "holds under conditions"),
        (0.86, (-0.01, 0.01), "holds under conditions"),
        (0.84, (0.01, 0.01), "not reproduced here"),
        (0.86, (-0.01, 0.0), "not reproduced here"),
    ],
)
def test_c14_follows_from_what_ghosts_add(folder, small, added, expected):
    def arm(accuracy):
        return fresh(*[{"outcome": "finished", "test_accuracy": accuracy}] * 5)

    found = {name: arm(0.85) for name in large_batch.GHOSTS.arms} | {"batch 64": arm(small)}
    for ending, more in zip(("", ", equal steps"), added, strict=True):
        found[f"ghosts{ending}"] = arm(0.85 + more)
    store(large_batch.GHOSTS, found)
    assert ledger.claim("C14").verdict == expected
    found["ghosts"]["fresh"][:2] = [LOST] * 2  # three of five seeds are too few
    store(large_batch.GHOSTS, found)
    assert ledger.claim("C14").verdict != "holds"


def test_normalisation_stands_after_each_layer_but_the_last():
    from optkit.models import lenet

    names = [type(layer).__name__ for layer in large_batch.normalised(lenet(), ghost_size=64)]
    after = [names[place + 1] for place, name in enumerate(names[:-1]) if name in ("Conv2d", "Linear")]
    assert after == ["GhostBatchNorm2d"] * 2 + ["GhostBatchNorm1d"] * 2 and names[-1] == "Linear"


@pytest.mark.parametrize(
    ("default", "others", "expected"),
    [
        (0.85, 0.84, "holds"),
        (0.85, 0.82, "holds under conditions"),
        (0.84, 0.85, "not reproduced here"),
    ],
)
def test_c18_follows_from_the_grid(folder, default, others, expected):
    def arm(accuracy):
        return fresh(*[{"outcome": "finished", "test_accuracy": accuracy}] * 5)

    found = {name: arm(0.85) for name in inna.DAMPING.arms} | {inna.DEFAULT: arm(default)}
    found["α = 0.1, β = 1"] = arm(others)
    store(inna.DAMPING, found)
    assert ledger.claim("C18").verdict == expected


@pytest.mark.parametrize(
    ("rmsprop", "adam", "accuracy", "expected"),
    [
        (0.3, 0.2, 0.88, ("holds", "holds")),
        (0.3, 0.2, 0.87, ("holds", "holds under conditions")),
        (0.3, 0.4, 0.87, ("holds", "not reproduced here")),
        (0.5, 0.2, 0.88, ("holds under conditions", "holds")),
    ],
)
def test_c07a_and_c08a_follow_from_losses(folder, rmsprop, adam, accuracy, expected):
    def one(loss, accuracy=0.88):
        return {"outcome": "finished", "train_loss": loss, "test_accuracy": accuracy}

    found = {name: fresh(*[one(0.4)] * 5) for name in adaptive_rates.ADAPTIVE.arms}
    found["RMSProp"] = fresh(*[one(0.3)] * 4, one(rmsprop))
    found["Adam"] = fresh(*[one(adam, accuracy)] * 5)
    store(adaptive_rates.ADAPTIVE, found)
    assert (ledger.claim("C07a").verdict, ledger.claim("C08a").verdict) == expected
