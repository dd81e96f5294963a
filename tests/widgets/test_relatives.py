"""The numbers of the small figures: in Node the same as in Python, for the defaults and far from them."""

import math

import numpy as np
import pytest

from optkit.averages import half_life, lag, variance_factor
from optkit.dynamics import best_gradient_descent, best_momentum, momentum_matrix, rate, roots
from optkit.widgets.relatives import (
    RELATIVES,
    Averages,
    BiasCorrection,
    InnaBall,
    MomentumRoots,
    ScheduleComposer,
    SharpAndFlat,
)
from optkit.widgets.relatives.ball import PROBLEM
from optkit.widgets.relatives.composer import DECAYS

ULP = {"rtol": 1e-13, "atol": 1e-15}  # pow, exp and sin may differ in their last bit, and it is carried on


def close(found, expected, **tolerance):
    expected = np.asarray(expected, dtype=float)
    found = np.array([np.nan if x is None else x for x in np.ravel(found)], dtype=float)
    np.testing.assert_allclose(found, expected.ravel(), **(tolerance or ULP))


@pytest.mark.parametrize("first", ["first", "normalised", "zero"])
@pytest.mark.parametrize("signal", ["jump", "ramp", "wave", "falling_loss"])
def test_averages(run_node, first, signal):
    figure = Averages(alpha=0.83, window=7, first=first, signal=signal, noise=0.7, seed=12, steps=90)
    found = run_node(
        """
import { errorOf, ewmaOf, seriesOf, smaOf } from "./averages.js";
const { seen, truth } = seriesOf(given);
const ewma = ewmaOf(seen, given.alpha, given.first);
const sma = smaOf(seen, given.window);
const errors = [errorOf(ewma, truth), errorOf(sma, truth)];
answer([seen, truth, ewma, sma, errors].map((values) => [...values]));
""",
        figure.state,
    )
    seen, truth = figure.series
    close(found[0], seen)
    close(found[1], truth)
    close(found[2], figure.ewma)
    close(found[3], figure.sma)
    errors = [np.sqrt(np.nanmean((line - truth) ** 2)) for line in (figure.ewma, figure.sma)]
    close(found[4], errors, rtol=1e-12)


def test_what_an_average_does_to_a_series(run_node):
    found = run_node("""
import { smaReach } from "./averages.js";
import { FORMULAS } from "./mathematics.js";
const { lag, left } = smaReach(8);
answer([...FORMULAS.ewma_reach({ alpha: 0.9 }), FORMULAS.ewma_half_life({ alpha: 0.9 }), lag, left]);
""")
    ones = np.ones(8)
    close(found, [10, lag(0.9), variance_factor(0.9), half_life(0.9), lag(ones), variance_factor(ones)])


@pytest.mark.parametrize("first", ["first", "normalised"])
def test_weights_by_age_are_those_of_the_formula(run_node, first):
    from optkit.averages import ewma_weights

    found = run_node(
        """
import { ewmaOf, weightsOf } from "./averages.js";
answer(weightsOf((values) => ewmaOf(values, 0.8, given), 15, 40));
""",
        first,
    )
    close(found, ewma_weights(0.8, 15, form=first), rtol=1e-12)
    assert math.isclose(sum(found), 1.0)


@pytest.mark.parametrize(("lr", "momentum"), [(0.03, 0.5), (0.001, 0.99), (0.0391, 0.0), (0.079, 0.98)])
def test_roots_rates_and_errors(run_node, lr, momentum):
    figure = MomentumRoots(lr=lr, momentum=momentum, condition=50.0)
    found = run_node(
        """
import { errorsOf, rateOf } from "./eigenvalues.js";
import { FORMULAS } from "./mathematics.js";
const { lr, momentum, condition } = given;
answer({
  rate: rateOf(lr, momentum, 1, condition),
  roots: [1, condition].map((curvature) => FORMULAS.root_parts(curvature, { lr, momentum })),
  errors: [...errorsOf(condition, lr, momentum, 40)],
  best: FORMULAS.best_heavy_ball({ smallest: 1, largest: condition }),
  descent: FORMULAS.best_descent({ smallest: 1, largest: condition }),
});
""",
        figure.state,
    )
    close(found["rate"], figure.setting.rate)
    for (first, second, turn), expected in zip(found["roots"], figure.roots, strict=True):
        close([first, turn, second, -turn], [x for root in expected for x in (root.real, root.imag)])
    # The oracle is the matrix: its powers, not the rule.
    state, errors = np.array([1.0, 0.0]), [1.0]
    for _ in range(40):
        state = momentum_matrix(50.0, lr=lr, momentum=momentum) @ state
        errors.append(abs(state[0]))
    close(found["errors"], errors, rtol=1e-9, atol=1e-14)
    close(found["best"], best_momentum(1.0, 50.0))
    close(found["descent"], best_gradient_descent(1.0, 50.0))


