"""Gradient and Hessian of a formula, as formulas: the source is differentiated statement by statement.

Forward mode: beside each assignment stands the assignment of its partial derivatives. The result is an
ordinary `Formula`: it runs on floats, NumPy arrays and torch tensors, and translates to JavaScript and LaTeX.

Where a function has a kink, one element of the generalised gradient is taken, and this one:

    abs′(0) = 0,  relu′(0) = 0 (both as in torch),  sign′ = step′ = floor′ = 0 everywhere,
    maximum and minimum at a tie: the mean of the two sides, as torch.maximum (not torch.clamp) does.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from optkit.language.generated import generated
from optkit.language.grammar import Formula
from optkit.translation.algebra import (
    Term,
    Terms,
    add,
    expression,
    negative,
    product,
    quotient,
    single,
    times,
)
from optkit.translation.program import checked


def gradient(source: Any) -> Formula:
    """The partial derivatives of a formula with one result, in the order of its arrays.

    A formula of one array gives one result, of n arrays n results. A partial derivative that does not depend
    on any array is returned as the number it is, without the arrays' shape.

    Args:
        source: A `Formula`, or a problem.

    Raises:
        ValueError: The formula has no array parameter, or several results.

    Example:
        >>> from optkit.language import formula
        >>> @formula
        ... def valley(x, y, *, depth=2.0):
        ...     height = y - x * x
        ...     return depth * height * height + abs(x)
        >>> print(gradient(valley).source)
        def valley_gradient(x, y, *, depth=2.0):
            \"\"\"Gradient of valley: d/dx, d/dy.\"\"\"
            height = y - x * x
            dheight_dx = -2 * x
            return (2 * depth * height * dheight_dx + sign(x), 2 * depth * height)
        <BLANKLINE>
    """
    formula = checked(source)
    names = _arrays(formula)
    pairs = [(0, name) for name in names]
    title = f"Gradient of {formula.name}: {', '.join(f'd/d{name}' for name in names)}."
    return _partials(formula, pairs, f"{formula.name}_gradient", title)


def hessian(source: Any) -> Formula:
    """The second partial derivatives of a formula with one result: the upper triangle, row by row.

    For arrays x, y the results are d²/dx², d²/dxdy, d²/dy². Kinks count as flat: sign′ = step′ = 0.

    Args:
        source: A `Formula`, or a problem.

    Raises:
        ValueError: The formula has no array parameter, or several results.

    Example:
        >>> from optkit.language import formula
        >>> @formula
        ... def bowl(x, y):
        ...     return x * x + 3 * x * y
        >>> hessian(bowl)(0.0, 0.0)
        (2, 3, 0)
    """
    formula = checked(source)
    names = _arrays(formula)
    pairs = [(row, names[column]) for row in range(len(names)) for column in range(row, len(names))]
    title = f"Hessian of {formula.name}: {', '.join(f'd2/d{names[row]}d{name}' for row, name in pairs)}."
    return _partials(gradient(formula), pairs, f"{formula.name}_hessian", title)


def _arrays(formula: Formula) -> tuple[str, ...]:
    if not formula.arrays or len(formula.results) != 1:
        raise ValueError(
            f"{formula.name} must have at least one array parameter and exactly one result, got "
            f"{len(formula.arrays)} and {len(formula.results)}; return one expression"
        )
    return formula.arrays


def _partials(formula: Formula, pairs: list[tuple[int, str]], name: str, title: str) -> Formula:
    """The derivative of result ``i`` with respect to ``parameter``, for each pair."""
    work = _Differentiation(formula)
    body = work.start() + work.block(formula.tree.body[:-1])
    results = [work.of(formula.results[index], parameter) for index, parameter in pairs]
    values = [expression(terms) for terms in results]
    value = values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())
    body, _ = _live(body, _names(value))
    tree = ast.FunctionDef(name, copy.deepcopy(formula.tree.args), [*body, ast.Return(value)], [], None)
    return generated(tree, title)


class _Differentiation:
    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.kinds = formula.kinds
        self.parameters = formula.arrays
        self.taken = set(formula.kinds)
        self.names: dict[tuple[str, str], str] = {}
        self.made: set[str] = set()  # derivatives that are arrays
        targets = [n.targets[0].id for n in ast.walk(formula.tree) if isinstance(n, ast.Assign)]
        # A name that is assigned twice, or in a branch, has its derivatives in variables, never inlined.
        self.varies = {n for n in targets if targets.count(n) + (n in self.parameters) > 1}
        self.varies |= {
            n.targets[0].id
            for branch in ast.walk(formula.tree)
            if isinstance(branch, ast.If)
            for n in ast.walk(branch)
            if isinstance(n, ast.Assign)
        }
        # Statements that need not be written twice: a Hessian meets the gradient's own derivatives again.
        self.own = {
            n.targets[0].id: ast.unparse(n.value)
            for n in ast.walk(formula.tree)
            if isinstance(n, ast.Assign) and not _names(n) & self.varies
        }
        self.already: set[str] = set()
        self.known: dict[tuple[str, str], Terms] = {
            (array, parameter): [Term(1)] if array == parameter else []
            for array in self.parameters
            for parameter in self.parameters
        }

    def start(self) -> list[ast.stmt]:
        """Derivatives of the parameters that are assigned anew."""
        return [
            self._assign(array, parameter, self.known[array, parameter], array)
            for array in self.parameters
            if array in self.varies
            for parameter in self.parameters
        ]

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        written: list[ast.stmt] = []
        for node in body:
            if isinstance(node, ast.If):
                then, other = self.block(node.body), self.block(node.orelse)
                written.append(ast.If(node.test, then, other))
                continue
            target = node.targets[0].id
            derivatives: list[ast.stmt] = []
            if self.kinds[target] == "array":
                found = {parameter: self.of(node.value, parameter) for parameter in self.parameters}
                for parameter, terms in found.items():
                    if target in self.varies:
                        derivatives.append(self._assign(target, parameter, terms, self.parameters[0]))
                    elif not terms or (len(terms) == 1 and not terms[0].factors):
                        self.known[target, parameter] = terms
                    else:
                        derivatives.append(self._assign(target, parameter, terms, None))
            if target in self.already:
                written += derivatives
            elif target in self.varies:
                # The name may stand on the right: its derivatives need the old value.
                written += [*derivatives, node]
            else:
                written += [node, *derivatives]
        return written

    def _assign(self, target: str, parameter: str, terms: Terms, shape: str | None) -> ast.stmt:
        value = expression(terms)
        if shape is not None and not self._is_array(value):
            # In another branch it is an array: give the number the arrays' shape.
            zero = ast.BinOp(ast.Constant(0), ast.Mult(), _load(shape))
            value = ast.BinOp(value, ast.Add(), zero) if terms else zero
        name = f"d{target}_d{parameter}"
        if self.own.get(name) == ast.unparse(value):
            self.already.add(name)
        else:
            name = self._name(target, parameter)
        if shape is not None or self._is_array(value):
            self.made.add(name)
        self.known[target, parameter] = [Term(1, (_load(name),))]
        return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)

    def _is_array(self, node: ast.expr) -> bool:
        return any(
            isinstance(n, ast.Name) and (self.kinds.get(n.id) == "array" or n.id in self.made)
            for n in ast.walk(node)
        )

    def _name(self, target: str, parameter: str) -> str:
        if (target, parameter) not in self.names:
            name = f"d{target}_d{parameter}"
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            self.names[target, parameter] = name
        return self.names[target, parameter]

    def of(self, node: ast.expr, parameter: str) -> Terms:
        """The derivative of an expression, as a sum of terms."""
        if isinstance(node, ast.Name):
            return self.known.get((node.id, parameter), [])
        if not self._is_array(node):
            return []
        if isinstance(node, ast.UnaryOp):
            return negative(self.of(node.operand, parameter))
        if isinstance(node, ast.Call):
            return self._call(node, parameter)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            left, right = self.of(node.left, parameter), self.of(node.right, parameter)
            return add(left, right if isinstance(node.op, ast.Add) else negative(right))
        if isinstance(node.op, ast.Mult):
            return self._product(product(node), parameter)
        return self._quotient(node.left, node.right, parameter)

    def _product(self, term: Term, parameter: str) -> Terms:
        """Σ over distinct factors: power × the other factors × the factor's derivative."""
        texts = [ast.unparse(factor) for factor in term.factors]
        total: Terms = []
        for index, text in enumerate(texts):
            inner = self.of(term.factors[index], parameter) if text not in texts[:index] else []
            if inner:
                rest = Term(
                    term.coefficient * texts.count(text), term.factors[:index] + term.factors[index + 1 :]
                )
                total = add(total, [times(rest, single(inner))])
        return total

    def _quotient(self, top: ast.expr, bottom: ast.expr, parameter: str) -> Terms:
        above, below = self.of(top, parameter), self.of(bottom, parameter)
        result = quotient(above, bottom)
        if below:
            squared = ast.BinOp(bottom, ast.Mult(), bottom)
            result = add(result, negative(quotient([times(product(top), single(below))], squared)))
        return result

    def _call(self, node: ast.Call, parameter: str) -> Terms:
        name, u = node.func.id, node.args[0]
        inner = self.of(u, parameter)
        if name in ("maximum", "minimum"):
            return self._larger(name, u, node.args[1], parameter)
        if not inner or name in ("sign", "step", "floor"):
            return []
        if name == "sqrt":
            return quotient([times(Term(0.5), single(inner))], node)
        if name == "log":
            return quotient(inner, u)
        outer = {
            "abs": Term(1, (_call("sign", u),)),
            "relu": Term(1, (_call("step", u),)),
            "exp": Term(1, (node,)),
            "sin": Term(1, (_call("cos", u),)),
            "cos": Term(-1, (_call("sin", u),)),
        }[name]
        return [times(outer, single(inner))]

    def _larger(self, name: str, a: ast.expr, b: ast.expr, parameter: str) -> Terms:
        """½(1 ± sign(a − b))·a′ + ½(1 ∓ sign(a − b))·b′: the larger (smaller) side's, at a tie the mean."""
        ahead = _call("sign", ast.BinOp(a, ast.Sub(), b))
        plus = ast.BinOp(ast.Constant(1), ast.Add(), ahead)
        minus = ast.BinOp(ast.Constant(1), ast.Sub(), ahead)
        weights = (plus, minus) if name == "maximum" else (minus, plus)
        sides = zip(weights, (self.of(a, parameter), self.of(b, parameter)), strict=True)
        return add(*([times(Term(0.5, (weight,)), single(side))] for weight, side in sides if side))


def _live(body: list[ast.stmt], needed: set[str]) -> tuple[list[ast.stmt], set[str]]:
    """The statements whose result is used, and the names that they need from before."""
    kept: list[ast.stmt] = []
    for node in reversed(body):
        if isinstance(node, ast.If):
            then, in_then = _live(node.body, set(needed))
            other, in_other = _live(node.orelse, set(needed))
            if not then and not other:
                continue
            needed = in_then | in_other | _names(node.test)
            if not then:
                then, other = other, []
                node = ast.If(ast.UnaryOp(ast.Not(), node.test), then, other)
            kept.append(ast.If(node.test, then, other))
        elif node.targets[0].id in needed:
            needed = (needed - {node.targets[0].id}) | _names(node.value)
            kept.append(node)
    return kept[::-1], needed


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _call(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(_load(name), [argument], [])
