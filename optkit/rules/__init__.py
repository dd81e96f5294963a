"""Every update rule of the course, written once.

Add a rule: write it in the file of its family, and its name in the tuple below.
"""

from optkit.language.errors import LanguageError
from optkit.language.functions import maximum, minimum, sign, sqrt
from optkit.rules.adaptive import adagrad, adam, radam, rmsprop
from optkit.rules.descent import gradient_descent
from optkit.rules.hyperparameters import Hyperparameter
from optkit.rules.inertial import inna, inna_m
from optkit.rules.momentum import momentum_common, momentum_ewma, momentum_standard, nesterov, nesterov_torch
from optkit.rules.rule import Rule, rule
from optkit.rules.sharpness_aware import sam_perturbation

RULES: dict[str, Rule] = {
    r.name: r
    for r in (
        gradient_descent,
        momentum_standard,
        momentum_ewma,
        momentum_common,
        nesterov,
        nesterov_torch,
        adagrad,
        rmsprop,
        adam,
        radam,
        inna,
        inna_m,
        sam_perturbation,
    )
}

__all__ = [
    "RULES",
    "Hyperparameter",
    "LanguageError",
    "Rule",
    "maximum",
    "minimum",
    "rule",
    "sign",
    "sqrt",
    *RULES,
]