def test_no_curvature_between_the_ends_is_worse(run_node):
    random = np.random.default_rng(5)
    cases = [(float(a), float(b)) for a, b in random.uniform((1e-4, 0), (0.08, 0.999), (200, 2))]
    found = run_node(
        """
import { rateOf } from "./eigenvalues.js";
answer(given.map(([lr, momentum]) => rateOf(lr, momentum, 1, 50)));
""",
        cases,
    )
    between = np.linspace(1, 50, 500)
    for value, (lr, momentum) in zip(found, cases, strict=True):
        assert value == pytest.approx(rate(between, lr=lr, momentum=momentum), rel=1e-12)


def test_the_roots_are_the_eigenvalues_of_the_matrix():
    for curvature, lr, momentum in [(1.0, 0.3, 0.9), (50.0, 0.03, 0.5), (4.0, 0.25, 0.0)]:
        found = np.sort_complex(roots(curvature, lr=lr, momentum=momentum))
        oracle = np.linalg.eigvals(momentum_matrix(curvature, lr=lr, momentum=momentum))
        np.testing.assert_allclose(found, np.sort_complex(oracle.astype(complex)), atol=1e-12)


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("decay", DECAYS)
def test_a_composed_schedule_and_its_run(run_node, decay, warm):
    figure = ScheduleComposer(
        decay=decay, warm=warm, warmup=7, start=0.2, scale=2, steps=60, every=9, drop=0.5, shrink=0.97,
        soon=0.2, q=0.25, eta=0.5, end=0.1, lr=0.02, seed=3,
    )  # fmt: skip
    found = run_node(
        """
import { endOf, factorOf } from "./composer.js";
import { trajectory } from "./engine.js";
import { PROBLEMS, RULES } from "./mathematics.js";
const factor = factorOf(given.state, given.names);
const problem = PROBLEMS.noisy_quadratic;
const { lr, steps, seed } = given.state;
const path = trajectory({ RULES, PROBLEMS, SCHEDULES: { own: { factor } } }, {
  rule: "gradient_descent", problem: "noisy_quadratic", hyper: { lr }, start: problem.start, steps,
  schedule: { name: "own", hyper: {} }, noise: problem.noise, batch: given.state.scale, seed,
});
answer([Array.from({ length: steps }, (_, i) => factor(i + 1)), [...path.loss], endOf(path.loss)]);
""",
        {"state": figure.state, "names": figure._config["names"]},
    )
    close(found[0], figure.schedule.factors(60), rtol=5e-16, atol=2.3e-16)
    path = figure.trajectory
    close(found[1], path.loss, rtol=1e-10)
    close(found[2], path.loss[math.floor(0.9 * 61) :].mean(), rtol=1e-10)


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_adams_first_steps(run_node, noise):
    figure = BiasCorrection(beta1=0.8, beta2=0.99, noise=noise, steps=40, seed=9)
    found = run_node(
        """
import { gradientsOf, momentsOf, stepsOf } from "./correction.js";
const gradients = gradientsOf(given);
const steps = [true, false].map((each) => [...stepsOf(gradients, { ...given, bias_correction: each })]);
answer([[...gradients], ...steps, momentsOf(gradients, given)]);
""",
        figure.state,
    )
    close(found[0], figure.gradients)
    close(found[1], figure.lengths(corrected=True), rtol=1e-12)
    close(found[2], figure.lengths(corrected=False), rtol=1e-12)
    # The moments that are drawn are those behind the steps that are drawn.
    moments = {name: np.array(values) for name, values in found[3].items()}
    close(moments["s"] / np.sqrt(moments["r"]), figure.lengths(corrected=False), rtol=1e-12)
    close(moments["sHat"] / np.sqrt(moments["rHat"]), figure.lengths(corrected=True), rtol=1e-12)


