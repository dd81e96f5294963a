"""Checks of the exercises of the chapter on gradient descent and Newton's method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optkit.dynamics import best_gradient_descent
from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_best_rate", "check_downhill_newton", "check_hessian_product"]

Array = np.ndarray
Gradient = Callable[[Array], Array]


def check_best_rate(answer: Callable[[float, float], float]) -> Answer:
    """Check a function from the eigenvalues (μ, L) to the best learning rate of gradient descent.

    Example:
        >>> check_best_rate(lambda mu, L: 2 / L)
        Not yet. This is the limit of stability...
    """
    spectra = ((1.0, 100.0), (0.5, 8.0), (2.0, 5.0))
    found = []
    for mu, top in spectra:
        result, fault = attempt(answer, mu, top)
        if fault:
            return fault
        if np.ndim(result):
            return wrong(f"Return one number, the learning rate, got {result!r}.")
        found.append(result)
    mu, top = np.array(spectra).T
    if same(found, [best_gradient_descent(*spectrum).lr for spectrum in spectra]):
        return right("The steepest and the gentlest axis now shrink by the same factor (κ − 1)/(κ + 1).")
    known = first_match(
        found,
        {
            "This is the limit of stability: there the steepest axis swings for ever, with the factor −1.": (
                lambda: 2 / top
            ),
            "With 1/L the steepest axis arrives in one step, and the gentlest waits for the rest: its factor "
            "is 1 − μ/L. A larger ε slows the one down and speeds the other up.": lambda: 1 / top,
            "This is half of it. Set 1 − εμ = εL − 1 and solve for ε: there are two ones.": (
                lambda: 1 / (top + mu)
            ),
            "This is the factor by which the error shrinks, not the learning rate that brings it about.": (
                lambda: (top - mu) / (top + mu)
            ),
            "The gentlest axis alone would like this. The steepest axis diverges, as soon as κ > 2.": (
                lambda: 1 / mu
            ),
            "A sign: beyond 1/L the factor of the steepest axis is 1 − εL < 0, of modulus εL − 1. Set "
            "1 − εμ = εL − 1.": lambda: 2 / (top - mu),
            "Your fraction is upside down: curvature is one over a learning rate.": lambda: (top + mu) / 2,
            "This is the best ε of momentum (chapter 4), with roots. That of gradient descent has none.": (
                lambda: 4 / (np.sqrt(top) + np.sqrt(mu)) ** 2
            ),
        },
    )
    return known or wrong(
        "Draw |1 − ελ| against ε for λ = μ and for λ = L. The larger of the two is lowest where they cross."
    )


def check_downhill_newton(answer: Callable[[float, float, float], float]) -> Answer:
    """Check a step (θ, f′, f″) → θ that divides by |f″|, so that it goes downhill wherever it stands.

    Example:
        >>> check_downhill_newton(lambda theta, slope, curvature: theta - slope / curvature)
        Not yet. This is Newton's step as it stands: where f″ < 0 it goes uphill, to the maximum...
    """
    places = np.array([(1.5, 2.0, 4.0), (-0.4, 0.3, -1.2), (0.2, -0.7, -0.5), (2.0, -1.0, 0.8)])
    found = []
    for place in places:
        result, fault = attempt(answer, *map(float, place))
        if fault:
            return fault
        found.append(result)
    theta, slope, curvature = places.T
    if same(found, theta - slope / np.abs(curvature)):
        return right(
            "Near a minimum it is Newton's step. Near a maximum it leaves as fast as Newton's arrives."
        )
    known = first_match(
        found,
        {
            "This is Newton's step as it stands: where f″ < 0 it goes uphill, to the maximum. Take |f″|.": (
                lambda: theta - slope / curvature
            ),
            "You walk uphill: the step is against the slope.": lambda: theta + slope / np.abs(curvature),
            "You multiply by |f″|. A large curvature asks for a small step: divide.": (
                lambda: theta - slope * np.abs(curvature)
            ),
            "You took the absolute value of the whole quotient: the sign of the slope says which way is "
            "down, keep it.": lambda: theta - np.abs(slope / curvature),
            "You took the absolute value of the slope: its sign says which way is down. Take it of the "
            "curvature.": lambda: theta - np.abs(slope) / curvature,
            "This is the step alone. Return the new θ.": lambda: -slope / np.abs(curvature),
            "This is gradient descent with ε = 1: the curvature is not used.": lambda: theta - slope,
            "Where f″ < 0 you stay put. But f falls there too: divide by |f″| and go on.": (
                lambda: np.where(curvature > 0, theta - slope / curvature, theta)
            ),
        },
    )
    return known or wrong(
        "The step is −f′ times a positive learning rate. Newton's is 1/f″; make it positive."
    )


def check_hessian_product(answer: Callable[[Gradient, Array, Array], Array]) -> Answer:
    """Check a function (gradient, θ, v) → Hv that calls the gradient twice, and forms no Hessian.

    A difference of two gradients, central or one-sided, with any sensible step is accepted.

    Example:
        >>> def central(gradient, theta, v, h=1e-5):
        ...     return (gradient(theta + h * v) - gradient(theta - h * v)) / (2 * h)
        >>> check_hessian_product(central).is_right
        True
    """
    random = np.random.RandomState(0)
    half = random.standard_normal((6, 6))
    matrix, theta, v = half @ half.T, random.standard_normal(6), random.standard_normal(6)
    calls = []

    def gradient(point: Array) -> Array:
        calls.append(1)
        point = np.asarray(point, dtype=float)
        return matrix @ point + point**3 / 3

    hessian = matrix + np.diag(theta**2)
    result, fault = attempt(answer, gradient, theta.copy(), v.copy())
    if fault:
        return fault
    if np.shape(result) == ():
        return wrong(
            "One number came back. Hv is a vector, of the shape of v: do not multiply by v once more."
        )
    if same(result, hessian @ v, tolerance=1e-3):
        if len(calls) > 2:
            return wrong(
                f"The numbers are right, but the gradient was called {len(calls)} times. Two calls are "
                "enough for any number of parameters: at θ + hv and at θ − hv."
            )
        return right("Two gradients, whatever the number of parameters; no matrix anywhere.")
    if same(result, hessian @ v, tolerance=0.1):
        return wrong(
            "Nearly: the difference is the right one, but its step is too coarse, or so fine that rounding "
            "errors are divided by next to nothing. Try h = 1e-5."
        )
    for expected, hint in (
        (2 * hessian @ v, "This is twice Hv: the two points are 2h apart, so divide by 2h."),
        (-(hessian @ v), "The sign is turned round: take the gradient ahead minus the gradient behind."),
        (hessian @ v / 2, "This is half of Hv: from θ to θ + hv it is only h, so divide by h."),
        (matrix @ theta + theta**3 / 3, "This is the gradient at θ, not its change along v."),
        (hessian.sum(axis=1), "You moved every coordinate by h. Move along v: θ + hv."),
        (np.diag(hessian) * v, "This is the diagonal of H times v. Move along the whole of v at once."),
        (0 * v, "The difference was not divided by the step: it is of the size h. Divide by 2h."),
    ):
        if same(result, expected, tolerance=1e-3):
            return wrong(hint)
    return wrong(
        "Hv is how the gradient changes along v: (∇f(θ + hv) − ∇f(θ − hv)) / (2h), with h about 1e-5."
    )
