"""Schedules joined from others. The joined formula is written out, so that it translates like any other."""

from __future__ import annotations

import ast
import copy
from typing import Any

from optkit.language.generated import generated
from optkit.schedules.schedule import Schedule


def product(first: Schedule, second: Schedule) -> Schedule:
    """The product of two schedules: ``first * second``.

    Example:
        >>> from optkit.schedules import constant, power
        >>> print(product(constant(factor=0.1), power(q=0.25)).formula.source)
        def constant_times_power(t, *, factor=0.1, q=0.25):
            \"\"\"The product of constant and power.\"\"\"
            return factor * (1 / t ** q)
        <BLANKLINE>
    """
    taken = {"t"}
    left, right = _Part(first, taken), _Part(second, taken)
    value = ast.BinOp(left.result, ast.Mult(), right.result)
    body = [*left.body, *right.body, ast.Return(value)]
    name = f"{first.name}_times_{second.name}"
    return _join(name, body, {**left.hyper, **right.hyper}, (first, second), "The product of {} and {}.")


def sequence(first: Schedule, second: Schedule, after: int | None) -> Schedule:
    """The first schedule up to step ``after``, then the second, counted from 1 again: ``first.then(second)``.

    Example:
        >>> from optkit.schedules import exponential, warmup
        >>> print(sequence(warmup(steps=5), exponential(), None).formula.source)
        def warmup_then_exponential(t, *, after=5, steps=5, start=0.0, decay=0.99):
            \"\"\"Up to step after warmup, then exponential, counted from 1 again.\"\"\"
            if t <= after:
                factor = start + (1 - start) * minimum(t / steps, 1)
            else:
                u = t - after
                factor = decay ** (u - 1)
            return factor
        <BLANKLINE>
    """
    if not isinstance(second, Schedule):
        raise TypeError(f"following must be a schedule, got {second!r}; make one, as in cosine(steps=100)")
    if after is None:
        after = first.hyper.get("steps")
        if after is None or first.parts:
            raise ValueError(
                f"after must be given: {first.name} has no steps of its own, so say when it ends"
            )
    if not (isinstance(after, int) and not isinstance(after, bool) and after >= 1):
        raise ValueError(f"after must be a whole number >= 1, got {after!r}")
    taken = {"t", "after", "factor", "u"}
    left, right = _Part(first, taken), _Part(second, taken)
    then = [*left.body, _assign("factor", left.result)]
    shift = _assign("u", ast.BinOp(_load("t"), ast.Sub(), _load("after")))
    other = [
        shift,
        *(_Rename({"t": "u"}).visit(node) for node in [*right.body, _assign("factor", right.result)]),
    ]
    test = ast.Compare(_load("t"), [ast.LtE()], [_load("after")])
    body = [ast.If(test, then, other), ast.Return(_load("factor"))]
    hyper = {"after": after, **left.hyper, **right.hyper}
    name = f"{first.name}_then_{second.name}"
    text = "Up to step after {}, then {}, counted from 1 again."
    return _join(name, body, hyper, (first, second), text, after)


class _Part:
    """One schedule's statements, result and chosen values, under names that nobody else has taken."""

    def __init__(self, part: Schedule, taken: set[str]) -> None:
        tree = copy.deepcopy(part.formula.tree)
        names = {name: _free(name, taken) for name in part.formula.kinds if name != "t"}
        renamed = [_Rename(names).visit(node) for node in tree.body]
        self.body, self.result = renamed[:-1], renamed[-1].value
        self.hyper = {names[name]: value for name, value in part.hyper.items()}


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def _free(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _join(
    name: str,
    body: list[ast.stmt],
    hyper: dict[str, Any],
    parts: tuple[Schedule, Schedule],
    text: str,
    after: int | None = None,
) -> Schedule:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg("t")],
        kwonlyargs=[ast.arg(key) for key in hyper],
        kw_defaults=[ast.Constant(value) for value in hyper.values()],
        defaults=[],
    )
    tree = ast.FunctionDef(name, arguments, body, [], None)
    formula = generated(tree, text.format(*(part.name for part in parts)))
    return Schedule(name, hyper, parts, after, formula=formula)


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())
