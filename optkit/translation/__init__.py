"""From a formula's source to other languages: a program with hoisted scalars, LaTeX, JavaScript."""

from optkit.translation.javascript import to_javascript
from optkit.translation.latex import latex_lines, to_latex
from optkit.translation.program import Program, program

__all__ = ["Program", "latex_lines", "program", "to_javascript", "to_latex"]
