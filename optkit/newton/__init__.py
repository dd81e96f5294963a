"""Newton's method: for roots, x ← x − f(x)/f′(x), and for minima, θ ← θ − H⁻¹∇f.

It is only local: the start decides where it goes. As a minimiser it seeks any point with a zero gradient, so
it is drawn to saddles and maxima too wherever H is not positive definite. What to do there is the caller's
choice.
"""

from optkit.newton.basins import basins
from optkit.newton.critical import CriticalPoint, critical_points
from optkit.newton.methods import find_root, minimise
from optkit.newton.path import NewtonPath
from optkit.newton.step import newton_root_step, newton_step

__all__ = [
    "CriticalPoint",
    "NewtonPath",
    "basins",
    "critical_points",
    "find_root",
    "minimise",
    "newton_root_step",
    "newton_step",
]
