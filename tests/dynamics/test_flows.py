"""Flows against closed forms and matrix exponentials, and INNA's path against the flow it follows."""

import numpy as np
import pytest
from scipy.linalg import expm

from optkit.dynamics import (
    din,
    din_energy,
    din_phase_space,
    din_start,
    energy_rate,
    gradient_flow,
    heavy_ball,
    inna_convergence,
    inna_path,
    mechanical_energy,
)
from optkit.problems import PROBLEMS
from optkit.rules import RULES

BOWL = PROBLEMS["quadratic"].replace(condition=10.0, angle=0.4)
BANANA = PROBLEMS["rosenbrock"]
TIMES = np.linspace(0.0, 4.0, 41)
DAMPINGS = [(0.5, 0.1), (1.3, 0.1), (0.5, 0.01), (0.0, 0.5), (2.0, 0.5)]
START = np.array([-1.5, 0.8])


def linear(matrix, begin):
    return np.stack([expm(matrix * t) @ begin for t in TIMES])


def test_gradient_flow_on_a_quadratic_is_the_matrix_exponential():
    hessian = BOWL.hessian(START)
    found = gradient_flow(BOWL, TIMES, start=START)
    np.testing.assert_allclose(found.theta, linear(-hessian, START), atol=1e-8)
    np.testing.assert_allclose(found.velocity, -found.theta @ hessian, atol=1e-8)
    np.testing.assert_allclose(found.loss, [BOWL.loss(theta) for theta in found.theta], rtol=1e-12)
    assert (np.diff(found.loss) < 0).all()


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5])
def test_din_on_a_quadratic_is_the_matrix_exponential(beta):
    hessian, alpha, speed = BOWL.hessian(START), 0.7, np.array([0.3, -1.0])
    matrix = np.block([[np.zeros((2, 2)), np.eye(2)], [-hessian, -alpha * np.eye(2) - beta * hessian]])
    expected = linear(matrix, np.concatenate([START, speed]))
    found = din(BOWL, TIMES, alpha=alpha, beta=beta, start=START, velocity=speed)
    np.testing.assert_allclose(np.hstack([found.theta, found.velocity]), expected, atol=1e-8)
    if not beta:
        ball = heavy_ball(BOWL, TIMES, friction=alpha, start=START, velocity=speed)
        np.testing.assert_allclose(ball.theta, expected[:, :2], atol=1e-8)


@pytest.mark.parametrize("problem", [BOWL, BANANA, PROBLEMS["himmelblau"]], ids=lambda p: p.name)
@pytest.mark.parametrize(("alpha", "beta"), DAMPINGS)
def test_phase_space_is_the_second_order_equation(problem, alpha, beta):
    common = {"alpha": alpha, "beta": beta, "velocity": [0.2, -0.4], "tolerance": 1e-10}
    second = din(problem, TIMES, **common)
    first = din_phase_space(problem, TIMES, **common)
    np.testing.assert_allclose(first.theta, second.theta, rtol=1e-6, atol=1e-7)
    # The first form has its velocity from the gradient, which magnifies the error of θ.
    scale = np.abs(second.velocity).max()
    np.testing.assert_allclose(first.velocity, second.velocity, atol=1e-5 * scale)
    back = din_start(problem, first.theta[7], alpha=alpha, beta=beta, velocity=first.velocity[7])
    np.testing.assert_allclose(back, first.psi[7], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA", "RK45", "RK23"])
def test_the_integrators_agree(method):
    exact = din(BANANA, TIMES, alpha=1.0, beta=0.1, tolerance=1e-12).theta[-1]
    found = din(BANANA, TIMES, alpha=1.0, beta=0.1, method=method, tolerance=1e-6).theta[-1]
    np.testing.assert_allclose(found, exact, atol=1e-3)


@pytest.mark.parametrize("paper_start", [True, False])
@pytest.mark.parametrize(("alpha", "beta"), DAMPINGS)
def test_inna_follows_din_at_order_one(alpha, beta, paper_start):
    found = inna_convergence(
        BOWL, duration=3.0, steps=[1500, 3000, 6000], alpha=alpha, beta=beta, paper_start=paper_start
    )
    assert found.order == pytest.approx(1.0, abs=0.1)
    assert (np.diff(found.error) < 0).all()


def test_inna_follows_din_at_order_one_on_a_curved_valley():
    found = inna_convergence(BANANA, duration=1.0, steps=[4000, 8000, 16000], alpha=0.5, beta=0.1)
    assert found.order == pytest.approx(1.0, abs=0.1)


def test_another_start_is_another_flow():
    """From the velocity of the code's start the paper's path does not tend to the flow: order 0."""
    from optkit.dynamics import discretisation

    steps, errors = [500, 2000], []
    for count in steps:
        path = inna_path(BOWL, lr=2.0 / count, steps=count, alpha=0.5, beta=0.1)
        times = np.linspace(0, 2, count + 1)
        g = BOWL.gradient(np.array(BOWL.start))
        flow = discretisation.din_phase_space(BOWL, times, alpha=0.5, beta=0.1, velocity=-0.1 * g)
        errors.append(np.abs(path - flow.theta).max())
    assert errors[1] > 0.5 * errors[0] > 0.1


def test_the_path_is_that_of_the_rule_in_its_other_form():
    """The m-form of INNA gives the same iterates: the path does not depend on how the rule is written."""
    path = inna_path(BANANA, lr=1e-4, steps=50, alpha=0.5, beta=0.1)
    theta, m = np.array(BANANA.start), np.zeros(2)
    for t in range(1, 51):
        g = BANANA.gradient(theta)
        theta, m = RULES["inna_m"](theta, g, m, t, lr=1e-4, alpha=0.5, beta=0.1)
        np.testing.assert_allclose(path[t], theta, rtol=1e-10)


# Lyapunov functions.


@pytest.mark.parametrize("form", [din, din_phase_space])
@pytest.mark.parametrize(("alpha", "beta"), DAMPINGS)
def test_dins_energy_never_rises_and_falls_at_its_rate(form, alpha, beta):
    fine = np.linspace(0.0, 4.0, 4001)
    flow = form(BANANA, fine, alpha=alpha, beta=beta, tolerance=1e-11)
    energy = din_energy(BANANA, flow, alpha=alpha, beta=beta)
    assert (np.diff(energy) <= 1e-8 * energy[0]).all()
    rate = energy_rate(BANANA, flow, alpha=alpha, beta=beta)
    assert (rate <= 0).all()
    fallen = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(fine))])
    np.testing.assert_allclose(energy - energy[0], fallen, atol=2e-3 * energy[0])


