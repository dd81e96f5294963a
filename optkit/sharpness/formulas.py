"""Sharpness in formulas: the mean rise around a minimum, where SAM swings, and the trace after rescaling."""

from __future__ import annotations

from optkit.language.grammar import formula

__all__ = ["mean_rise", "rescaled_trace", "sam_swing"]


@formula
def mean_rise(*, trace, n, rho):
    """Mean of ½eᵀHe over all e of length ρ in n dimensions: it knows H by its trace alone."""
    return rho**2 * trace / (2 * n)


@formula
def sam_swing(*, curvature, lr, rho):
    """How far from the minimum of ½λθ² SAM on gradient descent swings in the end, to and fro; ελ < 2."""
    return lr * curvature * rho / (2 - lr * curvature)


@formula
def rescaled_trace(*, first, second, others, factor):
    """Trace of the Hessian after one layer is multiplied by c and the next divided by it."""
    return first / factor**2 + factor**2 * second + others
