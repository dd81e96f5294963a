"""Every library's row of the translator, run: the library against the rule, step by step in float64."""

import inspect
import os
from importlib.metadata import version

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "torch"  # read when Keras is imported

import jax
import optax
import torch

from optkit.conventions import (
    LIBRARIES,
    ROWS,
    calls,
    corrected_eps,
    from_library,
    notes,
    parameters,
    to_library,
    uncorrected_eps,
)
from optkit.rules import RULES, weight_decay

STEPS, SIZE = 30, 5
SCALES = [1.0, 1e-3, 1e-6]
CURVATURE = np.array([0.5, 1.0, 2.0, 3.0, 5.0])
LIBRARY_ROWS = [row for row in ROWS if not row.is_paper]
MOMENTUM_ROWS = [row for row in LIBRARY_ROWS if row.form]
CONSTANT = "only while the learning rate is constant"
# Not the defaults: a row that forgets an argument must not pass by them. And ρ₂ = 0.9 keeps the digits of
# 1 − ρ₂ᵗ, of which the libraries lose some in the first steps.
HYPER = {"lr": 0.03, "momentum": 0.8, "rho": 0.7, "beta1": 0.8, "beta2": 0.9, "eps": 1e-7}


def name_of(row):
    return f"{row.rule}-{row.call}-{row.eps or row.form}"


def rows(found):
    return pytest.mark.parametrize("row", found, ids=name_of)


@pytest.fixture(scope="module", autouse=True)
def double_precision(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, jax.enable_x64(True):
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))  # it writes its settings there
        import keras

        before = keras.config.floatx()
        keras.config.set_floatx("float64")
        yield
        keras.config.set_floatx(before)


def noise(scale):
    random = np.random.default_rng(7)
    return scale * 10 ** random.uniform(-1, 1, SIZE) * (random.standard_normal((STEPS, SIZE)) + 0.3)


def settings_of(row):
    """Settings of the rule that the row can say."""
    hyper = {name: HYPER[name] for name in RULES[row.rule].hyperparameters if name in HYPER}
    return hyper | dict(row.requires)


def follow(rule, given, start=0.0, *, rates=None, state=0.0, decay=None, **hyper):
    """Where the gradient was taken, step by step: at θ, or at the rule's look-ahead point."""
    rule = RULES[rule]
    theta = np.zeros(SIZE) + start
    memory = [np.zeros(SIZE) + state for _ in rule.state]
    path = []
    for t, rest in enumerate(given, start=1):
        hyper |= {"lr": rates[t - 1]} if rates is not None else {}
        point = (
            theta
            if rule.gradient_at is None
            else rule.gradient_at(theta, *memory, momentum=hyper["momentum"])
        )
        g = CURVATURE * point + rest
        if decay:
            theta, g = decay(theta, g, hyper["lr"])
        theta, *memory = rule(theta, g, *memory, t, **hyper)
        ahead = (
            theta
            if rule.gradient_at is None
            else rule.gradient_at(theta, *memory, momentum=hyper["momentum"])
        )
        path.append(ahead)
    return np.array(path)


class Torch:
    def __init__(self, call, arguments, start):
        self.theta = torch.nn.Parameter(torch.tensor(start))
        self.optimizer = getattr(torch.optim, call.split(".")[-1])([self.theta], **arguments)

    def step(self, gradient, arguments):
        self.optimizer.param_groups[0].update(arguments)
        self.theta.grad = torch.tensor(gradient(self.theta.detach().numpy()))
        self.optimizer.step()
        return self.theta.detach().numpy().copy()


class Optax:
    def __init__(self, call, arguments, start):
        self.make = getattr(optax, call.split(".")[-1])
        self.theta = jax.numpy.asarray(start)
        self.state = self.make(**arguments).init(self.theta)

    def step(self, gradient, arguments):
        g = jax.numpy.asarray(gradient(np.asarray(self.theta)))
        update, self.state = self.make(**arguments).update(g, self.state, self.theta)
        self.theta = self.theta + update
        return np.asarray(self.theta)


