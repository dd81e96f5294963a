"""The playground as a Python object: traits, checks, what a cell's output carries."""

import json
import re

import numpy as np
import pytest
import traitlets

from optkit.language import sin
from optkit.newton import minimise
from optkit.problems import PROBLEMS, problem
from optkit.rules import RULES, rule
from optkit.schedules import cosine, exponential
from optkit.trajectories import run
from optkit.widgets import PRESETS, Playground, preset


@rule
def half_step(theta, g, t, *, lr=0.2):
    """Half of gradient descent."""
    theta = theta - lr * g / 2
    return theta


@problem(start=(1.0, 1.0), window=((-2.0, 2.0), (-2.0, 2.0)))
def ripples(x, y, *, height=0.3):
    """A bowl under </script> ripples."""
    return x * x + y * y + height * sin(3 * x)


def payload(figure):
    text = figure._repr_mimebundle_()[0]["text/html"]
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_what_python_sets_is_what_the_page_starts_from():
    figure = Playground(
        "rosenbrock", ["adam"], hyper={"adam": {"lr": 0.1}}, schedule=cosine(steps=50), step=7
    )
    state = payload(figure)["config"]["state"]
    assert state == figure.state
    assert state["schedule"] == {"name": "cosine", "hyper": {"steps": 50.0, "end": 0.0}}
    assert (state["step"], state["steps"], state["start"]) == (7, 100, [-1.2, 1.0])


def test_trajectories_are_those_of_run():
    figure = Playground(
        "beale",
        ["adam", "newton", "sam"],
        hyper={"sam": {"rho": 0.2, "lr": 0.02}},
        schedule=exponential(decay=0.9),
        noise=0.3,
        batch_size=4,
        seed=9,
        steps=30,
    )
    common = {"steps": 30, "noise": 0.3, "batch_size": 4, "seed": 9, "schedule": exponential(decay=0.9)}
    adam = run(RULES["adam"], PROBLEMS["beale"], **common)
    sam = run(RULES["gradient_descent"], PROBLEMS["beale"], lr=0.02, sam=0.2, **common)
    assert np.array_equal(figure.trajectory["adam"].theta, adam.theta)
    assert np.array_equal(figure.trajectory["sam"].theta, sam.theta)
    newton = minimise(PROBLEMS["beale"], on_indefinite="follow", max_steps=30)
    assert np.array_equal(figure.trajectory["newton"].points, newton.points)
    assert list(figure.trajectory) == ["adam", "newton", "sam"]
    with pytest.raises(KeyError, match="not switched on"):
        figure.trajectory["inna"]


def test_traits_are_observed_and_the_trajectory_follows():
    figure = Playground("quadratic", ["gradient_descent"], steps=5)
    seen = []
    figure.observe(lambda change: seen.append(change["name"]), ["start", "trajectory", "step"])
    before = figure.trajectory["gradient_descent"].theta[-1]
    figure.start = (1.0, 1.0)
    assert seen == ["start", "trajectory"] or seen == ["trajectory", "start"]
    assert not np.array_equal(figure.trajectory["gradient_descent"].theta[-1], before)
    figure.step = 2
    assert seen[-1] == "step"
    assert seen.count("trajectory") == 1, "a step changes no path"
    figure.steps = 1
    assert figure.step == 1
    with pytest.raises(traitlets.TraitError):
        figure.trajectory = {}


