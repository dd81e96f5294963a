"""The paths on INNA's ravine, and what is said of them."""

import re

import numpy as np
import pytest

from optkit.figures.ravine import damping_on_the_ravine, inna_paths
from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.trajectories import run

SETTINGS = ((0.5, 0.01), (0.5, 0.1), (1.3, 0.1))


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


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="beta must be"):
        inna_paths([(0.5, 0.0)])
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        inna_paths([(0.5, 0.1)], steps=0)
