"""Nothing that comes in by a link gets past the check: what comes out is plain, known and in range."""

import math
import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPT = """
import * as mathematics from "./mathematics.js";
import { check, clamp, decode, encode, history, initial } from "./state.js";
"""
CHECK = SCRIPT + "answer(given.map((value) => check(mathematics, value)));"
NAMES = (
    "problem",
    "problem_hyper",
    "start",
    "rules",
    "hyper",
    "schedule",
    "noise",
    "batch_size",
    "seed",
    "steps",
    "step",
    "selected",
)


def is_clean(state):
    from optkit.problems import PROBLEMS
    from optkit.schedules import SCHEDULES
    from optkit.widgets import Playground
    from optkit.widgets.playground import SPECIAL

    assert set(state) == set(NAMES)
    assert state["problem"] in PROBLEMS
    assert all(isinstance(x, int | float) and abs(x) <= 1e6 for x in state["start"])
    assert len(state["start"]) == PROBLEMS[state["problem"]].dim
    assert state["schedule"] is None or state["schedule"]["name"] in SCHEDULES
    assert 1 <= state["steps"] <= 5000
    assert 0 <= state["step"] <= state["steps"]
    assert state["selected"] in [*state["rules"], ""]
    assert not set(state["hyper"]) - set(Playground()._rules) - set(SPECIAL)
    if PROBLEMS[state["problem"]].dim == 2:
        values = {k: v for k, v in state.items() if k != "schedule"}
        if state["schedule"]:
            values["schedule"] = SCHEDULES[state["schedule"]["name"]](**state["schedule"]["hyper"])
        Playground(**values)  # Python's own checks agree


def test_the_initial_state_is_clean_and_is_left_as_it_is(run_node):
    first, again = run_node(SCRIPT + "const s = initial(mathematics); answer([s, check(mathematics, s)]);")
    is_clean(first)
    assert first | {"hyper": {}} == again


HOSTILE = [
    None,
    0,
    "x",
    [],
    [[]],
    {"__proto__": {"a": 1}},
    {"constructor": 1},
    {"problem": "__proto__"},
    {"problem": "toString"},
    {"problem": "<script>alert(1)</script>"},
    {"problem": ["rosenbrock"]},
    {"problem": "relu_difference"},
    {"rules": ["adam", "adam", "<img src=x onerror=alert(1)>", "constructor", 7, None]},
    {"rules": ["adam"] * 10000},
    {"rules": {"0": "adam", "length": 1}},
    {"hyper": {"adam": {"lr": 1e308, "beta1": 1, "beta2": -5, "eps": "x", "eps_inside": 3, "strange": 1}}},
    {
        "hyper": {
            "inna": {"beta": 0},
            "radam": {"threshold": 0},
            "newton": {"damp": "yes"},
            "sam": {"rho": -1},
        }
    },
    {"hyper": {"__proto__": {"lr": 3}, "adam": []}},
    {"problem_hyper": {"condition": 0, "x": 1}},
    {"problem": "rosenbrock", "problem_hyper": {"depth": -1}},
    {"start": ["NaN", 1e999 if False else 1e300]},
    {"start": [1]},
    {"start": "12"},
    {"start": [1, 2, 3, 4]},
    {"schedule": {"name": "cosine", "hyper": {"steps": -3, "end": 7}}},
    {"schedule": {"name": "hasOwnProperty"}},
    {"schedule": 7},
    {"noise": -1},
    {"noise": 1e9},
    {"batch_size": 0.4},
    {"seed": -1},
    {"seed": 2**53},
    {"steps": 10**9},
    {"steps": 0, "step": 99},
    {"step": 7.6},
    {"selected": "adam"},
    {"extra": "alert(1)"},
]


def test_hostile_states_come_out_clean(run_node):
    for state in run_node(CHECK, HOSTILE):
        is_clean(state)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**60), 2**60)
    | st.text(string.printable, max_size=12)
    | st.sampled_from(["adam", "rosenbrock", "cosine", "__proto__"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*NAMES, "adam", "inna", "lr", "beta", "name", "__proto__", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
states = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(many=st.lists(states, min_size=1, max_size=30))
def test_fuzzed_states_come_out_clean(run_node, many):
    for state in run_node(CHECK, many):
        is_clean(state)


def test_a_link_says_the_state_and_nonsense_says_nothing(run_node):
    script = (
        SCRIPT
        + """
const state = check(mathematics, { problem: "beale", rules: ["adam", "inna"], start: [0.1, -0.2], seed: 7,
  hyper: { adam: { lr: 0.3 } }, schedule: { name: "warmup", hyper: { steps: 9 } } });
const nonsense = ["", "%", "%7B", "%E0%A4%A", "[]", "7", "null", '"x"', "{", "[".repeat(3000),
  "a".repeat(1000000), '{"a":'.repeat(600), "{}" + String.fromCharCode(0)];
answer([state, check(mathematics, decode(encode(state))), nonsense.map(decode)]);
"""
    )
    state, again, nothing = run_node(script)
    assert state == again
    assert nothing == [None] * len(nothing)


def test_values_are_moved_into_range(run_node):
    script = (
        SCRIPT
        + """
const hyper = (rule, name) => mathematics.RULES[rule].hyper.find((h) => h.name === name);
answer([
  clamp(hyper("adam", "beta1"), 2), clamp(hyper("adam", "lr"), -1), clamp(hyper("inna", "beta"), 0),
  clamp(hyper("adam", "eps_inside"), 1), clamp(hyper("adam", "lr"), "1"), clamp(hyper("adam", "lr"), 0.25),
  clamp(mathematics.SCHEDULES.step_decay.hyper[0], 2.6),
]);
"""
    )
    beta1, lr, beta, flag, text, kept, whole = run_node(script)
    assert 0.999 < beta1 < 1
    assert lr == 0
    assert 0 < beta < 1e-6
    assert (flag, text, kept, whole) == (True, 0.001, 0.25, 3)


def test_undo_goes_back_step_by_step_and_stops_at_the_first(run_node):
    script = (
        SCRIPT
        + """
const past = history({ a: 0 }, 4);
const out = [past.canGoBack];
for (let a = 1; a < 7; a++) past.put({ a });
past.put({ a: 6 });
for (let k = 0; k < 6; k++) out.push(past.back().a);
answer([...out, past.canGoBack]);
"""
    )
    assert run_node(script) == [False, 5, 4, 3, 3, 3, 3, False]


def test_infinity_cannot_cross(run_node):
    assert math.isfinite(
        run_node(SCRIPT + "answer(check(mathematics, { noise: Infinity, start: [NaN, -Infinity] }).noise);")
    )
