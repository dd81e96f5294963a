"""Checks of the exercises of the chapter on sharpness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_balancing_factor", "check_largest_eigenvalue", "check_sam_step"]

Slope = Callable[[np.ndarray], np.ndarray]
Product = Callable[[np.ndarray], np.ndarray]

MATRIX = np.array([[3.0, 1.0], [1.0, 1.5]])
LR, RHO = 0.1, 0.5


def check_sam_step(answer: Callable[[np.ndarray, Slope, float, float], np.ndarray]) -> Answer:
    """Check one step of SAM on gradient descent, a function (θ, gradient, ε, ρ) → θ.

    ``gradient`` is a function of the point.

    Example:
        >>> check_sam_step(lambda theta, gradient, lr, rho: theta - lr * gradient(theta))
        Not yet. The gradient is taken at θ: this is gradient descent...
    """
    found, fault = _walk(answer)
    if fault:
        return fault

    def outcome(step: Callable[..., Any]) -> Callable[[], np.ndarray]:
        return lambda: _walk(step)[0]

    if same(found, outcome(_sam)()):
        return right("Two gradients, one step: up to the edge of the ball, and down from where you were.")
    known = first_match(
        found,
        {
            "The gradient is taken at θ: this is gradient descent. Take it at θ + e.": outcome(_plain),
            "You step from θ + e. SAM goes back to θ first: only the gradient comes from there.": (
                outcome(_from_there)
            ),
            "e = ρg has the length ρ‖g‖. Divide by the norm, so that e ends on the edge of the ball.": (
                outcome(_without_norm)
            ),
            "You went down to θ − e, where the loss is lowest. SAM looks where it is highest: θ + e.": (
                outcome(_down)
            ),
            "Each coordinate was divided by its own size. The norm is one number, over all of them.": (
                outcome(_each)
            ),
            "You divided by the square of the norm: the root is missing.": outcome(_squared),
            "You walk uphill: the step is against the gradient at θ + e.": outcome(_uphill),
            "ε and ρ are exchanged: ρ is the way up, ε the rate of the step.": outcome(_exchanged),
        },
    )
    return known or wrong(
        "Three lines are enough: g = gradient(θ), then e = ρg/‖g‖, then return θ − ε · gradient(θ + e)."
    )


def check_largest_eigenvalue(answer: Callable[[Product, int], float]) -> Answer:
    """Check a function (product, n) → the largest eigenvalue, signed, of a symmetric n × n matrix.

    ``product`` multiplies a vector of shape (n,) by the matrix.

    Example:
        >>> check_largest_eigenvalue(lambda product, n: 0.0).is_right
        False
    """
    spectra = ([4.0, 1.0, -0.5, 0.2], [1.0, 0.5, -6.0, 0.1], [-1.0, -3.0, -2.0, -5.0])
    found = []
    for values in spectra:
        matrix = _with_spectrum(values)
        result, fault = attempt(answer, lambda vector, a=matrix: a @ np.asarray(vector), len(values))
        if fault:
            return fault
        if np.ndim(result) != 0:
            return wrong("Return one number, the eigenvalue, and not the vector.")
        found.append(result)
    expected = [max(values) for values in spectra]
    if same(found, expected, 1e-3):
        return right("Two runs of the power iteration, the second on a shifted matrix, tell + from −.")
    if same(found, [max(values, key=abs) for values in spectra], 1e-3):
        return wrong(
            "This is the eigenvalue of largest size, which is negative for some of the matrices. Call it m. "
            "If m < 0, then A − mI has no negative eigenvalue: iterate on that, and add m again."
        )
    if same(found, [max(map(abs, values)) for values in spectra], 1e-3):
        return wrong(
            "You returned the length ‖Au‖, which is |λ|. With the unit vector u, uᵀAu has the sign as well."
        )
    if same(found, [max(values) - min(max(values, key=abs), 0.0) for values in spectra], 1e-3):
        return wrong("This is the largest eigenvalue of the SHIFTED matrix A − mI: add m to come back to A.")
    if same(found, [sum(values) for values in spectra], 1e-3):
        return wrong("This is the trace, the sum of all eigenvalues.")
    if same(found, [min(values) for values in spectra], 1e-3):
        return wrong("This is the smallest eigenvalue, the other end of the spectrum.")
    return wrong(
        "Start with a random vector. Repeat u ← Au/‖Au‖ some hundred times, then take uᵀAu. Mind its sign."
    )


def check_balancing_factor(answer: Callable[[float, float], float]) -> Answer:
    """Check a function (first, second) → c that makes the trace of the rescaled Hessian smallest.

    ``first`` and ``second`` are the traces of the blocks of the two layers, both positive.

    Example:
        >>> check_balancing_factor(lambda first, second: 1.0)
        Not yet. Work with first/c² + c² · second...
    """
    blocks = ((16.0, 1.0), (3.0, 48.0), (5.0, 2.0))
    found = []
    for first, second in blocks:
        result, fault = attempt(answer, first, second)
        if fault:
            return fault
        found.append(result)
    first, second = np.array(blocks).T
    if same(found, (first / second) ** 0.25):
        return right("Then both layers have the same share of the trace, the root of first · second.")
    known = first_match(
        found,
        {
            "This is c²: take the root once more.": lambda: np.sqrt(first / second),
            "This is c⁴: take the root twice.": lambda: first / second,
            "This is 1/c. The first layer is MULTIPLIED by c, and its block divided by c².": (
                lambda: (second / first) ** 0.25
            ),
            "This is the smallest trace itself. Wanted is the c at which it is reached.": (
                lambda: 2 * np.sqrt(first * second)
            ),
        },
    )
    return known or wrong(
        "Work with first/c² + c² · second: set its derivative with respect to c to zero, and solve for c⁴."
    )


def _with_spectrum(values: list[float]) -> np.ndarray:
    """A symmetric matrix with these eigenvalues, along axes that no coordinate vector is."""
    axes, _ = np.linalg.qr(np.vander(np.arange(1.0, len(values) + 1)))
    return axes @ np.diag(values) @ axes.T


def _walk(step: Callable[..., Any]) -> tuple[np.ndarray, Answer | None]:
    theta, places = np.array([1.5, -1.0]), []
    for _ in range(4):
        result, fault = attempt(step, theta.copy(), _slope, LR, RHO)
        if fault:
            return np.empty((0, 2)), fault
        if not isinstance(result, np.ndarray | list | tuple) or np.shape(result) != (2,):
            return np.empty((0, 2)), wrong(f"Return the new θ, of the shape of the old, got {result!r}.")
        theta = np.asarray(result, dtype=float)
        places.append(theta)
    return np.array(places), None


def _slope(theta: np.ndarray) -> np.ndarray:
    return MATRIX @ theta


def _sam(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    g = gradient(theta)
    return theta - lr * gradient(theta + rho * g / np.linalg.norm(g))


def _plain(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    return theta - lr * gradient(theta)


def _from_there(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    g = gradient(theta)
    there = theta + rho * g / np.linalg.norm(g)
    return there - lr * gradient(there)


def _without_norm(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    return theta - lr * gradient(theta + rho * gradient(theta))


def _down(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    g = gradient(theta)
    return theta - lr * gradient(theta - rho * g / np.linalg.norm(g))


def _each(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    return theta - lr * gradient(theta + rho * np.sign(gradient(theta)))


def _squared(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    g = gradient(theta)
    return theta - lr * gradient(theta + rho * g / (g @ g))


def _uphill(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    return _sam(theta, gradient, -lr, rho)


def _exchanged(theta: np.ndarray, gradient: Slope, lr: float, rho: float) -> np.ndarray:
    return _sam(theta, gradient, rho, lr)
