"""Declarations: checked when they are made, hashed by what decides the outcome."""

from dataclasses import replace

import pytest

from optkit.studies.engine import Arm, Budget, Choice, Data, Span, as_json, digest
from optkit.studies.engine.plan import at_the_edge, choose, options, planned, ready
from optkit.studies.engine.points import points


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": "test_loss"}, "score must be one of"),
        ({"score": "steps_to_target", "target": None}, "target must be given"),
        ({"fresh_seeds": (0, 1)}, r"fresh_seeds must differ from tuning_seeds, got \[0\] in both"),
        ({"fresh_seeds": ()}, "at least one seed"),
        ({"trials": 0}, "trials and arms must be >= 1"),
        ({"arms": {}}, "trials and arms must be >= 1"),
        ({"name": "a/b"}, "name must be letters"),
        ({"arms": {"a/b": Arm("torch.optim.SGD")}}, "must hold no /"),
        ({"arms": {"a": Arm("torch.optim.SGD", follow="b")}}, "must follow a tuned arm"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(declare, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(declare(), **changes)


def test_ranges_and_budgets_are_checked():
    for wrong in (lambda: Span(1.0, 1.0), lambda: Span(0.0, 1.0), lambda: Budget(0, 1, 1)):
        with pytest.raises(ValueError, match=r"must be"):
            wrong()
    with pytest.raises(ValueError, match="data must be one of"):
        Data("imagenet", validation=10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "resnet"}, r"'resnet' in optkit\.models"),
        ({"arms": {"a": Arm("torch.optim.Sgd")}}, r"torch\.optim\.Sgd"),
        ({"arms": {"a": Arm("torch.optim.SGD", schedule=(("powr", {}),))}}, r"'powr' in optkit\.schedules"),
        ({"measures": {"sharp": "optkit.nothing.here"}}, r"optkit\.nothing\.here"),
    ],
)
def test_names_that_lead_nowhere_are_found_before_the_first_run(declare, changes, message):
    with pytest.raises(ValueError, match=message):
        declare(**changes).check()


def test_the_hash_is_that_of_what_decides_the_outcome(declare):
    study = declare()
    assert digest(study) == digest(declare())
    assert digest(replace(study, question="Another wording?", plan="an hour")) == digest(study)
    for changes in ({"trials": 4}, {"target": 0.9}, {"budget": Budget(21, 32, 10)}, {"fresh_seeds": (1, 3)}):
        assert digest(replace(study, **changes)) != digest(study), changes


def test_fields_at_their_default_change_no_hash(declare):
    assert as_json(declare().arms["sgd"]) == {
        "optimizer": "torch.optim.SGD",
        "space": {"lr": {"low": 0.01, "high": 0.1}},
        "defaults": {},
    }


def test_points_are_spread_evenly_over_the_declared_ranges():
    rates = [point["lr"] for point in points({"lr": Span(0.01, 1.0)}, 5)]
    assert rates == pytest.approx([0.01, 0.0316227766, 0.1, 0.316227766, 1.0])
    space = {"lr": Span(0.01, 1.0), "momentum": Span(0.5, 0.9, log=False), "nesterov": Choice((True, False))}
    many = points(space, 64)
    assert len({tuple(point.values()) for point in many}) == 64
    assert all(0.01 <= point["lr"] <= 1 and 0.5 <= point["momentum"] <= 0.9 for point in many)
    # A quarter of the points in each quarter of each range, give or take two.
    for low in (0.01, 0.0316, 0.1, 0.316):
        assert abs(sum(low <= point["lr"] < low * 10**0.5 for point in many) - 16) <= 2
    assert points(space, 64) == many
    assert points({}, 64) == [{}]


def test_every_tuned_arm_gets_the_same_number_of_runs(declare):
    arms = {
        "sgd": Arm("torch.optim.SGD", space={"lr": Span(0.01, 1.0)}),
        "momentum": Arm("torch.optim.SGD", space={"lr": Span(0.01, 1.0), "momentum": Choice((0.8, 0.9))}),
        "like sgd": Arm("torch.optim.SGD", follow="sgd"),
        "fixed": Arm("torch.optim.SGD", fixed={"lr": 0.1}, defaults={"lr": 0.001}),
    }
    runs = planned(declare(arms=arms, trials=6, tuning_seeds=(0, 5)))
    count = {(stage, name): 0 for stage in ("tuning", "fresh", "defaults") for name in arms}
    for run in runs:
        count[run.stage, run.arm] += 1
    assert count["tuning", "sgd"] == count["tuning", "momentum"] == 12
    assert count["tuning", "like sgd"] == count["tuning", "fixed"] == 0
    assert {count["fresh", name] for name in arms} == {2}
    assert count["defaults", "fixed"] == 2 and count["defaults", "sgd"] == 0
    assert len({run.key for run in runs}) == len(runs)


def test_the_best_mean_over_the_tuning_seeds_is_chosen_and_runs_fresh(declare):
    arms = {
        "sgd": Arm("torch.optim.SGD", fixed={"nesterov": False}, space={"lr": Span(0.01, 1.0)}),
        "double": Arm("torch.optim.SGD", follow="sgd", scale={"lr": 2.0}, fixed={"momentum": 0.5}),
    }
    study = declare(arms=arms, tuning_seeds=(0, 5))
    table = {0: (1.0, 1.0), 1: (0.1, 1.7), 2: (float("inf"), 0.0)}
    scores = {
        f"tuning/sgd/{trial}/{seed}": value
        for trial, values in table.items()
        for seed, value in zip((0, 5), values, strict=True)
    }
    assert choose(study, "sgd", scores) == 1
    fresh = {run.arm: run for run in planned(study) if run.stage == "fresh"}
    assert options(study, fresh["sgd"], scores) == {"nesterov": False, "lr": 0.1}
    assert options(study, fresh["double"], scores) == {"nesterov": False, "lr": 0.2, "momentum": 0.5}
    assert ready(study, fresh["double"], scores)
    del scores["tuning/sgd/2/5"]
    assert not ready(study, fresh["sgd"], scores) and not ready(study, fresh["double"], scores)


def test_no_point_is_chosen_where_every_trial_was_lost(declare):
    study = declare()
    scores = {run.key: float("inf") for run in planned(study) if run.stage == "tuning"}
    assert choose(study, "sgd", scores) is None
    assert options(study, planned(study)[-3], scores) is None


def test_a_choice_at_the_end_of_its_range_is_said(declare):
    study = declare()
    assert [at_the_edge(study, "sgd", trial) for trial in range(3)] == [["lr"], [], ["lr"]]
