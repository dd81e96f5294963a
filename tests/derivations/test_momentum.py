"""The key identities of the chapter on momentum, symbolically; the rules themselves are run on symbols."""

import numpy as np
import pytest
import sympy as sp

from optkit.dynamics import best_momentum, critical_momentum, momentum_matrix, steady_variance
from optkit.rules import RULES

LR, ALPHA, LAMBDA, SMALL, LARGE = sp.symbols("epsilon alpha lambda mu L", positive=True)
THETA, V, G, SIGMA = sp.symbols("theta v g sigma")


def same(left, right):
    return sp.simplify(left - right) == 0


def step(name, theta, v, g=G, lr=LR):
    return RULES[name].formula.function(theta, g, v, 2, lr=lr, momentum=ALPHA)


def test_the_three_forms_are_one_up_to_the_scale_of_the_velocity():
    theta, v = step("momentum_common", THETA, V)
    standard = step("momentum_standard", THETA, -LR * V)
    ewma = step("momentum_ewma", THETA, (1 - ALPHA) * V, lr=LR / (1 - ALPHA))
    assert same(theta, standard[0]) and same(-LR * v, standard[1])
    assert same(theta, ewma[0]) and same((1 - ALPHA) * v, ewma[1])


def test_the_velocity_under_a_constant_gradient_is_the_effective_rate():
    rest = sp.solve(step("momentum_common", THETA, V)[1] - V, V)[0]
    assert same(step("momentum_common", THETA, rest)[0] - THETA, -LR / (1 - ALPHA) * G)


def matrix(name):
    """The matrix of a step on the quadratic, from the rule."""
    rule = RULES[name]
    at = THETA + ALPHA * V if rule.gradient_at is not None else THETA
    theta, v = step(name, THETA, V, g=LAMBDA * at)
    return sp.Matrix([[sp.expand(x).coeff(y) for y in (THETA, V)] for x in (theta, v)])


def test_one_step_is_the_matrix_of_the_chapter():
    found = matrix("momentum_standard")
    assert found == sp.Matrix([[1 - LR * LAMBDA, ALPHA], [-LR * LAMBDA, ALPHA]])
    assert same(found.det(), ALPHA) and same(found.trace(), 1 + ALPHA - LR * LAMBDA)
    numbers = {LR: 0.1, ALPHA: 0.9, LAMBDA: 2.0}
    np.testing.assert_allclose(
        np.array(found.subs(numbers), dtype=float), momentum_matrix(2.0, lr=0.1, momentum=0.9)
    )


def test_the_roots_meet_at_critical_damping_with_modulus_root_alpha():
    polynomial = SIGMA**2 - (1 + ALPHA - LR * LAMBDA) * SIGMA + ALPHA
    root = sp.Symbol("r", positive=True)  # √α
    for sign in (1, -1):
        border = polynomial.subs(ALPHA, root**2).subs(LR, (1 - sign * root) ** 2 / LAMBDA)
        assert same(sp.discriminant(border, SIGMA), 0)
        assert same(border.subs(SIGMA, sign * root), 0)
    assert same(sp.solve(polynomial.subs(SIGMA, -1), LR)[0], 2 * (1 + ALPHA) / LAMBDA)
    assert critical_momentum(2.0, lr=0.1) == pytest.approx((1 - 0.2**0.5) ** 2)


def test_the_best_setting_touches_both_borders():
    low, high, rate, root = sp.symbols("l h r s", positive=True)  # √μ, √L, √α, √ε
    found = sp.solve([root * low - (1 - rate), root * high - (1 + rate)], [root, rate], dict=True)[0]
    assert same(found[root] ** 2, 4 / (high + low) ** 2)
    kappa = high / low
    assert same(found[rate], (kappa - 1) / (kappa + 1))
    best = best_momentum(2.0, 18.0)
    numbers = {low: 2**0.5, high: 18**0.5}
    assert best.lr == pytest.approx(float((found[root] ** 2).subs(numbers)))
    assert best.momentum == pytest.approx(float((found[rate] ** 2).subs(numbers)))


def test_nesterovs_trace_and_determinant():
    found = matrix("nesterov")
    assert same(found.trace(), (1 + ALPHA) * (1 - LR * LAMBDA))
    assert same(found.det(), ALPHA * (1 - LR * LAMBDA))
    at_minus_one = 1 + found.trace() + found.det()
    assert same(sp.solve(at_minus_one, LR)[0], 2 * (1 + ALPHA) / (1 + 2 * ALPHA) / LAMBDA)


def test_torch_iterates_the_look_ahead_point():
    theta, v = step("nesterov", THETA, V)
    ahead, velocity = step("nesterov_torch", THETA + ALPHA * V, -V / LR)
    assert same(ahead, theta + ALPHA * v)
    assert same(velocity, -v / LR)


def test_the_steady_variance_solves_the_equation_of_the_covariance():
    noise, a, b, c = sp.symbols("s a b c")
    step_matrix = matrix("momentum_standard")
    covariance = sp.Matrix([[a, b], [b, c]])
    kick = -LR * noise * sp.Matrix([1, 1])  # the noise of the gradient enters v, and θ through v
    rest = step_matrix * covariance * step_matrix.T + kick * kick.T - covariance
    found = sp.solve([rest[0, 0], rest[0, 1], rest[1, 1]], [a, b, c], dict=True)[0][a]
    effective = LR / (1 - ALPHA)
    chapter = effective * noise**2 / LAMBDA * (1 + ALPHA) / (2 * (1 + ALPHA) - LR * LAMBDA)
    assert same(found, chapter)
    numbers = {LR: 0.1, ALPHA: 0.8, LAMBDA: 3.0, noise: 0.5}
    measured = steady_variance(3.0, lr=0.1, momentum=0.8, noise=0.5)
    assert measured == pytest.approx(float(found.subs(numbers)))
