"""Paths of every rule on every problem, and the claims of chapters 1 and 4 on quadratics."""

import math

import numpy as np
import pytest

from optkit.portable_random import noise as portable_noise
from optkit.problems import PROBLEMS
from optkit.rules import RULES, Rule, rule
from optkit.schedules import power, warmup
from optkit.trajectories import LIMIT, run

DESCENT = {name: r for name, r in RULES.items() if not r.inputs}
EVERY_RULE = pytest.mark.parametrize("r", DESCENT.values(), ids=DESCENT)
EVERY_PROBLEM = pytest.mark.parametrize("p", PROBLEMS.values(), ids=PROBLEMS)
QUADRATIC, RAVINE = PROBLEMS["quadratic"], PROBLEMS["nonsmooth_ravine"]
GD, STANDARD = RULES["gradient_descent"], RULES["momentum_standard"]


@EVERY_RULE
@EVERY_PROBLEM
def test_every_rule_runs_on_every_problem(r: Rule, p):
    path = run(r, p, steps=20, lr=1e-3)
    assert path.theta.shape == (21, p.dim)
    assert path.gradient.shape == (20, p.dim)
    assert path.loss.shape == (21,)
    assert path.lr.tolist() == [1e-3] * 20
    assert set(path.state) == set(r.state)
    assert not path.diverged
    np.testing.assert_array_equal(path.theta[0], p.start)
    np.testing.assert_array_equal(path.loss, p.loss(path.theta))


def by_hand(r, p, steps, **hyper):
    """The loop written out, with the schedule γ/√t."""
    hyper = {**r.defaults(), **hyper}
    theta = np.array(p.start)
    state = [np.zeros(p.dim) for _ in r.state]
    for t in range(1, steps + 1):
        point = theta
        if r.gradient_at is not None:
            point = r.gradient_at(theta, *state, momentum=hyper["momentum"])
        theta, *state = r(theta, p.gradient(point), *state, t, **{**hyper, "lr": hyper["lr"] / t**0.5})
    return theta, state


@EVERY_RULE
def test_equals_the_loop_written_out(r):
    path = run(r, RAVINE, steps=30, schedule=power(q=0.5), lr=2e-3)
    theta, state = by_hand(r, RAVINE, 30, lr=2e-3)
    np.testing.assert_allclose(path.theta[-1], theta, rtol=1e-13)
    for name, value in zip(r.state, state, strict=True):
        np.testing.assert_allclose(path.state[name][-1], value, rtol=1e-13, atol=1e-15)


def test_nesterov_takes_the_gradient_ahead():
    path = run(RULES["nesterov"], QUADRATIC, steps=5, lr=0.05, momentum=0.8)
    ahead = path.theta[:-1] + 0.8 * path.state["v"][:-1]
    np.testing.assert_array_equal(path.gradient, QUADRATIC.gradient(ahead))


@EVERY_RULE
def test_several_starts_equal_single_runs(r):
    starts = np.random.default_rng(0).uniform(-1, 1, size=(2, 3, 2))
    together = run(r, RAVINE, steps=15, start=starts, lr=1e-3, sam=0.05)
    for place in np.ndindex(2, 3):
        alone = run(r, RAVINE, steps=15, start=starts[place], lr=1e-3, sam=0.05)
        np.testing.assert_array_equal(together.theta[:, *place], alone.theta)
        np.testing.assert_array_equal(together.loss[:, *place], alone.loss)


def test_schedule_multiplies_the_rate():
    path = run(GD, QUADRATIC, steps=4, lr=0.1, schedule=warmup(steps=4))
    np.testing.assert_allclose(path.lr, [0.025, 0.05, 0.075, 0.1])
    by_steps = -np.diff(path.theta, axis=0) / path.gradient
    np.testing.assert_allclose(by_steps, path.lr[:, None] * np.ones(2), rtol=1e-12)


