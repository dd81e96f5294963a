"""The drift of Adam and the losses by rate: what is drawn is what is said."""

import re

import numpy as np
import pytest

from optkit.dynamics import rare_drift
from optkit.figures.adam import drift_against_memory
from optkit.figures.tuning import losses_by_rate


def test_the_memory_from_which_adam_goes_downhill_is_where_the_drift_changes_sign():
    _, alt = drift_against_memory(measured=(), decays=(0.0,))
    turn = float(re.search(r"from a memory of (\d+) steps", alt)[1])
    before, after = (rare_drift(101, 101.0, beta1=0.0, beta2=1 - 1 / (turn * f)) for f in (0.97, 1.03))
    assert before > 0 > after


def test_what_is_measured_lies_on_the_line():
    figure, _ = drift_against_memory(
        period=11, size=12.0, decays=(0.9,), windows=(5.0, 500.0), measured=(20,)
    )
    line, point = figure.axes[0].lines[:2]
    expected = rare_drift(11, 12.0, beta2=1 - 1 / 20)
    assert point.get_ydata()[0] == pytest.approx(expected, rel=1e-3)
    assert np.interp(20, line.get_xdata(), line.get_ydata()) == pytest.approx(expected, abs=0.01)


def test_a_problem_that_goes_uphill_is_refused():
    with pytest.raises(ValueError, match="size must be > period - 1 = 10"):
        drift_against_memory(period=11, size=9.0)


def test_the_median_over_runs_is_drawn_and_its_best_rate_said():
    losses = [[3.0, 1.0, np.inf], [3.0, 2.0, np.nan], [3.0, 1.5, 9.0]]
    figure, alt = losses_by_rate(
        [0.1, 1.0, 10.0], {"Scale 1": {"adam": losses}, "Scale 2": {"sgd": [4, 2, 1]}}
    )
    assert "Scale 1. Adam: 3 at ε = 0.1, least at ε = 1 with 1.5, diverged at ε = 10." in alt
    assert "Scale 2. sgd: 4 at ε = 0.1, least at ε = 10 with 1, 1 at ε = 10." in alt
    drawn = figure.axes[0].lines[0].get_ydata()
    assert drawn[1] == 1.5 and np.isnan(drawn[2])
    assert list(figure.axes[0].lines[1].get_xydata()[0]) == [1.0, 1.5]


@pytest.mark.parametrize("panels", [{}, {"": {"a": [1.0]}}, {"": {"a": [np.inf, np.nan]}}])
def test_losses_that_do_not_fit_are_refused(panels):
    with pytest.raises(ValueError, match="must h"):
        losses_by_rate([0.1, 1.0], panels)
