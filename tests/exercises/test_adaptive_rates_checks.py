"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_adagrad, check_recovery


def adagrad(theta, g, G, lr):
    G = G + g * g
    return theta - lr * g / np.sqrt(G), G


def recovery(rho, c):
    return np.log(c**2 / (1 - c**2)) / np.log(rho)


def test_the_solutions_are_accepted():
    assert check_adagrad(adagrad).is_right
    assert check_adagrad(
        lambda theta, g, G, lr: (theta - lr * g / np.sqrt(G + g * g + 1e-10), G + g * g)
    ).is_right
    assert check_recovery(recovery).is_right
    assert check_recovery(lambda rho, c: int(np.ceil(recovery(rho, c)))).is_right


@pytest.mark.parametrize("check", [check_adagrad, check_recovery])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right
    assert not check(lambda *arguments: np.ones(6)).is_right


def in_place(theta, g, G, lr):
    G += g * g
    return theta - lr * g / np.sqrt(G), G


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (in_place, "changes the arrays"),
        (lambda theta, g, G, lr: theta - lr * g / np.sqrt(G + g * g), "Return two things"),
        (lambda theta, g, G, lr: (theta - lr * g / np.sqrt(G), G + g * g), "OLD sum"),
        (lambda theta, g, G, lr: (theta - lr * g / (G + g * g), G + g * g), "root is missing"),
        (lambda theta, g, G, lr: (theta + lr * g / np.sqrt(G + g * g), G + g * g), "uphill"),
        (lambda theta, g, G, lr: (theta - lr * g * np.sqrt(G + g * g), G + g * g), "You multiply"),
        (lambda theta, g, G, lr: (theta - lr * g / np.sqrt((G + g * g).sum()), G), "One sum for all"),
        (lambda theta, g, G, lr: (theta - lr * g / np.sqrt(G + abs(g)), G), "not of their sizes"),
        (lambda theta, g, G, lr: (theta - lr * g / np.sqrt(G + g @ g), G), "sum up none"),
        (lambda theta, g, G, lr: (theta - lr * g / (G + abs(g)), G), "of the SQUARES"),
        (lambda theta, g, G, lr: (theta - g / np.sqrt(G + g * g), G), "learning rate is missing"),
        (lambda theta, g, G, lr: (theta - lr * g / np.sqrt(g * g), g * g), "forget the old sum"),
        (lambda *given: adagrad(*given)[::-1], "The order is (θ, G)"),
        (lambda theta, g, G, lr: (-lr * g / np.sqrt(G + g * g), G), "the step alone"),
        (lambda theta, g, G, lr: (adagrad(theta, g, G, lr)[0], G), "old G"),
        (lambda theta, g, G, lr: (adagrad(theta, g, G, lr)[0], np.sqrt(G + g * g)), "without the root"),
        (lambda theta, g, G, lr: (adagrad(theta, g, G, lr)[0], g), "new G is"),
        (lambda theta, g, G, lr: (theta, G), "First G"),
    ],
)
def test_mistakes_of_adagrad(answer, hint):
    said = check_adagrad(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda rho, c: 1 / (1 - rho), "average covers"),
        (lambda rho, c: np.log(c**2) / np.log(rho), "OLD part"),
        (lambda rho, c: np.log(c / (1 - c)) / np.log(rho), "c where c² belongs: r"),
        (lambda rho, c: np.log(c) / np.log(rho), "the old part alone"),
        (lambda rho, c: -recovery(rho, c), "A sign"),
        (lambda rho, c: 1 / recovery(rho, c), "Upside down"),
        (lambda rho, c: 2 * np.log(1 / c) / (1 - rho), "estimate"),
        (lambda rho, c: [1.0], "one number"),
        (lambda rho, c: 5.0, "Set it equal"),
    ],
)
def test_mistakes_of_the_recovery(answer, hint):
    said = check_recovery(answer)
    assert not said.is_right and hint in said.text
