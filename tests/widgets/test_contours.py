"""Contour lines in Node against contourpy's, on every problem of the course."""

import json

import numpy as np
import pytest
from contourpy import contour_generator

from optkit.figures.surface import _levels
from optkit.problems import PROBLEMS

PLANE = [problem for problem in PROBLEMS.values() if problem.dim == 2]
GRID = 61


def heights(problem, nx=GRID, ny=GRID - 10):
    (left, right), (bottom, top) = problem.window
    xs, ys = np.linspace(left, right, nx), np.linspace(bottom, top, ny)
    x, y = np.meshgrid(xs, ys)
    return xs, ys, problem.loss(np.stack([x, y], axis=-1))


def lines_in_node(run_node, xs, ys, values, levels):
    flat = ["NaN" if np.isnan(v) else float(v) for v in values.ravel()]
    return run_node(f"""
import {{ contours }} from "./contours.js";
const values = Float64Array.from({json.dumps(flat)}.map(Number));
const found = contours(values, {xs.tolist()}, {ys.tolist()}, {json.dumps(list(levels))});
answer(found.map(({{ level, lines }}) => [level, lines.map((line) => [...line])]));
""")


def canonical(line):
    """Points in one order: an open line from its smaller end, a closed one from its smallest point."""
    points = [tuple(point) for point in np.round(np.reshape(line, (-1, 2)), 9) + 0.0]
    if points[0] != points[-1]:
        return min(points, points[::-1])
    ring = points[:-1]
    turns = [way[i:] + way[:i] for way in (ring, ring[::-1]) for i in range(len(ring))]
    return [min(turns)[0], *min(turns)[1:], min(turns)[0]]


def same(found, expected):
    assert len(found) == len(expected)
    ours, theirs = (sorted(map(canonical, lines)) for lines in (found, expected))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("problem", PLANE, ids=lambda problem: problem.name)
def test_lines_are_those_of_contourpy(run_node, problem):
    xs, ys, values = heights(problem)
    # Between the grid's own values: on a corner that lies exactly at a level a line may pass either side.
    levels = _levels(values)[:-1] * (1 + 1e-9) + 1e-9
    oracle = contour_generator(xs, ys, values, name="serial")
    for level, lines in lines_in_node(run_node, xs, ys, values, levels):
        same(lines, oracle.lines(level))


def test_a_hole_of_nan_is_left_out_and_ends_the_lines(run_node):
    xs, ys, values = heights(PROBLEMS["quadratic"])
    values[20:25, 30:40] = np.nan
    oracle = contour_generator(xs, ys, np.ma.masked_invalid(values), name="serial", corner_mask=False)
    for level, lines in lines_in_node(run_node, xs, ys, values, [0.7, 3.3, 11.1]):
        same(lines, oracle.lines(level))


def test_both_kinds_of_saddle_cell(run_node):
    xs = ys = np.array([0.0, 1.0])
    for values in ([[1.0, 0.0], [0.0, 1.2]], [[0.0, 1.0], [1.2, 0.0]]):
        values = np.array(values)
        for level in (0.4, 0.6):
            ((_, lines),) = lines_in_node(run_node, xs, ys, values, [level])
            same(lines, contour_generator(xs, ys, values, name="serial").lines(level))


def test_levels_need_no_order_and_come_back_in_the_given_one(run_node):
    xs, ys, values = heights(PROBLEMS["quadratic"], 21, 21)
    found = lines_in_node(run_node, xs, ys, values, [5.0, 0.5, 50.0, 1e9])
    assert [level for level, _ in found] == [5.0, 0.5, 50.0, 1e9]
    assert found[3][1] == [] and len(found[1][1]) == 1


@pytest.mark.parametrize("name", ["rosenbrock", "monkey_saddle"])
def test_levels_are_those_of_the_printed_figure(run_node, name):
    _, _, values = heights(PROBLEMS[name])
    found = run_node(f"""
import {{ quantileLevels }} from "./contours.js";
answer(quantileLevels({json.dumps(values.ravel().tolist())}));
""")
    np.testing.assert_allclose(found, _levels(values), rtol=1e-12)
