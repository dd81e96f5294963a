"""The figure's scales in Node against matplotlib's, both ways."""

import json

import numpy as np
import pytest
from matplotlib.scale import SymmetricalLogTransform


def both_ways(run_node, kind, domain, values, options="{}"):
    return run_node(f"""
import {{ makeScale }} from "./scales.js";
const scale = makeScale("{kind}", {json.dumps(domain)}, [10, 210], {options});
const values = {json.dumps(values)};
const pixels = values.map(scale.map);
answer([pixels, pixels.map(scale.invert)]);
""")


def place(transformed, ends):
    return 10 + 200 * (transformed - ends[0]) / (ends[1] - ends[0])


def test_linear_also_from_high_to_low(run_node):
    values = [-3.0, 0.0, 1.5, 7.0]
    pixels, back = both_ways(run_node, "linear", [5, -5], values)
    np.testing.assert_allclose(pixels, place(np.array(values), (5, -5)), rtol=1e-13)
    np.testing.assert_allclose(back, values, atol=1e-12)


def test_log(run_node):
    values = [1e-9, 3e-4, 1.0, 250.0]
    pixels, back = both_ways(run_node, "log", [1e-8, 100], values)
    np.testing.assert_allclose(pixels, place(np.log10(values), (-8, 2)), rtol=1e-12)
    np.testing.assert_allclose(back, values, rtol=1e-11)


def test_log_of_zero_lies_below_the_frame_and_not_at_infinity(run_node):
    pixels, _ = both_ways(run_node, "log", [1, 100], [0.0, -1.0])
    assert all(-2000 < pixel < 10 for pixel in pixels)


@pytest.mark.parametrize("threshold", [1.0, 0.01])
def test_symlog_is_matplotlibs(run_node, threshold):
    transform = SymmetricalLogTransform(10, threshold, 1)
    values = [-500.0, -1.0, -0.004, 0.0, 0.01, 0.3, 1.0, 9.0, 1000.0]
    pixels, back = both_ways(run_node, "symlog", [-1000, 1000], values, f"{{threshold: {threshold}}}")
    expected = place(transform.transform(np.array(values)), transform.transform(np.array([-1000.0, 1000.0])))
    np.testing.assert_allclose(pixels, expected, rtol=1e-12)
    np.testing.assert_allclose(back, values, rtol=1e-10, atol=1e-15)
