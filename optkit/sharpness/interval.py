"""Sharpness: how much the loss can rise in a ball around θ. In closed form, and where SAM looks for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from optkit.language.functions import minimum
from optkit.language.grammar import formula
from optkit.rules import RULES
from optkit.translation.derivative import gradient

__all__ = ["quadratic_sharpness", "sam_point", "sharpness_in_interval", "two_valleys"]


@formula
def two_valleys(theta, *, sharp=25.0, flat=1.0):
    """The lower of two parabolas: a sharp minimum at −1 and a flat one at +1, both of height 0."""
    return minimum(sharp * (theta + 1) * (theta + 1) / 2, flat * (theta - 1) * (theta - 1) / 2)


@formula
def quadratic_sharpness(theta, *, curvature, rho):
    """Sharpness of ½λθ², exactly: the loss rises most at the end of the interval that leads away from 0."""
    return curvature * rho * abs(theta) + curvature * rho**2 / 2


@formula
def ball_point(theta, place, *, rho):
    """A point of the interval of radius ρ around θ: place −1 is its left end, 1 its right."""
    return theta + rho * place


def sharpness_in_interval(
    loss: Callable[[np.ndarray], np.ndarray], theta: float, *, rho: float, points: int = 2001
) -> float:
    """Largest rise of a loss of one parameter within ρ of θ, on a grid: max L(θ + e) − L(θ) over |e| ≤ ρ.

    Args:
        loss: From an array of parameters to their losses.
        theta: θ.
        rho: ρ ≥ 0, the radius.
        points: Size of the grid, which holds both ends and θ itself, odd and at least 3.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> sharpness_in_interval(two_valleys, 1.0, rho=0.2).__round__(6)  # ½ · 1 · 0.2²
        0.02
    """
    if not (rho >= 0 and math.isfinite(rho)):
        raise ValueError(f"rho must be >= 0 and finite, got {rho}")
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points must be odd and >= 3, got {points}")
    around = ball_point(theta, np.linspace(-1.0, 1.0, points), rho=rho)
    return float(np.max(loss(around)) - loss(np.asarray([theta]))[0])


def sam_point(problem: Any, theta: Any, *, rho: float) -> np.ndarray:
    """Where SAM takes its gradient for a loss of one parameter: θ + e, with e = ρ along the gradient at θ.

    Args:
        problem: A formula of one array.
        theta: θ, float, any shape: each element is a parameter of its own.
        rho: ρ ≥ 0.

    Returns:
        Of the shape of ``theta``. θ itself where the gradient is zero.

    Raises:
        ValueError: ``rho`` is out of its range.

    Example:
        >>> sam_point(two_valleys, [-0.9, 0.5, 1.0], rho=0.25)
        array([-0.65,  0.25,  1.  ])
    """
    climb = RULES["sam_perturbation"]
    climb.check(rho=rho)
    theta = np.asarray(theta, dtype=float)
    slope = gradient(problem)(theta)
    # One parameter: the norm of its gradient is the gradient's absolute value.
    (point,) = climb(theta, slope, 1, grad_norm=abs(slope), rho=rho)
    return point
