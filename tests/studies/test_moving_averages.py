"""The measurements of window, lag and noise agree with the formulas, and would notice if they did not."""

import numpy as np
import pytest

from optkit.averages import ewma
from optkit.studies import moving_averages as study
from optkit.studies.ledger import claim


def test_c04_is_in_the_ledger_and_holds():
    found = claim("C04")
    assert found.verdict == "holds"
    assert found.seeds == study.SEEDS and len(found.seeds) >= 5


def test_measured_within_5_percent_with_every_seed():
    found, expected = study.measured(seeds=study.SEEDS[:3], alphas=(0.5, 0.9)), study.formulas((0.5, 0.9))
    for name in ("window", "lag", "variance"):
        np.testing.assert_allclose(found[name], np.tile(expected[name], (3, 1)), rtol=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda series, alpha: ewma(series, alpha**2),
        lambda series, alpha: ewma(series, 1 - alpha),
        lambda series, alpha: np.concatenate([series[:1], ewma(series, alpha)[:-1]]),
    ],
    ids=["another factor", "swapped", "a step late"],
)
def test_a_wrong_average_would_be_noticed(monkeypatch, wrong):
    monkeypatch.setattr(study, "ewma", wrong)
    found, expected = study.measured(seeds=[0], alphas=[0.8], points=20_000), study.formulas([0.8])
    assert any(abs(found[name][0, 0] / expected[name][0] - 1) > 0.05 for name in expected)


def test_claim_follows_the_numbers(monkeypatch):
    monkeypatch.setattr(
        study, "measured", lambda points: {name: 2 * x[None] for name, x in study.formulas().items()}
    )
    assert study.CLAIMS["C04"]().verdict == "not reproduced here"


def test_the_error_is_chance_it_falls_with_the_root_of_the_points():
    few, many = study.largest_error(25_000), study.largest_error(400_000)
    for name in few:
        assert 2 < few[name] / many[name] < 8  # the root of 16 is 4; it is the largest of 40 errors


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match=r"points must be >= 800 for α = 0.95, got 799"):
        study.measured(points=799)


def test_noisy_jump_is_repeatable_and_jumps_in_the_middle():
    values, truth = study.noisy_jump()
    np.testing.assert_array_equal(values, study.noisy_jump()[0])
    assert not np.array_equal(values, study.noisy_jump(seed=1)[0])
    assert np.flatnonzero(np.diff(truth)).tolist() == [79]
    assert np.std(values - truth) == pytest.approx(0.4, rel=0.1)