@pytest.mark.parametrize(
    "settings", [{}, {"theta": 1.7, "rho": 0.9}, {"theta": -1.3, "sharp": 9.0, "flat": 3.0}]
)
def test_the_ball_around_theta_and_the_paths(run_node, settings):
    figure = SharpAndFlat(**settings, steps=30)
    found = run_node(
        """
import { lossOf, pathOf, worstOf } from "./sharp.js";
const worst = worstOf(given.theta, given);
answer([worst.loss - lossOf(given.theta, given), pathOf(given, false), pathOf(given, true)]);
""",
        figure.state,
    )
    close(found[0], figure.sharpness, rtol=1e-12)
    close(found[1], figure.path(sam=False), rtol=1e-12)
    close(found[2], figure.path(sam=True), rtol=1e-12)


@pytest.mark.parametrize(
    "settings", [{}, {"alpha": 1.3, "paper_start": True}, {"beta": 0.01, "start": (0.3, 1.9)}]
)
def test_innas_ball(run_node, settings):
    figure = InnaBall(**settings, lr=0.002, time=6.0)
    found = run_node(
        """
import { journeyOf, runOf } from "./ball.js";
const path = runOf(given);
answer([[...path.theta], path.steps, journeyOf(path)]);
""",
        figure.state,
    )
    path = figure.trajectory
    assert found[1] == path.steps == 3000
    close(found[0], path.theta, rtol=0, atol=0)  # the same bits, over 3,000 steps
    away = np.linalg.norm(path.theta - PROBLEM.minima[0], axis=1)
    outside = np.flatnonzero(~(away < 0.1))
    arrived = int(outside[-1]) + 1
    assert found[2]["arrived"] == (None if arrived > path.steps else arrived)
    end = min(arrived - 1, path.steps)
    side = np.sign(path.theta[: end + 1, 1] - np.abs(path.theta[: end + 1, 0]))
    assert found[2]["crossings"] == (np.diff(side[side != 0]) != 0).sum()


@pytest.mark.parametrize("kind", RELATIVES)
def test_code_to_copy_makes_the_same_figure(run_node, kind):
    figure = RELATIVES[kind]()
    own = {name: value for name, value in figure.state.items() if isinstance(value, float)}
    name, value = next(iter(own.items()))
    changed = {**figure.state, name: value * 0.75}
    script = """
import { pythonOf } from "./relative.js";
answer(pythonOf(given.name, given.state, given.initial));
"""
    text = run_node(script, {"name": type(figure).__name__, "state": changed, "initial": figure.initial()})
    scope = {}
    *lines, last = text.strip().splitlines()
    exec("\n".join([*lines, f"made = {last}"]), scope)
    assert scope["made"].state == changed
    assert repr(scope["made"]) == last


@pytest.mark.parametrize("kind", RELATIVES)
def test_payload_is_whole_and_a_printed_figure_stands_beside_it(kind):
    figure = RELATIVES[kind]()
    payload = figure._payload()
    assert payload["initial"] == payload["state"] == figure.state and payload["state"]
    data, metadata = figure._repr_mimebundle_()
    assert metadata["optkit"]["kind"] == "live"
    assert 'alt="' in data["text/html"] and "optkit-printed" in data["text/html"]
    assert data["text/plain"] == f"{type(figure).__name__}()"


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        ("averages", "alpha", 1.0, r"alpha must be in \[0, 1\), got 1"),
        ("averages", "window", 2.5, "window must be a whole number, got 2.5"),
        ("averages", "signal", "step", "signal must be one of 'jump'"),
        ("averages", "shifted", 1, "shifted must be True or False, got 1"),
        ("eigenvalues", "condition", 0.5, r"condition must be in \[1, 1000\], got 0.5"),
        ("composer", "decay", "linear", "decay must be one of 'constant'"),
        ("composer", "steps", 10**6, "steps must be in 20..5000"),
        ("ball", "start", [1.0], "start must be two finite numbers"),
        ("ball", "start", ["x", 1.0], "start must be two numbers"),
        ("ball", "lr", math.nan, "lr must be in"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_and_changes_nothing(kind, name, value, message):
    figure = RELATIVES[kind]()
    before = figure.state
    with pytest.raises((TypeError, ValueError), match=message):
        setattr(figure, name, value)
    assert figure.state == before
    with pytest.raises((TypeError, ValueError), match=message):
        RELATIVES[kind](**{name: value})


def test_an_unknown_setting_is_named():
    with pytest.raises(TypeError, match="beta is no setting of Averages; it has alpha, window"):
        Averages(beta=0.9)
