"""The root figures: their geometry and the numbers of their texts come from the matrix."""

import numpy as np
import pytest

from optkit.dynamics import best_gradient_descent, best_momentum, rate
from optkit.figures.spectrum import modulus_map, root_paths


def test_the_best_setting_spans_the_whole_critical_curve():
    setting = best_momentum(2.0, 72.0)
    figure, alt = modulus_map({"momentum_standard": setting}, smallest=2.0, largest=72.0)
    ends = figure.axes[0].lines[-1].get_xdata()
    root = setting.momentum**0.5
    np.testing.assert_allclose(ends, [(1 - root) ** 2, (1 + root) ** 2])
    assert f"{rate([2.0, 72.0], lr=setting.lr, momentum=setting.momentum):.3f}" in alt


def test_every_setting_is_in_the_text():
    settings = {"gradient_descent": best_gradient_descent(1, 9), "mine": best_momentum(1, 9)}
    _, alt = modulus_map(settings, smallest=1, largest=9)
    assert "Gradient descent lies at momentum 0, from 0.2 to 1.8" in alt and "modulus 0.800" in alt
    assert "mine lies at momentum 0.25" in alt and "modulus 0.500" in alt


def test_paths_start_at_one_and_at_the_momentum_and_end_at_minus_one():
    figure, alt = root_paths([0.36])
    plus, minus = figure.axes[0].lines[1:3]
    assert plus.get_xdata()[0] == pytest.approx(1.0) and minus.get_xdata()[0] == pytest.approx(0.36)
    assert minus.get_xdata()[-1] == pytest.approx(-1.0)
    radius = np.hypot(*plus.get_xydata().T)
    assert np.isclose(radius, 0.6, atol=1e-6).sum() >= 199  # the whole half circle
    assert "α = 0.36 on the circle of radius 0.6" in alt


@pytest.mark.parametrize("momenta", [[], [1.0], [-0.1, 0.5]])
def test_momenta_out_of_range_are_refused(momenta):
    with pytest.raises(ValueError, match=r"momenta must be values in \[0, 1\)"):
        root_paths(momenta)


def test_an_impossible_spectrum_is_refused():
    with pytest.raises(ValueError, match="0 < smallest <= largest, got 3, 1"):
        modulus_map({}, smallest=3, largest=1)
