"""The figures that open chapters 1 and 10: paths around the limit of stability, and on INNA's ravine."""

import re

import numpy as np
import pytest

from optkit.figures.descent import rates_around_the_limit
from optkit.figures.ravine import damping_on_the_ravine, inna_paths
from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.trajectories import run

SETTINGS = ((0.5, 0.01), (0.5, 0.1), (1.3, 0.1))


def test_measured_factors_are_those_of_the_formula():
    _, alt = rates_around_the_limit(condition=25.0, steps=400, shown=5)
    found = re.findall(r"by the factor ([\d.]+) in the last one \(([\d.]+) by the formula\)", alt)
    assert len(found) == 3
    assert all(measured == formula for measured, formula in found)
    assert [float(formula) < 1 for _, formula in found] == [True, True, False]
    assert "The limit of stability is 0.08:" in alt
    assert "Newton's method is there after 1 step." in alt


def test_the_best_of_the_three_rates_is_the_best_one():
    figure, _ = rates_around_the_limit()
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[1].lines}
    assert min(ends, key=ends.get) == r"$\epsilon = 0.182$"  # 2/(10 + 1)


@pytest.mark.parametrize("paper_start", [True, False])
def test_side_by_side_the_paths_are_those_of_single_runs(paper_start):
    together = inna_paths(SETTINGS, lr=1e-3, steps=200, paper_start=paper_start)
    for index, (alpha, beta) in enumerate(SETTINGS):
        alone = run(RULES["inna"], PROBLEMS["nonsmooth_ravine"], steps=200, lr=1e-3, alpha=alpha, beta=beta,
                    paper_start=paper_start)  # fmt: skip
        assert np.array_equal(together[:, index], alone.theta)


def test_more_damping_of_either_kind_means_fewer_crossings():
    _, alt = damping_on_the_ravine(SETTINGS, steps=100_000)
    crossings = [int(n) for n in re.findall(r"crosses the floor of the ravine (\d+) times", alt)]
    assert crossings[0] > 5 * crossings[1] > 0
    assert crossings[1] >= crossings[2]
    assert "alpha 0.5, beta 0.01 is still" in alt
    assert len(re.findall(r"is within 0\.1 of the minimum from step", alt)) == 2


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"condition": 1.0}, "condition must be > 1, got 1.0"),
        ({"slow": 1.0}, "slow must be > 0 and < 1"),
        ({"fast": 0.9}, "fast must be > 1"),
        ({"shown": 50}, "shown must be >= 1 and <= steps = 40, got 50"),
    ],
)
def test_arguments_out_of_range_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        rates_around_the_limit(**argument)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="beta must be"):
        inna_paths([(0.5, 0.0)])
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        inna_paths([(0.5, 0.1)], steps=0)
