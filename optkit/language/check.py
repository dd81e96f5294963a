"""The check of a formula's syntax tree: what may be written, and which names hold arrays."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from optkit.language.errors import LanguageError
from optkit.language.functions import ARITY, ELEMENTWISE, pi
from optkit.language.words import REMEDIES, RESERVED, a_kind, what

OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


class Checker:
    """Walks one function. `check` returns the kind of every name, or raises `LanguageError`."""

    def __init__(
        self,
        tree: ast.FunctionDef,
        function: Callable[..., Any],
        file: str,
        first_line: int,
        source: str,
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.tree, self.function, self.file, self.functions = tree, function, file, functions
        self.first_line = first_line
        self.text = source.splitlines()
        self.offset = tree.lineno  # lines of decorators before it
        self.kinds: dict[str, str] = {}

    def refuse(self, node: ast.AST, problem: str, remedy: str) -> NoReturn:
        """Raise `LanguageError` for ``node``, at its line."""
        line = getattr(node, "lineno", self.offset)
        index = line - self.offset
        text = self.text[index] if 0 <= index < len(self.text) else None
        raise LanguageError(self.file, self.first_line + line - 1, problem, remedy, text)

    def check(self) -> dict[str, str]:
        """Check the whole function; return the kind of every name."""
        self._parameters()
        body = self.tree.body
        if (
            isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            body = body[1:]
        self.tree.body, self.tree.decorator_list, self.tree.returns = body, [], None
        if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
            self.refuse(
                body[-1] if body else self.tree,
                "the function does not end with a return of its results",
                "end it with one return of all results, as in return theta, v",
            )
        known = set(self.kinds)
        known = self._block(body[:-1], known)
        last = body[-1].value
        for value in last.elts if isinstance(last, ast.Tuple) else [last]:
            self._expression(value, known)
        return self.kinds

    def _parameters(self) -> None:
        self._name_allowed(self.tree, self.tree.name)
        a = self.tree.args
        if a.vararg or a.kwarg or a.posonlyargs:
            self.refuse(
                self.tree,
                "*args, **kwargs and positional-only parameters are not part of the grammar",
                "name each array, then t, then a bare *, then the scalars",
            )
        if a.defaults:
            self.refuse(
                self.tree,
                f"the array parameter {a.args[-1].arg} has a default",
                "put hyper-parameters after a bare *, as in (theta, g, t, *, lr=0.01)",
            )
        parameters = inspect.signature(self.function).parameters
        for argument in [*a.args, *a.kwonlyargs]:
            argument.annotation = None
            self._name_allowed(argument, argument.arg)
        for argument in a.args:
            self.kinds[argument.arg] = "scalar" if argument.arg == "t" else "array"
        for argument in a.kwonlyargs:
            default = parameters[argument.arg].default
            if default is inspect.Parameter.empty:
                self.kinds[argument.arg] = "scalar"
            elif isinstance(default, bool):
                self.kinds[argument.arg] = "flag"
            elif type(default) in (int, float):
                # Only Python's own: NumPy's numbers divide by zero and print in another way.
                if not _is_double(default):
                    self.refuse(
                        argument,
                        f"the default of {argument.arg} is {default!r}, which is no exact double",
                        "use a finite number",
                    )
                self.kinds[argument.arg] = "scalar"
            else:
                self.refuse(
                    argument,
                    f"the default of {argument.arg} is {default!r}, not a Python number or a flag",
                    "use a number, as in 0.9 or float(…), or True or False",
                )

    def _name_allowed(self, node: ast.AST, name: str) -> None:
        if not name.isascii():
            self.refuse(
                node, f"the name {name} has letters that C lacks", "write its ASCII name, as in theta for θ"
            )
        if name in RESERVED or name.startswith("__"):
            self.refuse(node, f"{name} is a reserved word in C or JavaScript", "choose another name")
        if name in ARITY or name == "pi":
            self.refuse(node, f"{name} is a function or constant of the grammar", "choose another name")

    def _block(self, statements: list[ast.stmt], known: set[str]) -> set[str]:
        """Check statements in order; return the names that are certainly defined after them."""
        for node in statements:
            if isinstance(node, ast.Assign):
                if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
                    self.refuse(
                        node,
                        "this assignment has several targets or a target that is no name",
                        "write one name = expression a line",
                    )
                kind = self._expression(node.value, known)
                name = node.targets[0].id
                self._name_allowed(node, name)
                before = self.kinds.get(name)
                if before is not None and before != kind:
                    self.refuse(
                        node, f"{name} was {a_kind(before)} and becomes {a_kind(kind)}", "use two names"
                    )
                self.kinds[name] = kind
                known = known | {name}
            elif isinstance(node, ast.If):
                self._condition(node.test, known)
                then, other = self._block(node.body, known), self._block(node.orelse, known)
                known = then & other
            elif isinstance(node, ast.Return):
                self.refuse(
                    node,
                    "there is a return before the end",
                    "assign the results in each branch and return once, at the end",
                )
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                self.refuse(node, "this statement does nothing", "make it a comment")
            else:
                self.refuse(
                    node,
                    f"{what(node)} is not part of the grammar",
                    REMEDIES.get(type(node), "use assignments, if / else on scalars and one return"),
                )
        return known

    def _condition(self, node: ast.expr, known: set[str]) -> None:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self._condition(value, known)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._condition(node.operand, known)
        elif isinstance(node, ast.Compare):
            if len(node.ops) != 1:
                self.refuse(node, "this comparison is a chain", "join two comparisons by and")
            if not isinstance(node.ops[0], COMPARISONS):
                self.refuse(node, "this comparison is not part of the grammar", "use < <= > >= == or !=")
            for side in (node.left, node.comparators[0]):
                if self._expression(side, known) == "array":
                    self.refuse(
                        node,
                        "this condition compares an array: its elements may disagree",
                        "decide on scalars, or use minimum, maximum, sign",
                    )
        elif isinstance(node, ast.Name):
            if self._name(node, known) != "flag":
                self.refuse(
                    node,
                    f"the condition {node.id} is not a flag",
                    f"compare it, as in {node.id} > 0, or give it the default True or False",
                )
        else:
            self.refuse(node, f"{what(node)} is no condition", "write a comparison of scalars or a flag")

    def _expression(self, node: ast.expr, known: set[str]) -> str:
        """The kind of an expression: "array" or "scalar"."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
                self.refuse(node, f"{node.value!r} is not a number", "use numbers only")
            if not _is_double(node.value):
                self.refuse(node, f"{node.value} is not exact in double precision", "use a finite double")
            return "scalar"
        if isinstance(node, ast.Name):
            kind = self._name(node, known)
            if kind == "flag":
                self.refuse(
                    node, f"{node.id} is a flag and stands in arithmetic", f"write if {node.id}: … else: …"
                )
            return kind
        if isinstance(node, ast.UnaryOp):
            if not isinstance(node.op, ast.USub):
                self.refuse(node, f"{what(node.op)} is not part of the grammar", "use unary minus or nothing")
            return self._expression(node.operand, known)
        if isinstance(node, ast.BinOp):
            if not isinstance(node.op, OPERATORS):
                self.refuse(
                    node, f"the operator {what(node.op)} is not part of the grammar", "use + - * / or **"
                )
            kinds = {self._expression(node.left, known), self._expression(node.right, known)}
            if isinstance(node.op, ast.Pow) and "array" in kinds:
                self.refuse(
                    node,
                    "** on an array gives other last bits in C and JavaScript",
                    "write the product, as in g * g",
                )
            return "array" if "array" in kinds else "scalar"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node, known)
        if isinstance(node, (ast.Compare, ast.BoolOp)):
            self.refuse(node, "a comparison stands in arithmetic", "put it in an if")
        blamed = node.func if isinstance(node, ast.Call) else node
        self.refuse(
            blamed,
            f"{what(blamed)} is not part of the grammar",
            REMEDIES.get(type(blamed), "use + - * / ** and the functions of optkit.language.functions"),
        )

    def _call(self, node: ast.Call, known: set[str]) -> str:
        name = node.func.id
        if name not in self.functions:
            allowed = ", ".join(sorted(self.functions))
            self.refuse(node, f"the function {name} is not part of the grammar here", f"use one of {allowed}")
        meant = self._lookup(name)
        if meant is not self.functions[name]:
            found = "nothing" if meant is None else f"{getattr(meant, '__module__', '?')}.{name}"
            room = "optkit.rules" if name in ELEMENTWISE else "optkit.language"
            self.refuse(
                node,
                f"{name} means {found} here, not {'Python' if name == 'abs' else 'optkit'}'s {name}",
                "give the other one another name"
                if name == "abs"
                else f"write from {room} import {name} above the function",
            )
        if node.keywords or len(node.args) != ARITY[name]:
            self.refuse(node, f"{name} takes {ARITY[name]} positional argument(s)", f"give it {ARITY[name]}")
        kinds = {self._expression(argument, known) for argument in node.args}
        return "array" if "array" in kinds else "scalar"

    def _name(self, node: ast.Name, known: set[str]) -> str:
        if node.id in known:
            return self.kinds[node.id]
        if node.id == "pi" and self._lookup("pi") == pi:
            return "scalar"
        if node.id in self.kinds:
            self.refuse(
                node, f"{node.id} may be undefined here", "assign it in every branch, or before the if"
            )
        if self._lookup(node.id) is not None:
            self.refuse(
                node,
                f"{node.id} comes from outside the function",
                "make it a keyword-only parameter with a default, or write the number",
            )
        self.refuse(node, f"{node.id} is not defined", "assign it first, or make it a parameter")

    def _lookup(self, name: str) -> Any:
        code = self.function.__code__
        if self.function.__closure__ and name in code.co_freevars:
            try:
                return self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:  # a closure variable that is assigned after the function
                return None
        return self.function.__globals__.get(name, getattr(builtins, name, None))


def _is_double(value: float) -> bool:
    """Whether C and JavaScript have the same number."""
    return abs(value) <= 2**53 if isinstance(value, int) else math.isfinite(value)
