"""Averages of a real loss curve: what is chosen, learned and stored."""

import numpy as np
import pytest

from optkit.averages import variance_factor
from optkit.studies import ledger
from optkit.studies import smoothed_losses as losses

SEED = losses.FRESH_SEEDS[0]
RNG = np.random.default_rng(11)


def curve(truth, noise=0.2):
    truth = np.asarray(truth, dtype=float)
    return losses.Curve(truth + noise * RNG.standard_normal(len(truth)), truth)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(losses, "STEPS", 120)


def test_a_real_curve_scatters_about_its_truth(short):
    run = losses.loss_curve(SEED)
    assert run.loss.shape == run.truth.shape == (120,)
    assert run.truth[0] == pytest.approx(np.log(10), abs=0.2)  # ten classes, nothing learned yet
    noise = run.loss - run.truth
    assert abs(noise.mean()) < 3 * noise.std() / np.sqrt(len(noise))
    np.testing.assert_array_equal(run.loss, losses.loss_curve(SEED).loss)


def test_a_level_curve_asks_for_a_long_window_and_a_steep_one_for_a_short():
    def best(truth):
        tried = losses.choices(curve(truth))
        return [losses.WINDOWS[int(np.argmin(errors["second half"]))] for errors in tried.values()]

    assert min(best(np.zeros(2000))) >= 50
    assert max(best(np.linspace(40, 0, 2000))) <= 14


def test_prediction_error_is_distance_to_the_truth_plus_noise():
    noise = 0.2
    tried = losses.choices(curve(np.zeros(40_000), noise))
    expected = tried["truth"]["second half"] ** 2 + noise**2
    np.testing.assert_allclose(tried["prediction"]["second half"], expected, rtol=0.03)


def test_learned_weights_win_where_they_were_learned_and_on_a_series_with_a_pattern():
    found = losses.learned(curve(np.linspace(1, 0, 2000)))
    assert found["first half"]["learned weights"] < found["first half"]["plain mean"]
    assert found["weights"].shape == (losses.LEARNED_WINDOW,)
    assert found["weights"].sum() == pytest.approx(1)
    wave = losses.learned(curve(np.sin(np.arange(2000) / 2)))  # a rhythm that weights can learn
    assert wave["second half"]["learned weights"] < 0.5 * wave["second half"]["EWMA"]


def test_independent_noise_passes_as_the_formula_says():
    alphas = (0.5, 0.9)
    found = losses.noise_through(curve(np.zeros(60_000)), alphas)
    np.testing.assert_allclose(found, [variance_factor(alpha) for alpha in alphas], rtol=0.1)


def test_gradients_held_are_averaged_as_the_formula_says():
    found = losses.gradients_averaged(SEED, steps=300)["held"]
    ratio = found["error_averaged"] / found["error"]
    assert ratio == pytest.approx(np.sqrt(variance_factor(0.9)), rel=0.25)
    assert found["cosine_averaged"] > found["cosine"]


def test_repeat_stores_what_the_claims_read(short, monkeypatch, tmp_path):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    monkeypatch.setattr(losses, "PAST", 30)
    monkeypatch.setattr(
        losses, "gradients_averaged", lambda seed: {"held": {"error": 1.0}, "moving": {"error": 2.0}}
    )
    declared = losses.DECLARED["smoothed_losses"] | {"seeds": (0, 1)}
    monkeypatch.setitem(losses.DECLARED, "smoothed_losses", declared)
    losses.repeat(seeds=(0, 1))
    assert len(losses.stored()["data"]["runs"]) == 2
    for make in losses.CLAIMS.values():
        found = make()
        assert found.verdict in ledger.VERDICTS
        assert found.seeds == (0, 1)


def test_verdicts_count_the_seeds():
    result = {"seeds": [0, 1, 2]}

    def verdict_of(holds):
        return losses._from_runs("C99", "a", [1.0, 2.0, 3.0], "{:.1f}", "times", holds, result).verdict

    assert verdict_of([True, True, True]) == "holds"
    assert verdict_of([True, True, False]) == "holds under conditions"
    assert verdict_of([True, False, False]) == "not reproduced here"


def test_the_stored_result_has_all_seeds_and_finite_numbers():
    stored = losses.stored()
    assert tuple(stored["seeds"]) == losses.FRESH_SEEDS
    assert len(stored["data"]["runs"]) == len(losses.FRESH_SEEDS)
    assert stored["data"]["windows"] == list(losses.WINDOWS)
