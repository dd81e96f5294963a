"""The figures that open chapters 2, 7, 8 and 9: the numbers drawn and said are those of the formulas."""

import re

import numpy as np
import pytest

from optkit.figures.batches import Experiment, expected_loss, linear_scaling, measured_losses
from optkit.figures.noise import noise_against_batch_size, noise_slope
from optkit.figures.schedules import rectification, schedules_and_rectification, usual_schedules
from optkit.figures.sharpness import lifted_minima


def line(axes, label):
    (found,) = [one for one in axes.lines if one.get_label() == label]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


@pytest.fixture(scope="module")
def gram():
    gradients = np.random.RandomState(0).standard_normal((100, 30))
    gradients -= gradients.mean(axis=0)
    return gradients @ gradients.T


def test_the_noise_figure_draws_each_size_once_and_states_its_slope(gram):
    figure, alt = noise_against_batch_size(gram, seed=0, draws=2000)
    (axes,) = figure.axes
    assert line(axes, "measured, with replacement")[0].tolist() == [1, 2, 4, 8, 16, 32, 64, 100]
    assert line(axes, "measured, without replacement")[0].tolist() == [1, 2, 4, 8, 16, 32, 64]
    assert re.findall(r"slope (?:is )?(-\d\.\d\d)", alt) == ["-0.50", "-0.50"]


def test_the_slope_is_that_of_the_law():
    sizes = np.array([1, 2, 4, 8, 16])
    assert noise_slope(sizes, 3.0 * sizes**-0.4) == pytest.approx(-0.4)


def test_rectification_is_the_papers_formula():
    t = np.arange(6, 2000.0)
    rho_inf = 2 / (1 - 0.999) - 1
    rho = rho_inf - 2 * t * 0.999**t / (1 - 0.999**t)
    formula = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    values = rectification(1999, beta2=0.999)
    assert np.isnan(values[:5]).all()
    np.testing.assert_allclose(values[5:], formula, rtol=1e-9)


def test_the_schedules_are_drawn_as_they_are():
    figure, alt = schedules_and_rectification(steps=60, horizon=200)
    for label, schedule in usual_schedules(60).items():
        assert line(figure.axes[0], label)[1].tolist() == schedule.factors(60)
    assert "step decay 1 at first, 1 at most, 0.01 at last" in alt
    assert "starts at step 6" in alt


def test_a_decay_that_never_rectifies_is_refused():
    with pytest.raises(ValueError, match=r"decays must be so near 1 .* got 0.5"):
        schedules_and_rectification(decays=(0.5,), horizon=100)
    with pytest.raises(ValueError, match="steps must be >= 2"):
        schedules_and_rectification(steps=1)


def test_minima_are_lifted_by_their_sharpness():
    figure, alt = lifted_minima(rho=0.2, sharp=16.0, flat=2.0)
    theta, worst = line(figure.axes[0], r"worst loss within $\rho$")
    loss = line(figure.axes[0], r"loss $J(\theta)$")[1]
    assert (worst >= loss).all()
    assert worst[np.abs(theta - 1) < 0.5].min() == pytest.approx(2.0 * 0.2**2 / 2, rel=0.05)
    assert (
        "rises to 0.320 at the sharp minimum and to 0.040 at the flat one; the formula gives 0.320 and 0.040"
        in alt
    )
    with pytest.raises(ValueError, match="the way to the crest"):
        lifted_minima(rho=0.5)
    with pytest.raises(ValueError, match="0 < flat < sharp"):
        lifted_minima(sharp=1.0, flat=2.0)


@pytest.mark.parametrize("factor", [1, 8, 64])
def test_measured_losses_have_the_expected_mean(factor):
    case = Experiment().scaled(factor, scale_rate=True)
    measured = measured_losses(case, seed=3, runs=4000)
    spread = measured.std() / np.sqrt(len(measured))
    assert abs(measured.mean() - expected_loss(case)) < 4 * spread


def test_scaling_keeps_the_budget_of_examples():
    base = Experiment()
    for scale_rate in (True, False):
        case = base.scaled(16, scale_rate=scale_rate)
        assert case.steps * case.batch_size == base.steps * base.batch_size
        assert case.lr == base.lr * (16 if scale_rate else 1)


def test_the_scaling_figure_says_where_the_rule_ends():
    _, alt = linear_scaling(seed=0, runs=20)
    assert "the limit of stability is at k = 100" in alt
    with pytest.raises(ValueError, match="factors must be divisors of steps = 1024, got 3"):
        linear_scaling(seed=0, factors=(1, 3))