class Keras:
    def __init__(self, call, arguments, start):
        import keras

        self.theta = keras.Variable(torch.tensor(start), dtype="float64")
        self.optimizer = getattr(keras.optimizers, call.split(".")[-1])(**arguments)

    def step(self, gradient, arguments):
        for name, value in arguments.items():
            setattr(self.optimizer, name, value)
        g = gradient(self.theta.value.detach().numpy())
        self.optimizer.apply([torch.tensor(g)], [self.theta])
        return self.theta.value.detach().numpy().copy()


RUNNERS = {"torch": Torch, "optax": Optax, "keras": Keras}


def library_path(row, given, start=0.0, *, rates=None, call=None, more=(), **settings):
    """The library's parameters, with the arguments that the row gives it for each step."""
    runner, path = None, []
    for t, rest in enumerate(given, start=1):
        settings |= {"lr": rates[t - 1]} if rates is not None else {}
        arguments = to_library(row.rule, row.source, step=t, **settings).arguments | dict(more)
        if runner is None:
            runner = RUNNERS[row.source](call or row.call, arguments, np.zeros(SIZE) + start)
        path.append(runner.step(lambda x, rest=rest: CURVATURE * x + rest, arguments))
    return np.array(path)


def distance(found, oracle, start=0.0):
    """The largest difference of a step, relative to the step, beyond what θ itself can hold."""
    first = np.zeros((1, SIZE)) + start
    ours, theirs = (np.diff(path, axis=0, prepend=first) for path in (found, oracle))
    lost = 4 * np.finfo(float).eps * np.abs(oracle).max(axis=1, keepdims=True)
    excess = np.maximum(np.abs(ours - theirs) - lost, 0)
    return (excess / np.abs(theirs).max(axis=1, keepdims=True)).max()


@pytest.mark.parametrize("scale", SCALES)
@rows(LIBRARY_ROWS)
def test_a_library_takes_the_rule_s_steps(row, scale):
    settings, given = settings_of(row), noise(scale)
    found = distance(follow(row.rule, given, **settings), library_path(row, given, **settings))
    assert found <= LIBRARIES[row.source].agreement


@rows(LIBRARY_ROWS)
def test_another_constant_is_noticed(row):
    """What the comparison itself can see: a setting that is one in a million off."""
    settings, given = settings_of(row), noise(1e-3)
    oracle = library_path(row, given, **settings)
    for name in HYPER.keys() & settings.keys() - {"eps"} - row.requires.keys():
        moved = settings | {name: settings[name] * (1 + 1e-6)}
        assert distance(follow(row.rule, given, **moved), oracle) > 1e-8, name


@rows([row for row in LIBRARY_ROWS if row.eps])
def test_the_place_of_the_stabiliser_is_noticed(row):
    settings, given = settings_of(row) | {"eps": 1e-6}, noise(1e-4)
    moved = settings | {"eps_inside": not settings["eps_inside"]}
    assert distance(follow(row.rule, given, **moved), library_path(row, given, **settings)) > 1e-3


@rows([row for row in ROWS if row.eps_moves is not None])
def test_a_stabiliser_that_moves_must_be_moved_at_every_step(row):
    settings = settings_of(row)
    with pytest.raises(ValueError, match=r"eps must be 0 between .* give step=t"):
        row.arguments(RULES[row.rule].defaults() | settings)
    assert row.arguments(RULES[row.rule].defaults() | settings | {"eps": 0.0})
    if not row.is_paper:
        stuck = row.arguments(RULES[row.rule].defaults() | settings | {"eps": 1e-6}, 1)
        path = library_path(row, noise(1e-5), **(settings | {"eps": 1e-6}), more=stuck)
        assert distance(follow(row.rule, noise(1e-5), **(settings | {"eps": 1e-6})), path) > 1e-3


