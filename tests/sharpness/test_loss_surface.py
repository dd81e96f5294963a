"""The loss as a function of one vector: against torch on the whole data, and what is refused."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from optkit.sharpness import LossSurface


def flat(tensors):
    return torch.cat([t.detach().flatten() for t in tensors])


def test_value_and_gradient_are_those_of_the_whole_data(surface, net, data):
    loss = nn.functional.cross_entropy(net(data[0]), data[1])
    gradient = flat(torch.autograd.grad(loss, list(net.parameters())))
    assert surface.value() == pytest.approx(loss.item(), rel=1e-12)
    torch.testing.assert_close(surface.gradient(), gradient, rtol=1e-10, atol=1e-12)
    moved = surface.theta + 0.1
    other = copy.deepcopy(net)
    nn.utils.vector_to_parameters(moved, other.parameters())
    assert surface.value(moved) == pytest.approx(
        nn.functional.cross_entropy(other(data[0]), data[1]).item(), rel=1e-12
    )


def test_products_are_those_of_the_dense_hessian(surface, dense):
    vectors = np.random.RandomState(0).standard_normal((surface.dim, 3))
    found = surface.hessian() @ vectors
    np.testing.assert_allclose(found, dense @ vectors, rtol=1e-9, atol=1e-11)
    identity = surface.hessian() @ np.eye(surface.dim)
    np.testing.assert_allclose(identity, identity.T, atol=1e-12)


def test_a_loader_gives_what_the_tensors_give(surface, net, data):
    set_ = torch.utils.data.TensorDataset(*data)
    loader = torch.utils.data.DataLoader(set_, batch_size=7, shuffle=True)
    other = LossSurface(net, loader)
    u = torch.ones(surface.dim, dtype=torch.float64)
    assert other.value() == pytest.approx(surface.value(), rel=1e-12)
    torch.testing.assert_close(
        other.hessian_vector_product(u), surface.hessian_vector_product(u), rtol=1e-9, atol=1e-12
    )


def test_the_model_is_left_as_it_was(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(8, 3))
    model.double()[1].eval()
    state, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    random = torch.get_rng_state()
    surface = LossSurface(model, data, batch_size=4)
    surface.hessian_vector_product(surface.gradient())
    assert all(torch.equal(a, b) for a, b in zip(state.values(), model.state_dict().values(), strict=True))
    assert modes == [m.training for m in model.modules()] and all(p.grad is None for p in model.parameters())
    assert torch.equal(random, torch.get_rng_state())
    assert surface.value() == pytest.approx(LossSurface(model, data).value(), rel=1e-12)  # no batch effects


def test_only_parameters_that_require_a_gradient_count(net, data):
    model = copy.deepcopy(net)
    model[1].weight.requires_grad_(False)
    surface = LossSurface(model, data)
    assert surface.dim == sum(p.numel() for p in model.parameters()) - model[1].weight.numel()
    assert surface.gradient().shape == (surface.dim,)


def test_a_loss_without_curvature_has_zero_products(data):
    model = nn.Linear(2, 1).double()
    x = torch.ones(4, 2, dtype=torch.float64)
    surface = LossSurface(model, (x, torch.zeros(4)), loss=lambda outputs, _: outputs.mean())
    assert torch.equal(surface.hessian_vector_product(torch.ones(3)), torch.zeros(3, dtype=torch.float64))


def test_what_cannot_be_asked_is_refused(net, data):
    with pytest.raises(ValueError, match="model must have parameters that require a gradient, got ReLU"):
        LossSurface(nn.ReLU(), data)
    with pytest.raises(ValueError, match="at least 1, got 2 for 3"):
        LossSurface(net, (data[0][:3], data[1][:2]))
    with pytest.raises(ValueError, match="at least 1, got 0 for 0"):
        LossSurface(net, (data[0][:0], data[1][:0]))
    with pytest.raises(TypeError, match="got generator, which ends after once"):
        LossSurface(net, (pair for pair in [data]))
    with pytest.raises(ValueError, match="data must hold at least 1 example, got none"):
        LossSurface(net, []).value()
    with pytest.raises(ValueError, match="batch_size must be >= 1, got 0"):
        LossSurface(net, data, batch_size=0)
    with pytest.raises(ValueError, match='leave out reduction="none"'):
        LossSurface(net, data, loss=nn.CrossEntropyLoss(reduction="none")).value()
    with pytest.raises(ValueError, match=r"vector must have shape \(81,\), got \(3,\)"):
        LossSurface(net, data).hessian_vector_product(torch.ones(3))