def test_sam_takes_the_gradient_uphill():
    """On ½(x² + 10y²) the perturbed gradient is A(θ + ρAθ/‖Aθ‖)."""
    path = run(GD, QUADRATIC, steps=3, lr=0.01, sam=0.5)
    matrix = np.diag([1.0, 10.0])
    for theta, g in zip(path.theta, path.gradient, strict=False):
        clean = matrix @ theta
        np.testing.assert_allclose(g, matrix @ (theta + 0.5 * clean / np.linalg.norm(clean)), rtol=1e-12)
    still = run(GD, QUADRATIC, steps=1, start=(0.0, 0.0), sam=0.5)
    np.testing.assert_array_equal(still.theta[1], 0)


def test_both_gradients_of_sam_carry_the_same_noise():
    noisy, matrix = PROBLEMS["noisy_quadratic"], np.diag([1.0, 10.0])
    path = run(GD, noisy, steps=5, lr=0.01, sam=0.5, seed=3)
    for t, (theta, g) in enumerate(zip(path.theta, path.gradient, strict=False), 1):
        error = portable_noise(3, t, np.arange(2))
        first = matrix @ theta + error
        second = matrix @ (theta + 0.5 * first / np.linalg.norm(first)) + error
        np.testing.assert_allclose(g, second, rtol=1e-11)


def test_noise_is_the_portable_one_and_falls_with_the_batch():
    noisy = PROBLEMS["noisy_quadratic"]
    path = run(GD, noisy, steps=50, lr=0.01, seed=7, batch_size=4)
    errors = path.gradient - noisy.gradient(path.theta[:-1])
    drawn = np.array([portable_noise(7, t, np.arange(2)) for t in range(1, 51)])
    np.testing.assert_allclose(errors, drawn / 2, rtol=1e-9, atol=1e-12)
    assert run(GD, noisy, steps=5, noise=0.0).theta.tolist() == run(GD, QUADRATIC, steps=5).theta.tolist()
    # The first steps do not depend on how many follow.
    np.testing.assert_array_equal(
        run(GD, noisy, steps=20, lr=0.01, seed=7, batch_size=4).theta, path.theta[:21]
    )
    assert (run(GD, noisy, steps=20, seed=8).theta[1] != run(GD, noisy, steps=20, seed=7).theta[1]).all()


def test_noise_does_not_depend_on_the_block_it_is_made_in(monkeypatch):
    noisy = PROBLEMS["noisy_quadratic"]
    whole = run(GD, noisy, steps=50)
    monkeypatch.setattr("optkit.trajectories.BLOCK", 7)
    np.testing.assert_array_equal(run(GD, noisy, steps=50).theta, whole.theta)


def test_stationary_noise_of_gradient_descent():
    """θ⁺ = (1 − ελ)θ − εξ settles at variance ε²σ²/(1 − (1 − ελ)²)."""
    noisy = PROBLEMS["noisy_quadratic"]
    path = run(GD, noisy, steps=400, lr=0.1, start=np.zeros((500, 2)))
    curvature = np.array([1.0, 10.0])
    expected = 0.1**2 / (1 - (1 - 0.1 * curvature) ** 2)
    np.testing.assert_allclose(path.theta[200:].var(axis=(0, 1)), expected, rtol=0.05)


def test_divergence_is_flagged_and_padded():
    path = run(GD, QUADRATIC, steps=2000, lr=10.0)
    assert path.diverged is True
    last = int(np.isfinite(path.theta).all(axis=1).sum()) - 1
    assert np.abs(path.theta[last]).max() > LIMIT >= np.abs(path.theta[last - 1]).max()
    assert np.isnan(path.theta[last + 1 :]).all()
    assert path.theta.shape == (2001, 2)
    mixed = run(GD, QUADRATIC, steps=2000, lr=0.3, start=[[1.0, 0.0], [1.0, 1.0]])
    assert mixed.diverged.tolist() == [False, True]
    assert mixed.loss[-1, 0] < 1e-12
    gone = int(np.argmax(np.abs(mixed.theta[:, 1]).max(axis=-1) > LIMIT))
    assert np.isfinite(mixed.theta[: gone + 1]).all()
    assert np.isnan(mixed.theta[gone + 1 :, 1]).all()
    assert mixed.steps_to(0.1).tolist() == [3, -1]


