"""Points that look critical because a function is differentiated by parts: D-critical points.

For a sum of nonsmooth terms, backpropagation gives an element of the SUM of the terms' subdifferentials,
which may hold 0 where the subdifferential of the sum does not. All functions here are of one variable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["Interval", "clarke_subdifferential", "is_d_critical", "sum_of_subdifferentials"]

Function = Callable[[float], float]


class Interval(NamedTuple):
    """All numbers from low to high, both ends included."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return self.low <= value <= self.high  # type: ignore[operator]


def clarke_subdifferential(function: Function, t: float, *, step: float = 1e-6) -> Interval:
    """Clarke's subdifferential at t of a piecewise smooth function: between its slopes on either side.

    The slopes are quotients of the second order, (4f(t ± h) − f(t ± 2h) − 3f(t))/(±2h), exact but for
    rounding where the pieces are parabolas, and then rounded to 9 digits. There must be no other kink within
    2h of t.

    Args:
        function: Continuous; from a float to a float.
        t: Where.
        step: h > 0.

    Returns:
        From the smaller slope to the larger. Where f is differentiable it is one point.

    Raises:
        ValueError: ``step`` is out of range, or the function is not finite there.

    Example:
        >>> clarke_subdifferential(abs, 0.0)
        Interval(low=-1.0, high=1.0)
        >>> clarke_subdifferential(abs, 2.0)
        Interval(low=1.0, high=1.0)

    Source: castera2021inertial.
    """
    if not (math.isfinite(step) and step > 0):
        raise ValueError(f"step must be > 0 and finite, got {step}")
    slopes = []
    for h in (-step, step):
        slope = (4 * function(t + h) - function(t + 2 * h) - 3 * function(t)) / (2 * h)
        if not math.isfinite(slope):
            raise ValueError(f"function must be finite around t = {t}, got a slope of {slope}")
        slopes.append(round(slope, 9) + 0.0)
    return Interval(min(slopes), max(slopes))


def sum_of_subdifferentials(terms: Sequence[Function], t: float, *, step: float = 1e-6) -> Interval:
    """DJ(t): every sum of one subgradient of each term. It holds the subdifferential of the sum, and more.

    Args:
        terms: Functions whose sum is J, at least one.
        t: Where.
        step: As for `clarke_subdifferential`.

    Raises:
        ValueError: There are no terms, or as for `clarke_subdifferential`.

    Example:
        >>> sum_of_subdifferentials([abs, lambda t: -abs(t)], 0.0)  # of |t| − |t|, which is 0
        Interval(low=-2.0, high=2.0)

    Source: castera2021inertial.
    """
    if not terms:
        raise ValueError("terms must be 1 at least, got none")
    parts = [clarke_subdifferential(term, t, step=step) for term in terms]
    return Interval(sum(part.low for part in parts), sum(part.high for part in parts))


def is_d_critical(terms: Sequence[Function], t: float, *, step: float = 1e-6) -> bool:
    """Whether 0 ∈ DJ(t): an optimizer that differentiates by parts may stay there, critical or not.

    Args:
        terms: Functions whose sum is J, at least one.
        t: Where.
        step: As for `clarke_subdifferential`.

    Raises:
        ValueError: There are no terms, or as for `clarke_subdifferential`.

    Example:
        >>> def relu(t):
        ...     return max(t, 0.0)
        >>> terms = [relu, lambda t: -relu(-t)]  # their sum is t: no critical point at all
        >>> is_d_critical(terms, 0.0), is_d_critical(terms, 0.1)
        (True, False)
        >>> 0.0 in clarke_subdifferential(lambda t: sum(term(t) for term in terms), 0.0)
        False

    Source: castera2021inertial.
    """
    return 0.0 in sum_of_subdifferentials(terms, t, step=step)
