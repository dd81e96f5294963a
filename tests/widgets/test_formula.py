"""The numbers in a formula are those of the path: the last line of each step is the next iterate."""

import pytest

from optkit.rules import RULES
from optkit.widgets import Playground

SCRIPT = """
import * as mathematics from "./mathematics.js";
import { trajectory } from "./engine.js";
import { account } from "./formula.js";
const rule = mathematics.RULES[given.rule];
const path = trajectory(mathematics, given);
const found = [];
for (let step = 1; step <= given.steps; step++) {
  for (let i = 0; i < 2; i++) {
    const lines = account(rule, path, step, i);
    const isTheta = (line) => JSON.stringify(line.left) === '["mi","θ"]';
    const theta = lines.filter(isTheta).at(-1);
    const complete = lines.every((line) => "values" in line);
    found.push([theta.result, path.theta[step * 2 + i], lines.length, complete]);
  }
}
answer([found, account(rule, path, 0, 0).length, account(rule, path, given.steps + 1, 0).length]);
"""
NAMES = [name for name, r in RULES.items() if not r.inputs] + ["sam"]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_line_gives_the_next_iterate(name, run_node):
    request = {
        "rule": name,
        "problem": "rosenbrock",
        "start": [-1.2, 1.0],
        "steps": 7,
        "hyper": {"lr": 0.001},
        "schedule": {"name": "cosine", "hyper": {"steps": 9, "end": 0.1}},
        "noise": 0.5,
        "seed": 3,
    }
    found, before, after = run_node(SCRIPT, request)
    for result, iterate, count, complete in found:
        assert result == iterate
        assert count >= 1
        assert complete
    assert (before, after) == (0, 0)


def test_a_diverged_path_has_no_lines(run_node):
    script = SCRIPT.split("const found")[0] + "answer([path.diverged, account(rule, path, 40, 0)]);"
    request = {
        "rule": "gradient_descent",
        "problem": "rosenbrock",
        "start": [9.0, 9.0],
        "steps": 50,
        "hyper": {"lr": 1},
    }
    diverged, lines = run_node(script, request)
    assert 0 < diverged < 40
    assert lines == []


PYTHON = """
import * as mathematics from "./mathematics.js";
import { asPython } from "./python.js";
import { check } from "./state.js";
const state = check(mathematics, given);
answer([state, asPython(mathematics, state)]);
"""


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"problem": "quadratic", "problem_hyper": {"condition": 30, "angle": -0.25}, "start": [1e-7, -2.5]},
        {
            "problem": "beale",
            "rules": ["adam", "newton", "sam"],
            "selected": "sam",
            "noise": 0.5,
            "batch_size": 8,
            "seed": 12,
            "steps": 700,
            "step": 13,
            "schedule": {"name": "step_decay", "hyper": {"every": 5}},
            "hyper": {
                "adam": {"lr": 0.1, "bias_correction": False},
                "newton": {"damp": True},
                "sam": {"rho": 0.2},
            },
        },
        {"problem": "noisy_quadratic", "noise": 0, "rules": []},
    ],
)
def test_the_copied_cell_makes_the_same_figure(given, run_node):
    state, text = run_node(PYTHON, given)
    space = {}
    head, call = text.split("\n\n", 1)
    exec(head, space)
    made = eval(call, space)
    assert isinstance(made, Playground)
    expected = {name: values for name, values in state["hyper"].items() if name in state["rules"]}
    if state["schedule"]:
        defaults = made.schedule["hyper"]
        assert defaults == defaults | state["schedule"]["hyper"]
        state["schedule"] = made.schedule
    assert made.state == state | {"hyper": expected}
