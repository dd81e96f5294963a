"""The figures of chapter 5 draw what they say."""

import numpy as np
import pytest

from optkit.figures.adaptive import following, gradient_sizes, rms_gap, steps_when_turned


def test_sizes_are_drawn_in_order_and_their_spread_is_said():
    weights = np.geomspace(1e-3, 1.0, 1000)[::-1]
    figure, alt = gradient_sizes({"weights": weights, "dead": np.zeros(1000)}, np.array([[1e-3, 1.0]]))
    right = next(axes for axes in figure.axes if axes.get_yscale() == "log" and axes.lines)
    np.testing.assert_allclose(right.lines[0].get_ydata(), weights[::-1])
    assert len(right.lines[1].get_ydata()) == 0
    assert "Of all 2000 parameters 50.0% have no gradient" in alt
    assert "at most 1, and 0.001 in the upper left corner" in alt
    with pytest.raises(ValueError, match="at least 1 gradient above 0"):
        gradient_sizes({"dead": np.zeros(3)}, np.ones((2, 2)))


def test_turning_the_axes_is_nothing_to_descent_and_much_to_adagrad():
    figure, _ = steps_when_turned(angles=(0.0, 30.0), starts=12)
    descent, adagrad, _ = (line.get_ydata() for line in figure.axes[0].lines)
    assert abs(descent[0] - descent[1]) <= 2  # the circle of starts is not turned along
    assert adagrad[1] > 5 * adagrad[0]


def test_adagrad_falls_behind_a_moving_minimum_and_rmsprop_does_not():
    settings = {"A": ("adagrad", {"lr": 2.0}), "R": ("rmsprop", {"lr": 0.1})}
    figure, _ = following(settings, seed=0)
    adagrad, rmsprop = (line.get_ydata() for line in figure.axes[0].lines)
    assert (np.diff(adagrad[1:]) > 0).all() and adagrad[-1] > 1.5 * adagrad[0]
    assert rmsprop[-1] < 1.05 * rmsprop[0]


def test_the_gap_of_a_rule_that_stands_still_is_that_of_the_minimum():
    assert rms_gap("gradient_descent", seed=0, periods=2, runs=2, lr=1e-12) == pytest.approx(3 / 2**0.5)
