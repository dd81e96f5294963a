"""The identities that the chapter on scheduling derives: by SymPy, by the rules, and by quadrature."""

import numpy as np
import pytest
import sympy

from optkit.figures.schedules import rectification
from optkit.noise import expected_square, greedy_rate, settled_square
from optkit.rules import RULES
from optkit.studies import rate_variance

q, lam, sigma, lr = sympy.symbols("q lambda sigma epsilon", positive=True)
NEXT = (1 - lr * lam) ** 2 * q + lr**2 * sigma**2


def test_the_mean_square_comes_to_rest_at_the_floor():
    (rest,) = sympy.solve(sympy.Eq(NEXT, q), q)
    expected = lr * sigma**2 / (lam * (2 - lr * lam))
    assert sympy.simplify(rest - expected) == 0
    numbers = {lr: 0.3, lam: 0.7, sigma: 1.3}
    assert settled_square(0.7, lr=0.3, sigma=1.3, m=1) == pytest.approx(float(expected.subs(numbers)))
    square = 5.0
    for _ in range(500):
        square = expected_square(square, 0.7, lr=0.3, sigma=1.3, m=4)
    assert square == pytest.approx(settled_square(0.7, lr=0.3, sigma=1.3, m=4))


def test_the_best_next_rate_and_what_is_left():
    (best,) = sympy.solve(sympy.diff(NEXT, lr), lr)
    assert sympy.simplify(best - lam * q / (lam**2 * q + sigma**2)) == 0
    left = sympy.simplify(NEXT.subs(lr, best))
    assert sympy.simplify(1 / left - (1 / q + lam**2 / sigma**2)) == 0
    assert greedy_rate(2.0, 0.7, sigma=1.3, m=1) == pytest.approx(
        float(best.subs({q: 2, lam: 0.7, sigma: 1.3}))
    )


def test_the_greedy_rates_are_one_over_a_line_in_t():
    square, rates = 3.0, []
    for _ in range(50):
        rates.append(greedy_rate(square, 0.5, sigma=2.0, m=1))
        square = expected_square(square, 0.5, lr=rates[-1], sigma=2.0, m=1)
    # ε_t = 1/(λ (t + c)), with t from 1 and c = σ²/(λ²q₀)
    offset = 2.0**2 / (0.5**2 * 3.0)
    np.testing.assert_allclose(rates, [1 / (0.5 * (t + offset)) for t in range(1, 51)])


def test_a_batch_k_times_as_large_with_k_times_the_rate_brings_the_same_noise():
    k, m = sympy.symbols("k m", positive=True)
    small = k * lr**2 * sigma**2 / m  # k steps at rate ε on batches of m
    large = (k * lr) ** 2 * sigma**2 / (k * m)
    assert sympy.simplify(small - large) == 0


@pytest.mark.parametrize(("t", "beta2"), [(1, 0.9), (6, 0.999), (300, 0.99)])
def test_the_length_of_the_average_is_that_with_the_same_mean_age(t, beta2):
    ages = np.arange(1, t + 1)
    weights = (1 - beta2) * beta2 ** (ages - 1) / (1 - beta2**t)
    assert weights.sum() == pytest.approx(1)
    # A simple mean of f numbers has the mean age (f + 1)/2, the newest being of age 1.
    assert 2 * (ages * weights).sum() - 1 == pytest.approx(rate_variance.length(t, beta2))


def test_first_step_that_radam_rectifies():
    assert [rate_variance.length(t, 0.999) > 5 for t in (5, 6)] == [False, True]
    assert [rate_variance.length(t, 0.999) > 4 for t in (4, 5)] == [False, True]


def test_the_rectification_is_the_root_of_two_variances():
    rho, tau = sympy.symbols("rho tau", positive=True)
    # X = ρ τ²/χ²: mean and variance of the scaled inverse chi-square distribution.
    mean, variance = rho * tau / (rho - 2), 2 * rho**2 * tau**2 / ((rho - 2) ** 2 * (rho - 4))
    first_order = sympy.simplify(variance / (4 * mean))
    assert sympy.simplify(first_order - rho * tau / (2 * (rho - 2) * (rho - 4))) == 0
    limit = 2 / (1 - 0.999) - 1
    found = rectification(1000, beta2=0.999)
    for t in (6, 50, 1000):
        here = rate_variance.length(t, 0.999)
        ratio = first_order.subs({rho: limit, tau: 1}) / first_order.subs({rho: here, tau: 1})
        assert found[t - 1] == pytest.approx(float(sympy.sqrt(ratio)), rel=1e-6)


@pytest.mark.parametrize("freedom", [6, 15, 60])
def test_the_exact_variance_is_that_of_the_distribution(freedom):
    from scipy import integrate, stats

    def moment(power):
        chi = stats.chi2(freedom)
        return integrate.quad(lambda x: (freedom / x) ** (power / 2) * chi.pdf(x), 0, np.inf)[0]

    beta2 = 1 - 2 / (freedom + 1)  # ρ_∞ = freedom
    assert rate_variance.formula(100_000, beta2) == pytest.approx(moment(2) - moment(1) ** 2, rel=1e-4)


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_the_first_steps_of_radam_know_the_scale_of_the_gradient_and_the_later_ones_do_not(size):
    theta, s, r = 0.0, 0.0, 0.0
    steps = []
    for t in range(1, 8):
        after, s, r = RULES["radam"](theta, size, s, r, t, lr=1.0, eps=0.0)
        steps.append(theta - after)
        theta = after
    np.testing.assert_allclose(steps[:5], size)
    assert max(steps[5:]) < 0.05
