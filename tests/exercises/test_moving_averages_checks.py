"""The checks accept the solutions, refuse stubs, and name the typical mistakes."""

from itertools import pairwise

import numpy as np
import pytest

from optkit.exercises import check_alpha_for_window, check_corrected, check_ewma


def ewma(g, alpha):
    v = g[0]
    averages = [v]
    for value in g[1:]:
        v = alpha * v + (1 - alpha) * value
        averages.append(v)
    return averages


def zero_start(g, alpha):
    return ewma([0.0, *g], alpha)[1:]


def corrected(v, alpha):
    t = np.arange(1, len(v) + 1)
    return np.asarray(v) / (1 - alpha**t)


def spoils_its_input(g, alpha):
    averages = ewma(g, alpha)
    g[0] = 0.0
    return averages


def returns_in_the_loop(g, alpha):
    for value in g[1:]:
        return [g[0], alpha * g[0] + (1 - alpha) * value]


def fails_on_one_value(g, alpha):
    return [g[0], alpha * g[0] + (1 - alpha) * g[1], *ewma(g, alpha)[2:]]


@pytest.mark.parametrize(
    ("check", "solution"),
    [
        (check_alpha_for_window, lambda w: (w - 1) / (w + 1)),
        (check_alpha_for_window, lambda w: 1 - 2 / (w + 1)),
        (check_ewma, ewma),
        (check_ewma, lambda g, alpha: np.array(ewma(g, alpha))),
        (check_corrected, corrected),
        (check_corrected, lambda v, alpha: [x / (1 - alpha**t) for t, x in enumerate(v, start=1)]),
    ],
)
def test_solutions_are_accepted(check, solution):
    answer = check(solution)
    assert answer.is_right, answer
    assert repr(answer).startswith("Right.")


@pytest.mark.parametrize("check", [check_alpha_for_window, check_ewma, check_corrected])
@pytest.mark.parametrize(
    ("stub", "hint"),
    [
        (lambda *a: None, "Nothing came back"),
        (lambda *a: ..., "Nothing came back"),
        (0.9, "Pass the function itself"),
        (lambda *a: undefined, "raised NameError"),  # noqa: F821
        (lambda *a: "0.9", "Not yet"),
    ],
)
def test_stubs_get_a_hint(check, stub, hint):
    answer = check(stub)
    assert not answer.is_right
    assert hint in " ".join(repr(answer).split())


@pytest.mark.parametrize(
    ("check", "mistake", "hint"),
    [
        (check_alpha_for_window, lambda w: 1 - 1 / w, "rule of thumb"),
        (check_alpha_for_window, lambda w: 2 / (w + 1), "swapped convention"),
        (check_alpha_for_window, lambda w: w / (w + 1), "lag of w steps"),
        (check_alpha_for_window, lambda w: (w + 1) / (w - 1), "upside down"),
        (check_alpha_for_window, lambda w: (w - 1) / 2, "0 ≤ α < 1"),
        (check_alpha_for_window, lambda w: 0.9, "share of the variance"),
        (check_alpha_for_window, lambda w: [w, w], "one number"),
        (check_ewma, lambda g, alpha: g, "as they came"),
        (check_ewma, zero_start, "starts at 0"),
        (check_ewma, lambda g, alpha: ewma(g, 1 - alpha), "swapped"),
        (check_ewma, lambda g, alpha: corrected(zero_start(g, alpha), alpha), "normalised form"),
        (check_ewma, lambda g, alpha: [x / (1 - alpha) for x in zero_start(g, alpha)], "a sum"),
        (check_ewma, lambda g, alpha: ewma(g, alpha)[-1], "Return all of them"),
        (check_ewma, spoils_its_input, "changed the list"),
        (check_ewma, fails_on_one_value, "series of one value"),
        (check_ewma, lambda g, alpha: [3.0, 2.7, 1, 1, 1, 1, 1, 1], "2.8"),
        (
            check_ewma,
            lambda g, alpha: [g[0], *(alpha * a + (1 - alpha) * b for a, b in pairwise(g))],
            "VALUES",
        ),
        (check_ewma, lambda g, alpha: [g[0], *ewma(g, alpha)], "one average too many"),
        (check_ewma, lambda g, alpha: ewma(g, alpha)[1:], "7 averages for 8 values"),
        (check_ewma, returns_in_the_loop, "2 averages for 8 values"),
        (check_corrected, lambda v, alpha: v / (1 - alpha ** len(v)), "a t of its own"),
        (check_corrected, lambda v, alpha: v, "as they came"),
        (check_corrected, lambda v, alpha: v / (1 - alpha), "t = 1 alone"),
        (
            check_corrected,
            lambda v, alpha: [x / (1 - alpha**t) for t, x in enumerate(v)],
            "Not every number is finite",
        ),
        (
            check_corrected,
            lambda v, alpha: [float(x) / (1 - alpha**t) for t, x in enumerate(v)],
            "t = 1, not t = 0",
        ),
        (check_corrected, lambda v, alpha: v * (1 - alpha ** np.arange(1, 9)), "You multiplied"),
        (check_corrected, lambda v, alpha: v / (1 - alpha ** np.arange(2, 10)), "one ahead"),
        (check_corrected, lambda v, alpha: v + 1, "If every g is 1"),
    ],
)
def test_typical_mistakes_are_named(check, mistake, hint):
    answer = check(mistake)
    assert not answer.is_right
    assert hint in " ".join(repr(answer).split())
