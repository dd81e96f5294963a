"""The figures of what a batch costs draw what was measured and what was fitted."""

import numpy as np
import pytest

from optkit.figures.batch_cost import steps_and_examples, time_of_a_step


def test_the_time_of_a_step_is_the_median_and_the_fit_passes_through_it():
    sizes = [1, 16, 256]
    law = 2e-4 + 5e-6 * np.array(sizes)
    figure, alt = time_of_a_step(sizes, np.stack([law, law * 3, law * 0.9]))
    top, bottom = figure.axes
    np.testing.assert_allclose(top.lines[0].get_ydata(), 1e3 * law)
    np.testing.assert_allclose(bottom.lines[0].get_ydata(), 1e6 * law / sizes)
    np.testing.assert_allclose(top.lines[1].get_ydata()[[0, -1]], 1e3 * law[[0, -1]], rtol=1e-9)
    assert "as much as 40 examples" in alt and "7.2 times as long for 256 times the examples" in alt


def test_steps_and_examples_are_drawn_with_the_fit_of_all_runs():
    runs = {"SGD": {10: [110.0, 110.0], 100: [20.0, 20.0]}, "momentum_common": {10: [65.0], 1000: [15.5]}}
    figure, alt = steps_and_examples(runs)
    top, bottom = figure.axes
    dots = [line for line in top.lines if line.get_linestyle() == "None" and line.get_markersize() < 12]
    assert dots[0].get_xdata().tolist() == [10, 10, 100, 100]
    assert "SGD: 110 steps with batches of 10 and 20 with batches of 100 (medians)" in alt
    assert "critical batch size 100, where steps and examples are twice the least, 10 and 1000" in alt
    assert "Momentum" in alt and "critical batch size 33.3" in alt
    rings = [line for line in bottom.lines if line.get_markersize() == 12]
    assert [float(np.squeeze(ring.get_xdata())) for ring in rings] == pytest.approx([2000, 1000])
