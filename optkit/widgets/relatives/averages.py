"""Moving averages over a noisy series: what α, the window and the first value do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from optkit.averages import SIGNALS, ewma, noisy_signal, sma
from optkit.averages.series import ewma_normalised_step
from optkit.widgets.relatives.base import Choice, Flag, Number, Relative, Whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRSTS = {"first": "v₁ = g₁", "normalised": "normalised", "zero": "start at 0, uncorrected"}


class Averages(Relative):
    """An exponentially weighted and a simple moving average over a series whose truth is known.

    Args:
        alpha: α, the share of the old average that stays, in [0, 1).
        window: Values of the simple average, 1 to 200.
        first: ``"first"`` (v₁ = g₁), ``"normalised"``, or ``"zero"`` (from zero, uncorrected).
        signal: What lies under the noise, a name in `optkit.averages.SIGNALS`.
        noise: Standard deviation of the noise, 0 to 10.
        at: The step whose weights are drawn, 1 to ``steps``.
        shifted: Draw each average earlier by its lag.
        steps: Length of the series, 10 to 2,000.
        seed: Of the noise, 0 to 2³² − 1.

    Example:
        >>> figure = Averages(alpha=0.5)
        >>> figure.ewma[:2].round(3).tolist()
        [0.202, 0.274]
        >>> figure.alpha = 1.5
        Traceback (most recent call last):
        ValueError: alpha must be in [0, 1), got 1.5
    """

    kind: ClassVar[str] = "averages"

    alpha = Number(0.9, 0.0, 1.0, "Share of the old average that stays.", high_open=True)
    window = Whole(19, 1, 200, "Values of the simple average.")
    first = Choice("first", tuple(FIRSTS), "How the average starts.")
    signal = Choice("jump", tuple(SIGNALS), "What lies under the noise.")
    noise = Number(0.3, 0.0, 10.0, "Standard deviation of the noise.")
    at = Whole(20, 1, 2000, "The step whose weights are drawn.")
    shifted = Flag(False, "Draw each average earlier by its lag.")
    steps = Whole(200, 10, 2000, "Length of the series.")
    seed = Whole(0, 0, 2**32 - 1, "Of the noise.")

    @property
    def series(self) -> tuple[np.ndarray, np.ndarray]:
        """What is seen, and the truth: each of shape (steps,)."""
        return noisy_signal(self.signal, steps=self.steps, noise=self.noise, seed=self.seed)

    @property
    def ewma(self) -> np.ndarray:
        """The exponentially weighted average, of shape (steps,)."""
        seen, _ = self.series
        if self.first != "zero":
            return ewma(seen, self.alpha, form=self.first)
        average, s = [], 0.0
        for t, g in enumerate(seen.tolist(), 1):
            s, _ = ewma_normalised_step(s, g, t, alpha=self.alpha)
            average.append(s)
        return np.array(average)

    @property
    def sma(self) -> np.ndarray:
        """The simple average, of shape (steps,): NaN until the window is full."""
        return sma(self.series[0], min(self.window, self.steps))

    @classmethod
    def _constants(cls) -> dict[str, Any]:
        signals = [{"value": n, "label": n.replace("_", " ").capitalize()} for n in SIGNALS]
        firsts = [{"value": name, "label": label} for name, label in FIRSTS.items()]
        return {**super()._constants(), "signals": signals, "firsts": firsts}

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.series import averages_over

        seen, truth = self.series
        lines = {f"EWMA, α = {self.alpha:g}": self.ewma, f"SMA, w = {self.window}": self.sma}
        return averages_over(seen, lines, truth=truth)
