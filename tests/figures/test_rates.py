"""Steps under given gradients: what the rules do, and what the alternative texts say of it."""

import re

import numpy as np
import pytest

from optkit.figures.rates import bias_correction_and_scale, effective_rates, steps_under
from optkit.rules import RULES


@pytest.mark.parametrize(
    "name", ["gradient_descent", "adagrad", "rmsprop", "adam", "radam", "momentum_common"]
)
def test_steps_are_those_of_a_run(name):
    rule, theta = RULES[name], np.array([0.3, -2.0])
    gradients = np.random.RandomState(0).standard_normal((12, 2))
    steps, state = steps_under(rule, gradients, lr=0.1), [np.zeros(2) for _ in rule.state]
    for t, gradient in enumerate(gradients, start=1):
        moved, *state = rule(theta, gradient, *state, t, lr=0.1)
        np.testing.assert_allclose(theta - moved, steps[t - 1], rtol=1e-9, atol=1e-12)
        theta = moved


def test_adagrad_falls_as_one_over_root_t_and_rmsprop_recovers():
    ones = steps_under(RULES["adagrad"], np.ones(100), lr=1.0, eps=0.0)
    np.testing.assert_allclose(ones, 1 / np.sqrt(np.arange(1, 101)))
    gradients = np.where(np.arange(3000) < 1000, 1.0, 0.1)
    rates = steps_under(RULES["rmsprop"], gradients, lr=0.01) / gradients
    assert rates[-1] == pytest.approx(10 * rates[999], rel=1e-3)


def test_the_alt_text_says_which_rate_recovers():
    _, alt = effective_rates()
    assert re.search(r"AdaGrad .*after the change it falls by 1\.0%, and it never rises\.", alt)
    assert re.search(r"RMSProp .*after the change it rises 9\.9-fold\.", alt)


def test_adams_first_step_without_correction_is_the_stated_factor():
    _, alt = bias_correction_and_scale()
    factor = (1 - 0.9) / np.sqrt(1 - 0.999)
    assert f"the first step is {factor:.3g} times" in alt
    assert "with bias correction every step is 1;" in alt
    assert f"{1 / np.sqrt(2):.2g} at a gradient of 1e-04" in alt


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match="change must be >= 1 and < steps = 10, got 10"):
        effective_rates(steps=10, change=10)
    with pytest.raises(ValueError, match=r"factor must be > 0 and < 1, got 1.5"):
        effective_rates(factor=1.5)
    with pytest.raises(ValueError, match="steps must be >= 2, got 1"):
        bias_correction_and_scale(steps=1)
