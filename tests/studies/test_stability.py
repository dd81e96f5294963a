"""The measured boundary and speeds follow the rules that run, and the verdicts follow the measurements."""

import numpy as np
import pytest

from optkit.rules import RULES
from optkit.studies import stability as study
from optkit.studies.ledger import claim


def test_c01_and_c02_are_in_the_ledger_and_hold():
    for id in ("C01", "C02"):
        found = claim(id)
        assert found.verdict == "holds"
        assert found.seeds == study.SEEDS and len(found.seeds) >= 5


def test_every_seed_has_the_spectrum_and_its_own_axes():
    hessians, starts = study.bowls(100.0)
    curvatures = np.linalg.eigvalsh(hessians)
    np.testing.assert_allclose(curvatures[:, [0, -1]], [[1.0, 100.0]] * len(study.SEEDS))
    assert len({round(start[0], 6) for start in starts}) == len(study.SEEDS)
    assert not np.allclose(hessians[0], hessians[1])


@pytest.mark.parametrize("condition", study.PROTOCOL["conditions"])
def test_the_boundary_is_the_limit(condition):
    np.testing.assert_allclose(study.boundary(condition), 2 / condition, rtol=1e-3)


def test_a_longer_step_would_move_the_boundary(monkeypatch):
    longer = {
        **RULES,
        "gradient_descent": lambda theta, g, t, *, lr: RULES["gradient_descent"](theta, g, t, lr=1.05 * lr),
    }
    monkeypatch.setattr(study, "RULES", longer)
    np.testing.assert_allclose(study.boundary(10.0), 0.2 / 1.05, rtol=1e-3)
    assert study.CLAIMS["C01"]().verdict == "not reproduced here"


class _Forgetful:
    """Momentum that forgets more than it should."""

    state = ("v",)

    def __call__(self, theta, g, v, t, *, lr, momentum):
        return RULES["momentum_standard"](theta, g, v, t, lr=lr, momentum=0.9 * momentum)


def test_a_momentum_that_forgets_would_be_noticed(monkeypatch):
    monkeypatch.setattr(study, "RULES", {**RULES, "momentum_standard": _Forgetful()})
    assert study.CLAIMS["C02"]().verdict != "holds"


def test_around_the_best_setting_nothing_is_faster():
    for one in study.speeds(100.0).values():
        assert one["best"] == pytest.approx(one["formula"], rel=0.02)
        assert one["neighbours"].max() <= one["best"].max() + 1e-12
        # The search is a search: some neighbour is slower by far.
        assert one["neighbours"].min() < 0.5 * one["formula"]


def test_the_verdict_needs_every_condition_number(monkeypatch):
    monkeypatch.setattr(study, "boundary", lambda kappa: np.full(5, (2.1 if kappa > 50 else 2.0) / kappa))
    assert study.CLAIMS["C01"]().verdict == "holds under conditions"
