"""Figures of series: drawn from the numbers given, told in words that come from the same numbers."""

import numpy as np
import pytest

from optkit.figures.series import (
    averages_over,
    choice,
    formula_against_measurement,
    responses,
    weights_by_age,
)
from optkit.figures.show import picture

T = 40
RAMP = np.arange(1.0, T + 1)
FIGURES = {
    "averages": lambda: averages_over(RAMP, {"late": RAMP - 2}, truth=RAMP),
    "windows": lambda: averages_over(
        RAMP, {"late": RAMP - 2}, truth=RAMP, windows={"Early": (1, 10), "Late": (11, T)}
    ),
    "weights": lambda: weights_by_age({"mean": [0.25] * 4, "newest": [1.0]}),
    "responses": lambda: responses(
        {"Ramp": (RAMP, {"late": RAMP - 2}), "Flat": (0 * RAMP, {"late": 0 * RAMP})}
    ),
    "measured": lambda: formula_against_measurement(
        {"Lag": (lambda points: points / 2, [[1.0, 2.02], [1.0, 2.0]])},
        [2, 4],
        xlabel="points",
        xticks=["2", "4"],
    ),
    "choice": lambda: choice(
        [1, 2, 4], {"Error": {"a": [3.0, 1.0, 2.0], "b": [3.0, 2.0, 1.5]}}, xlabel="points"
    ),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_every_figure_can_be_shown_in_the_book(make):
    figure, alt = make()
    shown = picture(figure, name="fig-series", caption="A caption.", alt=alt)
    assert shown.png.startswith(b"\x89PNG")
    assert all(axes.get_xlabel() for axes in figure.axes)


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_lines_of_one_panel_differ_in_more_than_colour(make):
    for axes in make()[0].axes:
        looks = [(line.get_linestyle(), line.get_marker(), line.get_linewidth()) for line in axes.get_lines()]
        named = [
            look for look, line in zip(looks, axes.get_lines(), strict=True) if line.get_label()[0] != "_"
        ]
        assert len(set(named)) == len(named)


def test_what_is_drawn_is_what_was_given():
    figure, _ = averages_over(RAMP, {"late": RAMP - 2}, truth=RAMP + 0.5, windows={"Middle": (5, 9)})
    data, late, truth = figure.axes[0].get_lines()
    assert data.get_xdata().tolist() == [5, 6, 7, 8, 9]
    assert data.get_ydata().tolist() == [5, 6, 7, 8, 9]
    assert late.get_ydata().tolist() == [3, 4, 5, 6, 7]
    assert truth.get_ydata()[0] == 5.5


def test_alternative_texts_follow_the_data():
    def alt(lag):
        return averages_over(RAMP, {"average": RAMP - lag}, truth=RAMP)[1]

    assert "average is off by 2.00" in alt(2)
    assert "average is off by 7.00" in alt(7)
    jumping = averages_over([0.0, 1.0, 0.0], {"average": [0.0, 0.5, 0.5]})[1]
    assert "jump by 1.00" in jumping and "average by 0.35" in jumping
    assert "mean age 1.5 steps" in weights_by_age({"mean": [0.25] * 4})[1]
    assert "It has done half of it by step 21, late by step 23." in FIGURES["responses"]()[1]
    assert "at most 1.0 %" in FIGURES["measured"]()[1]
    assert "a is least at 2, with 1.000 and b is least at 4, with 1.500" in FIGURES["choice"]()[1]


def test_an_outlier_does_not_flatten_the_lines():
    values = np.where(np.arange(200) == 7, 1000.0, 1.0)
    late = np.linspace(0, 5, 200)
    axes = averages_over(values, {"late": late})[0].axes[0]
    low, high = axes.get_ylim()
    assert high < 10
    assert low < 0 and 5 < high  # every point of the line is in the picture


def test_values_that_are_not_there_yet_are_left_out():
    late = np.where(np.arange(T) < 4, np.nan, RAMP - 2)
    assert "off by 2.00" in averages_over(RAMP, {"mean of 5": late}, truth=RAMP)[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: averages_over(RAMP, {"short": RAMP[1:]}), "short must have shape"),
        (lambda: averages_over(RAMP, {}, truth=RAMP[1:]), "truth must have shape"),
        (lambda: averages_over(RAMP, {}, windows={"Late": (30, 41)}), "windows must lie in 1 … 40"),
        (lambda: weights_by_age({}), "weights must hold"),
        (lambda: weights_by_age({"none": []}), "weights must hold"),
        (lambda: responses({}), "panels must hold"),
        (
            lambda: formula_against_measurement({"Lag": (abs, [[1.0]])}, [1, 2], xlabel="x"),
            r"must have shape \(seeds, 2\)",
        ),
        (lambda: choice([1, 2], {"Error": {"a": [1.0]}}, xlabel="x"), "a must have shape"),
        (lambda: choice([1], {"Error": {"a": [1.0]}}, xlabel="x", ylabels=["a", "b"]), "ylabels must hold 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