@rows(MOMENTUM_ROWS)
def test_the_remark_says_what_happens_when_the_learning_rate_changes(row):
    settings, given = settings_of(row), noise(1.0)
    rates = np.where(np.arange(STEPS) < 12, 0.03, 0.01)
    ours, theirs = (
        follow(row.rule, given, rates=rates, **settings),
        library_path(row, given, rates=rates, **settings),
    )
    if CONSTANT in row.remark:
        assert distance(ours, theirs) > 1e-2
    else:
        assert distance(ours, theirs) <= LIBRARIES[row.source].agreement


@pytest.mark.parametrize(
    ("row", "decay"),
    [(row, decay) for row in LIBRARY_ROWS for decay in row.decays],
    ids=lambda one: name_of(one) if hasattr(one, "rule") else one.call,
)
def test_weight_decay_is_of_the_stated_kind(row, decay):
    settings, given, strength = settings_of(row), noise(1.0), 0.3
    call, _, flag = decay.call.rstrip(")").partition("(")
    arguments = to_library(row.rule, row.source, step=1, **settings).arguments
    rate = arguments.get("lr", arguments.get("learning_rate"))
    # Decoupled decay is multiplied by the library's own learning rate, whatever that means there.
    more = {"weight_decay": strength if decay.coupled else strength * settings["lr"] / rate} | (
        {flag.split("=")[0]: True} if flag else {}
    )
    assert inspect.signature(find(call)).parameters["weight_decay"].default == decay.default

    def ours(theta, g, lr):
        if decay.coupled:
            return theta, weight_decay.coupled(theta, g, weight_decay=strength)
        return weight_decay.decoupled(theta, lr=lr, weight_decay=strength), g

    if row.rule == "nesterov":  # the library shrinks its own parameters, the look-ahead points
        found = follow("nesterov_torch", given, 1.0, decay=ours, **settings)
    else:
        found = follow(row.rule, given, 1.0, decay=ours, **settings)
    theirs = library_path(row, given, 1.0, call=call, more=more, **settings)
    assert distance(found, theirs, 1.0) <= 1e-11
    assert distance(follow(row.rule, given, 1.0, **settings), theirs, 1.0) > 1e-3


@rows([row for row in LIBRARY_ROWS if not row.decays])
def test_where_no_weight_decay_is_stated_there_is_none(row):
    assert "weight_decay" not in inspect.signature(find(row.call)).parameters


def find(call):
    import keras

    found = {"torch": torch, "optax": optax, "keras": keras}[call.split(".")[0]]
    for part in call.split(".")[1:]:
        found = getattr(found, part)
    return found


@rows(LIBRARY_ROWS)
def test_names_and_defaults_are_the_library_s(row):
    signature = inspect.signature(find(row.call)).parameters
    stated = row.default_arguments()
    for name in row.knows():
        default = signature[name].default
        assert default == stated.get(name, inspect.Parameter.empty), name


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_rows_were_checked_against_the_versions_that_are_installed(name):
    assert version(name).split("+")[0] == LIBRARIES[name].version


@rows(LIBRARY_ROWS)
def test_there_and_back(row):
    settings = settings_of(row)
    call = to_library(row.rule, row.source, step=3, **settings)
    back = from_library(call.name, step=3, **call.arguments)
    assert set(back.state) <= {"G"}  # torch's AdaGrad has δ in the root if its sum starts there
    given = noise(1.0)
    ours = follow(row.rule, given, **settings)
    theirs = follow(back.rule, given, state=sum(back.state.values()), **back.hyperparameters)
    assert distance(ours, theirs) <= 1e-12


@rows([row for row in LIBRARY_ROWS if row.state])
def test_a_library_s_defaults_say_what_the_state_starts_with(row):
    given = {name: 0.5 for name in set(row.names.values()) - row.default_arguments().keys()}
    found = from_library(row.call, **given | dict(row.fixed))
    wanted = {ours: row.defaults[theirs] for ours, theirs in row.state.items() if row.defaults[theirs]}
    assert found.state == wanted
    runner = RUNNERS[row.source](row.call, given | dict(row.fixed), np.zeros(SIZE))
    theirs = [
        runner.step(lambda x, rest=rest: CURVATURE * x + rest, given | dict(row.fixed)) for rest in noise(0.1)
    ]
    ours = follow(found.rule, noise(0.1), state=sum(wanted.values()), **found.hyperparameters)
    assert distance(ours, np.array(theirs)) <= 1e-12


