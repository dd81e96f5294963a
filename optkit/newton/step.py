"""One step of Newton's method in one dimension, in the course's small language: the boxes of chapter 1."""

from __future__ import annotations

from optkit.language.grammar import formula

__all__ = ["newton_root_step", "newton_step"]


@formula
def newton_root_step(x, value, slope):
    """To where the tangent of f at x meets the axis; ``value`` is f(x) and ``slope`` f′(x)."""
    x = x - value / slope
    return x


@formula
def newton_step(theta, slope, curvature):
    """Go where the tangent of f′ is zero; ``curvature`` is f″(θ)."""
    theta = theta - slope / curvature
    return theta
