"""From one convention of a method to another: the same learning rate does not mean the same step.

Momentum is written in three forms. With a constant learning rate they are one method under different
numbers, and `convert_momentum` gives the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["MOMENTUM_FORMS", "MomentumSetting", "convert_momentum", "convert_velocity"]


class MomentumSetting(NamedTuple):
    """What to pass to an optimizer: its learning rate ε and its momentum α."""

    lr: float
    momentum: float


# Form → its formula, and who uses it.
MOMENTUM_FORMS: Mapping[str, str] = {
    "standard": "v ← αv − εg, θ ← θ + v: Sutskever et al. 2013, Keras",
    "ewma": "v ← αv + (1 − α)g, θ ← θ − εv: moving average of the gradients",
    "common": "v ← αv + g, θ ← θ − εv: PyTorch, optax.sgd",
}


def convert_momentum(lr: float, momentum: float, *, source: str, to: str) -> MomentumSetting:
    """The setting in the form ``to`` that takes the same steps as this one in the form ``source``.

    ε_common = ε_standard = (1 − α) ε_ewma; α is the same in all. Exact for a constant ε and a velocity
    that starts at zero. When ε changes on the way, the standard form is another method than the other two.

    Args:
        lr: ε > 0 in the form ``source``.
        momentum: 0 ≤ α < 1.
        source: ``"standard"``, ``"ewma"`` or ``"common"`` (``"torch"`` is another name for common).
        to: likewise.

    Raises:
        ValueError: An unknown form, or a number out of range.

    Example:
        >>> convert_momentum(0.1, 0.9, source="ewma", to="torch").lr.__round__(12)
        0.01
    """
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"lr must be > 0 and finite, got {lr}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be >= 0 and < 1, got {momentum}")
    # What 1 is in the EWMA form is 1 − α in the other two.
    scale = {"standard": 1.0, "ewma": 1.0 - momentum, "common": 1.0}
    return MomentumSetting(lr * scale[_form("source", source)] / scale[_form("to", to)], momentum)


def convert_velocity(velocity: Any, lr: float, momentum: float, *, source: str, to: str) -> Any:
    """The velocity in the form ``to`` for the same next steps, to carry a run from one form to another.

    v_standard = −ε v_common, v_ewma = (1 − α) v_common.

    Args:
        velocity: v in the form ``source``: a number, a NumPy array or a torch tensor.
        lr: ε > 0 of the common form (equal to the standard form's), at the moment of the change.
        momentum: 0 ≤ α < 1.
        source: As for `convert_momentum`.
        to: As for `convert_momentum`.

    Raises:
        ValueError: As for `convert_momentum`.

    Example:
        >>> convert_velocity(-0.5, 0.1, 0.9, source="standard", to="common")
        5.0
    """
    convert_momentum(lr, momentum, source=source, to=to)
    scale = {"standard": -lr, "ewma": 1.0 - momentum, "common": 1.0}
    return velocity * (scale[_form("to", to)] / scale[_form("source", source)])


def _form(argument: str, name: str) -> str:
    form = "common" if name == "torch" else name
    if form not in MOMENTUM_FORMS:
        raise ValueError(f"{argument} must be one of {', '.join(MOMENTUM_FORMS)}, torch, got {name!r}")
    return form
