"""From a formula to LaTeX, statement by statement, in the course's symbols."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optkit.language.grammar import Formula
from optkit.rules.hyperparameters import HYPERPARAMETERS
from optkit.rules.rule import Rule
from optkit.translation.program import checked
from optkit.translation.symbols import number, symbol

RELATION = {ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.Eq: "=", ast.NotEq: r"\ne"}
CALL = {
    "sqrt": r"\sqrt{{{0}}}",
    "abs": r"\left\lvert {0} \right\rvert",
    "sign": r"\operatorname{{sign}}\left({0}\right)",
    "minimum": r"\min\left({0}, {1}\right)",
    "maximum": r"\max\left({0}, {1}\right)",
    "relu": r"\operatorname{{relu}}\left({0}\right)",
    "step": r"\mathbf{{1}}\left[{0} > 0\right]",
    "floor": r"\left\lfloor {0} \right\rfloor",
    "sin": r"\sin\left({0}\right)",
    "cos": r"\cos\left({0}\right)",
    "exp": r"\exp\left({0}\right)",
    "log": r"\ln\left({0}\right)",
}


@dataclass(frozen=True)
class Line:
    """One line of a formula in LaTeX: left side, relation, right side; or a condition and its depth."""

    left: str
    relation: str
    right: str
    depth: int = 0
    condition: str = ""


def to_latex(
    source: Any, *, symbols: Mapping[str, str] | None = None, left: str | None = None, **flags: bool
) -> str:
    r"""The formula as an ``aligned`` environment, to stand between ``$$`` and ``$$``.

    Names become the course's symbols (``lr`` ε, ``beta1`` ρ₁, ``s_hat`` ŝ); a product of two arrays is ⊙. A
    flag is decided, so that its branch does not clutter the page; a numeric condition becomes two labelled
    cases.

    Args:
        source: A `Rule` or a `Formula`.
        symbols: Name → LaTeX, over the rule's own symbols.
        left: Left side of a returned expression; by default name and arguments.
        **flags: Values of the formula's flags; the default of each otherwise.

    Raises:
        TypeError: A keyword is no flag of the formula.

    Example:
        >>> from optkit.rules import RULES
        >>> print(to_latex(RULES["momentum_common"]))
        \begin{aligned}
        v &\leftarrow \alpha\,v + g \\[4pt]
        \theta &\leftarrow \theta - \epsilon\,v
        \end{aligned}
    """
    lines = _Printer(source, symbols or {}, left, flags).lines()
    # With cases the lines stand flush left, indented like code; without, they are aligned at the arrow.
    flush = any(line.condition for line in lines)
    return (
        "\\begin{aligned}\n" + " \\\\[4pt]\n".join(_align(line, flush) for line in lines) + "\n\\end{aligned}"
    )


def _align(line: Line, flush: bool) -> str:
    if flush:
        return "&" + r"\quad " * line.depth + (line.condition or f"{line.left} {line.relation} {line.right}")
    return f"{line.left} &{line.relation} {line.right}"


def latex_lines(source: Any, *, symbols: Mapping[str, str] | None = None, **flags: bool) -> tuple[Line, ...]:
    r"""The lines of `to_latex`, each by itself: for a page that puts numbers beside them.

    Args:
        source: A `Rule` or a `Formula`.
        symbols: Name → LaTeX, over the rule's own symbols.
        **flags: Values of the formula's flags; the default of each otherwise.

    Raises:
        TypeError: A keyword is no flag of the formula.

    Example:
        >>> from optkit.rules import RULES
        >>> [line.left for line in latex_lines(RULES["momentum_common"])]
        ['v', '\\theta']
    """
    return tuple(_Printer(source, symbols or {}, None, flags).lines())


class _Printer:
    def __init__(
        self, source: Any, symbols: Mapping[str, str], left: str | None, flags: Mapping[str, bool]
    ) -> None:
        self.source, self.formula = source, checked(source)
        self.is_rule = isinstance(source, Rule)
        hyperparameters = getattr(source, "hyperparameters", HYPERPARAMETERS)
        own = {name: hyper.symbol for name, hyper in hyperparameters.items() if hyper.symbol}
        self.symbols = {**own, **symbols}
        self.left = left
        self.flags = {
            name: self.formula.scalars[name] for name, kind in self.formula.kinds.items() if kind == "flag"
        }
        for name, value in flags.items():
            if name not in self.flags or not isinstance(value, bool):
                allowed = ", ".join(self.flags) or "none"
                raise TypeError(f"{name}={value!r} is no flag of {self.formula.name}; its flags: {allowed}")
            self.flags[name] = value

    def name(self, name: str) -> str:
        return self.symbols.get(name) or symbol(name)

    def lines(self) -> list[Line]:
        lines = []
        point = self.source.gradient_at if self.is_rule else None
        if point is not None:
            lines.append(Line("g", "=", rf"\nabla J\left({self.expression(point.results[0], point)}\right)"))
        lines += self.block(self.formula.tree.body[:-1], 0)
        results = self.formula.results
        # A step that returns what it updated is told by its assignments: no line for the return.
        is_step = isinstance(results[0], ast.Name) and results[0].id in self.formula.arrays
        if not (self.is_rule or is_step):
            arguments = [a.arg for a in self.formula.tree.args.args]
            left = self.left or f"{self.name(self.formula.name)}({', '.join(map(self.name, arguments))})"
            right = ",\\; ".join(self.expression(node) for node in results)
            lines.append(Line(left, "=", rf"\left({right}\right)" if len(results) > 1 else right))
        return lines

    def block(self, body: list[ast.stmt], depth: int) -> list[Line]:
        lines: list[Line] = []
        for node in body:
            if isinstance(node, ast.Assign):
                target = node.targets[0].id
                relation = (
                    r"\leftarrow" if target in self.formula.arrays or target in self.formula.scalars else "="
                )
                lines.append(Line(self.name(target), relation, self.expression(node.value), depth))
                continue
            decided = self.decide(node.test)
            if decided is not None:
                lines += self.block(node.body if decided else node.orelse, depth)
                continue
            lines += self.cases(node, depth)
        return lines

    def cases(self, node: ast.If, depth: int) -> list[Line]:
        then, other = self.block(node.body, depth + 1), self.block(node.orelse, depth + 1)
        lines: list[Line] = []
        if then:
            lines += [
                Line("", "", "", depth, rf"\textbf{{if }} {self.condition(node.test)}\textbf{{:}}"),
                *then,
            ]
        if other:
            words = (
                r"\textbf{otherwise:}"
                if then
                else rf"\textbf{{unless }} {self.condition(node.test)}\textbf{{:}}"
            )
            lines += [Line("", "", "", depth, words), *other]
        return lines

    def decide(self, node: ast.expr) -> bool | None:
        """The value of a condition made of flags alone; None if a number decides."""
        if isinstance(node, ast.Name):
            return self.flags[node.id]
        if isinstance(node, ast.UnaryOp):
            value = self.decide(node.operand)
            return None if value is None else not value
        if isinstance(node, ast.BoolOp):
            values = [self.decide(value) for value in node.values]
            absorbing = isinstance(node.op, ast.Or)
            if absorbing in values:
                return absorbing
            return None if None in values else not absorbing
        return None

    def condition(self, node: ast.expr) -> str:
        if isinstance(node, ast.BoolOp):
            word = r" \textbf{ and } " if isinstance(node.op, ast.And) else r" \textbf{ or } "
            open_values = [value for value in node.values if self.decide(value) is None]
            texts = [self.condition(value) for value in open_values]
            return word.join(
                f"({text})" if isinstance(value, ast.BoolOp) and len(texts) > 1 else text
                for value, text in zip(open_values, texts, strict=True)
            )
        if isinstance(node, ast.UnaryOp):
            return rf"\textbf{{not }} ({self.condition(node.operand)})"
        relation = RELATION[type(node.ops[0])]
        return f"{self.expression(node.left)} {relation} {self.expression(node.comparators[0])}"

    def expression(self, node: ast.expr, formula: Formula | None = None, outer: int = 0) -> str:
        formula = formula or self.formula
        if isinstance(node, ast.Constant):
            return number(node.value)
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if isinstance(node, ast.UnaryOp):
            text = "-" + self.expression(node.operand, formula, 2)
            return rf"\left({text}\right)" if outer else text
        if isinstance(node, ast.Call):
            return CALL[node.func.id].format(*(self.expression(a, formula) for a in node.args))
        if isinstance(node.op, ast.Pow):
            base = self.expression(node.left, formula, 4)
            return f"{base}^{{{self.expression(node.right, formula)}}}"
        if isinstance(node.op, ast.Div):
            text = (
                rf"\frac{{{self.expression(node.left, formula)}}}{{{self.expression(node.right, formula)}}}"
            )
            return rf"\left({text}\right)" if outer > 3 else text
        if isinstance(node.op, ast.Mult):
            return self.parenthesised(self.product(node, formula), 2, outer)
        minus = isinstance(node.op, ast.Sub)
        text = (
            self.expression(node.left, formula, 1 if isinstance(node.left, ast.BinOp) else 0)
            + (" - " if minus else " + ")
            + self.expression(node.right, formula, 2 if minus else 1)
        )
        return self.parenthesised(text, 1, outer)

    def parenthesised(self, text: str, level: int, outer: int) -> str:
        if level >= outer:
            return text
        tall = any(word in text for word in (r"\frac", r"\sqrt", r"\left"))
        return rf"\left({text}\right)" if tall else f"({text})"

    def product(self, node: ast.expr, formula: Formula) -> str:
        text, before_is_array = "", False
        for factor, power in _powers(_factors(node), lambda n: self.is_array(n, formula)):
            is_array = self.is_array(factor, formula)
            piece = self.expression(factor, formula, 4 if power > 1 else 2)
            piece += f"^{{{power}}}" if power > 1 else ""
            if not text:
                joint = ""
            elif before_is_array and is_array:
                joint = r" \odot "
            elif isinstance(factor, ast.Constant) or piece[0].isdigit():
                joint = r" \cdot "
            else:
                joint = r"\,"
            text += joint + piece
            before_is_array = is_array
        return text

    def is_array(self, node: ast.expr, formula: Formula) -> bool:
        # A problem's x and y are coordinates, not vectors: ⊙ belongs to rules.
        return self.is_rule and any(
            isinstance(n, ast.Name) and formula.kinds.get(n.id) == "array" for n in ast.walk(node)
        )


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _powers(factors: list[ast.expr], is_array: Callable[[ast.expr], bool]) -> Iterator[tuple[ast.expr, int]]:
    """Runs of one factor as (factor, power); a rule's arrays are not merged: g ⊙ g is the course's way."""
    run: list[ast.expr] = []
    for factor in factors:
        if run and not is_array(factor) and ast.dump(factor) == ast.dump(run[0]):
            run.append(factor)
            continue
        if run:
            yield run[0], len(run)
        run = [factor]
    yield run[0], len(run)
