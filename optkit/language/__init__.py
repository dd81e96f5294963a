"""The small language in which update rules, problems and schedules are written."""

from optkit.language.functions import cos, exp, floor, log, maximum, minimum, pi, relu, sign, sin, sqrt, step
from optkit.language.grammar import Formula, LanguageError, formula

__all__ = [
    "Formula",
    "LanguageError",
    "cos",
    "exp",
    "floor",
    "formula",
    "log",
    "maximum",
    "minimum",
    "pi",
    "relu",
    "sign",
    "sin",
    "sqrt",
    "step",
]
