"""The two roots of momentum on a quadratic, and the plane of ε and α."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from optkit.dynamics import Setting, best_gradient_descent, best_momentum, rate, roots
from optkit.widgets.relatives.base import Number, Relative

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class MomentumRoots(Relative):
    """Momentum (standard form) on a quadratic with curvatures 1 and κ: roots, rates and errors.

    Args:
        lr: ε, the learning rate, in (0, 4].
        momentum: α, in [0, 1).
        condition: κ, the steepest curvature over the gentlest, 1 to 1,000.

    Example:
        >>> figure = MomentumRoots(condition=100.0, lr=0.033, momentum=0.675)
        >>> round(figure.setting.rate, 3)  # the best is 9/11
        0.822
    """

    kind: ClassVar[str] = "eigenvalues"

    lr = Number(0.03, 0.0, 4.0, "Learning rate.", low_open=True)
    momentum = Number(0.5, 0.0, 1.0, "Momentum.", high_open=True)
    condition = Number(50.0, 1.0, 1000.0, "Condition number.")

    @property
    def setting(self) -> Setting:
        """ε, α and the factor by which the error shrinks in each step in the long run."""
        found = rate([1.0, self.condition], lr=self.lr, momentum=self.momentum)
        return Setting(self.lr, self.momentum, found)

    @property
    def roots(self) -> np.ndarray:
        """The two roots along curvature 1, and along κ: shape (2, 2), complex."""
        return roots([1.0, self.condition], lr=self.lr, momentum=self.momentum)

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.palette import FACES, series
        from optkit.figures.spectrum import modulus_map

        settings = {
            "chosen": self.setting,
            "best momentum": best_momentum(1.0, self.condition),
            "best gradient descent": best_gradient_descent(1.0, self.condition),
        }
        outside = self.lr * self.condition > 4
        if outside:  # of the map; it diverges there
            del settings["chosen"]
        faces = {
            "chosen": series(0),
            "best momentum": FACES["momentum_standard"],
            "best gradient descent": FACES["gradient_descent"],
        }
        figure, alt = modulus_map(settings, smallest=1.0, largest=self.condition, faces=faces)
        return figure, f"{alt} The chosen setting lies outside the map and diverges." if outside else alt
