"""What a row of the translator says, and how it turns settings into arguments and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optkit.conventions.momentum import convert_momentum

INSIDE = "inside the root"
OUTSIDE = "outside the root"
UNCORRECTED = "outside the root, before the bias correction"
NONE = "none"

RULE_FORMS: Mapping[str, str] = {
    "momentum_standard": "standard",
    "momentum_ewma": "ewma",
    "momentum_common": "common",
    "nesterov": "standard",
    "nesterov_torch": "common",
}
"""Which form of momentum each rule with a velocity has."""


@dataclass(frozen=True)
class RuleSetting:
    """A rule with its hyper-parameters, and what its state starts with where that is not zero."""

    rule: str
    hyperparameters: Mapping[str, Any]
    state: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class WeightDecay:
    """The weight decay of a library's optimizer.

    Attributes:
        call: The class or function that has it, which may be another one: ``torch.optim.AdamW``.
        default: Its strength where none is given; None: no decay.
        coupled: λθ is added to the gradient; otherwise θ shrinks by 1 − ελ (see `optkit.rules.weight_decay`).
    """

    call: str
    default: float | None
    coupled: bool


@dataclass(frozen=True)
class Row:
    """How one library, or one paper, writes one rule.

    Attributes:
        rule: Name of the rule in `optkit.rules.RULES`.
        source: ``torch``, ``optax``, ``keras``, or the paper's key in the bibliography.
        call: The library's class or function; for a paper, the place in it.
        names: Our hyper-parameter → their name. ``betas[0]`` is the first number of the pair ``betas``.
        defaults: Their name → its default. What has none must be given.
        requires: What our settings must be for the steps to be the same.
        fixed: Arguments which make the library take this rule.
        state: Our state → their argument for what it starts with. It is 0 in the rule.
        form: Which of the three forms of momentum it has, if any.
        eps: Where the stabiliser stands.
        eps_moves: Their stabiliser equals ours times √(1 − ρ₂ᵗ) (True), ours theirs times it (False), or the
            two are one (None).
        correction: Where the bias correction stands, if not in the moments as in the rule.
        decays: Weight decay, each way that it has.
        remark: What a table cannot say.
    """

    rule: str
    source: str
    call: str
    names: Mapping[str, str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    requires: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    form: str | None = None
    eps: str = ""
    eps_moves: bool | None = None
    correction: str = ""
    decays: tuple[WeightDecay, ...] = ()
    remark: str = ""

    @property
    def is_paper(self) -> bool:
        """Whether the row is a paper's."""
        return re.search(r"\d{4}", self.source) is not None

    def default_arguments(self) -> dict[str, Any]:
        """Their arguments with a default, as their signature has them."""
        return _joined(self.defaults)

    def arguments(self, settings: Mapping[str, Any], step: int | None = None) -> dict[str, Any]:
        """Their arguments for settings of the rule that meet what the row requires."""
        values = dict(settings)
        if self.form and "momentum" in values:
            lr, momentum = values["lr"], values["momentum"]
            values["lr"] = convert_momentum(lr, momentum, source=RULE_FORMS[self.rule], to=self.form).lr
        if self.eps_moves is not None and values["eps"] != 0:
            move = uncorrected_eps if self.eps_moves else corrected_eps
            values["eps"] = move(values["eps"], values["beta2"], self._step(values["eps"], step))
        return _joined({theirs: values[ours] for ours, theirs in self.names.items()}) | self.told()

    def settings(self, given: Mapping[str, Any], step: int | None = None) -> RuleSetting:
        """The rule's settings for their arguments: the inverse of `arguments`."""
        values = self.default_arguments() | dict(given)
        found: dict[str, Any] = dict(self.requires)
        for ours, theirs in self.names.items():
            name, index = _split(theirs)
            if name not in values:
                raise TypeError(f"{self.call} needs {name}, and none was given")
            found[ours] = values[name] if index is None else values[name][index]
        if self.form and "momentum" in found:
            lr, momentum = found["lr"], found["momentum"]
            found["lr"] = convert_momentum(lr, momentum, source=self.form, to=RULE_FORMS[self.rule]).lr
        if self.eps_moves is not None and found["eps"] != 0:
            move = corrected_eps if self.eps_moves else uncorrected_eps
            found["eps"] = move(found["eps"], found["beta2"], self._step(found["eps"], step))
        start = {ours: values[theirs] for ours, theirs in self.state.items() if values[theirs] != 0}
        return RuleSetting(self.rule, found, start)

    def matches(self, given: Mapping[str, Any]) -> bool:
        """Whether a call with these arguments takes this rule."""
        values = self.default_arguments() | dict(given)
        return all(name in values and values[name] == value for name, value in self.fixed.items())

    def knows(self) -> set[str]:
        """The arguments that the row has a word for."""
        return {_split(name)[0] for name in (*self.names.values(), *self.defaults, *self.fixed)}

    def told(self) -> dict[str, Any]:
        """What must be given besides the parameters: fixed arguments, and a start at zero, unless default."""
        wanted = {**self.fixed, **dict.fromkeys(self.state.values(), 0.0)}
        return {name: value for name, value in wanted.items() if self.defaults.get(name, ...) != value}

    def _step(self, eps: float, step: int | None) -> int:
        if step is None:
            raise ValueError(
                f"eps must be 0 between {self.rule} and {self.call}, got {eps}: it stands {self.eps} there, "
                "so that the same steps need another value at each; give step=t for the value at step t"
            )
        return step


