"""Momentum: the three forms that courses and libraries use, and Nesterov's.

With a constant learning rate the three forms are one method: standard and common are equal, and EWMA with ε
is common with ε(1 − α). They part when ε changes, because the standard form keeps old steps at their old ε.
"""

from optkit.rules.rule import rule


@rule(citation="polyak1964some")
def momentum_standard(theta, g, v, t, *, lr=0.01, momentum=0.9):
    """Momentum whose velocity is a step: old steps keep the learning rate they were made with."""
    v = momentum * v - lr * g
    theta = theta + v
    return theta, v


@rule(citation="polyak1964some")
def momentum_ewma(theta, g, v, t, *, lr=0.01, momentum=0.9):
    """Momentum whose velocity is the moving average of the gradients."""
    v = momentum * v + (1 - momentum) * g
    theta = theta - lr * v
    return theta, v


@rule(citation="sutskever2013importance")
def momentum_common(theta, g, v, t, *, lr=0.01, momentum=0.9):
    """Momentum whose velocity is the decaying sum of the gradients: torch's form."""
    v = momentum * v + g
    theta = theta - lr * v
    return theta, v


def look_ahead(theta, v, *, momentum=0.9):
    """Where the velocity alone would carry θ."""
    return theta + momentum * v


@rule(citation="nesterov1983method", gradient_at=look_ahead)
def nesterov(theta, g, v, t, *, lr=0.01, momentum=0.9):
    """Nesterov's momentum: the gradient is taken at the look-ahead point θ + αv."""
    v = momentum * v - lr * g
    theta = theta + v
    return theta, v


@rule(citation="sutskever2013importance")
def nesterov_torch(theta, g, v, t, *, lr=0.01, momentum=0.9):
    """Nesterov's momentum as torch iterates it: its θ is the look-ahead point of the textbook form."""
    v = momentum * v + g
    theta = theta - lr * (g + momentum * v)
    return theta, v
