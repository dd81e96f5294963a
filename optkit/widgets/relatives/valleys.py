"""A sharp and a flat minimum in one dimension, and the ball in which SAM looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from optkit.rules import RULES
from optkit.sharpness import sharpness_in_interval, two_valleys
from optkit.translation.derivative import gradient
from optkit.widgets.relatives.base import Number, Relative, Whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLOPE = gradient(two_valleys)
POINTS = 201  # of the ball, both ends and θ itself among them


class SharpAndFlat(Relative):
    """Two valleys of equal depth, the worst loss within ρ, and the paths of gradient descent and SAM.

    Args:
        theta: θ, the start, −2 to 3.
        rho: ρ, the radius of the ball, 0 to 2.
        sharp: Curvature of the valley at −1, in (0, 1000].
        flat: Curvature of the valley at +1, in (0, 1000].
        lr: ε of both, in (0, 1].
        steps: Of both, 0 to 1,000.

    Example:
        >>> figure = SharpAndFlat(theta=-1.0, rho=0.3)
        >>> round(figure.sharpness, 3)  # 25 · 0.3² / 2
        1.125
    """

    kind: ClassVar[str] = "sharp"

    theta = Number(-0.85, -2.0, 3.0, "The start.")
    rho = Number(0.4, 0.0, 2.0, "Radius of the ball.")
    sharp = Number(25.0, 0.0, 1000.0, "Curvature of the valley at −1.", low_open=True)
    flat = Number(1.0, 0.0, 1000.0, "Curvature of the valley at +1.", low_open=True)
    lr = Number(0.02, 0.0, 1.0, "Learning rate.", low_open=True)
    steps = Whole(100, 0, 1000, "Number of steps.")

    def loss(self, theta: np.ndarray) -> np.ndarray:
        """The loss at each point."""
        return two_valleys(theta, sharp=self.sharp, flat=self.flat)

    @property
    def sharpness(self) -> float:
        """How far the loss rises within ρ of θ."""
        return sharpness_in_interval(self.loss, self.theta, rho=self.rho, points=POINTS)

    def path(self, *, sam: bool) -> np.ndarray:
        """θ after 0 … ``steps`` steps of gradient descent, or of SAM over it."""
        descend, climb = RULES["gradient_descent"], RULES["sam_perturbation"]
        path = [self.theta]
        for t in range(1, self.steps + 1):
            theta = point = path[-1]
            if sam:
                g = self._slope(theta)
                (point,) = climb(theta, g, 1, grad_norm=abs(g), rho=self.rho)
            (theta,) = descend(theta, self._slope(point), t, lr=self.lr)
            path.append(theta)
        return np.array(path)

    def _slope(self, theta: float) -> float:
        return SLOPE(theta, sharp=self.sharp, flat=self.flat)

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.canvas import canvas, style
        from optkit.figures.curves import draw_curves
        from optkit.figures.palette import face, series

        theta = np.linspace(-2.2, 3.2, 541)
        worst = [sharpness_in_interval(self.loss, x, rho=self.rho, points=POINTS) for x in theta]
        lines = {"loss": self.loss(theta), "worst loss within ρ": self.loss(theta) + worst}
        sentences = []
        with style():
            figure, axes = canvas()
            alt = draw_curves(
                axes,
                lines,
                steps=theta,
                faces={"loss": series(5), "worst loss within ρ": series(3)},
                x_label="parameter θ",
                compare=False,
            )
            for name, sam in (("gradient_descent", False), ("sam_perturbation", True)):
                path = self.path(sam=sam)
                look = face(name).line() | {"linestyle": "", "markevery": 1}
                axes.plot(path, self.loss(path), markersize=5, **look)
                sentences.append(f"{face(name).label} goes from {path[0]:.3g} to {path[-1]:.3g}.")
            axes.set_ylim(-0.1, 3.0)
            axes.legend()
        first = (
            f"Two minima of height 0, a sharp one at -1 and a flat one at 1; sharpness {self.sharpness:.3g}"
        )
        return figure, f"{first} at {self.theta:g}. {alt} {' '.join(sentences)}"
