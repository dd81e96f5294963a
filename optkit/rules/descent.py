"""Gradient descent: the rule that all others change."""

from optkit.rules.rule import rule


@rule(citation="cauchy1847methode")
def gradient_descent(theta, g, t, *, lr=0.01):
    """Step against the gradient."""
    theta = theta - lr * g
    return theta