@dataclass(frozen=True)
class Call:
    """A library's optimizer with its arguments; its text is what one types."""

    name: str
    arguments: Mapping[str, Any]

    def __repr__(self) -> str:
        given = [f"{name}={_typed(value)}" for name, value in self.arguments.items()]
        return f"{self.name}({', '.join((['params'] if self.name.startswith('torch.') else []) + given)})"


def uncorrected_eps(eps: float, beta2: float, t: int) -> float:
    """The stabiliser before the bias correction that equals ``eps`` after it: δ √(1 − ρ₂ᵗ).

    √r̂ + δ = (√r + δ √(1 − ρ₂ᵗ)) / √(1 − ρ₂ᵗ), so that the two places differ by a factor which rises from
    √(1 − ρ₂) at the first step to 1.

    Args:
        eps: δ ≥ 0, added to √r̂.
        beta2: ρ₂ in [0, 1).
        t: The step, counted from 1.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> round(uncorrected_eps(1e-8, 0.999, 1) / 1e-8, 6)
        0.031623
    """
    return _checked_eps(eps) * _root(beta2, t)


def corrected_eps(eps: float, beta2: float, t: int) -> float:
    """The inverse of `uncorrected_eps`: δ / √(1 − ρ₂ᵗ).

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> corrected_eps(uncorrected_eps(0.5, 0.75, 1), 0.75, 1)
        0.5
    """
    return _checked_eps(eps) / _root(beta2, t)


def _typed(value: Any) -> str:
    """Numbers to twelve digits: a converted 0.001 is 0.0009999999999999998."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_typed, value))})"
    return format(value, ".12g") if isinstance(value, float) else repr(value)


def _split(name: str) -> tuple[str, int | None]:
    """``betas[1]`` → (``betas``, 1), and ``lr`` → (``lr``, None)."""
    name, _, index = name.rstrip("]").partition("[")
    return name, int(index) if index else None


def _joined(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, those with an index put together to a tuple."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        name, index = _split(name)
        found[name] = value if index is None else (*found.get(name, ()), value)
    return found


def _root(beta2: float, t: int) -> float:
    if not 0 <= beta2 < 1:
        raise ValueError(f"beta2 must be >= 0 and < 1, got {beta2}")
    if isinstance(t, bool) or not hasattr(t, "__index__") or t < 1:
        raise ValueError(f"t must be a whole number >= 1, got {t!r}")
    return math.sqrt(1 - beta2**t)


def _checked_eps(eps: float) -> float:
    if not (eps >= 0 and math.isfinite(eps)):
        raise ValueError(f"eps must be >= 0 and finite, got {eps}")
    return eps
