"""Converted settings take the same steps: against the rules, torch and optax in float64."""

import numpy as np
import optax
import pytest
import torch

from optkit.conventions import MOMENTUM_FORMS, convert_momentum, convert_velocity
from optkit.rules import RULES

GRADIENTS = np.random.default_rng(20).normal(size=(40, 6))


def path(form, lr, momentum, gradients=GRADIENTS, velocity=0.0):
    theta, v = np.zeros(6), np.zeros(6) + velocity
    points = []
    for t, g in enumerate(gradients, start=1):
        theta, v = RULES[f"momentum_{form}"](theta, g, v, t, lr=lr, momentum=momentum)
        points.append(theta)
    return np.array(points), v


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("to", MOMENTUM_FORMS)
@pytest.mark.parametrize("source", MOMENTUM_FORMS)
def test_converted_settings_take_the_same_steps(source, to, momentum):
    there = convert_momentum(0.3, momentum, source=source, to=to)
    expected, _ = path(source, 0.3, momentum)
    found, _ = path(to, *there)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    back = convert_momentum(*there, source=to, to=source)
    assert back.lr == pytest.approx(0.3, rel=1e-14)


@pytest.mark.parametrize("to", MOMENTUM_FORMS)
@pytest.mark.parametrize("source", MOMENTUM_FORMS)
def test_a_converted_velocity_carries_a_run_on(source, to):
    first = convert_momentum(0.3, 0.9, source="common", to=source)
    second = convert_momentum(0.3, 0.9, source="common", to=to)
    whole, _ = path("common", 0.3, 0.9)
    half, v = path(source, *first, gradients=GRADIENTS[:20])
    moved = convert_velocity(v, 0.3, 0.9, source=source, to=to)
    rest, _ = path(to, *second, gradients=GRADIENTS[20:], velocity=moved)
    np.testing.assert_allclose(half[-1] + rest[-1], whole[-1], rtol=1e-12)


@pytest.mark.parametrize("source", MOMENTUM_FORMS)
def test_against_torch(source):
    lr, momentum = convert_momentum(0.3, 0.9, source=source, to="torch")
    weight = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=lr, momentum=momentum)
    for g in GRADIENTS:
        weight.grad = torch.from_numpy(g)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), path(source, 0.3, 0.9)[0][-1], rtol=1e-12)


def test_the_ewma_form_against_optax():
    import jax

    with jax.enable_x64(True):
        average = optax.ema(0.9, debias=False)
        state = average.init(np.zeros(6))
        theta = np.zeros(6)
        for g in GRADIENTS:
            mean, state = average.update(g, state)
            theta = theta - 0.3 * np.asarray(mean)
    np.testing.assert_allclose(theta, path("ewma", 0.3, 0.9)[0][-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.0}, "lr must be > 0 and finite, got 0.0"),
        ({"lr": float("nan")}, "lr must be > 0 and finite, got nan"),
        ({"momentum": 1.0}, "momentum must be >= 0 and < 1, got 1.0"),
        ({"source": "keras"}, "source must be one of standard, ewma, common, torch, got 'keras'"),
        ({"to": "heavy"}, "to must be one of standard"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    arguments = {"lr": 0.1, "momentum": 0.9, "source": "ewma", "to": "common"} | changes
    with pytest.raises(ValueError, match=message):
        convert_momentum(**arguments)
