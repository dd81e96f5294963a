"""The ball, the slices, and one function with two sharpnesses."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn

from optkit.models import lenet, mlp
from optkit.sharpness import (
    LossSurface,
    filter_normalised_direction,
    loss_along,
    reparametrised,
    sam_sharpness,
    top_eigenvalues,
)


class Quadratic(nn.Module):
    """½ θᵀAθ of its own parameter θ, whatever the input."""

    def __init__(self, matrix, theta):
        super().__init__()
        self.matrix, self.theta = torch.as_tensor(matrix), nn.Parameter(torch.as_tensor(theta))

    def forward(self, x):
        return self.theta @ self.matrix @ self.theta / 2 + 0 * x.sum()


def quadratic_surface(matrix, theta):
    nothing = torch.zeros(1, 1, dtype=torch.float64), torch.zeros(1)
    return LossSurface(Quadratic(matrix, theta), nothing, loss=lambda outputs, _: outputs)


def exact_sharpness(matrix, theta, rho):
    """max gᵀe + ½eᵀAe on the ball, by its secular equation: (μ − A)e = g with ‖e‖ = ρ and μ above all λ."""
    values, vectors = np.linalg.eigh(matrix)
    g = vectors.T @ (matrix @ theta)

    def excess(mu):
        return np.linalg.norm(g / (mu - values)) - rho

    low = max(values[-1], 0.0)
    if excess(low + 1e-9) < 0:
        raise AssertionError("the hard case, or a maximum inside")
    e = g / (brentq(excess, low + 1e-9, low + 1e6, xtol=1e-14) - values)
    return g @ e + e @ (values * e) / 2


@pytest.mark.parametrize("eigenvalues", [[1.0, 4.0, 9.0], [-3.0, 0.5, 2.0], [-5.0, -1.0, -0.1]])
def test_the_largest_rise_in_a_ball_is_that_of_the_secular_equation(eigenvalues):
    rotation, _ = np.linalg.qr(np.random.RandomState(0).standard_normal((3, 3)))
    matrix, theta = rotation * eigenvalues @ rotation.T, np.array([1.0, -2.0, 0.5])
    found = sam_sharpness(quadratic_surface(matrix, theta), 0.3, steps=200, restarts=2)
    assert found.value == pytest.approx(exact_sharpness(matrix, theta, 0.3), rel=1e-6)
    assert found.perturbation.norm().item() <= 0.3 + 1e-12


def test_one_step_is_sams_and_the_search_finds_no_less(surface, net, data):
    found = sam_sharpness(surface, 0.2, steps=5, restarts=2)
    e = 0.2 * surface.gradient() / surface.gradient().norm()
    assert found.one_step == pytest.approx(surface.value(surface.theta + e) - surface.value(), rel=1e-9)
    assert found.value >= found.one_step and found.value == max(found.starts) and len(found.starts) == 3
    again = surface.value(surface.theta + found.perturbation) - found.loss
    assert found.value == pytest.approx(again, rel=1e-9)


def test_at_a_maximum_nothing_rises():
    found = sam_sharpness(quadratic_surface(-np.eye(2), np.zeros(2)), 0.5)
    assert found.value == 0 and found.perturbation.tolist() == [0, 0] and found.one_step == 0


def test_from_a_minimum_the_restarts_climb():
    surface = quadratic_surface(np.diag([1.0, 4.0]), np.zeros(2))
    assert sam_sharpness(surface, 0.5, steps=60).value == pytest.approx(0.5**2 * 4 / 2, rel=1e-6)


def test_a_loss_that_overflows_nearby_is_infinitely_sharp_and_one_that_does_here_is_refused():
    surface = quadratic_surface(np.eye(1) * 1e308, np.ones(1))
    assert sam_sharpness(surface, 10.0).value == np.inf
    with pytest.raises(ValueError, match="the loss must be finite at the model's weights, got inf"):
        sam_sharpness(quadratic_surface(np.eye(1) * 1e308, np.full(1, 1e3)), 1.0)
    for options, message in (
        ({"rho": -1.0}, "rho must be >= 0 and finite, got -1"),
        ({"rho": 1.0, "steps": 0}, "steps must be >= 1, got 0"),
        ({"rho": 1.0, "restarts": -1}, "restarts must be >= 0, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            sam_sharpness(surface, **options)
    assert sam_sharpness(surface, 0.0).value == 0


def test_directions_are_as_long_as_the_filters_and_repeat():
    model = lenet(seed=0)
    surface = LossSurface(model, (torch.zeros(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64)))
    direction = filter_normalised_direction(surface, seed=3)
    for part, weight in zip(surface.split(direction).values(), model.parameters(), strict=True):
        if weight.ndim == 1:
            assert not part.any()
        else:
            lengths = part.flatten(1).norm(dim=1), weight.detach().flatten(1).norm(dim=1)
            torch.testing.assert_close(*lengths, rtol=1e-4, atol=1e-6)
    assert torch.equal(direction, filter_normalised_direction(surface, seed=3))
    assert not torch.equal(direction, filter_normalised_direction(surface, seed=4))


def test_a_filter_that_is_zero_does_not_move():
    model = nn.Linear(3, 2)
    nn.init.zeros_(model.weight)
    surface = LossSurface(model, (torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64)))
    assert not filter_normalised_direction(surface, seed=0).any()


def test_slices_are_losses_of_moved_models(surface, net, data):
    first, second = (filter_normalised_direction(surface, seed=seed) for seed in (0, 1))
    places = [-0.5, 0.0, 1.0]
    line, plane = loss_along(surface, [first], places), loss_along(surface, [first, second], places)
    assert plane.shape == (3, 3) and line[1] == pytest.approx(surface.value(), rel=1e-12)
    np.testing.assert_allclose(plane[1], line, rtol=1e-12)  # the row b = 0
    moved = copy.deepcopy(net)
    nn.utils.vector_to_parameters(surface.theta + 1.0 * first - 0.5 * second, moved.parameters())
    expected = nn.functional.cross_entropy(moved(data[0]), data[1]).item()
    assert plane[0, 2] == pytest.approx(expected, rel=1e-10)
    with pytest.raises(ValueError, match="directions must be 1 or 2, got 3"):
        loss_along(surface, [first] * 3, places)
    with pytest.raises(ValueError, match=r"coordinates must have shape \(n,\), got \(1, 3\)"):
        loss_along(surface, [first], [places])
    with pytest.raises(ValueError, match=r"each direction must have shape"):
        loss_along(surface, [first[:2]], places)


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_the_same_function(layer):
    model = lenet(seed=0).double()
    x = torch.randn(3, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(reparametrised(model, 7.0, layer=layer)(x), model(x), rtol=1e-12, atol=1e-13)


def test_another_sharpness(net, data):
    """The block of the second layer's Hessian is multiplied by c²: so is the top eigenvalue, in the limit."""
    known = LossSurface(net, data)
    blown = LossSurface(reparametrised(net, 30.0), data)
    last = slice(known.dim - 21, known.dim - 3)  # the weight of the second layer, without its bias
    blocks = [(s.hessian() @ np.eye(s.dim))[last, last] for s in (known, blown)]
    np.testing.assert_allclose(blocks[1], blocks[0] * 30.0**2, rtol=1e-7, atol=1e-8)
    tops = [top_eigenvalues(s.hessian(), k=1).values[0] for s in (known, blown)]
    assert tops[1] > 100 * tops[0]
    assert blown.value() == pytest.approx(known.value(), rel=1e-12)


def test_what_is_no_reparametrisation_is_refused():
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Sequential, got Linear"):
        reparametrised(nn.Linear(2, 2), 2.0)
    model = mlp(input_shape=(1, 2, 2), hidden=(3,), seed=0)
    with pytest.raises(ValueError, match="factor must be > 0 and finite, got 0"):
        reparametrised(model, 0.0)
    with pytest.raises(ValueError, match=r"layer must be in 0 … 0: .* got 1"):
        reparametrised(model, 2.0, layer=1)
    curved = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    with pytest.raises(ValueError, match="flattening only, got Tanh"):
        reparametrised(curved, 2.0)
