"""Adam's first steps with and without bias correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from optkit.averages.signals import observed
from optkit.portable_random import noise as portable_noise
from optkit.rules import RULES
from optkit.widgets.relatives.base import Number, Relative, Whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BiasCorrection(Relative):
    """The length of Adam's steps, in multiples of ε, for a gradient of 1 under noise.

    Args:
        beta1: ρ₁, decay of the first moment, in [0, 1).
        beta2: ρ₂, decay of the second moment, in [0, 1).
        noise: Standard deviation of the gradient, 0 to 100.
        steps: Steps shown, 2 to 5,000.
        seed: Of the noise, 0 to 2³² − 1.

    Example:
        >>> BiasCorrection().lengths(corrected=False)[:2].round(3).tolist()
        [3.162, 4.25]
    """

    kind: ClassVar[str] = "correction"

    beta1 = Number(0.9, 0.0, 1.0, "Decay of the first moment.", high_open=True)
    beta2 = Number(0.999, 0.0, 1.0, "Decay of the second moment.", high_open=True)
    noise = Number(0.0, 0.0, 100.0, "Standard deviation of the gradient.")
    steps = Whole(100, 2, 5000, "Steps shown.")
    seed = Whole(0, 0, 2**32 - 1, "Of the noise.")

    @property
    def gradients(self) -> np.ndarray:
        """The gradient of each step, of shape (steps,)."""
        t = np.arange(1, self.steps + 1)
        return observed(1.0, portable_noise(self.seed, t, 0), noise=self.noise)

    def lengths(self, *, corrected: bool) -> np.ndarray:
        """Each step against the gradient's mean, in multiples of ε, of shape (steps,)."""
        rule, state, found = RULES["adam"], (0.0, 0.0), []
        for t, g in enumerate(self.gradients.tolist(), 1):
            hyper = {"lr": 1.0, "beta1": self.beta1, "beta2": self.beta2, "eps": 0.0}
            theta, *state = rule(0.0, g, *state, t, bias_correction=corrected, **hyper)
            found.append(-theta)
        return np.array(found)

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.curves import curves
        from optkit.figures.palette import face, series

        lines = {
            "with correction": self.lengths(corrected=True),
            "without": self.lengths(corrected=False),
        }
        faces = {"with correction": face("adam"), "without": series(5)}
        return curves(lines, faces=faces, y_label="step, in multiples of the learning rate", compare=False)
