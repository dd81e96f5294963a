"""The steps of chapter 8's derivations: symbolically, or on a small net in float64."""

import numpy as np
import pytest
import sympy as sp
import torch

from optkit.models import mlp
from optkit.optim.variants import asam_perturbation
from optkit.rules import RULES
from optkit.sharpness import (
    LossSurface,
    mean_rise,
    quadratic_sharpness,
    reparametrised,
    rescaled_trace,
    sam_swing,
    trace,
    trace_by_parameter,
)

A, B, C, X, Y, RHO, LR, LAMBDA = sp.symbols("a b c x y rho epsilon lambda", real=True)


@pytest.fixture(scope="module")
def net():
    return mlp(input_shape=(1, 2, 2), hidden=(3, 3), classes=3, seed=0).double()


@pytest.fixture(scope="module")
def data():
    random = np.random.RandomState(0)
    images = torch.as_tensor(random.standard_normal((20, 1, 2, 2)))
    return images, torch.as_tensor(random.randint(3, size=20))


def dense(surface):
    return surface.hessian() @ np.eye(surface.dim)


def test_at_a_minimum_the_worst_rise_is_that_of_the_top_eigenvector():
    random = np.random.RandomState(1)
    H = random.standard_normal((4, 4))
    H = H @ H.T
    values, vectors = np.linalg.eigh(H)
    e = random.standard_normal((100_000, 4))
    e *= 0.3 / np.linalg.norm(e, axis=1, keepdims=True)
    rises = 0.5 * np.einsum("ij,jk,ik->i", e, H, e)
    formula = quadratic_sharpness(0.0, curvature=values[-1], rho=0.3)
    top = 0.3 * vectors[:, -1]
    assert 0.5 * top @ H @ top == pytest.approx(formula)
    assert rises.max() <= formula and rises.max() == pytest.approx(formula, rel=1e-2)
    error = rises.std() / np.sqrt(len(rises))
    assert abs(rises.mean() - mean_rise(trace=np.trace(H), n=4, rho=0.3)) < 4 * error


def test_the_gradient_along_the_climb_is_that_of_loss_and_slope():
    """∇J + ρHg/‖g‖ is the gradient of J + ρ‖∇J‖."""
    loss = A * X**4 + B * X * Y + C * sp.exp(Y) + X**2 * Y**2
    g = sp.Matrix([sp.diff(loss, X), sp.diff(loss, Y)])
    norm = sp.sqrt(g.dot(g))
    H = sp.hessian(loss, (X, Y))
    first_order = g + RHO * H * g / norm
    penalised = loss + RHO * norm
    wanted = sp.Matrix([sp.diff(penalised, X), sp.diff(penalised, Y)])
    assert (first_order - wanted).applyfunc(sp.simplify) == sp.zeros(2, 1)


def test_the_swing_returns_after_two_steps():
    swing = sam_swing.function(curvature=LAMBDA, lr=LR, rho=RHO)
    after = swing - LR * LAMBDA * (swing + RHO)  # sign(θ) = 1
    assert sp.simplify(after + swing) == 0


def test_sam_ends_on_the_swing():
    theta = 1.0
    for _ in range(500):
        (there,) = RULES["sam_perturbation"](theta, 4.0 * theta, 1, grad_norm=abs(4.0 * theta), rho=0.3)
        theta -= 0.1 * 4.0 * there
    assert abs(theta) == pytest.approx(sam_swing(curvature=4.0, lr=0.1, rho=0.3))


def test_hutchinsons_variance_is_twice_the_squares_off_the_diagonal():
    random = np.random.RandomState(2)
    H = random.standard_normal((3, 3))
    H = H + H.T
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    samples = np.einsum("ij,jk,ik->i", signs, H, signs)
    assert samples.mean() == pytest.approx(np.trace(H))
    assert samples.var() == pytest.approx(2 * ((H**2).sum() - (np.diag(H) ** 2).sum()))


def scales(surface, factor):
    """T: what each weight is multiplied by when layer 0 is multiplied by c and layer 1's weight divided."""
    parts = {name: torch.ones_like(part) for name, part in surface.split(surface.theta).items()}
    first, _, second, *_ = parts
    for name, part in parts.items():
        if name.split(".")[0] == first.split(".")[0]:
            part.fill_(factor)
        elif name == second:
            part.fill_(1 / factor)
    return torch.cat([part.flatten() for part in parts.values()]).numpy()


def test_the_hessian_after_rescaling(net, data):
    """H(Tθ) = T⁻¹H(θ)T⁻¹, and the trace by blocks."""
    before, after = LossSurface(net, data), LossSurface(reparametrised(net, 4.0), data)
    T = scales(before, 4.0)
    np.testing.assert_array_equal(after.theta.numpy(), T * before.theta.numpy())
    H = dense(before)
    np.testing.assert_allclose(dense(after), H / np.outer(T, T), rtol=1e-9, atol=1e-12)
    blocks = {size: np.trace(H[np.ix_(T == size, T == size)]) for size in (4.0, 0.25, 1.0)}
    formula = rescaled_trace(first=blocks[4.0], second=blocks[0.25], others=blocks[1.0], factor=4.0)
    assert formula == pytest.approx(np.trace(dense(after)))


def test_asams_climb_follows_the_rescaling(net, data):
    """With η = 0 ASAM climbs to the same function, whatever the factor."""
    before, after = LossSurface(net, data), LossSurface(reparametrised(net, 4.0), data)
    T = scales(before, 4.0)
    e = []
    for surface in (before, after):
        theta, g = surface.theta, surface.gradient()
        norm = (theta.abs() * g).norm().item()
        (there,) = asam_perturbation(theta, g, 1, grad_norm=norm, rho=0.5, eta=0.0, eps=1e-12)
        e.append((there - theta).numpy())
    np.testing.assert_allclose(e[1], T * e[0], rtol=1e-9)


def test_traces_by_parameter_are_those_of_the_blocks(net, data):
    surface = LossSurface(net, data)
    found = trace_by_parameter(surface, products=200, progress=False)
    diagonal = surface.split(torch.as_tensor(np.diag(dense(surface)).copy()))
    for name, estimate in found.items():
        assert abs(estimate.value - diagonal[name].sum().item()) < 4.5 * estimate.standard_error
    whole = trace(surface.hessian(), products=200, progress=False)
    assert whole.standard_error > 0
    with pytest.raises(ValueError, match="products must be >= 2, got 1"):
        trace_by_parameter(surface, products=1)
