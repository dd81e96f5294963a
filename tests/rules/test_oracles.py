"""Every rule against an implementation that shares nothing with it, in float64, relative to the update."""

from pathlib import Path

import jax
import numpy as np
import optax
import pandas as pd
import pytest
import torch

from optkit.rules import RULES

jax.config.update("jax_enable_x64", True)

STEPS, SIZE = 60, 5
SCALES = [1.0, 1e-3, 1e-6]


def gradients(scale):
    """Gradients of both signs whose sizes differ by up to a hundred from element to element."""
    random = np.random.default_rng(7)
    sizes = scale * 10 ** random.uniform(-1, 1, SIZE)
    return sizes * (random.standard_normal((STEPS, SIZE)) + 0.3)


def follow(rule, given, **hyper):
    """All θ and all states of a rule that starts at 0, where an update loses no digits in θ."""
    theta, *state = [np.zeros(SIZE) for _ in range(1 + len(rule.state))]
    path = []
    for t, g in enumerate(given, start=1):
        theta, *state = rule(theta, g, *state, t, **hyper)
        path.append([theta, *state])
    return [np.array(column) for column in zip(*path, strict=True)]


def torch_path(make, given):
    theta = torch.nn.Parameter(torch.zeros(SIZE, dtype=torch.float64))
    optimizer, path = make([theta]), []
    for g in given:
        theta.grad = torch.tensor(g)
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def optax_path(transformation, given):
    theta, path = jax.numpy.zeros(SIZE), []
    state = transformation.init(theta)
    for g in given:
        update, state = transformation.update(jax.numpy.asarray(g), state, theta)
        theta = theta + update
        path.append(np.asarray(theta))
    return np.array(path)


def assert_same_updates(found, oracle, tolerance=1e-12):
    zero = np.zeros((1, SIZE))
    ours, theirs = np.diff(found, axis=0, prepend=zero), np.diff(oracle, axis=0, prepend=zero)
    assert np.all(theirs != 0)
    # θ may be far larger than its update, and then carries that much less of it.
    size = np.abs(theirs).max(axis=1, keepdims=True)
    lost = np.finfo(float).eps * np.abs(oracle).max(axis=1, keepdims=True)
    assert np.all(np.abs(ours - theirs) <= tolerance * size + 4 * lost)


def case(rule, oracle, **hyper):
    options = ",".join(f"{name}={value}" for name, value in hyper.items())
    return pytest.param(RULES[rule], oracle, hyper, id=f"{rule}({options})")


TORCH = [
    case("gradient_descent", lambda p: torch.optim.SGD(p, lr=0.1), lr=0.1),
    case("momentum_common", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8), lr=0.1, momentum=0.8),
    case(
        "nesterov_torch",
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
        lr=0.1,
        momentum=0.8,
    ),
    case("adagrad", lambda p: torch.optim.Adagrad(p), eps_inside=False),
    case("adagrad", lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-3), lr=0.1, eps=1e-3, eps_inside=False),
    case("rmsprop", lambda p: torch.optim.RMSprop(p), eps_inside=False),
    case(
        "rmsprop",
        lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.7, eps=1e-4),
        lr=0.1,
        rho=0.7,
        eps=1e-4,
        eps_inside=False,
    ),
    case("adam", lambda p: torch.optim.Adam(p), eps_inside=False),
    case(
        "adam",
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.7, 0.9), eps=1e-4),
        lr=0.1,
        beta1=0.7,
        beta2=0.9,
        eps=1e-4,
        eps_inside=False,
    ),
    case("radam", lambda p: torch.optim.RAdam(p), eps_inside=False),
    case(
        "radam",
        lambda p: torch.optim.RAdam(p, lr=0.1, betas=(0.7, 0.9), eps=1e-4),
        lr=0.1,
        beta1=0.7,
        beta2=0.9,
        eps=1e-4,
        eps_inside=False,
    ),
    case("radam", lambda p: torch.optim.RAdam(p, betas=(0.9, 0.6)), beta2=0.6, eps_inside=False),
]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("rule", "oracle", "hyper"), TORCH)
def test_equals_torch(rule, oracle, hyper, scale):
    given = gradients(scale)
    assert_same_updates(follow(rule, given, **hyper)[0], torch_path(oracle, given))


