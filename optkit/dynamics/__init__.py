"""Optimizers as motion: matrices on a quadratic, and differential equations on any loss.

On a quadratic one step is a matrix, and its roots decide everything. On other losses the step size goes to
zero, and what is left is a flow: of the gradient, of a heavy ball with friction, or of DIN, which INNA
follows in steps. And Adam: how long its steps are, and where it goes the wrong way.
"""

from optkit.dynamics.adam import (
    longest_step,
    longest_step_gradients,
    rare_drift,
    rare_gradients,
    uncorrected_step,
)
from optkit.dynamics.critical import Interval, clarke_subdifferential, is_d_critical, sum_of_subdifferentials
from optkit.dynamics.damping import damping_ratio, decay_rate, inna_matrix
from optkit.dynamics.discretisation import Convergence, inna_convergence, inna_path
from optkit.dynamics.flows import (
    Flow,
    din,
    din_phase_space,
    din_start,
    gradient_flow,
    heavy_ball,
)
from optkit.dynamics.lyapunov import din_energy, energy_rate, mechanical_energy
from optkit.dynamics.quadratic import (
    Setting,
    best_gradient_descent,
    best_momentum,
    critical_momentum,
    larger_modulus,
    momentum_matrix,
    rate,
    roots,
    steady_variance,
)

__all__ = [
    "Convergence",
    "Flow",
    "Interval",
    "Setting",
    "best_gradient_descent",
    "best_momentum",
    "clarke_subdifferential",
    "critical_momentum",
    "damping_ratio",
    "decay_rate",
    "din",
    "din_energy",
    "din_phase_space",
    "din_start",
    "energy_rate",
    "gradient_flow",
    "heavy_ball",
    "inna_convergence",
    "inna_matrix",
    "inna_path",
    "is_d_critical",
    "larger_modulus",
    "longest_step",
    "longest_step_gradients",
    "mechanical_energy",
    "momentum_matrix",
    "rare_drift",
    "rare_gradients",
    "rate",
    "roots",
    "steady_variance",
    "sum_of_subdifferentials",
    "uncorrected_step",
]
