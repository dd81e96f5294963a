"""Sharpness in closed form against the definition, and the point where SAM takes its gradient."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from optkit.sharpness import quadratic_sharpness, sam_point, sharpness_in_interval, two_valleys


@pytest.mark.parametrize("theta", [-2.0, -0.1, 0.0, 0.7])
@pytest.mark.parametrize("curvature", [0.5, 30.0])
@pytest.mark.parametrize("rho", [0.05, 1.0])
def test_closed_form_is_the_largest_rise(theta, curvature, rho):
    def loss(x):
        return curvature * x * x / 2

    exact = quadratic_sharpness(theta, curvature=curvature, rho=rho)
    assert sharpness_in_interval(loss, theta, rho=rho) == pytest.approx(exact, rel=1e-9)


def test_the_grid_finds_what_an_optimizer_finds():
    def loss(x):
        return np.sin(3 * x) + 0.2 * x

    found = minimize_scalar(lambda x: -loss(x), bounds=(0.0, 0.8), method="bounded", options={"xatol": 1e-12})
    assert sharpness_in_interval(loss, 0.4, rho=0.4) == pytest.approx(-found.fun - loss(0.4), abs=1e-6)


def test_both_valleys_have_height_zero_and_their_curvatures():
    assert two_valleys(np.array([-1.0, 1.0])).tolist() == [0.0, 0.0]
    step = 1e-3
    for place, curvature in ((-1.0, 25.0), (1.0, 1.0)):
        near = two_valleys(np.array([place - step, place + step]))
        assert near.sum() / step**2 == pytest.approx(curvature, rel=1e-6)


def test_on_one_parabola_sam_looks_where_the_loss_is_worst():
    theta = np.array([0.3, 0.9, 1.6])
    rise = two_valleys(sam_point(two_valleys, theta, rho=0.2)) - two_valleys(theta)
    assert rise == pytest.approx(quadratic_sharpness(theta - 1, curvature=1.0, rho=0.2))


def test_arguments_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"rho must be >= 0 and finite, got -0.1"):
        sharpness_in_interval(two_valleys, 0.0, rho=-0.1)
    with pytest.raises(ValueError, match="points must be odd and >= 3, got 10"):
        sharpness_in_interval(two_valleys, 0.0, rho=0.1, points=10)
    with pytest.raises(ValueError, match="rho must be"):
        sam_point(two_valleys, [0.0], rho=-1.0)
