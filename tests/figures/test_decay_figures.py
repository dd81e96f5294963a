"""Losses under schedules and the variance of adaptive rates: what is drawn is what is said."""

import re

import numpy as np
import pytest

from optkit.figures.decay import expected_losses, losses_under_schedules, mean_losses
from optkit.figures.variance import variance_of_rates
from optkit.noise import settled_square
from optkit.schedules import constant, step_decay


def test_a_held_rate_ends_at_the_floor_and_a_drop_goes_below():
    schedules = {"held": constant(), "drop": step_decay(every=150, decay=0.1)}
    _, alt = losses_under_schedules(schedules, steps=300, curvatures=(1.0,), runs=50)
    held, drop = (float(found) for found in re.findall(r"loss (\S+) at the end", alt))
    assert held == pytest.approx(0.5 * settled_square(1.0, lr=0.3, sigma=1.0, m=1), rel=0.02)
    assert drop < held / 5


def test_the_rule_agrees_with_the_formula():
    rates = np.linspace(0.4, 0.01, 100)
    options = {"curvatures": [1.0, 0.1], "start": 2.0, "sigma": 0.5}
    expected = expected_losses(rates, **options)
    np.testing.assert_allclose(mean_losses(rates, seed=0, runs=20_000, **options), expected, rtol=0.05)


def test_without_schedules_or_series_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="schedules must hold"):
        losses_under_schedules({})
    with pytest.raises(ValueError, match="found must hold"):
        variance_of_rates({})


def test_the_rectified_variance_is_the_variance_times_the_square_of_the_factor():
    rows = {"t": [6, 60], "formula": [0.3, 0.2], "factor": [0.5, 1.0], "variance": [[0.2, 0.2], [0.4, 0.2]]}
    figure, alt = variance_of_rates({"0.99": rows})
    assert "rectified between 0.075 and 0.2" in alt and "off by at most 50 %" in alt
    assert figure.axes[0].lines[2].get_ydata() == pytest.approx([0.05, 0.2, 0.1, 0.2])
