"""SAM's first half: the climb to the worst point in the ball around θ."""

from optkit.rules.rule import rule


@rule(
    citation="foret2021sharpness",
    inputs=("grad_norm",),
    rho={"high": float("inf"), "description": "Radius of the ball."},
    eps={"description": "Keeps the division finite where the gradient is zero."},
)
def sam_perturbation(theta, g, t, *, grad_norm, rho=0.05, eps=1e-12):
    """Move θ by ρ along the gradient; the caller supplies the norm over all parameters."""
    theta = theta + rho / (grad_norm + eps) * g
    return theta
