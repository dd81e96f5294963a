"""The small nets: shapes, and first weights that depend on the seed alone."""

import pytest
import torch

from optkit.models import lenet, logistic_regression, mlp, network_in_network

MODELS = [logistic_regression, mlp, lenet, network_in_network]


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(("shape", "classes"), [((1, 28, 28), 10), ((3, 32, 32), 100), ((2, 13, 21), 3)])
def test_logits_have_the_shape_asked_for(make, shape, classes):
    model = make(input_shape=shape, classes=classes, seed=0)
    assert model(torch.randn(4, *shape)).shape == (4, classes)


@pytest.mark.parametrize(
    ("make", "count"),
    [(logistic_regression, 7_850), (mlp, 101_770), (lenet, 61_706), (network_in_network, 966_986)],
)
def test_the_number_of_weights(make, count):
    assert weights(make()).numel() == count


@pytest.mark.parametrize("make", MODELS)
def test_first_weights_depend_on_the_seed_alone(make):
    torch.manual_seed(1)
    first = weights(make(seed=3))
    torch.manual_seed(2)
    torch.randn(5)
    assert torch.equal(first, weights(make(seed=3)))
    assert not torch.equal(first, weights(make(seed=4)))


@pytest.mark.parametrize("make", MODELS)
def test_the_global_random_stream_is_left_as_it_was(make):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    make(seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_logistic_regression_is_the_linear_map():
    model = logistic_regression(input_shape=(1, 2, 2), classes=3, seed=0)
    weight, bias = model.parameters()
    images = torch.randn(5, 1, 2, 2)
    torch.testing.assert_close(model(images), images.reshape(5, 4) @ weight.T + bias)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (lenet, {"input_shape": (1, 8, 8)}, "height and width >= 12 for lenet, got \\(1, 8, 8\\)"),
        (mlp, {"input_shape": (28, 28)}, "input_shape must be channels, height and width"),
        (mlp, {"hidden": (32, 0)}, "hidden must be >= 1 in each layer"),
        (logistic_regression, {"classes": 1}, "classes must be >= 2, got 1"),
        (network_in_network, {"width": 100}, "width must be a multiple of 6, got 100"),
        (network_in_network, {"dropout": 1.0}, "dropout must be in 0 … 1"),
        (network_in_network, {"input_shape": (1, 3, 8)}, "height and width >= 4, got \\(1, 3, 8\\)"),
        (logistic_regression, {"seed": -1}, "seed must lie in 0 … 2⁶³ − 1, got -1"),
    ],
)
def test_arguments_outside_their_range_are_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)
