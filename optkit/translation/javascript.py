"""From a formula to an ES function that makes the same float operations in the same order."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from typing import Any

from optkit.language import portable
from optkit.language.grammar import Formula, formula
from optkit.rules.rule import Rule
from optkit.translation.program import checked

PRECEDENCE = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2}
OPERATOR = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!==",
    ast.And: "&&", ast.Or: "||",
}  # fmt: skip
CALL = {
    "sqrt": "Math.sqrt({0})",
    "abs": "Math.abs({0})",
    "sign": "(Math.sign({0}) + 0)",  # Math.sign keeps −0; NumPy's sign gives +0
    "minimum": "Math.min({0}, {1})",
    "maximum": "Math.max({0}, {1})",
    "relu": "Math.max({0}, 0)",
    "step": "Math.max(Math.sign({0}), 0)",
    "floor": "Math.floor({0})",
    "sin": "$sin({0})",
    "cos": "$cos({0})",
    "exp": "Math.exp({0})",
    "log": "Math.log({0})",
}


def to_javascript(source: Any) -> str:
    """The formula as an ES function on numbers.

    A rule becomes ``name(theta, g, ...state, t, {hyper})`` returning ``[theta, ...state]``; a problem or
    schedule with one result returns a number. Every operation is the double operation that Python makes, in
    the same order, so results agree to the last bit; ``**`` becomes ``Math.pow``, which may differ by 1 ulp
    between engines.

    Args:
        source: A `Rule` or a `Formula`.

    Example:
        >>> from optkit.rules import RULES
        >>> print(to_javascript(RULES["momentum_common"]))
        export function momentum_common(theta, g, v, t, { lr = 0.01, momentum = 0.9 } = {}) {
          v = momentum * v + g;
          theta = theta - lr * v;
          return [theta, v];
        }
    """
    found = checked(source)
    parameters = [argument.arg for argument in found.tree.args.args]
    if found.scalars:
        options = ", ".join(
            name if default is Formula.REQUIRED else f"{name} = {number(default)}"
            for name, default in found.scalars.items()
        )
        parameters.append(f"{{ {options} }} = {{}}")
    given = {*found.arrays, *found.scalars} | ({"t"} if found.has_step else set())
    local = [name for name in found.kinds if name not in given]
    lines = [f"export function {found.name}({', '.join(parameters)}) {{"]
    body = [f"  let {', '.join(local)};"] if local else []
    body += statements(found.tree.body[:-1], "  ")
    results = [expression(node) for node in found.results]
    if any("$sin(" in line or "$cos(" in line for line in [*body, *results]):
        lines += ["  " + line for line in waves()]
    lines += body
    several = isinstance(found.tree.body[-1].value, ast.Tuple) or isinstance(source, Rule)
    lines += [f"  return {'[' + ', '.join(results) + ']' if several else results[0]};", "}"]
    return "\n".join(lines)


@cache
def waves() -> tuple[str, ...]:
    """The lines that define ``$sin`` and ``$cos``, with the bits of `optkit.language.portable`."""
    wave = formula(portable.wave)
    names = [name for name in wave.kinds if name not in ("x", "quarter")]
    return (
        "const $wave = (x, quarter) => {",
        f"  let {', '.join(names)};",
        *statements(wave.tree.body[:-1], "  "),
        f"  return {expression(wave.results[0])};",
        "};",
        *(
            f"const ${name} = (x) => "
            f"(Math.abs(x) <= {number(portable.FARTHEST)} ? $wave(x, {quarter}) : Math.{name}(x));"
            for quarter, name in enumerate(("sin", "cos"))
        ),
    )


def statements(body: Iterable[ast.stmt], indent: str) -> list[str]:
    """The lines of a block of checked statements."""
    lines = []
    for node in body:
        if isinstance(node, ast.Assign):
            decides = isinstance(node.value, (ast.Compare, ast.BoolOp)) or (
                isinstance(node.value, ast.UnaryOp) and isinstance(node.value.op, ast.Not)
            )  # a condition that was hoisted
            value = condition(node.value) if decides else expression(node.value)
            lines.append(f"{indent}{node.targets[0].id} = {value};")
        elif isinstance(node, ast.If):
            lines.append(f"{indent}if ({condition(node.test)}) {{")
            lines += statements(node.body, indent + "  ")
            if node.orelse:
                lines += [f"{indent}}} else {{", *statements(node.orelse, indent + "  ")]
            lines.append(f"{indent}}}")
    return lines


def condition(node: ast.expr) -> str:
    """A checked condition."""
    if isinstance(node, ast.BoolOp):
        return f" {OPERATOR[type(node.op)]} ".join(f"({condition(value)})" for value in node.values)
    if isinstance(node, ast.UnaryOp):
        return f"!({condition(node.operand)})"
    if isinstance(node, ast.Name):
        return node.id
    return f"{expression(node.left)} {OPERATOR[type(node.ops[0])]} {expression(node.comparators[0])}"


def expression(node: ast.expr, outer: int = 0) -> str:
    """A checked expression.

    Args:
        node: The expression.
        outer: How tightly the surroundings bind; parentheses are printed where they are needed.
    """
    if isinstance(node, ast.Constant):
        return number(node.value)
    if isinstance(node, ast.Name):
        return "Math.PI" if node.id == "pi" else node.id
    if isinstance(node, ast.UnaryOp):
        text = "-" + expression(node.operand, 3)
        return f"({text})" if outer else text
    if isinstance(node, ast.Call):
        return CALL[node.func.id].format(*(expression(argument) for argument in node.args))
    if isinstance(node.op, ast.Pow):
        return f"Math.pow({expression(node.left)}, {expression(node.right)})"
    level = PRECEDENCE[type(node.op)]
    # The right side binds one level tighter: a − (b − c) and a + (b + c) keep their order.
    text = f"{expression(node.left, level)} {OPERATOR[type(node.op)]} {expression(node.right, level + 1)}"
    return f"({text})" if level < outer else text


def number(value: Any) -> str:
    """A number or flag."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
