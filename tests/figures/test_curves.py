"""Curves: what is drawn is what was given, and the alternative text says its numbers."""

import numpy as np
import pytest

from optkit.figures import FACES
from optkit.figures.curves import curves, line_faces


def test_one_run_is_drawn_as_given():
    figure, alt = curves({"adam": [3.0, 2.0, 1.5]}, steps=[10, 20, 30])
    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xydata(), [[10, 3.0], [20, 2.0], [30, 1.5]])
    assert line.get_color() == FACES["adam"].colour
    assert alt == "loss against step, 1 curve. Adam: from 3 to 1.5."


def test_several_runs_give_the_median_in_their_range():
    figure, alt = curves({"mine": [[4.0, 1.0], [5.0, 2.0], [9.0, 6.0]], "other": [8.0, 7.0]})
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [5.0, 2.0])
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 1.0 and band[:, 1].max() == 9.0
    assert "mine: from 5 to 2 (1 to 6 over 3 runs)." in alt and alt.endswith("Lowest at the end: mine.")


def test_a_diverged_run_leaves_the_plot_and_the_text_says_so():
    figure, alt = curves({"a": [1.0, 2.0, np.inf, np.nan], "b": [1.0, 0.5, 0.25, 0.2]}, log=True)
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[2:]).all()
    assert "a: from 1 to 2, then not finite after point 2 of 4." in alt
    assert alt.endswith(".") and "Lowest" not in alt


def test_faces_follow_rule_names_then_order():
    looks = line_faces({"x": 0, "radam": 0, "y": 0, "SGD": 0}, {"SGD": FACES["gradient_descent"]})
    assert looks["radam"] is FACES["radam"]
    assert looks["SGD"].label == "SGD" and looks["SGD"].colour == FACES["gradient_descent"].colour
    assert looks["x"].colour != looks["y"].colour and looks["y"].label == "y"


@pytest.mark.parametrize(
    ("lines", "steps", "message"),
    [
        ({}, None, "at least 1 curve"),
        ({"a": []}, None, "values of 'a'"),
        ({"a": [1.0, 2.0]}, [1, 2, 3], r"got values of shape \(2,\) and steps of shape \(3,\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(lines, steps, message):
    with pytest.raises(ValueError, match=message):
        curves(lines, steps=steps)


def test_rounding_errors_stay_out_of_the_text():
    assert "from 40 to 0." in curves({"a": [40.0, -3.0, 9.9e-17]})[1]
    assert "from 40 to below 4e-08." in curves({"a": [40.0, 3.0, 9.9e-17]}, log=True)[1]


def test_values_that_are_no_losses_are_not_ranked():
    assert "Lowest" not in curves({"a": [1.0], "b": [2.0]}, compare=False)[1]


def test_a_face_for_no_line_is_refused():
    with pytest.raises(KeyError, match="faces names b"):
        curves({"a": [1.0]}, faces={"b": FACES["adam"]})
