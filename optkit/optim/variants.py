"""Options of torch's optimizers that the course does not teach, each written as a rule of its own.

They are not among `optkit.rules.RULES`: the classes of `optkit.optim` choose them when an argument asks for
them.
"""

from optkit.language.functions import maximum, sqrt
from optkit.rules import rule


@rule(citation="sutskever2013importance")
def momentum_dampened(theta, g, v, t, *, lr=0.001, momentum=0.9, dampening=0.0):
    """Momentum with torch's dampening: new gradients weigh 1 − dampening, but the first one weighs 1."""
    if t == 1:
        v = g
    else:
        v = momentum * v + (1 - dampening) * g
    theta = theta - lr * v
    return theta, v


@rule(citation="duchi2011adaptive", lr_decay={"low": 0.0})
def adagrad_decayed(theta, g, G, t, *, lr=0.01, lr_decay=0.0, eps=1e-10, eps_inside=True):
    """AdaGrad whose learning rate falls as 1/t as well."""
    rate = lr / (1 + (t - 1) * lr_decay)
    G = G + g * g
    if eps_inside:
        theta = theta - rate * g / sqrt(G + eps)
    else:
        theta = theta - rate * g / (sqrt(G) + eps)
    return theta, G


@rule(citation="tieleman2012rmsprop")
def rmsprop_momentum(theta, g, r, v, t, *, lr=0.01, rho=0.99, eps=1e-8, momentum=0.9, eps_inside=True):
    """RMSProp whose scaled gradients are summed up to a velocity."""
    r = rho * r + (1 - rho) * g * g
    if eps_inside:
        v = momentum * v + g / sqrt(r + eps)
    else:
        v = momentum * v + g / (sqrt(r) + eps)
    theta = theta - lr * v
    return theta, r, v


@rule(citation="graves2013generating")
def rmsprop_centered(theta, g, r, s, t, *, lr=0.01, rho=0.99, eps=1e-8, eps_inside=True):
    """RMSProp that divides by the standard deviation of the gradients, not by their root mean square."""
    r = rho * r + (1 - rho) * g * g
    s = rho * s + (1 - rho) * g
    # Rounding may carry the variance of a constant gradient below zero.
    variance = maximum(r - s * s, 0.0)
    if eps_inside:
        theta = theta - lr * g / sqrt(variance + eps)
    else:
        theta = theta - lr * g / (sqrt(variance) + eps)
    return theta, r, s


@rule(citation="graves2013generating")
def rmsprop_centered_momentum(
    theta, g, r, s, v, t, *, lr=0.01, rho=0.99, eps=1e-8, momentum=0.9, eps_inside=True
):
    """Centred RMSProp whose scaled gradients are summed up to a velocity."""
    r = rho * r + (1 - rho) * g * g
    s = rho * s + (1 - rho) * g
    variance = maximum(r - s * s, 0.0)
    if eps_inside:
        v = momentum * v + g / sqrt(variance + eps)
    else:
        v = momentum * v + g / (sqrt(variance) + eps)
    theta = theta - lr * v
    return theta, r, s, v


@rule(citation="reddi2018convergence")
def adam_amsgrad(
    theta,
    g,
    s,
    r,
    r_max,
    t,
    *,
    lr=0.001,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    eps_inside=True,
    bias_correction=True,
):
    """Adam that divides by the largest second moment so far, as torch does it: before the bias correction."""
    s = beta1 * s + (1 - beta1) * g
    r = beta2 * r + (1 - beta2) * g * g
    r_max = maximum(r_max, r)
    if bias_correction:
        s_hat = s / (1 - beta1**t)
        r_hat = r_max / (1 - beta2**t)
    else:
        s_hat = s
        r_hat = r_max
    if eps_inside:
        theta = theta - lr * s_hat / sqrt(r_hat + eps)
    else:
        theta = theta - lr * s_hat / (sqrt(r_hat) + eps)
    return theta, s, r, r_max


@rule(
    citation="kwon2021asam",
    inputs=("grad_norm",),
    rho={"high": float("inf"), "description": "Radius of the ball."},
    eta={"low": 0.0, "description": "Added to the size of each parameter, so that zeros move too."},
    eps={"description": "Keeps the division finite where the gradient is zero."},
)
def asam_perturbation(theta, g, t, *, grad_norm, rho=0.5, eta=0.01, eps=1e-12):
    """ASAM's climb: along (|θ| + η)² g. The caller supplies the norm of (|θ| + η) g over all parameters."""
    size = abs(theta) + eta
    theta = theta + rho / (grad_norm + eps) * size * size * g
    return theta
