"""DIN along one direction against its roots, and INNA's matrix against the rule."""

import numpy as np
import pytest

from optkit.dynamics import damping_ratio, decay_rate, inna_matrix
from optkit.rules import RULES

CURVATURES = np.geomspace(1e-3, 1e5, 60)
DAMPINGS = [(0.5, 0.0), (0.5, 0.01), (0.5, 0.1), (1.3, 0.1), (4.0, 0.25), (0.0, 0.2)]


@pytest.mark.parametrize(("alpha", "beta"), DAMPINGS)
def test_ratio_and_rate_are_those_of_the_roots(alpha, beta):
    ratio, rate = (f(CURVATURES, alpha=alpha, beta=beta) for f in (damping_ratio, decay_rate))
    for curvature, one, speed in zip(CURVATURES, ratio, rate, strict=True):
        roots = np.roots([1.0, alpha + beta * curvature, curvature])
        assert speed == pytest.approx(-roots.real.max(), rel=1e-6, abs=1e-12)
        if abs(one - 1) > 1e-6:
            assert (one < 1) == bool(np.abs(roots.imag).max() > 0)


def test_the_matrix_is_the_rules_step():
    inna = {"lr": 0.3, "alpha": 0.7, "beta": 0.2}
    theta, m = RULES["inna_m"](1.5, 4.0 * 1.5, -0.4, 2, **inna)
    np.testing.assert_allclose(inna_matrix(4.0, **inna) @ [1.5, -0.4], [theta, m], rtol=1e-14)


def test_the_two_conditions_are_stability():
    random = np.random.RandomState(0)
    seen = set()
    for _ in range(2000):
        curvature, lr, alpha, beta = np.exp(random.uniform(-4, 3, size=4))
        largest = np.abs(np.linalg.eigvals(inna_matrix(curvature, lr=lr, alpha=alpha, beta=beta))).max()
        first = lr < beta + alpha / curvature
        second = 4 - 2 * lr * (alpha + beta * curvature) + lr**2 * curvature > 0
        assert (largest < 1) == (first and second)
        seen.add((first, second))
    assert len(seen) == 4 or seen == {(True, True), (True, False), (False, True)}


@pytest.mark.parametrize("function", [damping_ratio, decay_rate])
def test_what_is_refused(function):
    with pytest.raises(ValueError, match="curvature must be > 0"):
        function([1.0, 0.0], alpha=1.0, beta=0.1)
    with pytest.raises(ValueError, match="alpha must be >= 0"):
        function(1.0, alpha=-1.0, beta=0.1)
    with pytest.raises(ValueError, match="beta must be > 0"):
        inna_matrix(1.0, lr=0.1, alpha=1.0, beta=0.0)
