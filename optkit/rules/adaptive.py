"""Rules with a learning rate of its own for every parameter: AdaGrad, RMSProp, Adam, RAdam.

The stabiliser δ stands inside the root by default, as in the course. ``eps_inside=False`` gives torch's
placement.
"""

from optkit.language.functions import sqrt
from optkit.rules.rule import rule


@rule(citation="duchi2011adaptive")
def adagrad(theta, g, G, t, *, lr=0.01, eps=1e-10, eps_inside=True):
    """AdaGrad: divide by the root of the sum of all squared gradients."""
    G = G + g * g
    if eps_inside:
        theta = theta - lr * g / sqrt(G + eps)
    else:
        theta = theta - lr * g / (sqrt(G) + eps)
    return theta, G


@rule(citation="tieleman2012rmsprop")
def rmsprop(theta, g, r, t, *, lr=0.01, rho=0.99, eps=1e-8, eps_inside=True):
    """RMSProp: divide by the root of the moving average of squared gradients."""
    r = rho * r + (1 - rho) * g * g
    if eps_inside:
        theta = theta - lr * g / sqrt(r + eps)
    else:
        theta = theta - lr * g / (sqrt(r) + eps)
    return theta, r


# The pages show these two as they stand, and have room for 86 columns.
# fmt: off
@rule(citation="kingma2015adam")
def adam(
    theta, g, s, r, t, *,
    lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, eps_inside=True, bias_correction=True,
):
    """Adam: momentum over RMSProp, both corrected for their start at zero."""
    s = beta1 * s + (1 - beta1) * g
    r = beta2 * r + (1 - beta2) * g * g
    if bias_correction:
        s_hat = s / (1 - beta1**t)
        r_hat = r / (1 - beta2**t)
    else:
        s_hat = s
        r_hat = r
    if eps_inside:
        theta = theta - lr * s_hat / sqrt(r_hat + eps)
    else:
        theta = theta - lr * s_hat / (sqrt(r_hat) + eps)
    return theta, s, r


@rule(
    citation="liu2020variance",
    threshold={
        "symbol": r"\rho_{\min}",
        "low": 4.0,
        "description": "Rectify once the average is this long: 5 in libraries, 4 in the paper.",
    },
)
def radam(
    theta, g, s, r, t, *,
    lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, threshold=5.0, eps_inside=True,
):
    """RAdam: Adam rectified by the variance of its rate, and momentum before that."""
    s = beta1 * s + (1 - beta1) * g
    r = beta2 * r + (1 - beta2) * g * g
    s_hat = s / (1 - beta1**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    if rho_t > threshold:
        rect = sqrt(
            (rho_t - 4) * (rho_t - 2) * rho_inf
            / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
        )
        if eps_inside:
            r_hat = r / (1 - beta2**t)
            theta = theta - lr * rect * s_hat / sqrt(r_hat + eps)
        else:
            theta = theta - lr * rect * s_hat * sqrt(1 - beta2**t) / (sqrt(r) + eps)
    else:
        theta = theta - lr * s_hat
    return theta, s, r
# fmt: on
