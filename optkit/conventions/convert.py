"""From the settings of a rule to the arguments of a library, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from optkit.conventions.table import ROWS
from optkit.conventions.translator import Call, Row, RuleSetting
from optkit.rules import RULES


def to_library(rule: str, library: str, *, step: int | None = None, **hyper: Any) -> Call:
    """The call of a library that takes the same steps as a rule of this package.

    Args:
        rule: Name of a rule in `optkit.rules.RULES`.
        library: ``"torch"``, ``"optax"``, ``"keras"``, or a paper's key in the bibliography.
        step: Where the two put the stabiliser on different sides of the bias correction: the step t ≥ 1 that
            the call is for.
        **hyper: Hyper-parameters of the rule; what is not given has the rule's default.

    Returns:
        The name of the class or function, and its arguments.

    Raises:
        KeyError: No such rule, or the library does not have it.
        ValueError: No arguments make the two take the same steps; the message says what the library has.
        TypeError: An unknown hyper-parameter.

    Example:
        >>> to_library("adam", "torch", lr=0.01, eps_inside=False)
        torch.optim.Adam(params, lr=0.01, betas=(0.9, 0.999), eps=1e-08)
        >>> to_library("momentum_ewma", "optax", lr=0.5, momentum=0.75)
        optax.sgd(learning_rate=0.125, momentum=0.75)
        >>> to_library("rmsprop", "torch")
        Traceback (most recent call last):
        ValueError: eps_inside must be False for torch.optim.RMSprop, got True
    """
    rows = rows_of(rule, library)
    RULES[rule].check(**hyper)
    settings = RULES[rule].defaults() | hyper
    faults = []
    for row in rows:
        found = [
            f"{name} must be {value!r}" for name, value in row.requires.items() if settings[name] != value
        ]
        if not found:
            return Call(row.call, row.arguments(settings, step))
        faults.append(f"{' and '.join(found)} for {row.call}")
    names = {name for row in rows for name in row.requires if settings[name] != row.requires[name]}
    got = ", ".join(repr(settings[name]) for name in RULES[rule].hyperparameters if name in names)
    raise ValueError(f"{', or '.join(faults)}, got {got}")


def from_library(call: str, /, *, step: int | None = None, **arguments: Any) -> RuleSetting:
    """The rule and its settings that take the same steps as a library's optimizer.

    Weight decay is not among the arguments: it is no part of a rule (see `optkit.rules.weight_decay`).

    Args:
        call: ``"torch.optim.Adam"``, ``"optax.adam"``, ``"keras.optimizers.Adam"``, …
        step: As for `to_library`.
        **arguments: As the library names them; what is not given has the library's default.

    Returns:
        The rule, its hyper-parameters, and what its state starts with where that is not zero.

    Raises:
        KeyError: The translator does not have this call.
        TypeError: An argument that the translator has no word for, or one that is missing.
        ValueError: No setting of a rule takes these steps.

    Example:
        >>> from_library("keras.optimizers.SGD", momentum=0.5)
        RuleSetting(rule='momentum_standard', hyperparameters={'lr': 0.01, 'momentum': 0.5}, state={})
        >>> from_library("optax.adagrad", learning_rate=0.5).state
        {'G': 0.1}
    """
    rows = [row for row in ROWS if row.call == call and not row.is_paper]
    if not rows:
        known = sorted({row.call for row in ROWS if not row.is_paper})
        raise KeyError(f"no {call!r} in the translator; it has {', '.join(known)}")
    known = set().union(*(row.knows() for row in rows))
    for name in arguments:
        if name not in known:
            raise TypeError(
                f"{call} must be given what the translator knows, got {name}; it knows {_list(known)}"
            )
    fitting = [row for row in rows if row.matches(arguments)]
    if not fitting:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise ValueError(f"no rule takes the steps of {call}({given})")
    return min(fitting, key=_distance).settings(arguments, step)


def rows_of(rule: str, library: str) -> list[Row]:
    """The rows of a rule in a library, the library's default first.

    Raises:
        KeyError: No such rule, or the library does not have it.

    Example:
        >>> [row.eps for row in rows_of("adam", "optax")]
        ['outside the root', 'inside the root']
    """
    if rule not in RULES:
        raise KeyError(f"no rule {rule!r}; there are {', '.join(RULES)}")
    rows = [row for row in ROWS if (row.rule, row.source) == (rule, library)]
    if not rows:
        has = dict.fromkeys(row.source for row in ROWS if row.rule == rule)
        raise KeyError(f"{library!r} does not have {rule}; the translator knows it from {', '.join(has)}")
    return rows


def _distance(row: Row) -> int:
    """The rule that iterates exactly as the library does comes first; one that needs a condition, last."""
    return 1 if row.remark else 0


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