OPTAX = [
    case("gradient_descent", optax.sgd(0.1), lr=0.1),
    case("momentum_common", optax.sgd(0.1, momentum=0.8), lr=0.1, momentum=0.8),
    case("nesterov_torch", optax.sgd(0.1, momentum=0.8, nesterov=True), lr=0.1, momentum=0.8),
    case(
        "momentum_ewma",
        optax.chain(optax.ema(0.8, debias=False), optax.scale(-0.1)),
        lr=0.1,
        momentum=0.8,
    ),
    case("adagrad", optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-7), lr=0.1, eps=1e-7),
    case("rmsprop", optax.rmsprop(0.1, decay=0.9, eps=1e-8, eps_in_sqrt=True), lr=0.1, rho=0.9, eps=1e-8),
    case(
        "rmsprop",
        optax.rmsprop(0.1, decay=0.9, eps=1e-8, eps_in_sqrt=False),
        lr=0.1,
        rho=0.9,
        eps_inside=False,
    ),
    case("adam", optax.adam(0.1, b1=0.8, b2=0.99, eps=0.0, eps_root=1e-8), lr=0.1, beta1=0.8, beta2=0.99),
    case(
        "adam",
        optax.adam(0.1, b1=0.8, b2=0.99, eps=1e-8),
        lr=0.1,
        beta1=0.8,
        beta2=0.99,
        eps_inside=False,
    ),
    # Not with ρ₂ = 0.999: there 1 − ρ₂ᵗ costs both of them four digits in the first steps.
    case("radam", optax.radam(0.1, b2=0.99, eps=0.0, eps_root=1e-8), lr=0.1, beta2=0.99),
    case(
        "radam",
        optax.radam(0.1, b2=0.99, eps=0.0, eps_root=1e-8, threshold=4.0),
        lr=0.1,
        beta2=0.99,
        threshold=4.0,
    ),
]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("rule", "oracle", "hyper"), OPTAX)
def test_equals_optax(rule, oracle, hyper, scale):
    given = gradients(scale)
    assert_same_updates(follow(rule, given, **hyper)[0], optax_path(oracle, given))


@pytest.mark.parametrize("scale", SCALES)
def test_adagrad_starts_from_its_accumulator_like_optax(scale):
    given, theta, path = gradients(scale), np.zeros(SIZE), []
    accumulator = np.full(SIZE, 0.1)
    for t, g in enumerate(given, start=1):
        theta, accumulator = RULES["adagrad"](theta, g, accumulator, t, lr=0.1, eps=1e-7)
        path.append(theta)
    oracle = optax.adagrad(0.1, initial_accumulator_value=0.1, eps=1e-7)
    assert_same_updates(np.array(path), optax_path(oracle, given))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.98])
def test_ewma_velocity_equals_pandas(momentum, scale):
    given = gradients(scale)
    path, velocity = follow(RULES["momentum_ewma"], given, lr=0.1, momentum=momentum)
    normalised = pd.DataFrame(given).ewm(alpha=1 - momentum, adjust=True).mean().to_numpy()
    from_zero = pd.DataFrame(np.vstack([np.zeros(SIZE), given])).ewm(alpha=1 - momentum, adjust=False).mean()
    missing = 1 - momentum ** np.arange(1, STEPS + 1)[:, None]
    np.testing.assert_allclose(velocity, normalised * missing, rtol=1e-12, atol=1e-13 * scale)
    np.testing.assert_allclose(velocity, from_zero.to_numpy()[1:], rtol=1e-12, atol=1e-13 * scale)
    assert_same_updates(path, -0.1 * np.cumsum(from_zero.to_numpy()[1:], axis=0))


@pytest.mark.parametrize("eps_inside", [True, False])
@pytest.mark.parametrize("scale", SCALES)
def test_adam_without_bias_correction_equals_its_sums(scale, eps_inside):
    given, lr, beta1, beta2, eps = gradients(scale), 0.1, 0.8, 0.95, 1e-8
    hyper = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    found = follow(RULES["adam"], given, **hyper, eps_inside=eps_inside, bias_correction=False)[0]
    age = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
    s = np.where(age >= 0, (1 - beta1) * beta1 ** np.maximum(age, 0.0), 0) @ given
    r = np.where(age >= 0, (1 - beta2) * beta2 ** np.maximum(age, 0.0), 0) @ given**2
    root = np.sqrt(r + eps) if eps_inside else np.sqrt(r) + eps
    assert_same_updates(found, np.cumsum(-lr * s / root, axis=0))