def test_steps_to():
    path = run(GD, QUADRATIC, steps=100, lr=0.1)
    reached = path.steps_to(0.5)
    assert path.loss[reached] <= 0.5 < path.loss[reached - 1]
    assert path.steps_to(-1) is None
    assert path.steps_to(math.inf) == 0


def test_no_steps():
    path = run(GD, QUADRATIC, steps=0)
    assert path.theta.tolist() == [list(QUADRATIC.start)]
    assert path.steps == 0


def test_the_spurious_point_holds_every_rule_that_starts_there_at_rest():
    for r in DESCENT.values():
        path = run(r, PROBLEMS["relu_difference"], steps=50, lr=0.1)
        np.testing.assert_array_equal(path.theta, 0)


def test_clear_errors():
    for arguments, error, message in (
        ({"steps": -1}, ValueError, "steps must be a whole number >= 0, got -1"),
        ({"steps": 2.5}, ValueError, "steps must be a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size must be a whole number >= 1, got 0"),
        ({"noise": -1.0}, ValueError, "noise must be >= 0"),
        ({"sam": math.nan}, ValueError, "sam must be >= 0"),
        ({"seed": 0.5}, TypeError, "seed must be a whole number"),
        ({"start": (1.0,)}, ValueError, r"start must have shape \(\.\.\., 2\) for quadratic"),
        ({"start": (1.0, math.inf)}, ValueError, "start must be finite"),
        ({"lr": -0.1}, ValueError, "lr must be >= 0, got -0.1"),
        ({"momentum": 0.9}, TypeError, "momentum is no hyper-parameter of gradient_descent"),
    ):
        with pytest.raises(error, match=message):
            run(GD, QUADRATIC, **{"steps": 3, **arguments})
    with pytest.raises(ValueError, match=r"got sam_perturbation, which needs grad_norm; .*sam=0\.05"):
        run(RULES["sam_perturbation"], QUADRATIC, steps=1)

    @rule
    def fixed_step(theta, g, t, *, size=0.1):
        theta = theta - size * g
        return theta

    assert not run(fixed_step, QUADRATIC, steps=3).diverged
    with pytest.raises(TypeError, match="schedule multiplies lr, and fixed_step has none"):
        run(fixed_step, QUADRATIC, steps=3, schedule=power())


# Claims.


def decay(path, first):
    """Rate of ‖θ‖ per step, fitted from step ``first`` on."""
    sizes = np.log(np.linalg.norm(path.theta[first:], axis=1))
    return math.exp(np.polyfit(np.arange(len(sizes)), sizes, 1)[0])


@pytest.mark.parametrize("condition", [1.0, 10.0, 1000.0])
def test_claim_c01_gradient_descent_is_stable_below_2_over_l(condition):
    """Bisection on the rate between growing and shrinking; the boundary within 1 % of 2/L."""
    bowl = QUADRATIC.replace(condition=condition)
    low, high = 0.0, 10.0 / condition
    while high - low > 1e-5 * high:
        middle = (low + high) / 2
        path = run(GD, bowl, steps=400, lr=middle, start=(1.0, 1.0))
        if path.diverged or abs(path.theta[-1, 1]) > 1:
            high = middle
        else:
            low = middle
    assert low == pytest.approx(2 / condition, rel=0.01)


