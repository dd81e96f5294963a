"""A hyper-parameter: its default, symbol, range and meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hyperparameter:
    """One hyper-parameter of a rule, schedule or problem.

    Attributes:
        name: ASCII name, torch's where torch has one.
        default: A number, or True / False for a flag.
        symbol: LaTeX symbol of the course; None for a flag or to derive it from the name.
        low: Lower end of the range.
        high: Upper end of the range.
        low_open: Whether ``low`` itself is excluded.
        high_open: Whether ``high`` itself is excluded.
        log: Whether a slider for it should be logarithmic.
        description: What it does, in one sentence.

    Example:
        >>> Hyperparameter("beta1", 0.9, low=0.0, high=1.0, high_open=True).range
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
        """Whether it is True or False rather than a number."""
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
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:  # an array of several; a huge whole number
            raise TypeError(f"{self.name} must be one number, got {value!r} ({error})") from error
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
