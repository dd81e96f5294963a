"""Softmax regression with its exact Hessian, against torch; and what is claimed and stored."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from optkit.data import digits
from optkit.studies import newton_softmax as study
from optkit.studies.ledger import ResultError, claim

RANDOM = np.random.RandomState(3)


@pytest.fixture(scope="module")
def small():
    inputs = np.hstack([RANDOM.standard_normal((40, 5)), np.ones((40, 1))])
    return study.SoftmaxRegression(inputs, np.eye(4)[RANDOM.randint(0, 4, 40)], 0.1)


@pytest.fixture(scope="module")
def solved():
    return study.on_digits()


def torch_loss(model, theta):
    scores = torch.as_tensor(model.inputs) @ theta.reshape(model.targets.shape[1], -1).T
    labels = torch.as_tensor(model.targets.argmax(axis=1))
    loss = torch.nn.functional.cross_entropy(scores, labels)
    return loss + model.weight_decay * (theta @ theta) / 2


def test_loss_and_derivatives_are_those_of_torch(small):
    theta, v = RANDOM.standard_normal(small.size), RANDOM.standard_normal(small.size)
    point = torch.as_tensor(theta)

    def loss(at):
        return torch_loss(small, at)

    assert small.loss(theta) == pytest.approx(loss(point).item(), rel=1e-12)
    np.testing.assert_allclose(small.gradient(theta), torch.func.grad(loss)(point), rtol=1e-10, atol=1e-14)
    hessian = torch.autograd.functional.hessian(loss, point).numpy()
    np.testing.assert_allclose(small.hessian(theta), hessian, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(small.product(theta, v), hessian @ v, rtol=1e-9, atol=1e-13)


def test_the_smallest_curvature_is_the_weight_decay(solved):
    model, path = solved
    assert path.converged and path.steps < 12
    assert path.eigenvalues[0] == pytest.approx(model.weight_decay, rel=1e-9)
    assert study.top_curvature(model, path.point) == pytest.approx(path.eigenvalues[-1], rel=1e-6)


def test_descent_is_the_loss_along_plain_steps(solved):
    model, _ = solved
    losses, theta = study.descend(model, lr=0.5, steps=3), np.zeros(model.size)
    for loss in losses:
        assert loss == pytest.approx(model.loss(theta), rel=1e-12)
        theta = theta - 0.5 * model.gradient(theta)


def test_a_run_beyond_the_limit_leaves_the_minimum_and_one_within_does_not(solved):
    model, path = solved
    away = path.point + 1e-6 * RANDOM.standard_normal(model.size) / model.size**0.5
    for share, stays in ((0.97, True), (1.03, False)):
        theta = away
        for _ in range(400):
            theta = theta - share * 2 / path.eigenvalues[-1] * model.gradient(theta)
        assert (np.linalg.norm(theta - path.point) < np.linalg.norm(away - path.point)) is np.bool_(stays)


def test_c01c_is_in_the_ledger_and_holds():
    found = claim("C01c")
    assert found.verdict == "holds"
    assert found.seeds == (0, 1, 2)


def test_the_verdict_follows_the_boundary(monkeypatch):
    monkeypatch.setattr(study, "boundary", lambda model, minimum, top, *, seed: (2.0 + 0.1 * seed) / top)
    assert study.CLAIMS["C01c"]().verdict == "holds under conditions"


@pytest.mark.parametrize("name", study.DECLARED)
def test_the_declared_runs_store_what_they_record(name, monkeypatch, tmp_path, small):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    monkeypatch.setattr(study.SoftmaxRegression, "of", classmethod(lambda cls, data, *, weight_decay: small))
    plan = study.PROTOCOL["gradient_descent"] | {"records": [0, 1, 5]}
    for declared, protocol in study.DECLARED.items():
        monkeypatch.setitem(study.DECLARED, declared, {**protocol, "gradient_descent": plan})
    assert study.repeat() == tmp_path / "newton_softmax.json"
    data = study.stored(name)["data"]
    assert data["parameters"] == small.size
    assert [row["step"] for row in data["newton"]] == list(range(len(data["newton"])))
    assert data["newton"][-1]["gradient"] <= study.PROTOCOL["newton"]["tolerance"]
    descent = data["gradient_descent"]
    assert [row["step"] for row in descent["records"]] == [0, 1, 5]
    assert descent["lr"] == pytest.approx(plan["share"] * 2 / data["top_curvature"])
    losses = [row["loss"] for row in descent["records"]]
    assert losses == sorted(losses, reverse=True) and losses[-1] >= data["newton"][-1]["loss"]


def test_where_full_steps_run_away_halved_ones_arrive():
    random = np.random.RandomState(0)  # 20 classes that 12 numbers do not tell apart
    inputs = np.hstack([random.standard_normal((80, 12)), np.ones((80, 1))])
    model = study.SoftmaxRegression(inputs, np.eye(20)[random.randint(0, 20, 80)], 1e-5)
    full, halved = (
        study._newton(model, {**study.DECLARED[name]["newton"], "steps": 60})[1] for name in study.DECLARED
    )
    assert full[-1]["loss"] > full[0]["loss"]
    assert halved[-1]["gradient"] <= 1e-9
    losses = [row["loss"] for row in halved]
    assert all(later <= earlier * (1 + 1e-14) for earlier, later in pairwise(losses))
    assert {row["length"] for row in halved} > {1.0}


def test_what_is_out_of_range_is_refused(solved):
    with pytest.raises(ValueError, match=r"weight_decay must be >= 0, got -0.1"):
        study.SoftmaxRegression.of(digits(), weight_decay=-0.1)
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        study.top_curvature(solved[0], solved[1].point, steps=0)


def test_without_the_stored_run_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    with pytest.raises(ResultError, match=r"python -m optkit\.studies newton_softmax"):
        study.stored()
