"""Surfaces: the contours are the problem's, the paths are those given, the text says where they end."""

import numpy as np
import pytest

from optkit.figures import FACES
from optkit.figures.surface import surface
from optkit.problems import PROBLEMS


def test_a_path_is_drawn_as_given_in_the_face_of_its_rule():
    points = np.array([[-4.0, 1.5], [-2.0, -1.0], [0.0, 0.0]])
    figure, alt = surface(PROBLEMS["quadratic"], {"adam": points, "mine": points[:2]})
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_array_equal(drawn["Adam"].get_xydata(), points)
    assert drawn["Adam"].get_color() == FACES["adam"].colour
    assert "Adam: 2 steps from (-4, 1.5) to (0, 0), where the function is 0" in alt
    assert "mine: 1 steps" not in alt and "mine: 1 step from (-4, 1.5) to (-2, -1)" in alt


def test_the_text_says_how_long_the_way_was():
    square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    _, alt = surface(PROBLEMS["quadratic"], {"around": square})
    assert "3.0 times as long as the straight line" in alt


def test_contours_are_the_problem_at_their_level():
    problem = PROBLEMS["rosenbrock"]
    figure, _ = surface(problem)
    lines = figure.axes[0].collections[-1]
    checked = 0
    for level, path in zip(lines.levels[:5], lines.get_paths()[:5], strict=True):
        values = problem.loss(path.vertices)
        assert np.median(np.abs(values - level)) < 0.15 * max(level, 0.2)
        checked += len(values)
    assert checked > 100


def test_a_path_that_leaves_the_numbers_is_cut_and_named():
    _, alt = surface(PROBLEMS["quadratic"], {"wild": [[0.0, 0.0], [2.0, 0.0], [np.inf, np.nan]]})
    assert "wild: 1 step from (0, 0) to (2, 0)" in alt and "not finite after step 1" in alt


def test_every_plane_problem_can_be_drawn():
    for problem in PROBLEMS.values():
        if problem.dim == 2:
            figure, alt = surface(problem, {"adam": [problem.start]})
            assert problem.name.replace("_", " ") in alt
            assert figure.axes[0].get_xlim() == problem.window[0]


def test_the_minima_in_the_window_are_marked():
    figure, _ = surface(PROBLEMS["himmelblau"])
    stars = [line.get_xydata()[0] for line in figure.axes[0].lines if line.get_marker() == "*"]
    np.testing.assert_array_equal(sorted(map(tuple, stars)), sorted(PROBLEMS["himmelblau"].minima))


@pytest.mark.parametrize("points", [[], [[1.0, 2.0, 3.0]], [1.0, 2.0]])
def test_points_of_another_shape_are_refused(points):
    with pytest.raises(ValueError, match=r"path 'x' must be of shape \(steps \+ 1, 2\), got"):
        surface(PROBLEMS["quadratic"], {"x": points})


def test_a_problem_of_one_parameter_is_refused():
    with pytest.raises(ValueError, match="must have 2 parameters"):
        surface(PROBLEMS["relu_difference"])
