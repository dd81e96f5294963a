"""Sums of products over a syntax tree: the little algebra that keeps derivatives short.

An expression is a list of terms, a term a number times factors. Numbers are multiplied out, equal terms are
added, zeros vanish and ones are not written. Nothing else is rearranged: a bracket stays a bracket.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable
from typing import NamedTuple

Number = int | float


class Term(NamedTuple):
    """A number times factors; no factors for the number itself."""

    coefficient: Number
    factors: tuple[ast.expr, ...] = ()


Terms = list[Term]


def product(node: ast.expr) -> Term:
    """The factors of a product, its numbers and signs gathered in front.

    Example:
        >>> term = product(ast.parse("-2 * x * 3 * y", mode="eval").body)
        >>> term.coefficient, [ast.unparse(factor) for factor in term.factors]
        (-6, ['x', 'y'])
    """
    if isinstance(node, ast.Constant):
        return Term(node.value)
    if isinstance(node, ast.UnaryOp):
        inner = product(node.operand)
        return Term(-inner.coefficient, inner.factors)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = product(node.left), product(node.right)
        return Term(left.coefficient * right.coefficient, left.factors + right.factors)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        over = node.right
        if isinstance(over, ast.Constant) and over.value and _is_power_of_two(over.value):
            inner = product(node.left)
            return Term(inner.coefficient / over.value, inner.factors)
    return Term(1, (node,))


def times(left: Term, right: Term) -> Term:
    """The product of two terms."""
    return Term(left.coefficient * right.coefficient, left.factors + right.factors)


def negative(terms: Terms) -> Terms:
    """The sum with every sign turned."""
    return [Term(-term.coefficient, term.factors) for term in terms]


def add(*sums: Terms) -> Terms:
    """Join sums; terms with the same factors become one.

    Example:
        >>> x = ast.parse("x", mode="eval").body
        >>> ast.unparse(expression(add([Term(2, (x,))], [Term(3, (x,)), Term(1)])))
        '5 * x + 1'
    """
    joined: dict[tuple[str, ...], Term] = {}
    for term in (term for terms in sums for term in terms):
        key = tuple(sorted(ast.unparse(factor) for factor in term.factors))
        before = joined.get(key, Term(0, term.factors))
        joined[key] = Term(before.coefficient + term.coefficient, before.factors)
    return [term for term in joined.values() if term.coefficient != 0]


def single(terms: Terms) -> Term:
    """A sum as one term: itself, or a bracket."""
    return terms[0] if len(terms) == 1 else Term(1, (expression(terms),))


def quotient(terms: Terms, over: ast.expr) -> Terms:
    """A sum divided by an expression."""
    if not terms:
        return []
    if isinstance(over, ast.Constant) and _is_power_of_two(over.value):
        return [Term(term.coefficient / over.value, term.factors) for term in terms]
    term = single(terms)
    if not term.factors:
        return [Term(1, (ast.BinOp(_number(term.coefficient), ast.Div(), over),))]
    top = expression([Term(1, term.factors)])
    return [Term(term.coefficient, (ast.BinOp(top, ast.Div(), over),))]


def expression(terms: Terms) -> ast.expr:
    """The syntax tree of a sum.

    Example:
        >>> x, y = (ast.parse(name, mode="eval").body for name in "xy")
        >>> ast.unparse(expression([Term(1, (x,)), Term(-2, (x, y)), Term(3)]))
        'x - 2 * x * y + 3'
    """
    result: ast.expr | None = None
    for term in terms:
        minus = term.coefficient < 0
        if result is None:
            result = _term(term)
        else:
            positive = Term(-term.coefficient, term.factors) if minus else term
            result = ast.BinOp(result, ast.Sub() if minus else ast.Add(), _term(positive))
    return ast.Constant(0) if result is None else result


def _term(term: Term) -> ast.expr:
    if not term.factors:
        return _number(term.coefficient)
    if term.coefficient == 1:
        return _multiplied(term.factors)
    if term.coefficient == -1:
        return ast.UnaryOp(ast.USub(), _multiplied(term.factors))
    return _multiplied((_number(term.coefficient), *term.factors))


def _multiplied(factors: Iterable[ast.expr]) -> ast.expr:
    result: ast.expr | None = None
    for factor in factors:
        result = factor if result is None else ast.BinOp(result, ast.Mult(), factor)
    assert result is not None
    return result


def _number(value: Number) -> ast.expr:
    whole = int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)
    return ast.Constant(whole) if whole >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-whole))


def _is_power_of_two(value: Number) -> bool:
    """Whether division by it is exact, and may be done on the number in front."""
    return value > 0 and math.frexp(value)[0] == 0.5
