"""The checks of chapter 8 accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_balancing_factor, check_largest_eigenvalue, check_sam_step
from optkit.exercises import sharpness as checks


def iterate(product, n, steps=300):
    u = np.random.RandomState(0).standard_normal(n)
    for _ in range(steps):
        u = product(u)
        u = u / np.linalg.norm(u)
    return u, u @ product(u)


def not_shifted_back(product, n):
    m = iterate(product, n)[1]
    return m if m > 0 else iterate(lambda u: product(u) - m * u, n)[1]


def largest(product, n):
    m = iterate(product, n)[1]
    return m if m > 0 else m + iterate(lambda u: product(u) - m * u, n)[1]


def test_the_solutions_are_accepted():
    def step(theta, gradient, lr, rho):
        g = gradient(theta)
        return theta - lr * gradient(theta + rho * g / np.sqrt((g * g).sum()))

    assert check_sam_step(step).is_right
    assert check_largest_eigenvalue(largest).is_right
    assert check_balancing_factor(lambda first, second: (first / second) ** (1 / 4)).is_right


@pytest.mark.parametrize("check", [check_sam_step, check_largest_eigenvalue, check_balancing_factor])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (checks._plain, "this is gradient descent"),
        (checks._from_there, "goes back to θ first"),
        (checks._without_norm, "Divide by the norm"),
        (checks._down, "SAM looks where it is highest"),
        (checks._each, "one number, over all of them"),
        (checks._squared, "the root is missing"),
        (checks._uphill, "You walk uphill"),
        (checks._exchanged, "are exchanged"),
        (lambda theta, gradient, lr, rho: 2 * theta, "Three lines are enough"),
        (lambda theta, gradient, lr, rho: theta[0], "of the shape of the old"),
    ],
)
def test_mistakes_of_the_step(answer, hint):
    said = check_sam_step(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda product, n: iterate(product, n)[1], "largest size"),
        (lambda product, n: np.linalg.norm(product(iterate(product, n)[0])), "has the sign as well"),
        (not_shifted_back, "add m to come back"),
        (lambda product, n: sum(e @ product(e) for e in np.eye(n)), "the trace"),
        (lambda product, n: -largest(lambda u: -product(u), n), "the other end"),
        (lambda product, n: iterate(product, n)[0], "not the vector"),
        (lambda product, n: iterate(product, n, steps=1)[1], "some hundred times"),
    ],
)
def test_mistakes_of_the_eigenvalue(answer, hint):
    said = check_largest_eigenvalue(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda first, second: np.sqrt(first / second), "take the root once more"),
        (lambda first, second: first / second, "take the root twice"),
        (lambda first, second: (second / first) ** 0.25, "MULTIPLIED by c"),
        (lambda first, second: 2 * np.sqrt(first * second), "the smallest trace itself"),
        (lambda first, second: first, "derivative with respect to c"),
    ],
)
def test_mistakes_of_the_factor(answer, hint):
    said = check_balancing_factor(answer)
    assert not said.is_right and hint in said.text
