"""Where gradient noise and the pull of the minimum hold each other in balance."""

from __future__ import annotations

from optkit.language.grammar import formula

__all__ = ["resting_square"]


@formula
def resting_square(*, curvature, lr, sigma, m):
    """Mean of θ² on ½λθ² once the start is forgotten, with gradient noise σ/√m; 0 < ελ < 2."""
    return lr * sigma**2 / (m * curvature * (2 - lr * curvature))
