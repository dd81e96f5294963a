"""The grammar in which update rules, problems and schedules are written, and its check.

A formula is an ordinary pure Python function. It is read once, when it is defined, and refused with
file, line and remedy if it steps outside the common ground of Python, C and JavaScript:

* assignments ``name = expression``, ``if``/``elif``/``else`` on scalars, one ``return`` at the end;
* numbers, names, ``+ - * /``, unary minus, ``**`` on scalars, comparisons and ``and or not`` in conditions;
* calls of the functions in `optkit.language.functions`, and the constant ``pi``.

Positional parameters are arrays, but for one called ``t``, the step, which is a scalar.
Keyword-only parameters are scalars: numbers, or flags (True / False).
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from optkit.language.check import Checker
from optkit.language.errors import LanguageError
from optkit.language.functions import MATHEMATICS

__all__ = ["Formula", "LanguageError", "formula"]


@dataclass(frozen=True)
class Formula:
    """A checked function of the grammar. Calling it runs the function unchanged.

    Attributes:
        name: The function's name.
        function: The function itself.
        arrays: Names of the positional parameters other than ``t``.
        has_step: Whether ``t`` is among the positional parameters.
        scalars: Keyword-only parameters → default (`Formula.REQUIRED` where there is none).
        tree: The checked syntax tree, without docstring and annotations.
        kinds: Every name of the function → "array", "scalar" or "flag".
        source: The function's own text, decorators removed.

    Example:
        >>> from optkit.rules import RULES
        >>> adam = RULES["adam"].formula
        >>> adam.arrays, adam.has_step, adam.scalars["beta1"], adam.kinds["s_hat"]
        (('theta', 'g', 's', 'r'), True, 0.9, 'array')
    """

    name: str
    function: Callable[..., Any]
    arrays: tuple[str, ...]
    has_step: bool
    scalars: Mapping[str, Any]
    tree: ast.FunctionDef = field(repr=False, compare=False)
    kinds: Mapping[str, str] = field(repr=False, compare=False)
    source: str = field(repr=False)

    REQUIRED = inspect.Parameter.empty

    def __call__(self, *arrays: Any, **scalars: Any) -> Any:
        """Run the function."""
        return self.function(*arrays, **scalars)

    @property
    def description(self) -> str:
        """The first paragraph of the docstring, on one line."""
        text = inspect.getdoc(self.function) or ""
        return " ".join(text.split("\n\n")[0].split())

    def refusal(self, problem: str, remedy: str) -> LanguageError:
        """The error that says why this formula is none of the kind asked for, at its first line."""
        code = self.function.__code__
        return LanguageError(code.co_filename, code.co_firstlineno, f"{self.name}: {problem}", remedy)

    @property
    def results(self) -> tuple[ast.expr, ...]:
        """The returned expressions, in order."""
        value = self.tree.body[-1].value
        return tuple(value.elts) if isinstance(value, ast.Tuple) else (value,)


def formula(
    function: Callable[..., Any], *, functions: Mapping[str, Callable[..., Any]] = MATHEMATICS
) -> Formula:
    """Read ``function`` once, check it against the grammar, and return it as a `Formula`.

    Args:
        function: A function defined with ``def`` in a file or a notebook cell.
        functions: The functions that it may call, by name.

    Raises:
        LanguageError: The function steps outside the grammar; the message gives file, line and remedy.

    Example:
        >>> from optkit.rules import rule
        >>> from optkit.problems import PROBLEMS
        >>> PROBLEMS["rosenbrock"].formula.arrays
        ('x', 'y')
    """
    tree, source, file, first_line = _read(function)
    checker = Checker(tree, function, file, first_line, source, functions)
    kinds = checker.check()
    arguments = tree.args
    positional = [a.arg for a in arguments.args]
    defaults = [
        Formula.REQUIRED if node is None else inspect.signature(function).parameters[name].default
        for name, node in zip([a.arg for a in arguments.kwonlyargs], arguments.kw_defaults, strict=True)
    ]
    return Formula(
        name=tree.name,
        function=function,
        arrays=tuple(name for name in positional if name != "t"),
        has_step="t" in positional,
        scalars=dict(zip([a.arg for a in arguments.kwonlyargs], defaults, strict=True)),
        tree=tree,
        kinds=kinds,
        source=source,
    )


def _read(function: Callable[..., Any]) -> tuple[ast.FunctionDef, str, str, int]:
    """Syntax tree, source without decorators, file and line of the first source line."""
    if not inspect.isfunction(function):
        raise LanguageError(
            "<unknown>",
            0,
            f"a formula must be a function, got {type(function).__name__}",
            "define it with def",
        )
    file = function.__code__.co_filename
    if hasattr(function, "__wrapped__"):
        # Its source is the wrapped function's, but what runs is the wrapper.
        raise LanguageError(
            file,
            function.__code__.co_firstlineno,
            f"a decorator has put another function around {function.__name__}",
            "leave that decorator out",
        )
    try:
        lines, first_line = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise LanguageError(
            file,
            function.__code__.co_firstlineno,
            f"the source of {function.__name__} cannot be read",
            "define it in a file or a notebook cell, not by exec or at the plain prompt",
        ) from error
    text = "".join(lines)
    indented = text[:1].isspace()
    try:
        # A block around an indented function: comments and docstrings may begin further left than the code.
        tree = (ast.parse("if True:\n" + text).body[0].body if indented else ast.parse(text).body)[0]
    except SyntaxError as error:  # a lambda in the middle of an expression, for example
        raise LanguageError(
            file, first_line, "a formula must be a function of its own", "define it with def"
        ) from error
    if not isinstance(tree, ast.FunctionDef):
        raise LanguageError(file, first_line, "a formula must be a plain function", "define it with def")
    ast.increment_lineno(tree, -indented)
    source = textwrap.dedent("\n".join(text.splitlines()[tree.lineno - 1 :]) + "\n")
    return tree, source, file, first_line