def test_dins_energy_is_the_papers_with_psi():
    flow = din_phase_space(BANANA, TIMES, alpha=0.5, beta=0.1)
    vector = (0.5 - 1 / 0.1) * flow.theta + flow.psi / 0.1
    papers = 2 * (1 + 0.5 * 0.1) * flow.loss + (vector**2).sum(axis=1)
    np.testing.assert_allclose(din_energy(BANANA, flow, alpha=0.5, beta=0.1), papers, rtol=1e-9, atol=1e-9)


def test_a_wrong_weight_of_the_loss_would_rise():
    """2J + ‖…‖² without the factor 1 + αβ is no Lyapunov function."""
    velocity = -BOWL.gradient(START)  # with αβ > 4 the cross term wins where θ′ is about −½β∇J
    flow = din(BOWL, np.linspace(0, 0.1, 101), alpha=10.0, beta=2.0, start=START, velocity=velocity)
    right = din_energy(BOWL, flow, alpha=10.0, beta=2.0)
    assert (np.diff(right) < 0).all()
    assert np.diff(right - 2 * 10.0 * 2.0 * flow.loss)[0] > 1e-3


def test_the_ball_loses_energy_to_friction_alone():
    flow = heavy_ball(BANANA, np.linspace(0, 4, 4001), friction=0.5, tolerance=1e-11)
    energy = mechanical_energy(flow)
    assert (np.diff(energy) < 1e-9).all()
    lost = 0.5 * np.trapezoid((flow.velocity**2).sum(axis=1), flow.t)
    assert energy[0] - energy[-1] == pytest.approx(lost, rel=1e-4)


def test_what_cannot_be_integrated_is_refused():
    for call, message in (
        (lambda: din(BOWL, TIMES, alpha=-1.0, beta=0.1), "alpha must be >= 0 and finite, got -1"),
        (lambda: din(BOWL, TIMES, alpha=1.0, beta=-0.1), "beta must be >= 0 and finite, got -0.1"),
        (lambda: din_phase_space(BOWL, TIMES, alpha=1.0, beta=0.0), "beta must be > 0 and finite, got 0"),
        (lambda: gradient_flow(BOWL, [0.0, 0.0]), "times must be ascending"),
        (lambda: gradient_flow(BOWL, [-1.0, 0.0]), "times must be ascending"),
        (lambda: gradient_flow(BOWL, []), "times must be ascending"),
        (lambda: gradient_flow(BOWL, TIMES, method="Euler"), "method must be one of RK45, .* got 'Euler'"),
        (lambda: gradient_flow(BOWL, TIMES, tolerance=0.0), r"tolerance must be in \(0, 1\), got 0"),
        (lambda: gradient_flow(BOWL, TIMES, start=[1.0]), r"start must have shape \(2,\) .* got \[1.0\]"),
        (lambda: gradient_flow(BOWL, TIMES, start=[1.0, np.nan]), "be finite"),
        (lambda: inna_path(BOWL, lr=0.0, steps=1, alpha=1.0, beta=1.0), "lr must be > 0"),
        (lambda: inna_path(BOWL, lr=1.0, steps=-1, alpha=1.0, beta=1.0), "steps must be >= 0"),
        (lambda: inna_convergence(BOWL, duration=0, steps=[1, 2], alpha=1, beta=1), "duration must be > 0"),
        (lambda: inna_convergence(BOWL, duration=1, steps=[2, 2], alpha=1, beta=1), "2 different numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(RuntimeError, match=r"left the finite world|gave up"):
        gradient_flow(PROBLEMS["monkey_saddle"], [0.0, 5.0], start=[-1.0, 0.0])
