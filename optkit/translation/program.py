"""A formula split in two: its scalars, computed once a step, and its arrays, computed for every element.

Maximal sub-expressions without an array, such as 1 − ρ₁ᵗ, are *hoisted*: evaluated once in Python double and
handed to the array part as numbers. Statement order is kept, so the result has the same bits as the formula.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from optkit.language.functions import MATHEMATICS, pi
from optkit.language.grammar import Formula


@dataclass(frozen=True)
class Program:
    """A formula as a scalar part and an array part.

    Attributes:
        name: The formula's name.
        parameters: Names of the array arguments, in order.
        scalar_parameters: Names of the scalar arguments, ``t`` first where the formula has it.
        hoisted: The names of the scalars that the array part uses, in order.
        conditions: Those of them that decide a branch of the array part.
        scalar_part: Statements over scalars only; a tuple of `ast.stmt`.
        array_part: Statements over arrays, with hoisted names in place of scalar sub-expressions.
        results: The returned expressions, hoisted alike.

    Example:
        >>> from optkit.rules import RULES
        >>> print(program(RULES["gradient_descent"]))
        scalars(t, lr):
        arrays(theta, g; lr):
            theta = theta - lr * g
            return theta
    """

    name: str
    parameters: tuple[str, ...]
    scalar_parameters: tuple[str, ...]
    hoisted: tuple[str, ...]
    conditions: tuple[str, ...]
    scalar_part: tuple[ast.stmt, ...] = field(repr=False)
    array_part: tuple[ast.stmt, ...] = field(repr=False)
    results: tuple[ast.expr, ...] = field(repr=False)
    hoisted_source: Mapping[str, str] = field(repr=False)

    def scalars(self, *t: float, **values: Any) -> dict[str, Any]:
        """The hoisted scalars of step ``t``, in double. Those of a branch not taken are 0.0.

        Raises:
            ValueError: One has no real value: a division by zero, a root of a negative number, an overflow.

        Example:
            >>> from optkit.rules import RULES
            >>> adam = program(RULES["adam"])
            >>> adam.hoisted_source["h3"]
            '1 - beta2 ** t'
            >>> adam.scalars(1, **RULES["adam"].defaults())["h3"] == 1 - 0.999
            True
        """
        try:
            numbers = self._scalar_function(*t, **values)
            if complex in map(type, numbers):
                raise ValueError("a power of a negative number is complex")
        except (ArithmeticError, ValueError) as error:
            given = {**dict.fromkeys(self.scalar_parameters[: len(t)], *t), **values}
            raise ValueError(
                f"{self.name} has no value at {', '.join(f'{key}={value}' for key, value in given.items())}: "
                f"{error.args[-1]}; change a hyper-parameter, or put an if around the expression"
            ) from error
        return dict(zip(self.hoisted, numbers, strict=True))

    def arrays(self, *arrays: Any, **scalars: Any) -> tuple[Any, ...]:
        """The array part, on whatever the formula runs on, given the result of `scalars`."""
        return self._array_function(*arrays, **scalars)

    @cached_property
    def steady(self) -> bool:
        """Whether the scalars are the same in every step.

        Example:
            >>> from optkit.rules import RULES
            >>> program(RULES["momentum_common"]).steady, program(RULES["adam"]).steady
            (True, False)
        """
        names = (node for part in self.scalar_part for node in ast.walk(part) if isinstance(node, ast.Name))
        return "t" not in self.hoisted and all(node.id != "t" for node in names)

    @cached_property
    def divisors(self) -> tuple[str, ...]:
        """Those of the hoisted scalars by which arrays are divided.

        Example:
            >>> from optkit.rules import RULES
            >>> [program(RULES["adam"]).hoisted_source[name] for name in program(RULES["adam"]).divisors]
            ['1 - beta1 ** t', '1 - beta2 ** t']
        """
        roots = (*self.array_part, *self.results)
        divisions = (
            node
            for root in roots
            for node in ast.walk(root)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        )
        names = [node.right.id for node in divisions if isinstance(node.right, ast.Name)]
        return tuple(dict.fromkeys(name for name in names if name in self.hoisted))

    @cached_property
    def _scalar_function(self) -> Any:
        start = [
            ast.parse(f"{name} = 0.0").body[0] for name in self.hoisted if name not in self.scalar_parameters
        ]
        result = ast.Return(ast.Tuple([_load(name) for name in self.hoisted], ast.Load()))
        names = list(self.scalar_parameters)
        positional = ["t"] if names[:1] == ["t"] else []
        return _compile(
            self.name + "_scalars", positional, names[len(positional) :], [*start, *self.scalar_part, result]
        )

    @cached_property
    def _array_function(self) -> Any:
        result = ast.Return(ast.Tuple(list(self.results), ast.Load()))
        body = [*self.array_part, result]
        return _compile(self.name + "_arrays", list(self.parameters), list(self.hoisted), body)

    def __str__(self) -> str:
        def lines(body: tuple[ast.stmt, ...]) -> str:
            return "".join(f"    {line}\n" for node in body for line in ast.unparse(node).splitlines())

        head = f"scalars({', '.join(self.scalar_parameters)}):\n" + lines(self.scalar_part)
        head += f"arrays({', '.join(self.parameters)}; {', '.join(self.hoisted)}):\n" + lines(self.array_part)
        return head + f"    return {', '.join(ast.unparse(node) for node in self.results)}"


def program(source: Any) -> Program:
    """Split a rule or formula into its scalar part and its array part.

    Args:
        source: A `Rule`, or a `Formula`.

    Returns:
        The checked program, with hoisted scalars.

    Raises:
        TypeError: ``source`` is neither.

    Example:
        >>> from optkit.rules import RULES
        >>> program(RULES["momentum_ewma"]).hoisted_source
        {'h0': '1 - momentum'}
    """
    formula = checked(source)
    return _Splitter(formula).split()


def checked(source: Any) -> Formula:
    """The formula behind a rule, problem or schedule; the formula itself if it is one.

    Raises:
        TypeError: ``source`` has no formula.
    """
    found = source if isinstance(source, Formula) else getattr(source, "formula", None)
    if not isinstance(found, Formula):
        raise TypeError(
            f"source must be a rule or a formula, got {type(source).__name__}; make one with @rule"
        )
    return found


class _Splitter:
    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.taken = set(formula.kinds)
        self.hoisted: dict[str, None] = {}
        self.conditions: list[str] = []
        self.sources: dict[str, str] = {}
        self.assigned = {
            node.targets[0].id for node in ast.walk(formula.tree) if isinstance(node, ast.Assign)
        }

    def split(self) -> Program:
        tree = copy.deepcopy(self.formula.tree)
        scalar, array = self._block(tree.body[:-1], {})
        value = tree.body[-1].value
        known: dict[str, str] = {}
        results = [
            self._hoist(node, scalar, known)
            for node in (value.elts if isinstance(value, ast.Tuple) else [value])
        ]
        return Program(
            name=self.formula.name,
            parameters=self.formula.arrays,
            scalar_parameters=(("t",) if self.formula.has_step else ()) + tuple(self.formula.scalars),
            hoisted=tuple(self.hoisted),
            conditions=tuple(self.conditions),
            scalar_part=tuple(scalar),
            array_part=tuple(array),
            results=tuple(results),
            hoisted_source=self.sources,
        )

    def _fresh(self, letter: str) -> str:
        number = 0
        while f"{letter}{number}" in self.taken:
            number += 1
        name = f"{letter}{number}"
        self.taken.add(name)
        self.hoisted[name] = None
        return name

    def _block(self, body: list[ast.stmt], outer: dict[str, str]) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Scalar and array statements of a block. ``outer``: expressions already hoisted, text → name."""
        known = dict(outer)
        scalar: list[ast.stmt] = []
        array: list[ast.stmt] = []
        for node in body:
            if isinstance(node, ast.Assign):
                if self.formula.kinds[node.targets[0].id] == "array":
                    node.value = self._hoist(node.value, scalar, known)
                    array.append(node)
                else:
                    scalar.append(node)
            elif isinstance(node, ast.If):
                # Both parts branch on one number, computed once.
                name = self._fresh("c")
                self.conditions.append(name)
                self.sources[name] = ast.unparse(node.test)
                then_scalar, then_array = self._block(node.body, known)
                else_scalar, else_array = self._block(node.orelse, known)
                scalar.append(_assign(name, node.test))
                if then_scalar or else_scalar:
                    scalar.append(_branch(name, then_scalar, else_scalar))
                if then_array or else_array:
                    array.append(_branch(name, then_array, else_array))
                else:
                    del self.hoisted[name]
                    self.conditions.remove(name)
        return scalar, array

    def _is_array(self, node: ast.expr) -> bool:
        return any(
            isinstance(n, ast.Name) and self.formula.kinds.get(n.id) == "array" for n in ast.walk(node)
        )

    def _hoist(self, node: ast.expr, scalar: list[ast.stmt], known: dict[str, str]) -> ast.expr:
        if not self._is_array(node):
            if isinstance(node, ast.Constant):
                return node
            if isinstance(node, ast.Name) and node.id not in self.assigned and node.id != "pi":
                self.hoisted[node.id] = None
                return node
            text = ast.unparse(node)
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if text not in known or names & self.assigned:
                known[text] = self._fresh("h")
                self.sources[known[text]] = text
                scalar.append(_assign(known[text], node))
            return _load(known[text])
        if isinstance(node, ast.BinOp):
            node.left, node.right = (
                self._hoist(node.left, scalar, known),
                self._hoist(node.right, scalar, known),
            )
        elif isinstance(node, ast.UnaryOp):
            node.operand = self._hoist(node.operand, scalar, known)
        elif isinstance(node, ast.Call):
            node.args = [self._hoist(argument, scalar, known) for argument in node.args]
        return node


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.fix_missing_locations(ast.Assign([ast.Name(name, ast.Store())], value))


def _branch(name: str, body: list[ast.stmt], orelse: list[ast.stmt]) -> ast.If:
    return ast.fix_missing_locations(ast.If(_load(name), body or [ast.Pass()], orelse))


def _compile(name: str, positional: list[str], keyword: list[str], body: list[ast.stmt]) -> Any:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(n) for n in positional],
        kwonlyargs=[ast.arg(n) for n in keyword],
        kw_defaults=[None] * len(keyword),
        defaults=[],
    )
    function = ast.FunctionDef(name, arguments, copy.deepcopy(body), [], None)
    function.type_params = []  # asked for from Python 3.12 on
    module = ast.fix_missing_locations(ast.Module([function], []))
    namespace: dict[str, Any] = {**MATHEMATICS, "pi": pi}
    exec(compile(module, f"<{name}>", "exec"), namespace)
    return namespace[name]
