"""The figures of chapter 1: the factor against the rate, Newton's steps, the basins, the costs."""

import re

import numpy as np
import pytest

from optkit.figures import newton as drawn
from optkit.figures.costs import newton_costs
from optkit.figures.stability import factor_against_rate, measured_factor
from optkit.newton import CriticalPoint
from optkit.problems import PROBLEMS


@pytest.mark.parametrize(("condition", "lr"), [(10.0, 0.05), (10.0, 0.19), (10.0, 0.25), (50.0, 0.03)])
def test_a_run_has_the_factor_of_its_slowest_axis(condition, lr):
    assert measured_factor(condition, lr) == pytest.approx(
        max(abs(1 - lr), abs(1 - lr * condition)), rel=1e-6
    )


def test_the_factor_figure_finds_the_lowest_point_and_the_runs_on_the_curve():
    figure, alt = factor_against_rate(condition=20.0)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    larger = np.maximum(lines[r"gentlest axis, $|1-\epsilon\mu|$"].get_ydata(),
                        lines[r"steepest axis, $|1-\epsilon L|$"].get_ydata())  # fmt: skip
    rates = np.asarray(lines[r"steepest axis, $|1-\epsilon L|$"].get_xdata())
    assert rates[larger.argmin()] == pytest.approx(2 / 21, rel=0.01)
    assert float(re.search(r"lowest, ([\d.]+)", alt)[1]) == pytest.approx(larger.min(), abs=0.01)
    assert float(re.search(r"at most (\S+) away", alt)[1]) < 1e-6
    with pytest.raises(ValueError, match="condition must be > 1, got 1"):
        factor_against_rate(condition=1.0)
    with pytest.raises(ValueError, match="steps must be even and >= 2, got 3"):
        measured_factor(10.0, 0.1, steps=3)


def test_the_tangents_end_where_the_next_point_stands():
    figure, alt = drawn.tangents_and_parabolas((1.9, 0.4), steps=2)
    assert "from 1.9 to a minimum at 1 in 6 steps" in alt
    assert "from 0.4 to a maximum at 0 in 4 steps" in alt
    bottom = figure.axes[1]
    (marked,) = [line for line in bottom.lines if line.get_label() == r"from $\theta = 1.9$"]
    points = np.asarray(marked.get_xdata())
    expected = [1.9]
    for _ in range(2):
        x = expected[-1]
        expected.append(x - (x**3 - x) / (3 * x * x - 1))
    np.testing.assert_allclose(points, expected)
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        drawn.tangents_and_parabolas(steps=0)


def test_the_basins_say_what_share_ends_where():
    figure, alt = drawn.basins_of_attraction(PROBLEMS["himmelblau"], side=41)
    assert "Gradient descent: 100 % end at a minimum." in alt
    newton = alt.split("Newton's method: ")[1]
    shares = [float(share) for share in re.findall(r"([\d.]+) % end", newton)]
    assert len(shares) == 3 and sum(shares) == pytest.approx(100, abs=1)
    # From the picture itself: the shades of the minima are the first four.
    picture = figure.axes[1].images[0].get_array()
    assert 100 * (np.asarray(picture) < 4).mean() == pytest.approx(shares[0], abs=0.1)


def test_both_panels_have_one_shade_for_one_minimum():
    figure, _ = drawn.basins_of_attraction(PROBLEMS["himmelblau"], side=41)
    above, below = (np.asarray(axes.images[0].get_array()) for axes in figure.axes[:2])
    # In the corners, next to the four minima, both methods agree.
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert above[corner] == below[corner] < 4
    assert len(np.unique(above[[0, 0, -1, -1], [0, -1, 0, -1]])) == 4


def test_a_start_that_ends_nowhere_is_counted():
    points = [CriticalPoint((0.0,), "minimum"), CriticalPoint((1.0,), "saddle")]
    assert drawn.shares_of_starts([[0, 1], [-1, 0]], points) == {
        "minimum": 0.5, "saddle": 0.25, "maximum": 0.0, None: 0.25,
    }  # fmt: skip


def test_a_landscape_without_minima_or_of_one_parameter_is_refused():
    for name in ("monkey_saddle", "relu_difference"):
        with pytest.raises(ValueError, match="2 parameters and 1 to 4 minima"):
            drawn.basins_of_attraction(PROBLEMS[name])


def test_the_costs_say_the_exponent_and_what_it_leads_to():
    rows = [{"parameters": n, "seconds": [1e-9 * n**3] * 3} for n in (500, 1000, 2000)]
    nets = [{"parameters": n, "gradient": [1e-7 * n], "product": [2.5e-7 * n]} for n in (10**4, 10**6)]
    _, alt = newton_costs([{"solve": rows, "protocol": {"solve": {"fit_from": 1000}}}], {"product": nets})
    assert "a solve takes 8 s at n = 2,000 and grows as n to the power 3.00" in alt
    assert "would be 32 years at 1,000,000" in alt  # 1e-9 · 1e18 s
    assert "2.5 times that" in alt and "to 8 terabytes" in alt
    with pytest.raises(ValueError, match="solves must hold at least 1 result"):
        newton_costs([], {"product": nets})
