"""The figures of what a batch costs draw what was measured and what was fitted."""

import numpy as np
import pytest

from optkit.figures.batch_cost import steps_and_examples, time_of_a_step
from optkit.figures.noise import noise_of_nets


def test_the_time_of_a_step_is_the_lowest_and_the_fit_passes_through_it():
    sizes = [1, 16, 256]
    law = 2e-4 + 5e-6 * np.array(sizes)
    figure, alt = time_of_a_step(sizes, np.stack([law * 1.1, law, law * 3]))
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


def test_the_noise_of_each_net_and_seed_is_drawn_beside_its_line():
    sizes = np.array([1, 4, 16])
    rows = [{"sizes": sizes.tolist(), "noise": (a / sizes**0.5).tolist(), "slope": -0.5} for a in (4.0, 6.0)]
    figure, alt = noise_of_nets({"net": {"with": rows, "without": rows[:1]}}, {"net": "A net"})
    (axes,) = figure.axes
    drawn = [line.get_ydata().tolist() for line in axes.lines]
    assert drawn[:3] == [rows[0]["noise"], rows[1]["noise"], rows[0]["noise"]]
    np.testing.assert_allclose(drawn[3], 5.0 / sizes**0.5)  # the line of the median
    assert "A net: from 5 at m = 1 to 1.25 at m = 16; slopes -0.500 to -0.500 with replacement" in alt
