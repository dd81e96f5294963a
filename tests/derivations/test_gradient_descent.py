"""The key identities of the chapter on gradient descent and Newton's method, symbolically."""

import sympy as sp

from optkit.dynamics import best_gradient_descent
from optkit.newton import newton_root_step, newton_step
from optkit.rules import RULES

LR, LAMBDA, SMALL, LARGE = sp.symbols("epsilon lambda mu L", positive=True)
THETA, E = sp.symbols("theta e")


def same(left, right):
    return sp.simplify(left - right) == 0


def test_a_step_multiplies_the_error_by_one_factor():
    (theta,) = as_tuple(RULES["gradient_descent"].formula.function(THETA, LAMBDA * THETA, 1, lr=LR))
    assert same(theta, (1 - LR * LAMBDA) * THETA)
    border = sp.solve((1 - LR * LAMBDA) + 1, LR)
    assert border == [2 / LAMBDA]


def test_the_loss_falls_below_the_parabola_up_to_two_over_the_curvature():
    g = sp.Symbol("g", positive=True)
    bound = -LR * g**2 + LARGE * LR**2 * g**2 / 2
    assert same(bound, -LR * (1 - LR * LARGE / 2) * g**2)
    assert sp.solve(bound, LR) == [2 / LARGE]


def test_the_best_rate_is_where_the_two_ends_cross():
    (best,) = sp.solve((1 - LR * SMALL) - (LR * LARGE - 1), LR)
    assert same(best, 2 / (LARGE + SMALL))
    kappa = LARGE / SMALL
    assert same(1 - best * SMALL, (kappa - 1) / (kappa + 1))
    found = best_gradient_descent(2.0, 7.0)
    numbers = {SMALL: 2, LARGE: 7}
    assert abs(found.lr - best.subs(numbers)) < 1e-15
    assert abs(found.rate - (1 - best * SMALL).subs(numbers)) < 1e-15


def test_steps_grow_in_proportion_to_the_condition_number():
    kappa = sp.Symbol("kappa", positive=True)
    steps = sp.log(1000) / -sp.log((kappa - 1) / (kappa + 1))
    assert sp.limit(steps / kappa, kappa, sp.oo) == sp.log(1000) / 2


def test_newtons_step_for_a_root_is_the_zero_of_the_tangent():
    value, slope, x, y = sp.symbols("value slope x y")
    (zero,) = sp.solve(value + slope * (y - x), y)
    (stepped,) = as_tuple(newton_root_step.function(x, value, slope))
    assert same(stepped, zero)


def test_newtons_error_is_squared():
    first, second, third = sp.symbols("f1 f2 f3", nonzero=True)
    near = first * E + second * E**2 / 2 + third * E**3 / 6  # f around its root
    error = sp.series(E - near / sp.diff(near, E), E, 0, 3).removeO()
    assert same(error, second / (2 * first) * E**2)


def test_newtons_step_is_the_vertex_of_the_parabola_and_arrives_at_once():
    slope, curvature, d = sp.symbols("slope curvature d", nonzero=True)
    (vertex,) = sp.solve(sp.diff(slope * d + curvature * d**2 / 2, d), d)
    (stepped,) = as_tuple(newton_step.function(THETA, slope, curvature))
    assert same(stepped, THETA + vertex)
    (arrived,) = as_tuple(newton_step.function(THETA, LAMBDA * THETA, LAMBDA))
    assert arrived == 0


def test_newtons_step_in_many_dimensions_is_one_over_each_eigenvalue():
    turn = sp.Matrix([[sp.Rational(3, 5), sp.Rational(-4, 5)], [sp.Rational(4, 5), sp.Rational(3, 5)]])
    a, b, x, y = sp.symbols("a b x y", nonzero=True)
    hessian = turn * sp.diag(a, b) * turn.T
    point = sp.Matrix([x, y])
    assert sp.simplify(point - hessian.LUsolve(hessian * point)) == sp.zeros(2, 1)
    along = turn.T * hessian.inv() * sp.Matrix([x, y])
    assert sp.simplify(along - sp.diag(1 / a, 1 / b) * turn.T * point) == sp.zeros(2, 1)


def test_the_change_of_the_gradient_along_a_vector_is_a_product_with_the_hessian():
    x, y, u, v, h = sp.symbols("x y u v h")
    loss = x**3 * y + sp.cos(x * y)
    gradient = sp.Matrix([loss.diff(x), loss.diff(y)])
    moved = gradient.subs({x: x + h * u, y: y + h * v}, simultaneous=True)
    rate = moved.diff(h).subs(h, 0)
    assert sp.simplify(rate - sp.hessian(loss, (x, y)) * sp.Matrix([u, v])) == sp.zeros(2, 1)


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)
