"""Is momentum less noisy? The jitter of θ and of the step on a quadratic with noisy gradients, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics import steady_variance
from optkit.rules import RULES

if TYPE_CHECKING:
    import pandas

__all__ = ["jitter", "jitter_table"]

SEED = 41
RUNS = 2000  # side by side; the standard error of a standard deviation is then about 1 %
WARM_UP = 600  # steps until the start is forgotten
STEPS = 50  # steps that are averaged over


def jitter(
    curvature: float, *, lr: float, momentum: float, noise: float = 1.0, seed: int = SEED
) -> tuple[float, float]:
    """Measure how θ and its steps jitter about the minimum of ½λθ² once the start is forgotten.

    Args:
        curvature: λ > 0.
        lr: ε of the common form.
        momentum: 0 ≤ α < 1.
        noise: σ, the standard deviation of the noise of each gradient.
        seed: Of the noise.

    Returns:
        Standard deviation of θ, and of one step θ_t − θ_{t−1}.

    Example:
        >>> spread, step = jitter(1.0, lr=0.1, momentum=0.0)
        >>> round(spread, 2), round(step, 2)
        (0.23, 0.1)
    """
    stream = np.random.default_rng(seed)
    theta, v = np.zeros(RUNS), np.zeros(RUNS)
    places, steps = [], []
    for t in range(1, WARM_UP + STEPS + 1):
        g = curvature * theta + stream.normal(scale=noise, size=RUNS)
        moved, v = RULES["momentum_common"](theta, g, v, t, lr=lr, momentum=momentum)
        if t > WARM_UP:
            places.append(moved)
            steps.append(moved - theta)
        theta = moved
    return float(np.std(places)), float(np.std(steps))


def jitter_table(
    settings: Mapping[str, tuple[float, float]], curvatures: Sequence[float]
) -> pandas.DataFrame:
    """Measured jitter of several settings, beside the formula of `optkit.dynamics.steady_variance`.

    Args:
        settings: Name → (ε, α), common form.
        curvatures: One row of the table for each setting and each λ.

    Returns:
        Columns ``setting``, ``λ``, ``std of θ``, ``by formula``, ``std of a step``.
    """
    import pandas

    rows = []
    for curvature in curvatures:
        for name, (lr, momentum) in settings.items():
            spread, step = jitter(curvature, lr=lr, momentum=momentum)
            formula = steady_variance(curvature, lr=lr, momentum=momentum, noise=1.0) ** 0.5
            rows.append(
                {
                    "setting": name,
                    "λ": curvature,
                    "std of θ": spread,
                    "by formula": formula,
                    "std of a step": step,
                }
            )
    return pandas.DataFrame(rows)
