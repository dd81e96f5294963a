"""What an update rule is, and the decorator that makes one from a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, overload

from optkit.language.declared import check_values, declared
from optkit.language.functions import ELEMENTWISE
from optkit.language.grammar import Formula, formula
from optkit.rules.hyperparameters import HYPERPARAMETERS, Hyperparameter


@dataclass(frozen=True)
class Rule:
    """An update rule: a pure function (θ, g, state, t; hyper-parameters) → (θ, state).

    Call it with Python floats, NumPy arrays or torch tensors of any float dtype. It never changes its
    arguments. State starts at zero, and ``t`` counts from 1.

    Attributes:
        formula: The checked function.
        state: Names of the state arrays, in order.
        hyperparameters: Name → `Hyperparameter`.
        inputs: Scalars that the caller supplies at every step and that are no choice of the user's.
        citation: Key in ``references.bib``, or None.
        gradient_at: Where the gradient is taken, as a formula of θ and the state; None for θ itself.

    Example:
        >>> from optkit.rules import RULES
        >>> momentum = RULES["momentum_common"]
        >>> momentum.state
        ('v',)
        >>> momentum(1.0, 2.0, 0.0, 1, lr=0.5, momentum=0.9)
        (0.0, 2.0)
    """

    formula: Formula
    state: tuple[str, ...]
    hyperparameters: Mapping[str, Hyperparameter]
    inputs: tuple[str, ...] = ()
    citation: str | None = None
    gradient_at: Formula | None = field(default=None)

    @property
    def name(self) -> str:
        """The name under which the rule is registered: its function's."""
        return self.formula.name

    @property
    def function(self) -> Callable[..., Any]:
        """The pure function itself."""
        return self.formula.function

    @property
    def description(self) -> str:
        """What the rule does, in one sentence."""
        return self.formula.description

    @property
    def source(self) -> str:
        """The rule's own text, as it stands in the file."""
        return self.formula.source

    def __call__(self, theta: Any, g: Any, *state_and_t: Any, **hyper: Any) -> tuple[Any, ...]:
        """One step: the new θ and the new state; see the class."""
        result = self.formula(theta, g, *state_and_t, **hyper)
        return result if isinstance(result, tuple) else (result,)

    def defaults(self) -> dict[str, Any]:
        """Default of each hyper-parameter."""
        return {name: hyper.default for name, hyper in self.hyperparameters.items()}

    def check(self, **hyper: Any) -> None:
        """Raise if a hyper-parameter is unknown, not a number, or outside its range.

        Raises:
            TypeError: Unknown name, or a value that is no number (no flag, for a flag).
            ValueError: NaN, infinite or out of range.

        Example:
            >>> from optkit.rules import RULES
            >>> RULES["adam"].check(lr=-0.1)
            Traceback (most recent call last):
            ValueError: lr must be >= 0, got -0.1
        """
        check_values(self.name, self.hyperparameters, hyper)

    def __repr__(self) -> str:
        state = ", ".join(("theta", "g", *self.state, "t"))
        hyper = ", ".join([*self.inputs, *(f"{n}={h.default}" for n, h in self.hyperparameters.items())])
        return f"<rule {self.name}({state}, *, {hyper})>"

    def __reduce__(self) -> Any:
        # A rule travels by name where it is registered, by its module where it is not: never as code.
        return _restore, (self.function.__module__, self.function.__qualname__)


def _restore(module: str, qualname: str) -> Rule:
    import importlib
    import sys

    holder: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in qualname.split("."):
        holder = getattr(holder, part)
    if not isinstance(holder, Rule):
        raise TypeError(
            f"{module}.{qualname} must be a rule, got {type(holder).__name__}; define it before loading"
        )
    return holder


@overload
def rule(function: Callable[..., Any], /) -> Rule: ...
@overload
def rule(
    *,
    citation: str | None = None,
    gradient_at: Callable[..., Any] | None = None,
    inputs: tuple[str, ...] = (),
    **changes: Mapping[str, Any],
) -> Callable[[Callable[..., Any]], Rule]: ...


def rule(
    function: Callable[..., Any] | None = None,
    /,
    *,
    citation: str | None = None,
    gradient_at: Callable[..., Any] | None = None,
    inputs: tuple[str, ...] = (),
    **changes: Mapping[str, Any],
) -> Any:
    """Make a `Rule` from a pure function ``(theta, g, *state, t, *, hyper…)`` that returns ``theta, *state``.

    Args:
        function: The function, when the decorator stands without arguments.
        citation: Key in ``references.bib``.
        gradient_at: A function ``(theta, *state, *, hyper…)``: the point where the gradient is taken.
        inputs: Keyword-only parameters without a default, supplied by the caller at every step.
        **changes: For a hyper-parameter: fields of `Hyperparameter` that differ from the usual ones.

    Raises:
        LanguageError: The function is outside the grammar, or not of this shape.

    Example:
        >>> from optkit.rules import rule, sign
        >>> @rule
        ... def sign_descent(theta, g, t, *, lr=0.01):
        ...     theta = theta - lr * sign(g)
        ...     return theta
        >>> sign_descent(1.0, -3.0, 1, lr=0.5)
        (1.5,)
    """
    if function is None:
        return lambda f: rule(f, citation=citation, gradient_at=gradient_at, inputs=inputs, **changes)  # type: ignore[call-overload]
    checked = formula(function, functions=ELEMENTWISE)
    positional = [argument.arg for argument in checked.tree.args.args]
    if positional[:2] != ["theta", "g"] or positional[-1:] != ["t"] or positional.count("t") != 1:
        raise checked.refusal(
            f"the parameters are {', '.join(positional) or 'none'}", "name them theta, g, the state arrays, t"
        )
    state = tuple(positional[2:-1])
    returned = [getattr(node, "id", "an expression") for node in checked.results]
    if returned != ["theta", *state]:
        raise checked.refusal(
            f"it returns {', '.join(returned)}",
            f"return {', '.join(['theta', *state])}: θ and every state, in the order of the parameters",
        )
    hyper = declared(checked, changes, usual=HYPERPARAMETERS, inputs=tuple(inputs))
    point = None if gradient_at is None else formula(gradient_at, functions=ELEMENTWISE)
    if point is not None:
        wanted = f"(theta, {''.join(name + ', ' for name in state)}*, hyper…)"
        if [argument.arg for argument in point.tree.args.args] != ["theta", *state] or len(
            point.results
        ) != 1:
            raise checked.refusal(
                f"gradient_at is no function {wanted} of one result", f"write {point.name}{wanted}"
            )
        if strange := sorted(set(point.scalars) - set(hyper)):
            raise checked.refusal(
                f"gradient_at asks for {', '.join(strange)}", "use hyper-parameters that the rule has as well"
            )
    return Rule(checked, state, hyper, tuple(inputs), citation, point)
