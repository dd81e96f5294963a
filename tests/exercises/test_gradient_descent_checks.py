"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_best_rate, check_downhill_newton, check_hessian_product

CHECKS = [check_best_rate, check_downhill_newton, check_hessian_product]


def product(gradient, theta, v, h=1e-5):
    return (gradient(theta + h * v) - gradient(theta - h * v)) / (2 * h)


def by_columns(gradient, theta, v, h=1e-5):
    columns = [product(gradient, theta, axis) for axis in np.eye(len(theta))]
    return np.stack(columns, axis=1) @ v


def test_the_solutions_are_accepted():
    assert check_best_rate(lambda mu, L: 2 / (mu + L)).is_right
    assert check_downhill_newton(lambda theta, slope, curvature: theta - slope / abs(curvature)).is_right
    assert check_hessian_product(product).is_right


@pytest.mark.parametrize("h", [1e-3, 1e-5, 1e-7])
def test_other_steps_and_one_sided_differences_are_accepted_too(h):
    assert check_hessian_product(lambda gradient, theta, v: product(gradient, theta, v, h)).is_right
    if h < 1e-3:
        assert check_hessian_product(
            lambda gradient, theta, v: (gradient(theta + h * v) - gradient(theta)) / h
        ).is_right


@pytest.mark.parametrize("check", CHECKS)
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right
    assert not check(lambda *arguments: np.ones(6)).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda mu, L: 2 / L, "limit of stability"),
        (lambda mu, L: 1 / L, "arrives in one step"),
        (lambda mu, L: 1 / (mu + L), "half of it"),
        (lambda mu, L: (L - mu) / (L + mu), "not the learning rate"),
        (lambda mu, L: 1 / mu, "The gentlest axis alone"),
        (lambda mu, L: 2 / (L - mu), "A sign"),
        (lambda mu, L: (L + mu) / 2, "upside down"),
        (lambda mu, L: 4 / (L**0.5 + mu**0.5) ** 2, "momentum"),
        (lambda mu, L: (2 / (mu + L), 0.5), "Return one number"),
        (lambda mu, L: 0.1, "where they cross"),
    ],
)
def test_mistakes_of_the_best_rate(answer, hint):
    said = check_best_rate(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda theta, slope, curvature: theta - slope / curvature, "Newton's step as it stands"),
        (lambda theta, slope, curvature: theta + slope / abs(curvature), "uphill"),
        (lambda theta, slope, curvature: theta - slope * abs(curvature), "You multiply"),
        (lambda theta, slope, curvature: theta - abs(slope / curvature), "whole quotient"),
        (lambda theta, slope, curvature: theta - abs(slope) / curvature, "value of the slope"),
        (lambda theta, slope, curvature: -slope / abs(curvature), "the step alone"),
        (lambda theta, slope, curvature: theta - slope, "the curvature is not used"),
        (
            lambda theta, slope, curvature: theta - slope / curvature if curvature > 0 else theta,
            "stay put",
        ),
        (lambda theta, slope, curvature: 0.0, "make it positive"),
    ],
)
def test_mistakes_of_the_downhill_step(answer, hint):
    said = check_downhill_newton(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (by_columns, "called 12 times"),
        (lambda gradient, theta, v: 2 * product(gradient, theta, v), "divide by 2h"),
        (lambda gradient, theta, v: -product(gradient, theta, v), "turned round"),
        (lambda gradient, theta, v: product(gradient, theta, v) / 2, "divide by h"),
        (lambda gradient, theta, v: gradient(theta), "not its change along v"),
        (lambda gradient, theta, v: product(gradient, theta, np.ones(6)), "Move along v"),
        (lambda gradient, theta, v: np.diag(by_columns(gradient, theta, np.eye(6))) * v, "the diagonal"),
        (lambda gradient, theta, v: 2e-5 * product(gradient, theta, v), "not divided by the step"),
        (lambda gradient, theta, v: v @ product(gradient, theta, v), "do not multiply by v"),
        (lambda gradient, theta, v: product(gradient, theta, v, 0.1), "too coarse"),
        (lambda gradient, theta, v: (gradient(theta + v / 1e3) - gradient(theta)) * 1e3, "too coarse"),
        (lambda gradient, theta, v: v, "how the gradient changes along v"),
    ],
)
def test_mistakes_of_the_product(answer, hint):
    said = check_hessian_product(answer)
    assert not said.is_right and hint in said.text
