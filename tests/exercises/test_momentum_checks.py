"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import math

import pytest

from optkit.exercises import check_best_momentum, check_lr_for_ewma_form, check_nesterov
from optkit.exercises import momentum as checks


def test_the_solutions_are_accepted():
    assert check_lr_for_ewma_form(lambda lr, momentum: lr / (1 - momentum)).is_right

    def best(mu, top):
        root = (math.sqrt(top) - math.sqrt(mu)) / (math.sqrt(top) + math.sqrt(mu))
        return (1 + root) ** 2 / top, root**2

    assert check_best_momentum(best).is_right

    def step(theta, v, gradient, lr, momentum):
        ahead = theta + momentum * v
        v = momentum * v - lr * gradient(ahead)
        return [theta + v, v]

    assert check_nesterov(step).is_right


def torchs_step(theta, v, gradient, lr, momentum):
    v = momentum * v + gradient(theta)
    return theta - lr * (gradient(theta) + momentum * v), v


def unsquared(mu, top):
    root_lr = 2 / (math.sqrt(mu) + math.sqrt(top))
    return root_lr, root_lr * math.sqrt(top) - 1


def common_step(theta, v, gradient, lr, momentum):
    v = momentum * v + gradient(theta + momentum * v)
    return theta - lr * v, v


@pytest.mark.parametrize("check", [check_lr_for_ewma_form, check_best_momentum, check_nesterov])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda lr, momentum: lr, "is a mean, torch's is a sum"),
        (lambda lr, momentum: lr * (1 - momentum), "the other direction"),
        (lambda lr, momentum: lr / momentum, "You divided by α"),
        (lambda lr, momentum: lr * momentum, "You multiplied by α"),
        (lambda lr, momentum: -lr / (1 - momentum), "ε stays positive"),
        (lambda lr, momentum: lr / (1 + momentum), "Let every gradient be 1"),
    ],
)
def test_mistakes_of_the_converter(answer, hint):
    said = check_lr_for_ewma_form(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (checks._plain, "without the look-ahead"),
        (checks._behind, "You look BACK"),
        (checks._too_far, "by the whole of v"),
        (checks._from_ahead, "counted twice"),
        (checks._uphill, "The sign before ε is wrong"),
        (lambda *arguments: checks._nesterov(*arguments)[::-1], "You returned (v, θ)"),
        (torchs_step, "torch's form"),
        (common_step, "v lacks its factor"),
        (checks._common_ahead, "θ − εαv"),
        (checks._late, "step with the old one"),
        (lambda *arguments: (0.0, 0.0), "Three lines are enough"),
        (lambda *arguments: (1.0, 2.0, 3.0), "Return two numbers"),
    ],
)
def test_mistakes_of_nesterov(answer, hint):
    said = check_nesterov(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda mu, top: (2 / (mu + top), 0.0), "without momentum"),
        (
            lambda mu, top: (
                4 / (mu**0.5 + top**0.5) ** 2,
                (top**0.5 - mu**0.5) / (top**0.5 + mu**0.5),
            ),
            "square it",
        ),
        (
            lambda mu, top: (
                1 / (mu**0.5 + top**0.5) ** 2,
                ((top**0.5 - mu**0.5) / (top**0.5 + mu**0.5)) ** 2,
            ),
            "lacks a factor",
        ),
        (
            lambda mu, top: (2 / (mu + top), ((top**0.5 - mu**0.5) / (top**0.5 + mu**0.5)) ** 2),
            "that of gradient descent",
        ),
        (lambda mu, top: (4 / (top + mu) ** 2, ((top - mu) / (top + mu)) ** 2), "√κ belongs"),
        (
            lambda mu, top: (
                ((top**0.5 - mu**0.5) / (top**0.5 + mu**0.5)) ** 2,
                4 / (mu**0.5 + top**0.5) ** 2,
            ),
            "The order is (ε, α)",
        ),
        (lambda mu, top: unsquared(mu, top), "square both"),
        (lambda mu, top: (unsquared(mu, top)[0], unsquared(mu, top)[1] ** 2), "Your ε is √ε"),
        (lambda mu, top: (1 / top, unsquared(mu, top)[1] ** 2), "Your α is right, the other"),
        (lambda mu, top: (unsquared(mu, top)[0] ** 2, 0.9), "Your ε is right, the other"),
        (lambda mu, top: unsquared(mu, top)[0] ** 2, "Return two numbers"),
        (lambda mu, top: (0.1, 0.9), "take roots, add, subtract"),
    ],
)
def test_mistakes_of_the_best_setting(answer, hint):
    said = check_best_momentum(answer)
    assert not said.is_right and hint in said.text
