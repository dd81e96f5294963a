"""From a formula's source to other languages: a program with hoisted scalars, LaTeX, JavaScript."""

from optkit.translation.program import Program, program

__all__ = ["Program", "program"]
