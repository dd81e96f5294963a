"""The figure's ticks in Node against matplotlib's locators, and how numbers are written."""

import json

import numpy as np
import pytest
from matplotlib.ticker import LogLocator, MaxNLocator


def ticks(run_node, kind, cases):
    return run_node(f"""
import {{ ticks }} from "./ticks.js";
answer({json.dumps(cases)}.map(([a, b, n]) => ticks("{kind}", [a, b], n)));
""")


def inside(values, low, high):
    slack = 1e-9 * (high - low)
    # Relative as well: on a logarithmic axis the length says nothing about the low end.
    below, above = (low - min(slack, 1e-9 * low) if low > 0 else low - slack), high + slack
    return [value for value in values if below <= value <= above]


def test_linear_ticks_are_those_of_matplotlib(run_node):
    random = np.random.default_rng(3)
    cases = []
    for _ in range(400):
        low = float(random.normal() * 10.0 ** random.integers(-3, 4))
        cases.append([low, low + float(10.0 ** random.uniform(-2, 4)), int(random.integers(2, 10))])
    cases += [[0.0, 1.0, 5], [-5.0, 5.0, 4], [0.0, 2000.0, 5], [-1.75, 1.75, 3]]
    for (low, high, count), found in zip(cases, ticks(run_node, "linear", cases), strict=True):
        locator = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10])
        expected = inside(locator.tick_values(low, high), low, high)
        np.testing.assert_allclose(found, expected, atol=1e-9 * (high - low), err_msg=f"{low} {high} {count}")


def test_log_ticks_are_those_of_matplotlib(run_node):
    cases = [[1e-8, 1e2, 12], [1e-3, 1e3, 8], [0.5, 2e4, 6], [1e-2, 1.0, 5]]
    for (low, high, count), found in zip(cases, ticks(run_node, "log", cases), strict=True):
        expected = LogLocator(numticks=count).tick_values(low, high)
        assert found == pytest.approx(inside(expected, low, high), rel=1e-15)


def test_on_a_short_log_axis_the_ticks_are_1_2_5(run_node):
    cases = [[0.2, 2.3, 5], [3.0, 70.0, 5]]
    for (low, high, count), found in zip(cases, ticks(run_node, "log", cases), strict=True):
        expected = LogLocator(subs=(1.0, 2.0, 5.0), numticks=count).tick_values(low, high)
        assert found == pytest.approx(inside(expected, low, high), rel=1e-15)


def test_on_a_long_log_axis_few_are_kept_and_a_very_short_one_has_two_at_least(run_node):
    long, short = ticks(run_node, "log", [[1e-30, 1e10, 5], [1.2, 1.9, 5]])
    assert 3 <= len(long) <= 5 and all(value == 10.0 ** round(np.log10(value)) for value in long)
    assert len(short) >= 2


def test_symlog_ticks_are_symmetric_and_hold_zero(run_node):
    (found,) = ticks(run_node, "symlog", [[-1000, 1000, 8]])
    assert 0 in found and [-value for value in reversed(found)] == found


def test_ticks_are_the_nearest_doubles(run_node):
    (found,) = ticks(run_node, "linear", [[0, 1, 10]])
    assert found == [k / 10 for k in range(11)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-2.5, "−2.5"), (0.1 + 0.2, "0.3"), (1234.5, "1235"), (1e-8, "10⁻⁸"),
        (-3.2e-5, "−3.2·10⁻⁵"), (2.5e6, "2.5·10⁶"), (0.0123456, "0.0123"), (99.96, "100"), (0.999, "0.999"),
    ],
)  # fmt: skip
def test_numbers_as_a_reader_writes_them(run_node, value, text):
    script = 'import { format } from "./ticks.js";' + f"answer(format({value!r}));"
    assert run_node(script) == text


def test_infinity_and_nan_have_signs_of_their_own(run_node):
    assert run_node(
        'import { format } from "./ticks.js";answer([Infinity, -Infinity, NaN].map((x) => format(x)));'
    ) == ["∞", "−∞", "–"]


def test_labels_of_one_axis_have_one_form(run_node):
    texts = run_node("""
import { format } from "./ticks.js";
const show = (values) => values.map((value) => format(value, values));
answer([show([0.001, 0.01, 0.1, 1, 10, 100]), show([0, 0.25, 0.5]), show([1e-6, 1, 1e6])]);
""")
    assert texts == [
        ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²"],
        ["0", "0.25", "0.5"],
        ["10⁻⁶", "10⁰", "10⁶"],
    ]
