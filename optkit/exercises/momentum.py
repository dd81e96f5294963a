"""Checks of the exercises of the chapter on momentum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optkit.dynamics import best_momentum
from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_best_momentum", "check_lr_for_ewma_form", "check_nesterov"]

Slope = Callable[[float], float]


def check_lr_for_ewma_form(answer: Callable[[float, float], float]) -> Answer:
    """Check a function from torch's (ε, α) to the ε that the EWMA form needs for the same steps.

    Example:
        >>> check_lr_for_ewma_form(lambda lr, momentum: lr)
        Not yet. With the same ε the EWMA form takes steps that are 1 − α times as long...
    """
    settings = ((0.1, 0.9), (0.02, 0.5), (0.3, 0.2), (0.004, 0.99))  # no α = 0: lr / α gets its own hint
    found = []
    for lr, momentum in settings:
        result, fault = attempt(answer, lr, momentum)
        if fault:
            return fault
        found.append(result)
    lr, momentum = np.array(settings).T
    if same(found, lr / (1 - momentum)):
        return right("torch's lr = 0.1 with momentum = 0.9 is ε = 1 in the EWMA form: ten times as much.")
    known = first_match(
        found,
        {
            "With the same ε the EWMA form takes steps that are 1 − α times as long: its velocity is a mean, "
            "torch's is a sum.": lambda: lr,
            "This is the other direction, from the EWMA form to torch's.": lambda: lr * (1 - momentum),
            "You divided by α. What the EWMA form puts before the gradient is 1 − α.": (
                lambda: lr / momentum
            ),
            "You multiplied by α. What the EWMA form puts before the gradient is 1 − α.": lambda: (
                lr * momentum
            ),
            "This carries the sign of the velocity over to the rate; ε stays positive.": (
                lambda: -lr / (1 - momentum)
            ),
        },
    )
    return known or wrong(
        "Let every gradient be 1. In the long run torch's velocity is 1/(1 − α) and the EWMA's is 1. "
        "Which ε makes the steps equal?"
    )


def check_nesterov(answer: Callable[[float, float, Slope, float, float], tuple[float, float]]) -> Answer:
    """Check one step of Nesterov's momentum, a function (θ, v, gradient, ε, α) → (θ, v), standard form.

    ``gradient`` is a function of the point.

    Example:
        >>> def ahead(theta, v, gradient, lr, momentum):
        ...     v = momentum * v - lr * gradient(theta + momentum * v)
        ...     return theta + v, v
        >>> check_nesterov(ahead).is_right
        True
    """
    found, fault = _walk(answer)
    if fault:
        return fault
    if same(found, _walk(_nesterov)[0]):
        return right("The gradient is taken where the velocity is about to carry θ.")
    known = first_match(
        found,
        {
            "The gradient is taken at θ: this is momentum without the look-ahead. Take it at θ + αv.": (
                lambda: _walk(_plain)[0]
            ),
            "You look BACK, at θ − αv. In the standard form v is a step already: look at θ + αv.": (
                lambda: _walk(_behind)[0]
            ),
            "You look ahead by the whole of v. What will be left of it is αv.": lambda: _walk(_too_far)[0],
            "You step FROM the look-ahead point, so that αv is counted twice. θ ← θ + v, with the old θ.": (
                lambda: _walk(_from_ahead)[0]
            ),
            "The sign before ε is wrong: v moves against the gradient.": lambda: _walk(_uphill)[0],
            "You returned (v, θ). The order is (θ, v).": lambda: _walk(_swapped)[0],
            "This is torch's form, with the gradient at θ and ε outside of v. Here ε stands inside: "
            "v ← αv − ε · gradient(θ + αv).": (lambda: _walk(_torch)[0]),
            "This is the common form: v lacks its factor −ε. In the standard form θ ← θ + v.": (
                lambda: _walk(_common)[0]
            ),
            "This is the common form, which looks ahead to θ − εαv. In the standard form v is the step, −ε "
            "included: θ ← θ + v.": lambda: _walk(_common_ahead)[0],
            "You return the new v, but step with the old one: θ ← θ + v comes after the new v.": (
                lambda: _walk(_late)[0]
            ),
        },
    )
    return known or wrong(
        "Three lines are enough: ahead = θ + αv, then v = αv − ε · gradient(ahead), then return θ + v and v."
    )


def check_best_momentum(answer: Callable[[float, float], tuple[float, float]]) -> Answer:
    """Check a function from the eigenvalues (μ, L) to the best (ε, α) of momentum on that quadratic.

    Example:
        >>> check_best_momentum(lambda mu, L: (2 / (mu + L), 0.0))
        Not yet. This is the best setting without momentum...
    """
    spectra = ((1.0, 100.0), (0.5, 8.0), (3.0, 3.0))
    found = []
    for mu, top in spectra:
        result, fault = attempt(answer, mu, top)
        if fault:
            return fault
        if not isinstance(result, tuple | list | np.ndarray) or len(result) != 2:
            return wrong(f"Return two numbers, ε and α, got {result!r}.")
        found.append(result)
    mu, top = np.array(spectra).T
    low, high = np.sqrt(mu), np.sqrt(top)
    rate = (high - low) / (high + low)
    lr = 4 / (high + low) ** 2

    def pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.stack([first, second], axis=-1)

    if same(found, [best_momentum(*spectrum)[:2] for spectrum in spectra]):
        return right("For μ = L it gives α = 0: with one curvature, one step without momentum is exact.")
    known = first_match(
        found,
        {
            "This is the best setting without momentum.": lambda: pairs(2 / (mu + top), 0 * mu),
            "Your ε is right. Your α is √α, the rate: square it.": lambda: pairs(lr, rate),
            "Your α is right. Your ε lacks a factor: (1 + √α)² = εL gives 4/(√L + √μ)².": (
                lambda: pairs(lr / 4, rate**2)
            ),
            "Your α is right. Your ε is that of gradient descent; εL must be (1 + √α)².": (
                lambda: pairs(2 / (mu + top), rate**2)
            ),
            "The roots of μ and L are missing: √κ belongs where you have κ.": (
                lambda: pairs(4 / (top + mu) ** 2, ((top - mu) / (top + mu)) ** 2)
            ),
            "You returned (α, ε). The order is (ε, α).": lambda: pairs(rate**2, lr),
            "These are √ε and √α: square both.": lambda: pairs(np.sqrt(lr), rate),
            "Your α is right. Your ε is √ε: square it.": lambda: pairs(np.sqrt(lr), rate**2),
        },
    )
    if known:
        return known
    for right_one, column, wanted in (("ε", 0, lr), ("α", 1, rate**2)):
        if same([pair[column] for pair in found], wanted):
            return wrong(
                f"Your {right_one} is right, the other is not: the sum of √(εL) = 1 + √α and √(εμ) = 1 − √α "
                "gives ε, their difference over their sum √α."
            )
    return wrong("Solve εμ = (1 − √α)² and εL = (1 + √α)² for ε and α: take roots, add, subtract.")


def _walk(step: Callable[..., tuple[float, float]]) -> tuple[np.ndarray, Answer | None]:
    """Four steps on a slope that is not straight, so that no two mistakes look alike."""
    theta, v, pairs = 1.5, -0.4, []
    for _ in range(4):
        result, fault = attempt(step, theta, v, _slope, 0.1, 0.8)
        if fault:
            return np.empty((0, 2)), fault
        if not isinstance(result, tuple | list | np.ndarray) or len(result) != 2:
            return np.empty((0, 2)), wrong(f"Return two numbers, θ and v, got {result!r}.")
        pairs.append(result)
        theta, v = result
    return np.array(pairs, dtype=float), None


def _slope(theta: float) -> float:
    return theta + theta * theta / 4


def _nesterov(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v - lr * gradient(theta + momentum * v)
    return theta + v, v


def _plain(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v - lr * gradient(theta)
    return theta + v, v


def _behind(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v - lr * gradient(theta - momentum * v)
    return theta + v, v


def _too_far(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v - lr * gradient(theta + v)
    return theta + v, v


def _from_ahead(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    ahead = theta + momentum * v
    v = momentum * v - lr * gradient(ahead)
    return ahead + v, v


def _uphill(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v + lr * gradient(theta + momentum * v)
    return theta + v, v


def _torch(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    g = gradient(theta)
    v = momentum * v + g
    return theta - lr * (g + momentum * v), v


def _common(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v + gradient(theta + momentum * v)
    return theta - lr * v, v


def _common_ahead(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    v = momentum * v + gradient(theta - lr * momentum * v)
    return theta - lr * v, v


def _late(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    return theta + v, momentum * v - lr * gradient(theta + momentum * v)


def _swapped(theta: float, v: float, gradient: Slope, lr: float, momentum: float) -> tuple[float, float]:
    theta, v = _nesterov(theta, v, gradient, lr, momentum)
    return v, theta
