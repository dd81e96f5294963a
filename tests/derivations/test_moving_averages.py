"""The key identities of the chapter on moving averages, symbolically; the recursion is optkit's own."""

import numpy as np
import sympy as sp

from optkit.averages import (
    effective_window,
    equivalent_window,
    ewma_normalised_step,
    ewma_step,
    half_life,
    lag,
    variance_factor,
)

ALPHA = sp.Symbol("alpha", positive=True)
PHI, SHIFT = sp.symbols("phi x", positive=True)
N = 5
G = sp.symbols(f"g1:{N + 1}")


def same(left, right):
    return sp.simplify(left - right) == 0


def last(step):
    """The average that the recursion returns at the last of the values g₁ … g₅."""
    state = average = 0
    for t, g in enumerate(G, start=1):
        found = step.function(state, g, t, alpha=ALPHA)
        state, average = found if isinstance(found, tuple) else (found, found)
    return average


def averages():
    return last(ewma_step)


def normalised():
    weights = [ALPHA**i for i in range(N)]
    return sum(w * g for w, g in zip(weights, reversed(G), strict=True)) / sum(weights)


def test_the_recursion_expands_to_falling_weights():
    expanded = ALPHA ** (N - 1) * G[0] + (1 - ALPHA) * sum(ALPHA**i * G[N - 1 - i] for i in range(N - 1))
    assert same(averages(), expanded)
    assert same(averages().subs(dict.fromkeys(G, 1)), 1)


def test_the_corrected_zero_start_is_the_normalised_form():
    assert same(last(ewma_normalised_step), normalised())


def test_the_recursion_is_the_normalised_form_pulled_to_the_first_value():
    assert same(averages(), (1 - ALPHA**N) * normalised() + ALPHA**N * G[0])


def series(term):
    i = sp.Symbol("i", integer=True, nonnegative=True)
    x = sp.Symbol("x", positive=True)
    return sp.summation(term(i, x), (i, 0, sp.oo)).args[0][0].subs(x, ALPHA)


def test_window_lag_and_noise_are_sums_of_the_weights():
    assert same(series(lambda i, x: x**i), 1 / (1 - ALPHA))
    assert same((1 - ALPHA) * series(lambda i, x: i * x**i), ALPHA / (1 - ALPHA))
    squares = series(lambda i, x: x**i).subs(ALPHA, ALPHA**2)
    assert same((1 - ALPHA) ** 2 * squares, (1 - ALPHA) / (1 + ALPHA))
    for number in (0.3, 0.9, 0.99):
        assert np.isclose(effective_window(number), 1 / (1 - number))
        assert np.isclose(lag(number), number / (1 - number))
        assert np.isclose(variance_factor(number), (1 - number) / (1 + number))
        assert np.isclose(number ** half_life(number), 0.5)


def test_the_price_of_smoothness_is_one_law_for_ewma_and_mean():
    w = sp.Symbol("w", positive=True)
    for share, late in (
        ((1 - ALPHA) / (1 + ALPHA), ALPHA / (1 - ALPHA)),
        (1 / w, (w - 1) / 2),
    ):
        assert same(share, 1 / (2 * late + 1))
    equal = (1 + ALPHA) / (1 - ALPHA)
    assert same((equal - 1) / 2, ALPHA / (1 - ALPHA))
    assert np.isclose(equivalent_window(0.9), 19)


def test_the_window_by_fading_is_half_a_step_shorter():
    d = sp.Symbol("d", positive=True)  # 1 − α
    assert sp.limit(1 / d - 1 / -sp.log(1 - d), d, 0, "+") == sp.Rational(1, 2)


def test_noise_that_remembers_leaves_more():
    pairs = (1 - ALPHA) ** 2 / (1 - ALPHA**2) * (1 + 2 * ALPHA * PHI / (1 - ALPHA * PHI))
    assert same(pairs, (1 - ALPHA) / (1 + ALPHA) * (1 + ALPHA * PHI) / (1 - ALPHA * PHI))