def test_sam_climbs_by_rho_along_the_gradient():
    g, theta = gradients(1.0)[0], np.arange(float(SIZE))
    (moved,) = RULES["sam_perturbation"](theta, g, 1, grad_norm=np.linalg.norm(g), rho=0.3)
    climb = moved - theta
    assert np.linalg.norm(climb) == pytest.approx(0.3, rel=1e-11)
    assert climb @ g == pytest.approx(0.3 * np.linalg.norm(g), rel=1e-11)
    (still,) = RULES["sam_perturbation"](theta, 0 * g, 1, grad_norm=0.0)
    assert np.array_equal(still, theta)


class TestMomentumForms:
    """What holds between the forms; where they part is as much a fact as where they agree."""

    @pytest.mark.parametrize("scale", SCALES)
    def test_standard_is_common_while_lr_is_constant(self, scale):
        given, hyper = gradients(scale), {"lr": 0.1, "momentum": 0.8}
        standard, common = (
            follow(RULES[name], given, **hyper)[0] for name in ("momentum_standard", "momentum_common")
        )
        assert_same_updates(standard, common)

    @pytest.mark.parametrize("scale", SCALES)
    def test_ewma_is_common_with_a_smaller_lr(self, scale):
        given, alpha = gradients(scale), 0.8
        ewma = follow(RULES["momentum_ewma"], given, lr=0.1, momentum=alpha)[0]
        common = follow(RULES["momentum_common"], given, lr=0.1 * (1 - alpha), momentum=alpha)[0]
        assert_same_updates(ewma, common)

    def test_standard_keeps_the_old_lr_of_old_steps(self):
        # v after one step is −εg in one form and g in the other: with ε = 1, then 0.1, and g = 1, then 0:
        ends = {}
        for name in ("momentum_standard", "momentum_common"):
            theta, v = RULES[name](0.0, 1.0, 0.0, 1, lr=1.0, momentum=0.5)
            ends[name] = RULES[name](theta, 0.0, v, 2, lr=0.1, momentum=0.5)[0]
        assert ends == {"momentum_standard": -1.5, "momentum_common": -1.05}

    @pytest.mark.parametrize("scale", SCALES)
    def test_torchs_nesterov_iterates_the_look_ahead_points(self, scale):
        curvature, hyper = np.array([0.5, 1.0, 2.0, 3.0, 5.0]), {"lr": 0.1, "momentum": 0.8}
        noise = gradients(scale)
        rule, theirs = RULES["nesterov"], RULES["nesterov_torch"]
        theta, v, phi, buffer = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE)
        ours, torchs = [], []
        for t in range(1, STEPS + 1):
            point = rule.gradient_at(theta, v, momentum=0.8)
            theta, v = rule(theta, curvature * point + noise[t - 1], v, t, **hyper)
            phi, buffer = theirs(phi, curvature * phi + noise[t - 1], buffer, t, **hyper)
            ours.append(rule.gradient_at(theta, v, momentum=0.8))
            torchs.append(phi)
        assert_same_updates(np.array(ours), np.array(torchs), tolerance=1e-11)