def test_every_rule_has_a_row_and_its_hyperparameters_are_all_said():
    assert {row.rule for row in ROWS} == set(RULES)
    for row in ROWS:
        said = {*row.names, *row.requires}
        left = set(RULES[row.rule].hyperparameters) - said
        assert left <= {"eps_inside"} and (not left or row.requires.get("eps") == 0), name_of(row)


@pytest.mark.parametrize("t", [1, 2, 10, 1000])
def test_the_two_places_around_the_bias_correction(t):
    beta2, eps, r = 0.99, 1e-3, 0.25
    correction = np.sqrt(1 - beta2**t)
    moved = uncorrected_eps(eps, beta2, t)
    assert np.sqrt(r) / correction + eps == pytest.approx((np.sqrt(r) + moved) / correction, rel=1e-14)
    assert corrected_eps(moved, beta2, t) == pytest.approx(eps, rel=1e-14)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("adamax", "torch"), KeyError, "no rule 'adamax'; there are gradient_descent"),
        (
            ("radam", "keras"),
            KeyError,
            "'keras' does not have radam; the translator knows it from torch, optax",
        ),
        (
            ("adam", "torch", {"eps_inside": True}),
            ValueError,
            "eps_inside must be False for torch.optim.Adam, got True",
        ),
        (("adam", "torch", {"lr": -1.0}), ValueError, "lr must be >= 0, got -1"),
        (
            ("radam", "torch", {"eps_inside": False, "threshold": 4.0}),
            ValueError,
            "threshold must be 5.0 for",
        ),
        (("rmsprop", "tieleman2012rmsprop"), ValueError, "eps must be 0 for the lecture, got 1e-08"),
    ],
)
def test_what_cannot_be_said_is_refused(arguments, error, message):
    rule, library, hyper = (*arguments, {})[:3]
    with pytest.raises(error, match=message):
        to_library(rule, library, **hyper)


@pytest.mark.parametrize(
    ("call", "arguments", "error", "message"),
    [
        ("torch.optim.LBFGS", {}, KeyError, "no 'torch.optim.LBFGS' in the translator; it has keras"),
        ("torch.optim.Adam", {"amsgrad": True}, TypeError, "got amsgrad; it knows betas, eps, lr"),
        ("optax.adam", {}, TypeError, "optax.adam needs learning_rate, and none was given"),
        (
            "optax.adam",
            {"learning_rate": 0.1, "eps_root": 1e-8},
            ValueError,
            "no rule takes the steps of optax.adam",
        ),
    ],
)
def test_what_no_rule_does_is_refused(call, arguments, error, message):
    with pytest.raises(error, match=message):
        from_library(call, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 0.9, 1), "eps must be >= 0 and finite, got -1.0"),
        ((0.1, 1.0, 1), "beta2 must be >= 0 and < 1, got 1.0"),
        ((0.1, 0.9, 0), "t must be a whole number >= 1, got 0"),
    ],
)
def test_bad_arguments_of_the_two_stabilisers_are_named(arguments, message):
    for function in (uncorrected_eps, corrected_eps):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


@pytest.mark.parametrize("rule", RULES)
def test_the_page_s_table_has_a_line_for_every_row(rule):
    heads, lines = parameters(rule)
    stated = [row for row in ROWS if row.rule == rule]
    assert len(lines) == 1 + len(stated)
    assert all(len(line) == len(heads) for line in lines)
    assert len(notes(rule)) <= len(stated)
    assert len(calls(rule)) == sum(not row.is_paper for row in stated)


def test_the_page_s_lists_refuse_an_unknown_rule():
    for function in (parameters, notes, calls):
        with pytest.raises(KeyError, match="no rule 'adamax'"):
            function("adamax")
