"""Roots, rates and best settings against eigenvalues, against measured runs and against brute force."""

import numpy as np
import pytest

from optkit import dynamics
from optkit.rules import RULES


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.81, 0.99])
@pytest.mark.parametrize("pull", [1e-3, 0.04, 1.0, 2.5])
def test_roots_are_the_eigenvalues_of_the_matrix(pull, momentum):
    matrix = dynamics.momentum_matrix(5.0, lr=pull / 5.0, momentum=momentum)
    expected = np.sort_complex(np.linalg.eigvals(matrix).astype(complex))
    found = np.sort_complex(dynamics.roots(5.0, lr=pull / 5.0, momentum=momentum))
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_the_matrix_takes_the_step_of_the_rule():
    theta, v = RULES["momentum_standard"](0.7, 3.0 * 0.7, -0.2, 5, lr=0.11, momentum=0.8)
    np.testing.assert_allclose(
        dynamics.momentum_matrix(3.0, lr=0.11, momentum=0.8) @ [0.7, -0.2], [theta, v], rtol=1e-14
    )


@pytest.mark.parametrize("momentum", [0.25, 0.64, 0.9])
def test_a_complex_pair_has_modulus_root_alpha(momentum):
    inside = np.linspace((1 - momentum**0.5) ** 2 + 1e-3, (1 + momentum**0.5) ** 2 - 1e-3, 50)
    np.testing.assert_allclose(np.abs(dynamics.roots(inside, lr=1.0, momentum=momentum)), momentum**0.5)


@pytest.mark.parametrize("pull", [0.01, 0.2, 1.7])
def test_critical_momentum_is_the_fastest_for_its_curvature(pull):
    critical = dynamics.critical_momentum(pull, lr=1.0)
    best = dynamics.rate(pull, lr=1.0, momentum=critical)
    for other in np.linspace(0, 0.999, 500):
        assert dynamics.rate(pull, lr=1.0, momentum=other) >= best - 1e-6


@pytest.mark.parametrize("kappa", [10.0, 100.0, 1000.0])
def test_no_setting_beats_the_best_ones(kappa):
    curvatures = np.array([0.5, 0.5 * kappa])
    best = dynamics.best_momentum(*curvatures)
    plain = dynamics.best_gradient_descent(*curvatures)
    assert dynamics.rate(curvatures, lr=best.lr, momentum=best.momentum) == pytest.approx(best.rate, abs=1e-7)
    assert dynamics.rate(curvatures, lr=plain.lr, momentum=0.0) == pytest.approx(plain.rate)
    for lr in plain.lr * np.linspace(0.2, 2.0, 61):
        assert dynamics.rate(curvatures, lr=lr, momentum=0.0) >= plain.rate - 1e-12
        for momentum in np.linspace(0, 0.99, 60):
            assert dynamics.rate(curvatures, lr=lr, momentum=momentum) >= best.rate - 1e-6


def test_a_run_shrinks_by_the_rate():
    best = dynamics.best_momentum(1.0, 50.0)
    theta, v = np.array([1.0, 1.0]), np.zeros(2)
    curvature = np.array([1.0, 50.0])
    # Off the double root: there the error carries a factor t.
    lr, momentum = best.lr, best.momentum + 0.05
    sizes = []
    for t in range(1, 401):
        theta, v = RULES["momentum_standard"](theta, curvature * theta, v, t, lr=lr, momentum=momentum)
        sizes.append(np.linalg.norm(theta))
    measured = (max(sizes[350:]) / max(sizes[100:150])) ** (1 / 250)
    assert measured == pytest.approx(dynamics.rate(curvature, lr=lr, momentum=momentum), rel=5e-3)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (2.0, 1.0), (1.0, np.inf)])
def test_impossible_spectra_are_refused(ends):
    with pytest.raises(ValueError, match="0 < smallest <= largest"):
        dynamics.best_momentum(*ends)


def test_critical_momentum_beyond_its_range_is_refused():
    with pytest.raises(ValueError, match=r"must be in \(0, 4\), got 4.5"):
        dynamics.critical_momentum(4.5, lr=1.0)


@pytest.mark.parametrize(("lr", "momentum"), [(0.3, 0.0), (0.03, 0.9), (0.5, 0.5)])
def test_the_steady_variance_is_that_of_a_long_noisy_run(lr, momentum):
    noise = np.random.default_rng(4).normal(scale=0.7, size=(400, 3000))
    theta, v, squares = np.zeros(3000), np.zeros(3000), []
    for t, n in enumerate(noise, start=1):
        theta, v = RULES["momentum_common"](theta, 2.0 * theta + n, v, t, lr=lr, momentum=momentum)
        if t > 200:
            squares.append(np.mean(theta**2))
    expected = dynamics.steady_variance(2.0, lr=lr, momentum=momentum, noise=0.7)
    assert np.mean(squares) == pytest.approx(expected, rel=0.03)


def test_the_steady_variance_of_a_diverging_run_is_refused():
    with pytest.raises(ValueError, match=r"= 1\.9, got 1\.9"):
        dynamics.steady_variance(2.0, lr=1.9, momentum=0.9, noise=1.0)
