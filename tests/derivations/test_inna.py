"""The key identities of the chapter on INNA, symbolically; where a rule is meant, the rule itself is run."""

import numpy as np
import pytest
import sympy as sp

from optkit.optim import INNA, SGD
from optkit.rules import RULES

ALPHA, BETA, LR, G, THETA, M, PSI, V = sp.symbols("alpha beta gamma g theta m psi v", positive=True)
T = sp.Symbol("tau")
DAMPING = {"lr": LR, "alpha": ALPHA, "beta": BETA}


def step(name, theta, state, t=2, g=G, **hyper):
    """One step of a rule of optkit, on symbols."""
    return RULES[name].formula.function(theta, g, state, t, **hyper)


def same(left, right):
    return sp.simplify(left - right) == 0


def test_the_drift_removes_the_hessian():
    theta, drift, loss = sp.Function("theta")(T), sp.Function("w")(T), sp.Function("J")
    slope = lambda x: loss(x).diff(x)  # noqa: E731
    velocity = drift - BETA * slope(theta)  # θ′ = w − β∇J
    change = -ALPHA * velocity - slope(theta)  # w′ = −αθ′ − ∇J
    acceleration = velocity.diff(T).subs(drift.diff(T), change).doit()
    place = sp.Symbol("x")
    hessian = loss(place).diff(place, 2).subs(place, theta)
    speed = theta.diff(T)
    din = acceleration + ALPHA * velocity + BETA * hessian * speed + slope(theta)
    assert sp.simplify(din.doit().subs(speed, velocity).doit()) == 0


def test_psi_integrates_the_drift():
    drift = sp.Symbol("w")
    velocity = drift - BETA * G
    along = (1 / BETA - ALPHA) * velocity - drift / BETA  # of (1/β − α)θ − ψ/β, with ψ′ = w
    assert same(along, -ALPHA * velocity - G)
    assert same(along, -ALPHA * drift - (1 - ALPHA * BETA) * G)


def test_the_iteration_is_an_euler_step_of_the_phase_space_form():
    theta, psi = step("inna", THETA, PSI, **DAMPING)
    drift = (1 / BETA - ALPHA) * THETA - PSI / BETA
    assert same((theta - THETA) / LR, drift - BETA * G)
    assert same((psi - PSI) / LR, drift)


def test_the_momentum_form_is_the_same_iteration():
    momentum = lambda theta, psi: (ALPHA - 1 / BETA) * theta + psi / BETA  # noqa: E731
    theta, psi = step("inna", THETA, PSI, **DAMPING)
    theta_m, m = step("inna_m", THETA, momentum(THETA, PSI), **DAMPING)
    assert same(theta, theta_m)
    assert same(momentum(theta, psi), m)
    assert same(PSI, BETA * momentum(THETA, PSI) + (1 - ALPHA * BETA) * THETA)


@pytest.mark.parametrize(("paper_start", "velocity"), [(True, -G), (False, -BETA * G)])
@pytest.mark.parametrize("name", ["inna", "inna_m"])
def test_the_starts_are_these_velocities(name, paper_start, velocity):
    theta, _ = step(name, THETA, 0, t=1, paper_start=paper_start, **DAMPING)
    assert same((theta - THETA) / LR, velocity)


def test_the_energy_never_rises():
    speed = sp.Symbol("u")  # θ′; by the chain rule dJ/dτ = g θ′
    drift, change = speed + BETA * G, -ALPHA * speed - G
    rate = 2 * (1 + ALPHA * BETA) * G * speed + 2 * drift * change
    assert same(rate, -2 * (ALPHA * speed**2 + BETA * G**2))


