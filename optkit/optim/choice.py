"""What one parameter group runs: a rule, its hyper-parameters, and the names of its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from optkit.rules import Rule


@dataclass(frozen=True)
class Choice:
    """The rule of a parameter group.

    Attributes:
        rule: The update rule.
        hyper: Its hyper-parameters, by the rule's names. Tensors of one element count as numbers.
        keys: The rule's state name → its key in ``optimizer.state``, where the two differ.
        arguments: The rule's hyper-parameter → the argument that the user gave, where the two differ.
        start: State name → the value that it starts with, where that is not zero.
    """

    rule: Rule
    hyper: Mapping[str, Any]
    keys: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, str]:
        """The rule's state names, in order → their keys in ``optimizer.state``."""
        return {name: self.keys.get(name, name) for name in self.rule.state}

    def numbers(self) -> dict[str, Any]:
        """The hyper-parameters as plain numbers and flags.

        Raises:
            TypeError: One is no number, or no flag where a flag is asked for.
            ValueError: One is NaN, infinite or outside its range. The message names the user's argument.
        """
        numbers = {}
        for name, value in self.hyper.items():
            argument = self.arguments.get(name, name)
            value = number(argument, value)
            hyper = self.rule.hyperparameters[name]
            try:
                hyper.check(value)
            except (TypeError, ValueError):
                replace(hyper, name=argument).check(value)
            numbers[name] = value if hyper.is_flag else float(value)
        return numbers


def number(argument: str, value: Any) -> Any:
    """``value`` itself, or the number in it if it is a tensor.

    Raises:
        ValueError: It is a tensor of more or fewer than one element.
    """
    if not isinstance(value, Tensor):
        return value
    if value.numel() != 1:
        raise ValueError(f"{argument} must be one number, got a tensor of shape {tuple(value.shape)}")
    return value.item()


def one_of(argument: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise a ValueError if ``value`` is none of the allowed ones.

    Example:
        >>> one_of("form", "heavy", ("common", "standard", "ewma"))
        Traceback (most recent call last):
        ValueError: form must be 'common', 'standard' or 'ewma', got 'heavy'
    """
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in allowed):
        *first, last = [repr(choice) for choice in allowed]
        raise ValueError(f"{argument} must be {', '.join(first)} or {last}, got {value!r}")
