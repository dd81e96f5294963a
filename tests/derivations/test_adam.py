"""The identities that the chapter on Adam derives: by SymPy, by the rule itself, and by brute force."""

import numpy as np
import pytest
import sympy

from optkit.dynamics import (
    longest_step,
    longest_step_gradients,
    rare_drift,
    rare_gradients,
    uncorrected_step,
)
from optkit.figures.rates import steps_under
from optkit.rules import RULES

ADAM = RULES["adam"]
TINY = 1e-300  # δ = 0 but for gradients that underflow


def adam_steps(gradients, **hyper):
    return steps_under(ADAM, gradients, lr=1.0, **({"eps": TINY} | hyper))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_moving_average_that_starts_at_zero_has_the_share_one_minus_rho_to_the_t(steps):
    rho, g = sympy.symbols("rho g", positive=True)
    s = sympy.Integer(0)
    for _ in range(steps):
        s = rho * s + (1 - rho) * g
    assert sympy.expand(s - (1 - rho**steps) * g) == 0


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.9, 0.9), (0.5, 0.95)])
def test_the_uncorrected_step_is_the_rules(beta1, beta2):
    found = adam_steps(np.full(200, 0.3), beta1=beta1, beta2=beta2, bias_correction=False)
    expected = [uncorrected_step(t, beta1=beta1, beta2=beta2) for t in range(1, 201)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(adam_steps(np.full(200, 0.3), beta1=beta1, beta2=beta2), 1, rtol=1e-12)


def test_the_first_uncorrected_step_is_one_where_the_chapter_says():
    rho1, rho2 = sympy.symbols("rho1 rho2", positive=True)
    (solution,) = sympy.solve(sympy.Eq((1 - rho1) ** 2, 1 - rho2), rho2)
    assert solution.subs(rho1, sympy.Rational(9, 10)) == sympy.Rational(99, 100)
    assert uncorrected_step(1, beta1=0.9, beta2=0.99) == pytest.approx(1)


def test_the_longest_step_is_the_sum_of_the_chapter():
    rho1, rho2, j = sympy.symbols("rho1 rho2 j", positive=True)
    term = ((1 - rho1) * rho1**j) ** 2 / ((1 - rho2) * rho2**j)
    ratio = sympy.simplify(term.subs(j, j + 1) / term)
    total = term.subs(j, 0) / (1 - ratio)
    numbers = {rho1: 0.9, rho2: 0.999}
    assert float(sympy.sqrt(total).subs(numbers)) == pytest.approx(longest_step())


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.5, 0.9), (0.9, 0.99)])
def test_no_gradients_bring_about_a_longer_step_and_some_reach_it(beta1, beta2):
    limit = longest_step(beta1=beta1, beta2=beta2)
    reached = adam_steps(longest_step_gradients(20_000, beta1=beta1, beta2=beta2), beta1=beta1, beta2=beta2)[
        -1
    ]
    assert reached == pytest.approx(limit, rel=1e-6)
    random = np.random.RandomState(0)
    tried = random.standard_normal((400, 1000)) * np.exp(
        random.uniform(-0.3, 0.3, 1000) * np.arange(400)[:, None]
    )
    assert np.abs(adam_steps(tried, beta1=beta1, beta2=beta2)[-1]).max() < limit * (1 + 1e-9)


def test_the_papers_limit_is_exceeded():
    assert longest_step() > 2 * (1 - 0.9) / (1 - 0.999) ** 0.5


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_steps_do_not_know_the_scale_of_the_loss(size):
    gradients = np.random.RandomState(1).standard_normal((50, 4))
    np.testing.assert_allclose(adam_steps(size * gradients), adam_steps(gradients), rtol=1e-10)


@pytest.mark.parametrize("g", [1e-6, 1e-4, 1e-2])
def test_the_two_places_of_the_stabiliser(g):
    inside, outside = (adam_steps([g], eps=1e-8, eps_inside=inside)[0] for inside in (True, False))
    assert inside == pytest.approx(1 / np.sqrt(1 + 1e-8 / g**2))
    assert outside == pytest.approx(1 / (1 + 1e-8 / g))


@pytest.mark.parametrize(("period", "size"), [(3, 4.0), (11, 12.0), (101, 101.0)])
@pytest.mark.parametrize("beta1", [0.0, 0.9])
@pytest.mark.parametrize("beta2", [0.5, 0.99])
def test_the_drift_under_rare_gradients_is_the_rules(period, size, beta1, beta2):
    periods = 4000 // period + 2
    steps = adam_steps(rare_gradients(period, size, periods), beta1=beta1, beta2=beta2)
    found = rare_drift(period, size, beta1=beta1, beta2=beta2)
    assert -steps[-period:].sum() == pytest.approx(found, rel=1e-9)


def test_both_ends_of_the_memory():
    assert rare_drift(3, 4.0, beta1=0.0, beta2=0.0) == pytest.approx(
        -1 + 2
    )  # signs alone: one left, two right
    rms = np.sqrt((4.0**2 + 2) / 3)
    assert rare_drift(3, 4.0, beta1=0.9, beta2=1 - 1e-9) == pytest.approx(-(4.0 - 2) / rms, rel=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: uncorrected_step(0),
        lambda: uncorrected_step(1, beta1=1.0),
        lambda: longest_step(beta2=-0.1),
        lambda: longest_step_gradients(3, beta1=0.9, beta2=0.8),
        lambda: rare_gradients(1, 2.0),
        lambda: rare_drift(1, 2.0),
    ],
)
def test_numbers_out_of_range_are_refused(call):
    with pytest.raises(ValueError, match=r"must be|need"):
        call()
