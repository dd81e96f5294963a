"""The playground's paths are Python's, to the last bit: every rule on every problem, in Node."""

import math

import numpy as np
import pytest

from optkit.newton import minimise
from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.schedules import cosine, exponential, power, step_decay
from optkit.trajectories import run

STEPS = 60
DESCENT = [r for r in RULES.values() if not r.inputs]
# Numbers cross the border as hexadecimal bit patterns: no printing or reading can round them.
SCRIPT = """
import * as mathematics from "./mathematics.js";
import { trajectory } from "./engine.js";
const view = new DataView(new ArrayBuffer(8));
const bits = (x) => {
  view.setFloat64(0, Number.isNaN(x) ? NaN : x);
  return view.getBigUint64(0).toString(16);
};
const float = (h) => { view.setBigUint64(0, BigInt("0x" + h)); return view.getFloat64(0); };
const pow = Math.pow;
let worst = 0;
Math.pow = (a, b) => {
  const known = given.powers[`${bits(a)},${bits(b)}`];
  if (known === undefined) return pow(a, b);
  const gap = BigInt("0x" + bits(pow(a, b))) - BigInt("0x" + known);
  worst = Math.max(worst, Math.abs(Number(gap)));
  return float(known);
};
answer({
  paths: given.requests.map((request) => {
    const path = trajectory(mathematics, request);
    const rows = [path.theta, path.loss, path.gradients, path.rates, ...path.states];
    return { rows: rows.map((row) => Array.from(row, bits)), diverged: path.diverged };
  }),
  worst,
});
"""


def bits(value):
    return format(int(np.float64(math.nan if math.isnan(value) else value).view(np.uint64)), "x")


def row(array):
    return [bits(x) for x in np.asarray(array).ravel()]


def rows(path):
    return [row(a) for a in (path.theta, path.loss, path.gradient, path.lr, *path.state.values())]


def powers(bases, exponents):
    """Python's powers: V8 may differ by 1 ulp, which is measured, and then taken out of the comparison."""
    return {f"{bits(b)},{bits(e)}": bits(b**e) for b in bases for e in exponents}


BETAS = powers([0.9, 0.999], range(1, STEPS + 1))
CASES = {
    "quiet": {},
    "noisy": {"noise": 0.7, "batch_size": 3, "seed": 11},
    "sam": {"sam": 0.1, "noise": 0.2, "batch_size": 2, "seed": 4294967295},
}


def request(rule, problem, *, lr, noise=None, batch_size=1, seed=0, sam=0.0, **more):
    return {
        "rule": rule.name, "problem": problem.name, "hyper": {"lr": lr}, "steps": STEPS,
        "start": list(problem.start), "noise": problem.noise if noise is None else noise, "batch": batch_size,
        "seed": seed, "sam": sam, **more,
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_every_rule_on_every_problem(problem, case, run_node):
    lr = 0.01
    found = run_node(
        SCRIPT,
        {"requests": [request(rule, problem, lr=lr, **case) for rule in DESCENT], "powers": BETAS},
    )
    assert found["worst"] <= 1
    for rule, got in zip(DESCENT, found["paths"], strict=True):
        path = run(rule, problem, steps=STEPS, lr=lr, **case)
        assert got["rows"] == rows(path), rule.name
        assert (got["diverged"] >= 0) == path.diverged


@pytest.mark.parametrize(
    ("schedule", "name", "used"),
    [
        (step_decay(every=7, decay=0.5), "step_decay", powers([0.5], range(0, 10))),
        (exponential(decay=0.97), "exponential", powers([0.97], range(0, STEPS))),
        (power(q=0.25), "power", powers(range(1, STEPS + 1), [0.25])),
        (cosine(steps=40, end=0.1), "cosine", {}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_schedules_reach_the_rules(schedule, name, used, run_node):
    rule, problem = RULES["momentum_standard"], PROBLEMS["half_pipe"]
    asked = request(rule, problem, lr=0.02, schedule={"name": name, "hyper": dict(schedule.hyper)})
    found = run_node(SCRIPT, {"requests": [asked], "powers": used})
    assert found["worst"] <= 1
    path = run(rule, problem, steps=STEPS, lr=0.02, schedule=schedule)
    assert found["paths"][0]["rows"] == rows(path)


def test_what_diverges_is_marked_and_is_nan_from_there_on(run_node):
    rule, problem = RULES["gradient_descent"], PROBLEMS["rosenbrock"]
    found = run_node(SCRIPT, {"requests": [request(rule, problem, lr=1.0)], "powers": {}})["paths"][0]
    path = run(rule, problem, steps=STEPS, lr=1.0)
    assert path.diverged
    assert found["rows"] == rows(path)
    assert found["diverged"] == int((~(np.abs(path.theta).max(axis=1) <= 1e12)).argmax())


@pytest.mark.parametrize("damp", [False, True])
@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "beale", "himmelblau", "saddle", "half_pipe"])
def test_newton_decides_and_steps_as_in_python(name, damp, run_node):
    problem = PROBLEMS[name]
    script = """
import * as mathematics from "./mathematics.js";
import { trajectory } from "./engine.js";
answer(Array.from(trajectory(mathematics, given).theta));
"""
    asked = {
        "rule": "newton", "problem": name, "start": list(problem.start), "steps": 50, "hyper": {"damp": damp}
    }  # fmt: skip
    found = np.array(run_node(script, asked), dtype=float).reshape(-1, 2)
    path = minimise(problem, on_indefinite="damp" if damp else "follow")
    count = min(len(path.points), 8)  # later steps magnify a rounding where the path is chaotic
    np.testing.assert_allclose(found[:count], path.points[:count], rtol=1e-9, atol=1e-12)
    if path.converged:
        np.testing.assert_allclose(
            found[len(path.points) - 1 :], path.point[None].repeat(51 - path.steps, 0), atol=1e-8
        )
