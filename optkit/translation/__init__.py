"""From a formula's source: a program with hoisted scalars, LaTeX, JavaScript, C, and its derivatives."""

from optkit.translation.c import to_c
from optkit.translation.cuda import to_cuda
from optkit.translation.derivative import gradient, hessian
from optkit.translation.javascript import to_javascript
from optkit.translation.latex import latex_lines, to_latex
from optkit.translation.program import Program, program

__all__ = [
    "Program",
    "gradient",
    "hessian",
    "latex_lines",
    "program",
    "to_c",
    "to_cuda",
    "to_javascript",
    "to_latex",
]
