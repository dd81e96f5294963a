"""Checks of the exercises of the chapter on per-parameter adaptive rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong
from optkit.rules import RULES

__all__ = ["check_adagrad", "check_recovery"]

Array = np.ndarray


def check_adagrad(answer: Callable[[Array, Array, Array, float], tuple[Array, Array]]) -> Answer:
    """Check one step of AdaGrad: a function (θ, g, G, lr) → (θ, G), without a stabiliser.

    Example:
        >>> def step(theta, g, G, lr):
        ...     G = G + g * g
        ...     return theta - lr * g / np.sqrt(G), G
        >>> check_adagrad(step).is_right
        True
    """
    theta, g = np.array([1.0, -2.0, 0.5]), np.array([0.3, -4.0, 0.02])
    past, lr = np.array([0.5, 9.0, 0.01]), 0.1
    given = theta.copy(), g.copy(), past.copy()
    result, fault = attempt(answer, *given, lr)
    if fault:
        return fault
    if not all(np.array_equal(a, b) for a, b in zip(given, (theta, g, past), strict=True)):
        return wrong("Your function changes the arrays it was given. Write G = G + …, not G += ….")
    if not isinstance(result, tuple | list) or len(result) != 2:
        return wrong("Return two things: the new θ and the new G.")
    expected = RULES["adagrad"](theta, g, past, 1, lr=lr, eps=0.0)
    # A stabiliser of the usual size is no mistake.
    if all(same(a, b, tolerance=1e-6) for a, b in zip(result, expected, strict=True)):
        return right("Every parameter now has its own rate, lr/√G.")
    total = past + g * g
    if same(result[0], total, tolerance=1e-6):
        return wrong("You returned (G, θ). The order is (θ, G).")
    steps: dict[str, Callable[[], Any]] = {
        "You divided by the OLD sum. AdaGrad adds the new square first: else the first step divides by 0.": (
            lambda: theta - lr * g / np.sqrt(past)
        ),
        "The root is missing: then a gradient ten times as large makes a step a tenth as long.": (
            lambda: theta - lr * g / total
        ),
        "You walk uphill: the step is against the gradient.": lambda: theta + lr * g / np.sqrt(total),
        "You multiply by the root. A large gradient asks for a small rate: divide.": (
            lambda: theta - lr * g * np.sqrt(total)
        ),
        "One sum for all parameters: each has its own. Add up over steps, not over coordinates.": (
            lambda: theta - lr * g / np.sqrt(total.sum())
        ),
        "One sum for all parameters: each has its own. Write g · g for each entry, and sum up none.": (
            lambda: theta - lr * g / np.sqrt(past + g @ g)
        ),
        "The sum is of the squares of the gradients, not of their sizes.": (
            lambda: theta - lr * g / np.sqrt(past + np.abs(g))
        ),
        "The sum is of the SQUARES of the gradients: of the sizes, and without a root, it is another rule.": (
            lambda: theta - lr * g / (past + np.abs(g))
        ),
        "The learning rate is missing.": lambda: theta - g / np.sqrt(total),
        "You forget the old sum: G + g · g, not g · g alone.": lambda: theta - lr * np.sign(g),
        "This is the step alone. Return the new θ.": lambda: -lr * g / np.sqrt(total),
    }
    if known := first_match(result[0], steps):
        return known
    if same(result[0], expected[0], tolerance=1e-6):
        sums: dict[str, Callable[[], Any]] = {
            "θ is right. But you return the old G: the next step will have forgotten this one.": lambda: past,
            "θ is right. But G is the sum of the squares itself, without the root.": lambda: np.sqrt(total),
        }
        return first_match(result[1], sums) or wrong("θ is right; the new G is G + g · g.")
    return wrong("First G = G + g · g, element by element, and then θ = θ − lr · g / √G with the new G.")


def check_recovery(answer: Callable[[float, float], float]) -> Answer:
    """Check a function (ρ, c) → the steps after which r has fallen to twice its new level c².

    r stood at 1 under gradients of size 1, which then shrink to c < 0.7.

    Example:
        >>> check_recovery(lambda rho, c: 1 / (1 - rho))
        Not yet. This is the number of steps that the average covers...
    """
    cases = ((0.99, 0.1), (0.9, 0.1), (0.99, 0.01), (0.999, 0.3))
    found = []
    for rho, c in cases:
        result, fault = attempt(answer, rho, c)
        if fault:
            return fault
        if np.ndim(result):
            return wrong(f"Return one number of steps, got {result!r}.")
        found.append(result)
    rho, c = np.array(cases).T
    exact = np.log(c**2 / (1 - c**2)) / np.log(rho)
    if same(found, exact):
        return right("About 2 ln(1/c)/(1 − ρ): the window of the average, times a logarithm.")
    if same(found, np.ceil(exact)):
        return right("In whole steps. About 2 ln(1/c)/(1 − ρ).")
    known = first_match(
        found,
        {
            "This is the number of steps that the average covers. Recovery takes longer for a smaller c.": (
                lambda: 1 / (1 - rho)
            ),
            "Nearly: this is when the OLD part of r has fallen to c². It must fall to c²/(1 − c²), because r "
            "keeps the share 1 − ρᵏ of the new squares.": lambda: np.log(c**2) / np.log(rho),
            "You used c where c² belongs: r is an average of squares.": (
                lambda: np.log(c / (1 - c)) / np.log(rho)
            ),
            "You used c where c² belongs, and the old part alone: r is an average of squares.": (
                lambda: np.log(c) / np.log(rho)
            ),
            "A sign: both logarithms are negative, and the number of steps is positive.": (lambda: -exact),
            "Upside down: ρᵏ = x means k = ln x / ln ρ.": lambda: 1 / exact,
            "This is the estimate for small c and ρ near 1. Solve ρᵏ + (1 − ρᵏ) c² = 2c² exactly.": (
                lambda: 2 * np.log(1 / c) / (1 - rho)
            ),
        },
    )
    return known or wrong(
        "After k steps r = ρᵏ · 1 + (1 − ρᵏ) c². Set it equal to 2c², and solve for ρᵏ, then for k."
    )