def test_a_message_from_the_figure_is_taken_over_at_once():
    figure = Playground("quadratic", ["gradient_descent", "adam"])
    figure.set_state(
        {
            "problem": "rosenbrock",
            "problem_hyper": {},
            "start": [0.5, 0.5],
            "rules": ["adam"],
            "hyper": {"adam": {"lr": 0.3}},
            "steps": 40,
            "step": 40,
            "selected": "adam",
        }
    )
    assert figure.state["problem"] == "rosenbrock"
    path = run(RULES["adam"], PROBLEMS["rosenbrock"], steps=40, start=[0.5, 0.5], lr=0.3)
    assert np.array_equal(figure.trajectory["adam"].theta, path.theta)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"problem": "rosenbruck"}, TypeError, "problem must be one of"),
        ({"problem": "relu_difference"}, ValueError, "must have 2 coordinates"),
        ({"rules": ["adan"]}, TypeError, "rules must be among"),
        ({"rules": [RULES["sam_perturbation"]]}, ValueError, "take 'sam'"),
        ({"rules": "adam"}, TypeError, "rules must be a list"),
        ({"start": (1.0,)}, ValueError, "start must have 2 entries"),
        ({"start": (1.0, float("nan"))}, ValueError, "start must be finite"),
        ({"hyper": {"adam": {"lr": -1}}}, ValueError, "lr must be >= 0"),
        ({"hyper": {"newton": {"damp": 1}}}, TypeError, "newton has the flag damp"),
        ({"hyper": {"sam": {"rho": -1.0}}}, ValueError, "rho must be"),
        ({"problem_hyper": {"depth": 1.0}}, TypeError, "depth is no hyper-parameter"),
        ({"schedule": 0.5}, TypeError, "schedule must be"),
        ({"schedule": cosine() * exponential()}, ValueError, "schedule must be one of"),
        ({"noise": -1}, ValueError, "noise must be in"),
        ({"batch_size": 0}, ValueError, "batch_size must be in"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number"),
        ({"steps": 5001}, ValueError, r"steps must be in 1\.\.5000"),
        ({"step": 101}, ValueError, r"step must be in 0\.\.100"),
        ({"opened": ["all"]}, ValueError, "opened must be among"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(wrong, error, message):
    with pytest.raises(error, match=message):
        Playground(**wrong)


def test_setting_a_wrong_value_changes_nothing():
    figure = Playground("quadratic", ["adam"])
    before = figure.state
    for name, value in {
        "start": (1, 2, 3),
        "noise": -1,
        "rules": ["x"],
        "problem": "x",
        "hyper": {"adam": {"lr": -1}},
    }.items():
        with pytest.raises((TypeError, ValueError)):
            setattr(figure, name, value)
    assert figure.state == before


def test_a_readers_own_rule_and_problem_travel_with_the_output():
    figure = Playground(ripples, [half_step, "adam"], steps=10)
    found = payload(figure)
    assert found["config"]["state"]["rules"] == ["half_step", "adam"]
    assert "half_step" in found["extra"]
    assert "ripples" in found["extra"]
    assert np.array_equal(figure.trajectory["half_step"].theta, run(half_step, ripples, steps=10).theta)
    assert payload(Playground(steps=10))["extra"] == ""
    with pytest.raises(ValueError, match="names of their own"):
        Playground(rules=[renamed("adam")])


def renamed(name):
    from dataclasses import replace

    return replace(half_step, formula=replace(half_step.formula, name=name))


def test_a_problem_with_other_values_is_the_same_problem_with_them():
    figure = Playground(PROBLEMS["quadratic"].replace(condition=30.0))
    assert figure.state["problem_hyper"] == {"condition": 30.0}


def test_an_output_has_both_ways_in_and_a_stable_text():
    data, metadata = Playground("half_pipe", ["adam"])._repr_mimebundle_()
    assert data["text/plain"] == "Playground('half_pipe', ['adam'])"
    assert "application/vnd.jupyter.widget-view+json" in data
    assert metadata == {"optkit": {"kind": "live"}}
    (alt,) = re.findall(r'alt="([^"]*)"', data["text/html"])
    assert "Adam: 100 steps" in alt
    assert len(data["text/html"]) < 150_000


def test_the_printed_figure_names_what_is_no_rule():
    (alt,) = re.findall(
        r'alt="([^"]*)"', Playground("beale", ["sam", "newton"])._repr_mimebundle_()[0]["text/html"]
    )
    assert "SAM" in alt
    assert "Newton" in alt


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_titled_figure(name):
    figure = preset(name)
    said = "".join(text for _, text in figure._caption)
    assert said.startswith(f"fig-play-{name}. ")
    assert "Try:" in said
    assert not set("\\$*_^") & set(said), "a formula that a notebook cannot show"
    _, metadata = figure._repr_mimebundle_()
    assert metadata["optkit"]["name"] == f"fig-play-{name}"
    assert "*Try:*" in metadata["optkit"]["caption"]


def test_no_other_preset():
    with pytest.raises(KeyError, match="no preset 'momenta'"):
        preset("momenta")


def test_a_title_that_the_book_would_refuse():
    with pytest.raises(ValueError, match="name must look like"):
        Playground().titled("momentum", "A caption.")
