"""Checks of the exercises of the chapter on INNA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong
from optkit.rules import RULES

__all__ = ["check_inna_start", "check_inna_step", "check_nesterov_as_inna"]

Array = np.ndarray
SETTINGS = ((0.1, 0.5, 0.1), (0.3, 1.3, 0.2), (0.05, 0.7, 0.6))  # (γ, α, β)


def check_inna_step(answer: Callable[..., tuple[Any, Any]]) -> Answer:
    """Check a step (θ, ψ, g, γ, α, β) → (θ, ψ) of INNA in phase space, away from the start.

    Example:
        >>> def new_theta_twice(theta, psi, g, lr, alpha, beta):
        ...     theta = theta + lr * ((1 / beta - alpha) * theta - psi / beta - beta * g)
        ...     return theta, psi + lr * ((1 / beta - alpha) * theta - psi / beta)
        >>> check_inna_step(new_theta_twice)
        Not yet. Your second line uses the new θ...
    """
    theta, psi, g = np.array([0.7, -1.2]), np.array([0.4, 0.9]), np.array([2.0, -0.5])
    found = []
    for setting in SETTINGS:
        result, fault = attempt(answer, theta.copy(), psi.copy(), g.copy(), *setting)
        if fault:
            return fault
        if not (isinstance(result, tuple | list) and len(result) == 2):
            return wrong(f"Return two things, the new θ and the new ψ, got {result!r}.")
        found.append([*map(np.asarray, result)])

    def steps(make: Callable[..., tuple[Array, Array]]) -> list:
        return [make(lr, (1 / beta - alpha) * theta - psi / beta, beta) for lr, alpha, beta in SETTINGS]

    expected = [
        RULES["inna"](theta, g, psi, 2, lr=lr, alpha=alpha, beta=beta) for lr, alpha, beta in SETTINGS
    ]
    if same(found, expected):
        return right("Both lines share the drift, of the old θ and ψ; only θ sees the gradient.")

    def late(lr: float, alpha: float, beta: float) -> tuple[Array, Array]:
        new, _ = RULES["inna"](theta, g, psi, 2, lr=lr, alpha=alpha, beta=beta)
        return new, psi + lr * ((1 / beta - alpha) * new - psi / beta)

    known = first_match(
        found,
        {
            "Your second line uses the new θ. Both use the old one: compute the drift once, before.": (
                lambda: [late(*setting) for setting in SETTINGS]
            ),
            "The gradient is missing: θ also moves by −γβg.": (
                lambda: steps(lambda lr, drift, beta: (theta + lr * drift, psi + lr * drift))
            ),
            "Your ψ sees the gradient as well. Only θ does.": (
                lambda: steps(
                    lambda lr, drift, beta: (
                        theta + lr * (drift - beta * g),
                        psi + lr * (drift - beta * g),
                    )
                )
            ),
            "The gradient needs its factor β: the step is γ(drift − βg).": (
                lambda: steps(lambda lr, drift, beta: (theta + lr * (drift - g), psi + lr * drift))
            ),
            "A sign: the drift is (1/β − α)θ − ψ/β. You have it turned round.": (
                lambda: steps(lambda lr, drift, beta: (theta - lr * (drift + beta * g), psi - lr * drift))
            ),
            "You walk uphill: the gradient enters with a minus.": (
                lambda: steps(lambda lr, drift, beta: (theta + lr * (drift + beta * g), psi + lr * drift))
            ),
            "The step size is missing: θ moves by γ(drift − βg), and ψ by γ drift.": (
                lambda: steps(lambda lr, drift, beta: (theta + drift - beta * g, psi + drift))
            ),
            "The step size is missing in the second line: ψ moves by γ times the drift.": (
                lambda: steps(lambda lr, drift, beta: (theta + lr * (drift - beta * g), psi + drift))
            ),
            "The second line adds to the old ψ: it is ψ + γ drift.": (
                lambda: steps(lambda lr, drift, beta: (theta + lr * (drift - beta * g), lr * drift))
            ),
            "The two results are exchanged: return the new θ first, then the new ψ.": lambda: [
                (new_psi, new) for new, new_psi in expected
            ],
        },
    )
    return known or wrong(
        "Compute drift = (1/β − α)θ − ψ/β from the old values. Then θ moves by γ(drift − βg), and ψ by "
        "γ drift."
    )


def check_nesterov_as_inna(answer: Callable[[float, float], tuple[float, float, float]]) -> Answer:
    """Check a function from the (ε, μ) of Nesterov's momentum in torch to INNA's (γ, α, β).

    Example:
        >>> check_nesterov_as_inna(lambda lr, momentum: (lr**0.5, (1 - momentum) / lr**0.5, lr**0.5))
        Not yet. This is plain momentum...
    """
    settings = ((0.04, 0.9), (0.5, 0.6), (2.0, 0.95))
    found = []
    for setting in settings:
        result, fault = attempt(answer, *setting)
        if fault:
            return fault
        if np.shape(result) != (3,):
            return wrong(f"Return three numbers, γ, α and β, got {result!r}.")
        found.append(result)
    lr, mu = np.array(settings).T
    root = np.sqrt(lr)

    def columns(*three: Array) -> Array:
        return np.stack(three, axis=1)

    if same(found, columns(root, (1 - mu) / root, (1 + mu) * root)):
        return right("Nesterov's look-ahead is a Newton-like damping of about two step sizes.")
    return first_match(
        found,
        {
            "This is plain momentum. Nesterov's newest gradient counts 1 + μ times, not once.": (
                lambda: columns(root, (1 - mu) / root, root)
            ),
            "γ is not ε: γ² = ε, since a gradient passes through γ twice on its way into θ.": (
                lambda: columns(lr, (1 - mu) / lr, (1 + mu) * lr)
            ),
            "INNA's α is not the momentum: the momentum is 1 − αγ. Solve that for α.": (
                lambda: columns(root, mu, (1 + mu) * root)
            ),
            "1 − momentum is αγ: divide it by γ.": lambda: columns(root, 1 - mu, (1 + mu) * root),
            "The newest gradient enters with γβ, which shall be ε(1 + momentum): divide by γ once more.": (
                lambda: columns(root, (1 - mu) / root, (1 + mu) * lr)
            ),
            "α and β are exchanged: return (γ, α, β).": lambda: columns(
                root, (1 + mu) * root, (1 - mu) / root
            ),
            "You left out γ in β: γβ = ε(1 + momentum), with γ² = ε.": (
                lambda: columns(root, (1 - mu) / root, 1 + mu)
            ),
        },
    ) or wrong(
        "Compare three things: what is kept of the memory (1 − αγ), how much the newest gradient counts "
        "(γβ), and how much the one before it (γ²(1 − αβ))."
    )


def check_inna_start(answer: Callable[..., Any]) -> Answer:
    """Check a function (θ, g, velocity, α, β) → ψ₀ that gives the ball this first velocity.

    Example:
        >>> check_inna_start(lambda theta, g, velocity, alpha, beta: (1 - alpha * beta) * theta)
        Not yet. This ψ gives the velocity −βg, whatever was asked for...
    """
    theta, g, velocity = np.array([0.7, -1.2]), np.array([2.0, -0.5]), np.array([0.3, 1.1])
    found = []
    for _, alpha, beta in SETTINGS:
        result, fault = attempt(answer, theta.copy(), g.copy(), velocity.copy(), alpha, beta)
        if fault:
            return fault
        found.append(result)
    if any(np.shape(one) != (2,) for one in found):
        return wrong("ψ has the shape of θ: return one array.")

    def psi(make: Callable[[float, float], Array]) -> list[Array]:
        return [make(alpha, beta) for _, alpha, beta in SETTINGS]

    if same(found, psi(lambda alpha, beta: (1 - alpha * beta) * theta - beta * velocity - beta**2 * g)):
        return right("With the velocity −g it is the paper's start, with −βg its program's.")
    mistakes: Mapping[str, Callable[[float, float], Array]] = {
        "This ψ gives the velocity −βg, whatever was asked for: it is the start of the authors' program.": (
            lambda alpha, beta: (1 - alpha * beta) * theta
        ),
        "This ψ gives the velocity −g, whatever was asked for: it is the paper's start.": (
            lambda alpha, beta: (1 - alpha * beta) * theta - (beta**2 - beta) * g
        ),
        "The gradient has a part in the first velocity, too: −βg. Make up for it with −β²g.": (
            lambda alpha, beta: (1 - alpha * beta) * theta - beta * velocity
        ),
        "The signs of the velocity and the gradient are turned round.": (
            lambda alpha, beta: (1 - alpha * beta) * theta + beta * velocity + beta**2 * g
        ),
        "The last term needs β²: multiply the whole equation by β, βg included.": (
            lambda alpha, beta: (1 - alpha * beta) * theta - beta * velocity - beta * g
        ),
        "θ enters with 1 − αβ: multiply 1/β − α by β.": (
            lambda alpha, beta: (1 / beta - alpha) * theta - beta * velocity - beta**2 * g
        ),
        "A sign before β²g: bring it over to the other side.": (
            lambda alpha, beta: (1 - alpha * beta) * theta - beta * velocity + beta**2 * g
        ),
    }
    known = first_match(found, {hint: lambda make=make: psi(make) for hint, make in mistakes.items()})
    return known or wrong("Solve velocity = (1/β − α)θ − ψ/β − βg for ψ.")
