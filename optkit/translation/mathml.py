"""From a formula to MathML: trees of lists that a page turns into elements, with symbols or with numbers.

A tree is a text, ``[tag, child, …]``, ``["slot", name, symbol]`` for a name, which shows its symbol or its
number of just now, or ``["times"]`` between two factors.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from optkit.rules.hyperparameters import HYPERPARAMETERS
from optkit.translation.javascript import condition as javascript_condition
from optkit.translation.javascript import expression as javascript
from optkit.translation.program import checked
from optkit.translation.symbols import number, symbol

Tree = Any
LETTERS = dict(
    alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ϵ", zeta="ζ", eta="η", theta="θ", iota="ι", kappa="κ",
    mu="μ", nu="ν", xi="ξ", pi="π", rho="ρ", sigma="σ", tau="τ", phi="ϕ", varphi="φ", chi="χ", psi="ψ",
    omega="ω", Gamma="Γ", Delta="Δ", Theta="Θ", Lambda="Λ", Xi="Ξ", Pi="Π", Sigma="Σ", Phi="Φ", Psi="Ψ",
    Omega="Ω", lVert="‖", rVert="‖", infty="∞", ell="ℓ", min="min", max="max", varepsilon="ε",
)  # fmt: skip
LETTERS["lambda"] = "λ"
RELATION = {ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠"}
TOKEN = re.compile(r"\\[A-Za-z]+|\\ |[{}_^+]|\d+(?:\.\d+)?|[A-Za-z]|\S")


def symbol_tree(latex: str) -> Tree:
    r"""The tree of a symbol as the course writes it: letters, indices, hats, upright words.

    Example:
        >>> symbol_tree(r"\rho_1")
        ['msub', ['mi', 'ρ'], ['mn', '1']]
        >>> symbol_tree(r"\hat{s}")
        ['mover', ['mi', 's'], ['mo', '^']]
    """
    tokens = TOKEN.findall(latex)
    tree = _sequence(tokens)
    if tokens:
        raise ValueError(
            f"symbol must be a letter with indices, got {latex!r} (left over: {''.join(tokens)})"
        )
    return tree


def _sequence(tokens: list[str]) -> Tree:
    found: list[Tree] = []
    while tokens and tokens[0] != "}":
        token = tokens.pop(0)
        if token in "_^":
            base = found.pop()
            found.append(["msub" if token == "_" else "msup", base, _argument(tokens)])
        else:
            found.append(_atom(token, tokens))
    return found[0] if len(found) == 1 else ["mrow", *found]


def _argument(tokens: list[str]) -> Tree:
    if tokens[:1] == ["{"]:
        tokens.pop(0)
        inside = _sequence(tokens)
        tokens.pop(0)
        return inside
    return _atom(tokens.pop(0), tokens)


def _atom(token: str, tokens: list[str]) -> Tree:
    if token == "{":
        tokens.insert(0, token)
        return _argument(tokens)
    if token == r"\hat":
        return ["mover", _argument(tokens), ["mo", "^"]]
    if token == r"\mathrm":
        end = tokens.index("}")
        word = "".join(" " if piece == r"\ " else piece.replace(r"\_", "_") for piece in tokens[1:end])
        del tokens[: end + 1]
        return ["mi", word]
    if token.startswith("\\"):
        letter = LETTERS[token[1:]]
        return ["mo", letter] if letter == "‖" else ["mi", letter]
    return ["mn", token] if token[0].isdigit() else ["mi", token] if token.isalpha() else ["mo", token]


class Lines:
    """The lines of a formula for a page: what each says, and a JavaScript function that fills in numbers.

    Args:
        source: A `Rule` or a `Formula`.
        symbols: Name → LaTeX, over the rule's own symbols.

    Attributes:
        lines: For each line ``{"left": tree, "right": tree, "depth": n}``, or ``{"if": tree, "depth": n}``.
        trace: ``(theta, g, …, t, {hyper}) => [[line, {name: value}, result], …]`` for the lines that run.

    Example:
        >>> from optkit.rules import RULES
        >>> found = Lines(RULES["gradient_descent"])
        >>> found.lines[0]["left"]
        ['mi', 'θ']
        >>> print(found.trace)
        (theta, g, t, { lr }) => {
          const $out = [];
          $out.push([0, { theta, lr, g }, theta = theta - lr * g]);
          return $out;
        }
    """

    def __init__(self, source: Any, symbols: Mapping[str, str] | None = None) -> None:
        formula = checked(source)
        hyperparameters = getattr(source, "hyperparameters", HYPERPARAMETERS)
        own = {name: hyper.symbol for name, hyper in hyperparameters.items() if hyper.symbol}
        self._symbols = {**own, **(symbols or {})}
        self._kinds = formula.kinds
        self.lines: list[dict[str, Any]] = []
        parameters = [argument.arg for argument in formula.tree.args.args]
        local = [n for n in formula.kinds if n not in {*parameters, *formula.scalars}]
        body = self._block(formula.tree.body[:-1], 0)
        head = [f"  let {', '.join(local)};"] if local else []
        text = ["  const $out = [];", *head, *(f"  {line}" for line in body), "  return $out;"]
        options = f"{{ {', '.join(formula.scalars)} }}"
        self.trace = "\n".join([f"({', '.join([*parameters, options])}) => {{", *text, "}"])

    def symbol(self, name: str) -> Tree:
        """The tree of a name."""
        return symbol_tree(self._symbols.get(name) or symbol(name))

    def _block(self, body: list[ast.stmt], depth: int) -> list[str]:
        text = []
        for node in body:
            if isinstance(node, ast.Assign):
                target = node.targets[0].id
                text.append(self._push(f"{target} = {javascript(node.value)}", node.value))
                right = self.expression(node.value)
                self.lines.append({"left": self.symbol(target), "right": right, "depth": depth})
                continue
            numeric = not self._of_flags(node.test)
            test = javascript_condition(node.test)
            if numeric:
                text.append(self._push(test, node.test))
                self.lines.append({"if": self.condition(node.test), "depth": depth})
            for word, block in ((f"if ({test}) {{", node.body), ("} else {", node.orelse)):
                text += [word, *("  " + line for line in self._block(block, depth + numeric))]
            text.append("}")
        return text

    def _push(self, code: str, node: ast.expr) -> str:
        found = {n.id: None for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in self._kinds}
        values = f"{{ {', '.join(found)} }}" if found else "{}"
        return f"$out.push([{len(self.lines)}, {values}, {code}]);"

    def _of_flags(self, node: ast.expr) -> bool:
        return not any(isinstance(n, ast.Compare) for n in ast.walk(node))

    def condition(self, node: ast.expr) -> Tree:
        """The tree of a condition."""
        if isinstance(node, ast.BoolOp):
            word = "and" if isinstance(node.op, ast.And) else "or"
            pieces: list[Tree] = []
            for value in node.values:
                pieces += [*([["mtext", f" {word} "]] if pieces else []), self.condition(value)]
            return ["mrow", *pieces]
        if isinstance(node, ast.UnaryOp):
            return ["mrow", ["mtext", "not "], *_bracket(self.condition(node.operand))]
        if isinstance(node, ast.Name):
            return ["mtext", node.id.replace("_", " ")]
        relation = ["mo", RELATION[type(node.ops[0])]]
        return ["mrow", self.expression(node.left), relation, self.expression(node.comparators[0])]

    def expression(self, node: ast.expr, outer: int = 0) -> Tree:
        """The tree of an expression. ``outer``: how tightly the surroundings bind."""
        if isinstance(node, ast.Constant):
            text = number(node.value)
            power = re.fullmatch(r"(?:(.*) \\cdot )?10\^\{(-?\d+)\}", text)
            if not power:
                return ["mn", text]
            tree = ["msup", ["mn", "10"], ["mn", power[2].replace("-", "−")]]
            return ["mrow", ["mn", power[1]], ["mo", "·"], tree] if power[1] else tree
        if isinstance(node, ast.Name):
            return ["mi", "π"] if node.id == "pi" else ["slot", node.id, self.symbol(node.id)]
        if isinstance(node, ast.UnaryOp):
            tree = ["mrow", ["mo", "−"], self.expression(node.operand, 2)]
            return ["mrow", *_bracket(tree)] if outer else tree
        if isinstance(node, ast.Call):
            inside = [self.expression(argument) for argument in node.args]
            if node.func.id == "sqrt":
                return ["msqrt", *inside]
            if node.func.id in ("abs", "floor"):
                left, right = ("|", "|") if node.func.id == "abs" else ("⌊", "⌋")
                return ["mrow", ["mo", left], *inside, ["mo", right]]
            names = {"minimum": "min", "maximum": "max", "log": "ln"}
            joined = [inside[0], *(piece for each in inside[1:] for piece in (["mo", ","], each))]
            return ["mrow", ["mi", names.get(node.func.id, node.func.id)], *_bracket(["mrow", *joined])]
        if isinstance(node.op, ast.Pow):
            return ["msup", self.expression(node.left, 4), self.expression(node.right)]
        if isinstance(node.op, ast.Div):
            tree = ["mfrac", self.expression(node.left), self.expression(node.right)]
            return ["mrow", *_bracket(tree)] if outer > 3 else tree
        if isinstance(node.op, ast.Mult):
            tree = ["mrow", self.expression(node.left, 2), ["times"], self.expression(node.right, 2)]
            return ["mrow", *_bracket(tree)] if outer > 2 else tree
        minus = isinstance(node.op, ast.Sub)
        left = self.expression(node.left, 1 if isinstance(node.left, ast.BinOp) else 0)
        right = self.expression(node.right, 2 if minus else 1)
        tree = ["mrow", left, ["mo", "−" if minus else "+"], right]
        return ["mrow", *_bracket(tree)] if outer > 1 else tree


def _bracket(tree: Tree) -> list[Tree]:
    return [["mo", "("], tree, ["mo", ")"]]
