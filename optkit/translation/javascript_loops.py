"""Rules and problems as JavaScript loops over typed arrays: what a figure needs to follow a pointer.

`to_javascript` gives one step as a function of numbers. Here the same statements stand inside the loop over
steps, coordinates or points, with what is scalar computed once, so that nothing is allocated on the way. The
float operations and their order are the same, so the bits are too.

Names that begin with ``$`` belong to the loop: no name of the language can.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from optkit.rules.rule import Rule
from optkit.translation.javascript import expression, statements
from optkit.translation.program import Program, checked, program


def walk(rule: Rule) -> str:
    """The path of a rule: a function ``($run, {hyper})`` that fills the arrays of ``$run``.

    ``$run`` has ``steps``, ``dim``, ``factors`` (one for each step), ``theta`` and each of
    ``states`` ((steps + 1) × dim numbers, the first row given), ``gradients`` and ``points`` (steps × dim),
    ``rates`` (steps) and two methods: ``inside(from)`` says whether the iterate is still finite, and
    ``slope(step, from)`` reads ``points`` and writes ``gradients``.

    Args:
        rule: A rule of descent, without inputs.

    Example:
        >>> from optkit.rules import RULES
        >>> print(walk(RULES["gradient_descent"]))  # doctest: +ELLIPSIS
        ($run, { lr: $lr }) => {
          const $dim = $run.dim, ...
          for (let t = 1; t <= $run.steps; t++) {
            ...
              theta = theta - lr * g;
        ...
    """
    split = program(rule)
    states = [f"$state{index}" for index in range(len(rule.state))]
    options = [f"{name}: $lr" if name == "lr" else name for name in rule.hyperparameters]
    arrays = {"theta": "$theta", **dict(zip(rule.state, states, strict=True))}
    read = [f"{name} = {array}[$from + $i]" for name, array in arrays.items()]
    written = [f"{array}[$to + $i] = {name};" for name, array in arrays.items()]
    rate = ["const lr = $lr * $run.factors[t - 1];", "$run.rates[t - 1] = lr;"]
    head = [
        "const $dim = $run.dim, $theta = $run.theta, $gradients = $run.gradients, $points = $run.points;",
        *(f"const {array} = $run.states[{index}];" for index, array in enumerate(states)),
        *_declared("let", _assigned(split.scalar_part) | set(split.hoisted) - _given(rule)),
    ]
    body = [
        "const $from = (t - 1) * $dim, $to = $from + $dim;",
        "if (!$run.inside($from)) break;",
        *(rate if "lr" in rule.hyperparameters else []),
        "for (let $i = 0; $i < $dim; $i++) {",
        *_indent(_point(rule, arrays), 1),
        "}",
        "$run.slope(t, $from);",
        *_scalars(split),
        "for (let $i = 0; $i < $dim; $i++) {",
        f"  let {', '.join(read)};",
        "  const g = $gradients[$from + $i];",
        *_indent(_declared("let", _assigned(split.array_part) - set(arrays)), 1),
        *statements(split.array_part, "  "),
        *_indent(written, 1),
        "}",
    ]
    lines = [*head, "for (let t = 1; t <= $run.steps; t++) {", *_indent(body, 1), "}"]
    return _function(f"$run, {{ {', '.join(options)} }}", lines)


def over_points(source: Any) -> str:
    """A formula of coordinates at many points: ``({scalars}) => ($points, $out, $count) => …``.

    Point number k has its coordinates at ``$points[k * dim]`` and after; its results stand alike in ``$out``.
    The scalars of the formula are computed once, by the outer function.

    Args:
        source: A `Problem`, or a `Formula` such as its gradient.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> print(over_points(PROBLEMS["himmelblau"]))
        ({ }) => {
          return ($points, $out, $count) => {
            for (let $k = 0; $k < $count; $k++) {
              const x = $points[$k * 2], y = $points[$k * 2 + 1];
              let a, b;
              a = x * x + y - 11;
              b = x + y * y - 7;
              $out[$k] = a * a + b * b;
            }
          };
        }
    """
    formula = checked(source)
    split = program(formula)
    dim, count = len(split.parameters), len(split.results)
    read = ", ".join(f"{name} = $points[{_place(dim, i)}]" for i, name in enumerate(split.parameters))
    loop = [
        f"const {read};",
        *_declared("let", _assigned(split.array_part) - set(split.parameters)),
        *statements(split.array_part, ""),
        *(f"$out[{_place(count, i)}] = {expression(node)};" for i, node in enumerate(split.results)),
    ]
    inner = ["for (let $k = 0; $k < $count; $k++) {", *_indent(loop, 1), "}"]
    lines = [
        *_declared("let", _assigned(split.scalar_part) | set(split.hoisted) - set(formula.scalars)),
        *_scalars(split),
        "return ($points, $out, $count) => {",
        *_indent(inner, 1),
        "};",
    ]
    return _function(f"{{ {', '.join(formula.scalars)} }}".replace("{  }", "{ }"), lines)


def _point(rule: Rule, arrays: dict[str, str]) -> list[str]:
    """Where the gradient is taken. A schedule does not reach here: `gradient_at` has the plain rate."""
    where = rule.gradient_at
    if where is None:
        return ["$points[$from + $i] = $theta[$from + $i];"]
    body = where.tree.body[:-1]
    return [
        f"let {', '.join(f'{name} = {array}[$from + $i]' for name, array in arrays.items())};",
        *(["const lr = $lr;"] if "lr" in where.scalars else []),
        *_declared("let", _assigned(body) - set(where.arrays)),
        *statements(body, ""),
        f"$points[$from + $i] = {expression(where.results[0])};",
    ]


def _given(rule: Rule) -> set[str]:
    return {"t", *rule.hyperparameters}


def _place(width: int, index: int) -> str:
    start = "$k" if width == 1 else f"$k * {width}"
    return start if index == 0 else f"{start} + {index}"


def _scalars(split: Program) -> list[str]:
    """The scalar part. What a branch not taken would have set is 0, as in `Program.scalars`."""
    own = [name for name in split.hoisted if name not in split.scalar_parameters]
    start = [f"{' = '.join(own)} = 0;"] if own and len(own) != len(_straight(split, own)) else []
    return [*start, *statements(split.scalar_part, "")]


def _straight(split: Program, own: list[str]) -> list[str]:
    """Those that are set whatever the branches."""
    always = {node.targets[0].id for node in split.scalar_part if isinstance(node, ast.Assign)}
    return [name for name in own if name in always]


def _assigned(body: Iterable[Any]) -> set[str]:
    return {node.targets[0].id for top in body for node in ast.walk(top) if isinstance(node, ast.Assign)}


def _declared(word: str, names: set[str]) -> list[str]:
    return [f"{word} {', '.join(sorted(names))};"] if names else []


def _indent(lines: Iterable[str], depth: int) -> list[str]:
    return ["  " * depth + line for line in lines]


def _function(parameters: str, lines: list[str]) -> str:
    return "\n".join([f"({parameters}) => {{", *_indent(lines, 1), "}"])