class TestINNA:
    """The identities of the two forms, and what the method does on the simplest problems."""

    @pytest.mark.parametrize("scale", SCALES)
    @pytest.mark.parametrize("paper_start", [True, False])
    @pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.1), (1.3, 0.1), (0.5, 0.01), (0.0, 2.0)])
    def test_both_forms_are_one_iteration(self, alpha, beta, paper_start, scale):
        given = gradients(scale)
        hyper = {"lr": 0.02, "alpha": alpha, "beta": beta, "paper_start": paper_start}
        psi_path, psi = follow(RULES["inna"], given, **hyper)
        m_path, m = follow(RULES["inna_m"], given, **hyper)
        # ψ/β is up to 1/β times θ: the paper's form loses those digits.
        assert_same_updates(psi_path, m_path, tolerance=1e-12 / min(beta, 1.0))
        np.testing.assert_allclose(
            psi, beta * m + (1 - alpha * beta) * m_path, rtol=1e-11, atol=1e-13 * scale
        )

    @pytest.mark.parametrize("form", ["inna", "inna_m"])
    def test_is_gradient_descent_where_alpha_beta_is_one(self, form):
        given = gradients(1.0)
        found = follow(RULES[form], given, lr=0.02, alpha=4.0, beta=0.25, paper_start=False)[0]
        assert_same_updates(found, follow(RULES["gradient_descent"], given, lr=0.02 * 0.25)[0])

    @pytest.mark.parametrize("form", ["inna", "inna_m"])
    @pytest.mark.parametrize(("paper_start", "first"), [(False, 0.1), (True, 1.0)])
    def test_first_and_long_run_step_under_a_constant_gradient(self, form, paper_start, first):
        lr, alpha, g = 0.1, 0.5, np.full(SIZE, 3.0)
        hyper = {"lr": lr, "alpha": alpha, "beta": 0.1, "paper_start": paper_start}
        path = follow(RULES[form], [g] * 1500, **hyper)[0]
        np.testing.assert_allclose(-path[0], lr * first * g, rtol=1e-12)
        np.testing.assert_allclose(path[-2] - path[-1], lr / alpha * g, rtol=1e-10)

    @pytest.mark.parametrize("form", ["inna", "inna_m"])
    def test_stability_bound_on_a_quadratic(self, form):
        random, stable = np.random.default_rng(1), 0
        for _ in range(400):
            alpha, beta, curvature, lr = 10 ** random.uniform(-1.5, 1.5, 4)
            hyper = {"lr": lr, "alpha": alpha, "beta": beta}
            columns = [RULES[form](theta, curvature * theta, m, 2, **hyper) for theta, m in np.eye(2)]
            radius = np.abs(np.linalg.eigvals(np.array(columns).T)).max()
            bound = lr < beta + alpha / curvature and (
                4 - 2 * lr * (alpha + beta * curvature) + lr * lr * curvature > 0
            )
            assert bound == (radius < 1)
            stable += bound
        assert 50 < stable < 350

    def test_the_momentum_form_is_the_more_accurate_in_float32(self):
        given = gradients(1e-3)
        exact = follow(RULES["inna_m"], given, lr=0.05)[0][-1] + 1.0
        errors = {}
        for form in ("inna", "inna_m"):
            theta, state = np.ones(SIZE, np.float32), np.zeros(SIZE, np.float32)
            for t, g in enumerate(given.astype(np.float32), start=1):
                theta, state = RULES[form](theta, g, state, t, lr=0.05)
            errors[form] = np.abs(theta - exact).max()
        assert errors["inna"] > 1.7 * errors["inna_m"]


def test_radam_rectifies_from_the_step_that_its_threshold_says():
    for threshold, first in ((5.0, 6), (4.0, 5)):
        plain = follow(RULES["radam"], np.ones((8, SIZE)), threshold=1e9)[0]
        found = follow(RULES["radam"], np.ones((8, SIZE)), threshold=threshold)[0]
        different = np.flatnonzero((found != plain).any(axis=1))
        assert different[0] + 1 == first


def test_radam_never_rectifies_a_short_average():
    found = follow(RULES["radam"], gradients(1.0), beta2=0.6, threshold=4.0)[0]
    plain = follow(RULES["radam"], gradients(1.0), beta2=0.6, threshold=1e9)[0]
    assert np.all(np.isfinite(found)) and np.array_equal(found, plain)


def test_adagrad_rate_never_rises_and_falls_as_one_over_root_t():
    path = follow(RULES["adagrad"], np.full((STEPS, SIZE), 2.0), lr=0.5, eps=0.0)[0]
    steps = -np.diff(path, axis=0, prepend=np.zeros((1, SIZE)))
    np.testing.assert_allclose(
        steps, 0.5 / np.sqrt(np.arange(1, STEPS + 1))[:, None] * np.ones(SIZE), rtol=1e-12
    )


def test_adam_inside_the_root_stops_being_scale_free_at_small_gradients():
    ones = np.ones((1, SIZE))
    for scale, inside in ((1.0, 1.0), (1e-4, 2**-0.5), (1e-6, 1e-2)):
        step = -follow(RULES["adam"], scale * ones, lr=1.0)[0][0]
        np.testing.assert_allclose(step, inside, rtol=1e-4)
        outside = -follow(RULES["adam"], scale * ones, lr=1.0, eps_inside=False)[0][0]
        np.testing.assert_allclose(outside, 1.0, rtol=0.011)


def test_every_rule_has_an_oracle():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in RULES if f'"{name}"' not in text] == []