@pytest.mark.parametrize("condition", [10.0, 100.0, 1000.0])
def test_claim_c02_best_rates_of_gradient_descent_and_heavy_ball(condition):
    """Both as exponents −ln rate, which tell 0.998 from 0.999: within 5 %."""
    bowl = QUADRATIC.replace(condition=condition)
    root = math.sqrt(condition)
    plain = (condition - 1) / (condition + 1)
    steps = round(20 / -math.log(plain))
    path = run(GD, bowl, steps=steps, lr=2 / (condition + 1))
    assert -math.log(decay(path, steps // 2)) == pytest.approx(-math.log(plain), rel=0.05)
    ball = (root - 1) / (root + 1)
    steps = round(250 / -math.log(ball))
    path = run(STANDARD, bowl, steps=steps, lr=4 / (root + 1) ** 2, momentum=ball**2)
    assert -math.log(decay(path, steps // 2)) == pytest.approx(-math.log(ball), rel=0.05)


@pytest.mark.parametrize("momentum", [0.3, 0.81, 0.99])
@pytest.mark.parametrize("name", ["momentum_standard", "momentum_common"])
def test_the_modulus_of_the_complex_roots_is_the_root_of_momentum(name, momentum):
    """The one-step matrix on (θ, v) in the eigen-direction λ = 1, read off the rule itself."""
    r, lr = RULES[name], 1.0
    columns = [r(theta, theta, v, 1, lr=lr, momentum=momentum) for theta, v in ((1.0, 0.0), (0.0, 1.0))]
    eigenvalues = np.linalg.eigvals(np.array(columns).T)
    assert (np.abs(eigenvalues.imag) > 0).all()
    np.testing.assert_allclose(np.abs(eigenvalues), math.sqrt(momentum), rtol=1e-12)
    # And on a path: the measured decay over many turns.
    path = run(r, QUADRATIC.replace(condition=1.0), steps=600, lr=lr, momentum=momentum)
    sizes = np.linalg.norm(np.concatenate([path.theta, path.state["v"]], axis=1), axis=1)
    slope = np.polyfit(np.arange(601), np.log(sizes), 1)[0]
    assert math.exp(slope) == pytest.approx(math.sqrt(momentum), rel=0.005)


def test_inna_on_the_papers_ravine():
    """β damps the swings across the ravine, α the run along it; started as in the published code."""
    crossings, lengths, farthest = [], [], []
    for alpha, beta in ((0.5, 0.01), (0.5, 0.1), (1.3, 0.1)):
        path = run(RULES["inna"], RAVINE, steps=6000, lr=1e-3, alpha=alpha, beta=beta, paper_start=False)
        wall = path.theta[:, 1] - np.abs(path.theta[:, 0])
        crossings.append(int((np.diff(np.sign(wall)) != 0).sum()))
        lengths.append(np.linalg.norm(np.diff(path.theta, axis=0), axis=1).sum())
        farthest.append(path.theta[:, 0].max())
    assert crossings[0] > 5 * crossings[1] >= 5 * crossings[2]
    assert lengths[0] > lengths[1] > lengths[2]
    assert farthest[1] > 1.2 > 1 > farthest[2]  # α = 0.5 runs past the minimum, α = 1.3 creeps up to it


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rule": "adam"}, TypeError, "rule must be a rule, got 'adam'; take one of RULES"),
        ({"problem": "quadratic"}, TypeError, "problem must be a problem, got 'quadratic'; take one of"),
        ({"schedule": 3}, TypeError, "schedule must be a function of t or None, got 3"),
        ({"schedule": lambda t: -1.0}, ValueError, "finite factor >= 0, got -1.0 at t = 1"),
        ({"schedule": lambda t: None}, ValueError, "finite factor >= 0, got None at t = 1"),
        ({"noise": "much"}, TypeError, "noise must be a number, got 'much'"),
        ({"sam": -0.1}, ValueError, "sam must be >= 0, got -0.1"),
        ({"lr": np.array([0.1, 0.2])}, TypeError, "lr must be one number, got array"),
    ],
)
def test_what_is_no_rule_problem_schedule_or_number_is_said(changes, error, message):
    arguments = {"rule": RULES["gradient_descent"], "problem": PROBLEMS["quadratic"], "steps": 2, **changes}
    with pytest.raises(error, match=message):
        run(arguments.pop("rule"), arguments.pop("problem"), **arguments)


def test_a_hyperparameter_may_be_a_tensor_of_one_number():
    import torch

    plain = run(RULES["gradient_descent"], PROBLEMS["quadratic"], steps=3, lr=0.25)
    same = run(RULES["gradient_descent"], PROBLEMS["quadratic"], steps=3, lr=torch.tensor(0.25))
    assert np.array_equal(plain.theta, same.theta) and same.hyper == plain.hyper
