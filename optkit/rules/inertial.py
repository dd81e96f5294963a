"""INNA: the inertial Newton algorithm, in the form of its paper and as a momentum method.

Discretises θ″ + αθ′ + β∇²J(θ)θ′ + ∇J(θ) = 0 without a Hessian. With m = (α − 1/β)θ + ψ/β both forms are the
same iteration; in float32 the momentum form is the more accurate one.
"""

from optkit.rules.rule import rule

DAMPING = {
    "alpha": {
        "symbol": r"\alpha",
        "low": 0.0,
        "high": float("inf"),
        "description": "Viscous damping: how fast the ball loses speed.",
    },
    "beta": {
        "symbol": r"\beta",
        "low": 0.0,
        "low_open": True,
        "description": "Newton-like damping: how much curvature brakes the ball.",
    },
    "paper_start": {"description": "Start at the velocity −g (the paper) or −βg (the published code)."},
    "lr": {"symbol": r"\gamma"},
}


@rule(citation="castera2021inertial", **DAMPING)
def inna(theta, g, psi, t, *, lr=0.01, alpha=0.5, beta=0.1, paper_start=True):
    """INNA in phase space: θ and the auxiliary variable ψ."""
    if t == 1:
        if paper_start:
            psi = (1 - alpha * beta) * theta - (beta * beta - beta) * g
        else:
            psi = (1 - alpha * beta) * theta
    drift = (1 / beta - alpha) * theta - psi / beta
    theta = theta + lr * (drift - beta * g)
    psi = psi + lr * drift
    return theta, psi


@rule(citation="castera2021inertial", **DAMPING)
def inna_m(theta, g, m, t, *, lr=0.01, alpha=0.5, beta=0.1, paper_start=True):
    """INNA as a momentum method: m is a decaying sum of gradients, and the step adds βg to it."""
    if t == 1:
        if paper_start:
            m = (1 - beta) * g
    theta = theta - lr * (m + beta * g)
    m = (1 - alpha * lr) * m + lr * (1 - alpha * beta) * g
    return theta, m