def test_the_least_damping_ratio_and_the_newton_rate():
    curvature = sp.Symbol("lambda", positive=True)
    ratio = (ALPHA + BETA * curvature) / (2 * sp.sqrt(curvature))
    assert sp.solve(ratio.diff(curvature), curvature) == [ALPHA / BETA]
    assert same(ratio.subs(curvature, ALPHA / BETA), sp.sqrt(ALPHA * BETA))
    brake = ALPHA + BETA * curvature
    slow = 2 * curvature / (brake + sp.sqrt(brake**2 - 4 * curvature))
    assert same(slow**2 - brake * slow + curvature, 0)  # −s is a root of s² + (α + βλ)s + λ
    assert sp.limit(slow, curvature, sp.oo) == 1 / BETA


def test_an_equal_pull_makes_it_gradient_descent():
    theta, m = step("inna_m", THETA, 0, lr=LR, alpha=ALPHA, beta=1 / ALPHA)
    assert same(theta, THETA - LR / ALPHA * G) and m == 0


@pytest.mark.parametrize(("name", "share"), [("momentum_common", 1), ("nesterov_torch", 2 - ALPHA * LR)])
def test_momentum_and_nesterov_are_inna(name, share):
    mu, beta = 1 - ALPHA * LR, share * LR
    kept = (1 - ALPHA * beta) * LR  # m = γ(1 − αβ) v
    rate = LR**2
    theta_inna, m = step("inna_m", THETA, kept * V, lr=LR, alpha=ALPHA, beta=beta)
    theta, v = step(name, THETA, V, lr=rate, momentum=mu)
    assert same(theta, theta_inna)
    assert same(m, kept * v)


def test_inna_is_quasi_hyperbolic_momentum():
    mu, rate = 1 - ALPHA * LR, LR / ALPHA
    nu = (1 - ALPHA * BETA) / mu
    v = mu * V + (1 - mu) * G  # Ma and Yarats: an EWMA, and a share 1 − ν of the newest gradient
    theta = THETA - rate * ((1 - nu) * G + nu * v)
    kept = (1 - ALPHA * BETA) / ALPHA  # m = kept · v
    theta_inna, m = step("inna_m", THETA, kept * V, **DAMPING)
    assert same(theta, theta_inna)
    assert same(m, kept * v)


def test_a_constant_gradient_moves_it_by_beta_first_and_by_one_over_alpha_in_the_end():
    theta, _ = step("inna_m", THETA, 0, **DAMPING)
    assert same(theta - THETA, -LR * BETA * G)
    rest = sp.solve(step("inna_m", THETA, M, **DAMPING)[1] - M, M)[0]
    assert same(step("inna_m", THETA, rest, **DAMPING)[0] - THETA, -LR / ALPHA * G)


def test_a_loss_times_a_number_is_another_setting():
    scale = sp.Symbol("c", positive=True)
    root = sp.sqrt(scale)
    theta, m = step("inna_m", THETA, root * M, g=scale * G, **DAMPING)
    other = step("inna_m", THETA, M, lr=LR * root, alpha=ALPHA / root, beta=BETA * root)
    assert same(theta, other[0])
    assert same(m, root * other[1])


def test_the_optimizers_agree_with_the_table():
    torch = pytest.importorskip("torch")
    rate, mu = 0.04, 0.9
    lr = rate**0.5
    inna = {"lr": lr, "alpha": (1 - mu) / lr, "start": "code"}
    pairs = [
        (SGD, {"lr": rate, "momentum": mu}, {"beta": lr}),
        (SGD, {"lr": rate, "momentum": mu, "nesterov": True}, {"beta": (1 + mu) * lr}),
        (torch.optim.SGD, {"lr": rate, "momentum": mu, "nesterov": True}, {"beta": (1 + mu) * lr}),
    ]
    for kind, options, beta in pairs:
        ends = []
        for make, settings in ((kind, options), (INNA, inna | beta)):
            weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
            optimizer = make([weight], **settings)
            for _ in range(50):
                optimizer.zero_grad()
                (weight**2 * torch.tensor([1.0, 5.0])).sum().div(2).backward()
                optimizer.step()
            ends.append(weight.detach().numpy())
        np.testing.assert_allclose(*ends, rtol=1e-9, atol=1e-12)
