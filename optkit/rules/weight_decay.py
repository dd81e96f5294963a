"""Weight decay in its two forms. Neither is a rule of its own: they change g before a rule, or θ."""

from optkit.language.grammar import formula


@formula
def coupled(theta, g, *, weight_decay=0.0):
    """Add the gradient of ½λ‖θ‖² to g: L2 regularisation, which adaptive rules rescale."""
    return g + weight_decay * theta


@formula
def decoupled(theta, *, lr=0.01, weight_decay=0.0):
    """Shrink θ itself by the factor 1 − ελ, outside the rule: AdamW's form."""
    return (1 - lr * weight_decay) * theta
