"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_inna_start, check_inna_step, check_nesterov_as_inna

CHECKS = [check_inna_step, check_nesterov_as_inna, check_inna_start]


def drift_of(theta, psi, alpha, beta):
    return (1 / beta - alpha) * theta - psi / beta


def step(theta, psi, g, lr, alpha, beta):
    drift = drift_of(theta, psi, alpha, beta)
    return theta + lr * (drift - beta * g), psi + lr * drift


def new_theta(theta, psi, g, lr, alpha, beta):
    theta = theta + lr * (drift_of(theta, psi, alpha, beta) - beta * g)
    return theta, psi + lr * drift_of(theta, psi, alpha, beta)


def with_step(change):
    """A step made of the drift and the pull βg: change(θ, ψ, drift, g, γ, β)."""

    def answer(theta, psi, g, lr, alpha, beta):
        return change(theta, psi, drift_of(theta, psi, alpha, beta), g, lr, beta)

    return answer


def like_nesterov(lr, momentum):
    root = lr**0.5
    return root, (1 - momentum) / root, (1 + momentum) * root


def start(theta, g, velocity, alpha, beta):
    return (1 - alpha * beta) * theta - beta * velocity - beta**2 * g


def test_the_solutions_are_accepted():
    assert check_inna_step(step).is_right
    assert check_nesterov_as_inna(like_nesterov).is_right
    assert check_nesterov_as_inna(lambda *a: np.array(like_nesterov(*a))).is_right
    assert check_inna_start(start).is_right


@pytest.mark.parametrize("check", CHECKS)
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right
    assert not check(lambda *arguments: (7.0, 7.0)).is_right
    assert not check(lambda *arguments: np.ones(3)).is_right
    assert not check(lambda *arguments: "theta").is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (new_theta, "uses the new θ"),
        (with_step(lambda th, ps, d, g, lr, b: (th + lr * d, ps + lr * d)), "gradient is missing"),
        (
            with_step(lambda th, ps, d, g, lr, b: (th + lr * (d - b * g), ps + lr * (d - b * g))),
            "Your ψ sees",
        ),
        (with_step(lambda th, ps, d, g, lr, b: (th + lr * (d - g), ps + lr * d)), "needs its factor β"),
        (with_step(lambda th, ps, d, g, lr, b: (th - lr * (d + b * g), ps - lr * d)), "A sign"),
        (with_step(lambda th, ps, d, g, lr, b: (th + lr * (d + b * g), ps + lr * d)), "uphill"),
        (with_step(lambda th, ps, d, g, lr, b: (ps + lr * d, th + lr * (d - b * g))), "exchanged"),
        (with_step(lambda th, ps, d, g, lr, b: th + lr * (d - b * g)), "Return two things"),
        (with_step(lambda th, ps, d, g, lr, b: (th + d - b * g, ps + d)), "step size is missing: θ"),
        (with_step(lambda th, ps, d, g, lr, b: (th + lr * (d - b * g), ps + d)), "in the second line"),
        (with_step(lambda th, ps, d, g, lr, b: (th + lr * (d - b * g), lr * d)), "adds to the old ψ"),
        (with_step(lambda th, ps, d, g, lr, b: (th, ps)), "Compute drift"),
    ],
)
def test_mistakes_of_the_step(answer, hint):
    said = check_inna_step(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda lr, mu: (lr**0.5, (1 - mu) / lr**0.5, lr**0.5), "plain momentum"),
        (lambda lr, mu: (lr, (1 - mu) / lr, (1 + mu) * lr), "γ is not ε"),
        (lambda lr, mu: (lr**0.5, mu, (1 + mu) * lr**0.5), "is not the momentum"),
        (lambda lr, mu: (lr**0.5, 1 - mu, (1 + mu) * lr**0.5), "divide it by γ"),
        (lambda lr, mu: (lr**0.5, (1 - mu) / lr**0.5, (1 + mu) * lr), "divide by γ once more"),
        (lambda lr, mu: (lr**0.5, (1 - mu) / lr**0.5, 1 + mu), "left out γ"),
        (lambda lr, mu: (lr**0.5, (1 + mu) * lr**0.5, (1 - mu) / lr**0.5), "α and β are exchanged"),
        (lambda lr, mu: (lr, mu), "Return three numbers"),
        (lambda lr, mu: (1.0, 1.0, 1.0), "Compare three things"),
    ],
)
def test_mistakes_of_the_conversion(answer, hint):
    said = check_nesterov_as_inna(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda th, g, v, a, b: (1 - a * b) * th, "authors' program"),
        (lambda th, g, v, a, b: (1 - a * b) * th - (b * b - b) * g, "the paper's start"),
        (lambda th, g, v, a, b: (1 - a * b) * th - b * v, "Make up for it"),
        (lambda th, g, v, a, b: (1 - a * b) * th + b * v + b * b * g, "turned round"),
        (lambda th, g, v, a, b: (1 - a * b) * th - b * v - b * g, "needs β²"),
        (lambda th, g, v, a, b: (1 / b - a) * th - b * v - b * b * g, "1 − αβ"),
        (lambda th, g, v, a, b: (1 - a * b) * th - b * v + b * b * g, "A sign"),
        (lambda th, g, v, a, b: 1.0, "shape of θ"),
        (lambda th, g, v, a, b: th, "Solve velocity"),
    ],
)
def test_mistakes_of_the_start(answer, hint):
    said = check_inna_start(answer)
    assert not said.is_right and hint in said.text
