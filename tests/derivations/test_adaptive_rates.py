"""The identities of the chapter on adaptive rates: each step that a reader has to believe."""

import numpy as np
import pytest
import sympy

from optkit.exercises.adaptive_rates import check_recovery
from optkit.figures.rates import steps_under
from optkit.rules import RULES


def test_the_best_rate_in_hindsight_is_distance_over_root_of_the_sum():
    lr, distance, total = sympy.symbols("epsilon D G", positive=True)
    bound = distance**2 / (2 * lr) + lr * total / 2
    (best,) = sympy.solve(sympy.diff(bound, lr), lr)
    assert sympy.simplify(best - distance / sympy.sqrt(total)) == 0
    assert sympy.simplify(bound.subs(lr, best) - distance * sympy.sqrt(total)) == 0


def test_the_regret_of_descent_is_below_its_bound():
    random = np.random.RandomState(0)
    slopes, lr, goal, theta, regret = random.standard_normal(50), 0.3, 0.7, 0.0, 0.0
    for g in slopes:
        regret += g * (theta - goal)
        theta -= lr * g
    # The telescoping sum leaves the last distance, which the bound drops.
    bound = goal**2 / (2 * lr) + lr / 2 * (slopes**2).sum()
    assert regret == pytest.approx(bound - (theta - goal) ** 2 / (2 * lr))


def test_under_a_constant_gradient_adagrad_falls_as_one_over_the_root_of_t():
    t = np.arange(1, 200)
    for size in (1e-3, 1.0, 50.0):
        steps = steps_under(RULES["adagrad"], np.full(199, size), lr=0.1, eps=0.0)
        np.testing.assert_allclose(steps, 0.1 / np.sqrt(t))


def test_under_a_constant_gradient_rmsprop_starts_long_and_settles_at_the_rate():
    t = np.arange(1, 2000)
    steps = steps_under(RULES["rmsprop"], np.full(1999, 3.0), lr=0.1, eps=0.0)
    np.testing.assert_allclose(steps, 0.1 / np.sqrt(1 - 0.99**t))
    assert steps[0] == pytest.approx(1.0) and steps[-1] == pytest.approx(0.1)


def test_after_a_change_of_size_the_average_recovers_as_said():
    rho, c = 0.99, 0.1
    k = np.log(c**2 / (1 - c**2)) / np.log(rho)
    assert rho**k + (1 - rho**k) * c**2 == pytest.approx(2 * c**2)
    assert k == pytest.approx(457.2, abs=0.1)
    assert check_recovery(lambda rho, c: np.log(c**2 / (1 - c**2)) / np.log(rho)).is_right


def test_adagrad_is_rmsprop_with_a_growing_window_and_a_falling_rate():
    gradients = np.random.RandomState(0).standard_normal(60)
    plain = steps_under(RULES["adagrad"], gradients, lr=0.1, eps=0.0)
    r, disguised = 0.0, []
    for t, g in enumerate(gradients, start=1):
        moved, r = RULES["rmsprop"](0.0, g, r, t, lr=0.1 / np.sqrt(t), rho=1 - 1 / t, eps=0.0)
        disguised.append(-moved)
    np.testing.assert_allclose(disguised, plain)


@pytest.mark.parametrize("name", ["adagrad", "rmsprop"])
def test_the_steps_do_not_depend_on_the_scale_of_the_loss_of_each_parameter(name):
    gradients = np.random.RandomState(0).standard_normal((40, 2))
    scaled = steps_under(RULES[name], gradients * [1.0, 1e3], eps=0.0)
    np.testing.assert_allclose(scaled, steps_under(RULES[name], gradients, eps=0.0))
