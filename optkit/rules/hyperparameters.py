"""Hyper-parameters: symbol, range and meaning of each name, said once for all rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hyperparameter:
    """One hyper-parameter of a rule.

    Attributes:
        name: ASCII name, torch's where torch has one.
        default: The rule's default: a number, or True / False for a flag.
        symbol: LaTeX symbol of the course; None for a flag or to derive it from the name.
        low: Lower end of the range.
        high: Upper end of the range.
        low_open: Whether ``low`` itself is excluded.
        high_open: Whether ``high`` itself is excluded.
        log: Whether a slider for it should be logarithmic.
        description: What it does, in one sentence.

    Example:
        >>> HYPERPARAMETERS["beta1"].range
        '0 <= beta1 < 1'
    """

    name: str
    default: Any = None
    symbol: str | None = None
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    log: bool = False
    description: str = ""

    @property
    def is_flag(self) -> bool:
        return isinstance(self.default, bool)

    @property
    def range(self) -> str:
        """The allowed values in words, as in ``0 <= beta1 < 1``."""
        if self.is_flag:
            return f"{self.name} is True or False"
        left = "" if self.low == -math.inf else f"{self.low:g} {'<' if self.low_open else '<='} "
        right = "" if self.high == math.inf else f" {'<' if self.high_open else '<='} {self.high:g}"
        return f"{left}{self.name}{right}" if left or right else f"{self.name} is finite"

    def check(self, value: Any) -> None:
        """Raise if ``value`` is not allowed.

        Raises:
            TypeError: It is no number, or no flag where a flag is asked for.
            ValueError: It is NaN, infinite or outside the range.
        """
        if self.is_flag:
            if not isinstance(value, bool):
                raise TypeError(f"{self.name} must be True or False, got {value!r}")
            return
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise TypeError(f"{self.name} must be a number, got {value!r}")
        number = float(value)
        below = number < self.low or (self.low_open and number == self.low)
        above = number > self.high or (self.high_open and number == self.high)
        if not math.isfinite(number) or below or above:
            raise ValueError(f"{self.name} must be {self._allowed()}, got {number:g}")

    def _allowed(self) -> str:
        if self.low == -math.inf and self.high == math.inf:
            return "finite"
        if self.high == math.inf:
            return f"{'>' if self.low_open else '>='} {self.low:g}"
        if self.low == -math.inf:
            return f"{'<' if self.high_open else '<='} {self.high:g}"
        return (
            f"in {'(' if self.low_open else '['}{self.low:g}, {self.high:g}{')' if self.high_open else ']'}"
        )


def _table(*rows: Hyperparameter) -> dict[str, Hyperparameter]:
    return {row.name: row for row in rows}


HYPERPARAMETERS = _table(
    Hyperparameter("lr", None, r"\epsilon", 0.0, log=True, description="Learning rate: the size of a step."),
    Hyperparameter(
        "momentum",
        None,
        r"\alpha",
        0.0,
        1.0,
        high_open=True,
        description="How much of the old velocity stays.",
    ),
    Hyperparameter(
        "rho", None, r"\rho", 0.0, 1.0, high_open=True, description="Decay of the mean squared gradient."
    ),
    Hyperparameter(
        "beta1", None, r"\rho_1", 0.0, 1.0, high_open=True, description="Decay of the first moment."
    ),
    Hyperparameter(
        "beta2", None, r"\rho_2", 0.0, 1.0, high_open=True, description="Decay of the second moment."
    ),
    Hyperparameter(
        "eps", None, r"\delta", 0.0, log=True, description="Stabiliser: keeps the division finite."
    ),
    Hyperparameter("weight_decay", None, r"\lambda", 0.0, log=True, description="Strength of weight decay."),
    Hyperparameter(
        "eps_inside",
        None,
        description="The stabiliser stands inside the root (the course) or outside (torch).",
    ),
    Hyperparameter(
        "bias_correction", None, description="Divide the moments by 1 − ρᵗ, which undoes their start at zero."
    ),
)
"""The names that mean the same in every rule. A rule may change any field of its own."""
