"""One way through a rule: its array part as a straight line of assignments, every branch decided.

The conditions of a rule are scalars, known before the step, so that a kernel needs no branch at all. The
direction (``maximize``) and weight decay come before the rule's own statements, in the same line.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optkit.rules.weight_decay import coupled, decoupled
from optkit.translation.program import Program, program

DECAYS = ("", "coupled", "decoupled")
"""Weight decay before the rule: none, added to g, or shrinking θ itself."""


@dataclass(frozen=True)
class Path:
    """Assignments in order, free of branches.

    Attributes:
        name: The rule's name.
        parameters: Names of the arrays: θ, g, the state.
        scalars: Names of the hoisted scalars that the assignments use, in the order of their first use.
        statements: Pairs (name, expression). Expressions hold array names, scalar names, constants,
            + − * /, unary minus, and the functions sqrt, abs, sign, minimum, maximum.

    Example:
        >>> from optkit.rules import RULES
        >>> print(path(program(RULES["momentum_common"]), {}, decay="coupled"))
        g = g + decay_weight_decay * theta
        v = momentum * v + g
        theta = theta - lr * v
    """

    name: str
    parameters: tuple[str, ...]
    scalars: tuple[str, ...]
    statements: tuple[tuple[str, ast.expr], ...]

    def __str__(self) -> str:
        return "\n".join(f"{name} = {ast.unparse(node)}" for name, node in self.statements)


def path(rule: Program, conditions: Mapping[str, Any], *, maximize: bool = False, decay: str = "") -> Path:
    """The way that a step takes through ``rule``.

    Args:
        rule: The hoisted program of an update rule.
        conditions: Value of each of ``rule.conditions``; further keys do not matter.
        maximize: Begin with g ← −g.
        decay: One of `DECAYS`, after that.

    Raises:
        ValueError: ``decay`` is none of them.
    """
    if decay not in DECAYS:
        raise ValueError(f"decay must be '', 'coupled' or 'decoupled', got {decay!r}")
    statements: list[tuple[str, ast.expr]] = []
    if maximize:
        statements.append(("g", ast.UnaryOp(ast.USub(), ast.Name("g", ast.Load()))))
    if decay:
        prefix = _prefix(rule)
        target, formula = ("g", coupled) if decay == "coupled" else ("theta", decoupled)
        (expression,) = program(formula).results
        for node in ast.walk(expression):
            if isinstance(node, ast.Name) and node.id not in ("theta", "g"):
                node.id = prefix + node.id
        statements.append((target, expression))
    statements += _taken(rule.array_part, conditions)
    arrays = {*rule.parameters, *(name for name, _ in statements)}
    names = [n.id for _, node in statements for n in ast.walk(node) if isinstance(n, ast.Name)]
    calls = {n.func.id for _, node in statements for n in ast.walk(node) if isinstance(n, ast.Call)}
    used = dict.fromkeys(name for name in names if name not in arrays and name not in calls)
    return Path(rule.name, rule.parameters, tuple(used), tuple(statements))


def decay_scalars(rule: Program, decay: str, *, lr: float, weight_decay: float) -> dict[str, float]:
    """The hoisted scalars of weight decay, by the names that `path` gives them.

    Example:
        >>> from optkit.rules import RULES
        >>> adam = program(RULES["adam"])
        >>> decay_scalars(adam, "decoupled", lr=0.5, weight_decay=0.25)
        {'decay_h0': 0.875}
    """
    if not decay:
        return {}
    split = program(coupled if decay == "coupled" else decoupled)
    values = {"lr": lr, "weight_decay": weight_decay}
    hoisted = split.scalars(**{name: values[name] for name in split.scalar_parameters})
    prefix = _prefix(rule)
    return {prefix + name: number for name, number in hoisted.items()}


def _prefix(rule: Program) -> str:
    """What tells the scalars of weight decay from the rule's: both may have an ``lr`` and an ``h0``."""
    names = {*rule.parameters, *rule.hoisted, *_assigned(rule.array_part)}
    prefix = "decay_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def _assigned(body: Sequence[ast.stmt]) -> set[str]:
    return {node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name)}


def _taken(body: Sequence[ast.stmt], conditions: Mapping[str, Any]) -> list[tuple[str, ast.expr]]:
    statements: list[tuple[str, ast.expr]] = []
    for node in body:
        if isinstance(node, ast.Assign):
            statements.append((node.targets[0].id, node.value))
        elif isinstance(node, ast.If):
            statements += _taken(node.body if conditions[node.test.id] else node.orelse, conditions)
    return statements
