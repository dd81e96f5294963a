"""The hyper-parameters that a formula declares, and the check of values given for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from optkit.language.grammar import Formula
from optkit.language.hyperparameter import Hyperparameter

FIELDS = frozenset(f.name for f in fields(Hyperparameter)) - {"name", "default"}
"""What may be said about a hyper-parameter besides the default in the function's signature."""


def declared(
    formula: Formula,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    usual: Mapping[str, Hyperparameter] | None = None,
    inputs: tuple[str, ...] = (),
) -> dict[str, Hyperparameter]:
    """The hyper-parameters of a formula: names and defaults from its signature, all else from ``changes``.

    Args:
        formula: The checked function.
        changes: Name → fields of `Hyperparameter` that differ from the usual ones.
        usual: Name → what the name means elsewhere; any finite number where it is not among them.
        inputs: The scalars without a default, which are no hyper-parameters.

    Raises:
        LanguageError: Other scalars lack a default, ``changes`` names something else, or a default is out of
            its range.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> quadratic = PROBLEMS["quadratic"].formula
        >>> declared(quadratic, {"condition": {"low": 1.0}})["condition"].range
        '1 <= condition'
    """
    missing = [name for name, default in formula.scalars.items() if default is Formula.REQUIRED]
    if set(missing) != set(inputs):
        raise formula.refusal(
            f"scalars without a default: {', '.join(missing) or 'none'}",
            "give a default, or name them in inputs=" if inputs or usual else "give each a default",
        )
    names = [name for name in formula.scalars if name not in inputs]
    if unknown := sorted(set(changes) - set(names)):
        raise formula.refusal(
            f"the decorator names {', '.join(unknown)}", "name only keyword-only parameters of the function"
        )
    found = {}
    for name in names:
        change, default = changes.get(name, {}), formula.scalars[name]
        if strange := sorted(set(change) - FIELDS):
            raise formula.refusal(
                f"the decorator gives {name} {', '.join(strange)}",
                f"give it any of {', '.join(sorted(FIELDS))}",
            )
        known = (usual or {}).get(name, Hyperparameter(name, default, low=-math.inf, high=math.inf))
        found[name] = replace(known, default=default, **change)
        try:
            found[name].check(default)
        except ValueError as error:
            raise formula.refusal(
                f"the default of {name} is out of its range ({error})", "change the default or the range"
            ) from error
    return found


def check_values(
    owner: str, hyperparameters: Mapping[str, Hyperparameter], values: Mapping[str, Any]
) -> None:
    """Raise if a value is none of the owner's hyper-parameters, no number, or outside its range.

    Raises:
        TypeError: Unknown name, or a value that is no number (no flag, for a flag).
        ValueError: NaN, infinite or out of range.

    Example:
        >>> check_values("adam", {"lr": Hyperparameter("lr", 0.1, low=0.0)}, {"rate": 0.1})
        Traceback (most recent call last):
        TypeError: rate is no hyper-parameter of adam; it has lr
    """
    for name, value in values.items():
        if name not in hyperparameters:
            allowed = ", ".join(hyperparameters) or "none"
            raise TypeError(f"{name} is no hyper-parameter of {owner}; it has {allowed}")
        hyperparameters[name].check(value)
