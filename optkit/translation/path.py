"""One way through a rule: its array part as a straight line of assignments, every branch decided.

The conditions of a rule are scalars, known before the step, so that a kernel needs no branch at all. So is
whether a scalar has become 1, as Adam's 1 − ρ₁ᵗ does: then nothing need be divided by it. The direction
(``maximize``) and weight decay come before the rule's own statements, in the same line.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from optkit.rules.weight_decay import coupled, decoupled
from optkit.translation.program import Program, program

DECAYS = ("", "coupled", "decoupled")
"""Weight decay before the rule: none, added to g, or shrinking θ itself."""

PREFIX = "decay "
"""Before the names of weight decay's scalars. No rule can have such a name, but it may have an ``lr``."""

_ONE = {"float64": (1.0, 1.0)}
_ONE_IN_SINGLE = 1 - 2.0**-25, 1 + 2.0**-24  # halfway to the neighbours of 1 in float32, which round to even


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
        g = g + decay weight_decay * theta
        v = momentum * v + g
        theta = theta - lr * v
    """

    name: str
    parameters: tuple[str, ...]
    scalars: tuple[str, ...]
    statements: tuple[tuple[str, ast.expr], ...]

    def __str__(self) -> str:
        return "\n".join(f"{name} = {ast.unparse(node)}" for name, node in self.statements)


def path(
    rule: Program, scalars: Mapping[str, Any], *, maximize: bool = False, decay: str = "", dtype: str = ""
) -> Path:
    """The way that a step takes through ``rule``.

    Args:
        rule: The hoisted program of an update rule.
        scalars: Value of each of ``rule.conditions``, and of ``rule.divisors`` where there is a ``dtype``;
            further keys do not matter.
        maximize: Begin with g ← −g.
        decay: One of `DECAYS`, after that.
        dtype: Where it is given, divisions by scalars that are 1 in the arithmetic of this dtype are left
            out. The bits of the result are the same.

    Raises:
        ValueError: ``decay`` is none of them.
    """
    if decay not in DECAYS:
        raise ValueError(f"decay must be '', 'coupled' or 'decoupled', got {decay!r}")
    statements: list[tuple[str, ast.expr]] = []
    if maximize:
        statements.append(("g", ast.UnaryOp(ast.USub(), ast.Name("g", ast.Load()))))
    if decay:
        split = _split(decay)
        expression = copy.deepcopy(split.results[0])
        for node in ast.walk(expression):
            if isinstance(node, ast.Name) and node.id in split.hoisted:
                node.id = PREFIX + node.id
        statements.append(("g" if decay == "coupled" else "theta", expression))
    statements += _taken(rule.array_part, scalars)
    if dtype:
        ones = {name for name, one in zip(rule.divisors, ones_of(rule, scalars, dtype), strict=True) if one}
        statements = [(name, _Undivided(ones).visit(copy.deepcopy(node))) for name, node in statements]
    arrays = {*rule.parameters, *(name for name, _ in statements)}
    names = [n.id for _, node in statements for n in ast.walk(node) if isinstance(n, ast.Name)]
    calls = {n.func.id for _, node in statements for n in ast.walk(node) if isinstance(n, ast.Call)}
    used = dict.fromkeys(name for name in names if name not in arrays and name not in calls)
    return Path(rule.name, rule.parameters, tuple(used), tuple(statements))


def ones_of(rule: Program, scalars: Mapping[str, Any], dtype: str) -> list[bool]:
    """For each of ``rule.divisors`` whether it is 1 in the arithmetic of ``dtype``.

    Example:
        >>> from optkit.rules import RULES
        >>> adam = program(RULES["adam"])
        >>> [t for t in range(400) if ones_of(adam, {"h2": 1 - 0.9**t, "h3": 0.5}, "float32")[0]][0]
        165
    """
    if not rule.divisors:
        return []
    low, high = _ONE.get(dtype, _ONE_IN_SINGLE)
    return [low <= scalars[name] <= high for name in rule.divisors]


class _Undivided(ast.NodeTransformer):
    def __init__(self, ones: set[str]) -> None:
        self.ones = ones

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        divisor = node.right.id if isinstance(node.right, ast.Name) else None
        return node.left if isinstance(node.op, ast.Div) and divisor in self.ones else node


def decay_scalars(decay: str, *, lr: float, weight_decay: float) -> dict[str, float]:
    """The hoisted scalars of weight decay, by the names that `path` gives them.

    Example:
        >>> decay_scalars("decoupled", lr=0.5, weight_decay=0.25)
        {'decay h0': 0.875}
    """
    if not decay:
        return {}
    split = _split(decay)
    values = {"lr": lr, "weight_decay": weight_decay}
    hoisted = split.scalars(**{name: values[name] for name in split.scalar_parameters})
    return {PREFIX + name: number for name, number in hoisted.items()}


@cache
def _split(decay: str) -> Program:
    return program(coupled if decay == "coupled" else decoupled)


def _taken(body: Sequence[ast.stmt], scalars: Mapping[str, Any]) -> list[tuple[str, ast.expr]]:
    statements: list[tuple[str, ast.expr]] = []
    for node in body:
        if isinstance(node, ast.Assign):
            statements.append((node.targets[0].id, node.value))
        elif isinstance(node, ast.If):
            statements += _taken(node.body if scalars[node.test.id] else node.orelse, scalars)
    return statements
