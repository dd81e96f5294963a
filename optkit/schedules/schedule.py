"""What a schedule is, and the decorator that makes a family of them from a pure function of t."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from optkit.language.declared import check_values, declared
from optkit.language.grammar import Formula, formula
from optkit.language.hyperparameter import Hyperparameter


@dataclass(frozen=True)
class Schedule:
    """A schedule with its hyper-parameters chosen: call it with the step t = 1, 2, … for the factor.

    Attributes:
        name: Its name.
        hyper: The chosen hyper-parameters.
        parts: The schedules that it was joined from; none for a simple one.
        after: Where ``parts`` follow each other, the last step of the first.
        formula: The formula. For a joined schedule, a formula of its own with the chosen values as defaults:
            it translates like any other.

    Example:
        >>> from optkit.schedules import exponential, linear_scaling
        >>> schedule = exponential(decay=0.5) * linear_scaling(batch_size=1024)
        >>> schedule(1), schedule(2)
        (4.0, 2.0)
        >>> schedule
        exponential(decay=0.5) * linear_scaling(batch_size=1024, reference=256)
    """

    name: str
    hyper: Mapping[str, Any] = field(hash=False)
    parts: tuple[Schedule, ...] = ()
    after: int | None = None
    formula: Formula = field(kw_only=True, compare=False, repr=False)

    def __call__(self, t: float) -> float:
        """The factor on the learning rate at step ``t``, counted from 1.

        Raises:
            ValueError: ``t`` is below 1 or not finite.
        """
        if not (t >= 1 and math.isfinite(t)):
            raise ValueError(f"t must be >= 1 and finite, got {t}; steps count from 1")
        return float(self.formula(t, **self.hyper))

    def factors(self, steps: int) -> list[float]:
        """The factors of the first ``steps`` steps."""
        return [self(t) for t in range(1, steps + 1)]

    def __mul__(self, other: Schedule) -> Schedule:
        """The product of two schedules, itself a schedule."""
        from optkit.schedules.composition import product

        return product(self, other) if isinstance(other, Schedule) else NotImplemented

    def then(self, following: Schedule, *, after: int | None = None) -> Schedule:
        """Follow this schedule up to step ``after``, and then the other one, which starts at its own t = 1.

        Args:
            following: What comes then.
            after: The last step of this schedule, at least 1; by default this schedule's own ``steps``.

        Raises:
            ValueError: ``after`` is missing and this schedule has no ``steps``, or it is below 1.
        """
        from optkit.schedules.composition import sequence

        return sequence(self, following, after)

    def __repr__(self) -> str:
        if self.parts:
            first, second = self.parts
            if self.after is None:
                return f"{first!r} * {second._bracketed()}"
            return f"{first._bracketed()}.then({second!r}, after={self.after})"
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.hyper.items())})"

    def _bracketed(self) -> str:
        return f"({self!r})" if self.parts and self.after is None else repr(self)

    def __reduce__(self) -> Any:
        # Travels as names and numbers, never as code.
        if self.parts:
            return _rejoin, (self.parts, self.after)
        function = self.formula.function
        return _remake, (function.__module__, function.__qualname__, dict(self.hyper))


@dataclass(frozen=True)
class ScheduleFamily:
    """A schedule whose hyper-parameters are open: call it with them to get a `Schedule`.

    Attributes:
        formula: The checked function of t.
        hyperparameters: Name → `Hyperparameter`.
        citation: Key in ``references.bib``, or None.

    Example:
        >>> from optkit.schedules import step_decay
        >>> step_decay(every=2, decay=0.5).factors(5)
        [1.0, 1.0, 0.5, 0.5, 0.25]
        >>> step_decay(decay=2)
        Traceback (most recent call last):
        ValueError: decay must be in (0, 1], got 2
    """

    formula: Formula
    hyperparameters: Mapping[str, Hyperparameter]
    citation: str | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.formula.name

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return self.formula.description

    @property
    def source(self) -> str:
        """The schedule's own text, as it stands in the file."""
        return self.formula.source

    def defaults(self) -> dict[str, Any]:
        """Default of each hyper-parameter."""
        return {name: hyper.default for name, hyper in self.hyperparameters.items()}

    def __call__(self, *t: Any, **hyper: Any) -> Schedule:
        """A schedule of this family.

        Raises:
            TypeError: Unknown hyper-parameter, or no number; or a step ``t``, which only a schedule takes.
            ValueError: Out of range.
        """
        if t:
            raise TypeError(
                f"{self.name} is a family of schedules and takes its hyper-parameters by name, got {t[0]!r}; "
                f"choose them first, as in {self.name}(), and call the schedule with t"
            )
        check_values(self.name, self.hyperparameters, hyper)
        chosen = {name: _number(value) for name, value in hyper.items()}
        return Schedule(self.name, {**self.defaults(), **chosen}, formula=self.formula)


def schedule(
    function: Callable[..., Any] | None = None,
    /,
    *,
    citation: str | None = None,
    **changes: Mapping[str, Any],
) -> Any:
    """Make a `ScheduleFamily` from a pure function ``(t, *, hyper…)`` that returns the factor.

    Args:
        function: The function, when the decorator stands without arguments.
        citation: Key in ``references.bib``.
        **changes: For a hyper-parameter: its symbol, range and description, as fields of `Hyperparameter`.

    Raises:
        LanguageError: The function is outside the grammar, or not of this shape.

    Example:
        >>> from optkit.schedules import schedule
        >>> @schedule
        ... def halving(t, *, every=1.0):
        ...     return 0.5 ** ((t - 1) / every)
        >>> halving(every=2)(5)
        0.25
    """
    if function is None:
        return lambda f: schedule(f, citation=citation, **changes)
    checked = formula(function)
    if checked.arrays or not checked.has_step or len(checked.results) != 1:
        raise checked.refusal(
            "a schedule is a function of t with one result", "write (t, *, …) and return the factor"
        )
    return ScheduleFamily(checked, declared(checked, changes), citation)


def _number(value: Any) -> float | int | bool:
    """A Python number, whatever library it came from."""
    return value if type(value) in (bool, int, float) else float(value)


def _remake(module: str, qualname: str, hyper: dict[str, Any]) -> Schedule:
    holder: Any = importlib.import_module(module)
    for part in qualname.split("."):
        holder = getattr(holder, part)
    return holder(**hyper)


def _rejoin(parts: tuple[Schedule, Schedule], after: int | None) -> Schedule:
    first, second = parts
    return first * second if after is None else first.then(second, after=after)
