"""A small net in float64 on small data, and its Hessian in full, made by another way than the package's."""

import pytest
import torch
from torch import nn

from optkit.models import mlp
from optkit.sharpness import LossSurface


@pytest.fixture(scope="session")
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(23, 1, 3, 3, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 3, (23,), generator=generator)


@pytest.fixture(scope="session")
def net(data):
    model = mlp(input_shape=(1, 3, 3), hidden=(6,), classes=3, seed=1).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(30):  # a little training, so that the spectrum has outliers
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(data[0]), data[1]).backward()
        optimizer.step()
    return model


@pytest.fixture(scope="session")
def surface(net, data):
    return LossSurface(net, data, batch_size=5)


@pytest.fixture(scope="session")
def dense(net, data):
    """∇²L, row by row and all the data at once."""
    shapes = [p.shape for p in net.parameters()]
    names = [name for name, _ in net.named_parameters()]

    def loss(theta):
        parts = theta.split([shape.numel() for shape in shapes])
        weights = {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(net, weights, (data[0],)), data[1])

    flat = torch.cat([p.detach().flatten() for p in net.parameters()])
    return torch.func.jacrev(torch.func.grad(loss))(flat).numpy()
