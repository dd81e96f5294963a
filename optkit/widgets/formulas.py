"""The formulas that the smaller figures compute with: all from where the course has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optkit.averages.series import ewma_normalised_step, ewma_step, weighted_term
from optkit.averages.signals import SIGNALS, observed
from optkit.averages.windows import ewma_half_life, ewma_reach
from optkit.dynamics.quadratic import best_descent, best_heavy_ball, larger_modulus, meeting, root_parts
from optkit.rules import RULES
from optkit.schedules import SCHEDULES, linear_scaling, warmup
from optkit.sharpness.interval import ball_point, two_valleys
from optkit.translation.derivative import gradient

DECAYS = ("constant", "step_decay", "exponential", "inverse_time", "power", "log_power", "cosine")
"""The schedules that may follow a warm-up."""


def composed(decay: str, *, warm: bool) -> Any:
    """Linear scaling times a decay, after a warm-up or from the first step on: what the composer draws.

    Example:
        >>> composed("cosine", warm=False)
        linear_scaling(batch_size=256, reference=256) * cosine(steps=100, end=0.0)
    """
    then = SCHEDULES[decay]()
    return linear_scaling() * (warmup().then(then) if warm else then)


FORMULAS: Mapping[str, Any] = {
    **{f.name: f for f in (ewma_step, ewma_normalised_step, weighted_term, ewma_reach, ewma_half_life)},
    **{f.name: f for f in (*SIGNALS.values(), observed)},
    **{f.name: f for f in (root_parts, larger_modulus, meeting, best_descent, best_heavy_ball)},
    **{f.name: f for f in (two_valleys, ball_point)},
    "two_valleys_slope": gradient(two_valleys),
    **{name: RULES[name] for name in ("adam", "gradient_descent", "momentum_standard", "sam_perturbation")},
    **{
        f"{decay}_{'after_warmup' if warm else 'alone'}": composed(decay, warm=warm)
        for decay in DECAYS
        for warm in (False, True)
    },
}
"""Name in JavaScript → what `to_javascript` takes."""
