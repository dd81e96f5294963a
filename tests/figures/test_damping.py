"""The figure of INNA's two dampings: drawn and told from the same numbers."""

import numpy as np
import pytest

from optkit.dynamics import damping_ratio, decay_rate
from optkit.figures.damping import damping_by_curvature


def test_what_is_drawn_are_ratio_and_rate():
    figure, alt = damping_by_curvature()
    for axes, formula in zip(figure.axes, (damping_ratio, decay_rate), strict=True):
        assert axes.get_xscale() == axes.get_yscale() == "log"
        lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 2]
        assert len(lines) == 4
        for line, (alpha, beta) in zip(lines, ((0.5, 0.0), (0.5, 0.01), (0.5, 0.1), (1.3, 0.1)), strict=True):
            np.testing.assert_allclose(line.get_ydata(), formula(line.get_xdata(), alpha=alpha, beta=beta))
    # √(αβ), at α/β
    assert "alpha 0.5, beta 0.1: the ratio is lowest, 0.22, at curvature 5" in alt
    assert "alpha 0.5, beta 0: the ratio is lowest, 0.0025, at curvature 1e+04" in alt


def test_a_range_that_is_none_is_refused():
    with pytest.raises(ValueError, match="smallest and largest must be"):
        damping_by_curvature(smallest=2.0, largest=1.0)
