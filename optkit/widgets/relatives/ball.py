"""INNA's ball on the nonsmooth ravine of its paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.trajectories import Trajectory, run
from optkit.widgets.relatives.base import Flag, Number, Point, Relative

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROBLEM = PROBLEMS["nonsmooth_ravine"]
PAPER = ((0.5, 0.01), (0.5, 0.1), (1.3, 0.1))
MOST_STEPS = 100_000


class InnaBall(Relative):
    """INNA on the ravine J = 100(θ₂ − |θ₁|)² + |1 − θ₁|: what its two dampings do.

    Args:
        alpha: α, the viscous damping, 0 to 100.
        beta: β, the Newton-like damping, in (0, 100].
        lr: γ, the step size, 1e-4 to 1.
        time: γ times the number of steps, in (0, 100]; at most 100,000 steps are made.
        paper_start: Initial velocity −g as in the paper, or −βg as in its authors' program.
        start: Where the ball is let go.

    Example:
        >>> figure = InnaBall(time=1.0)
        >>> figure.trajectory.steps
        1000
    """

    kind: ClassVar[str] = "ball"

    alpha = Number(0.5, 0.0, 100.0, "Viscous damping.")
    beta = Number(0.1, 0.0, 100.0, "Newton-like damping.", low_open=True)
    lr = Number(1e-3, 1e-4, 1.0, "Step size.")
    time = Number(10.0, 0.0, 100.0, "Step size times steps.", low_open=True)
    paper_start = Flag(False, "Initial velocity −g or −βg.")
    start = Point(PROBLEM.start, "Where the ball is let go.")

    @property
    def trajectory(self) -> Trajectory:
        """The path, step by step: the very numbers that are drawn."""
        steps = max(1, min(MOST_STEPS, round(self.time / self.lr)))
        hyper = {"lr": self.lr, "alpha": self.alpha, "beta": self.beta, "paper_start": self.paper_start}
        return run(RULES["inna"], PROBLEM, steps=steps, start=self.start, **hyper)

    @classmethod
    def _constants(cls) -> dict[str, Any]:
        return {**super()._constants(), "settings": [list(pair) for pair in PAPER]}

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.palette import face
        from optkit.figures.surface import surface

        path = self.trajectory
        thin = max(1, path.steps // 1000)
        label = f"INNA, α = {self.alpha:g}, β = {self.beta:g}"
        figure, alt = surface(PROBLEM, {label: path.theta[::thin]}, faces={label: face("inna")})
        away = np.linalg.norm(path.theta[-1] - PROBLEM.minima[0])
        return figure, f"{alt} Drawn is every step of {thin}; the last one is {away:.3g} from the minimum."
