"""Evaluation: the right numbers, and nothing touched."""

import pytest
import torch
from torch import nn

from optkit.models import mlp
from optkit.training import evaluate

IMAGES = torch.randn(23, 1, 3, 3, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(23) % 4


def test_loss_and_accuracy_are_means_over_all_images_whatever_the_batch_size():
    model = mlp(input_shape=(1, 3, 3), hidden=(5,), classes=4, seed=0).double()
    logits = model(IMAGES.double())
    loss = -logits.log_softmax(1)[torch.arange(23), LABELS].mean().item()
    accuracy = (logits.argmax(1) == LABELS).double().mean().item()
    for batch_size in (1, 7, 23, 1_000):
        found = evaluate(model, IMAGES.double(), LABELS, batch_size=batch_size)
        assert found.loss == pytest.approx(loss, rel=1e-12)
        assert found.accuracy == accuracy


def test_another_loss_can_be_given():
    model = mlp(input_shape=(1, 3, 3), hidden=(5,), classes=4, seed=0)
    loss = nn.MultiMarginLoss()
    expected = loss(model(IMAGES), LABELS).item()
    assert evaluate(model, IMAGES, LABELS, loss=loss).loss == pytest.approx(expected, rel=1e-6)


def test_modes_random_streams_gradients_and_statistics_are_left_as_they_were():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x)  # draws in evaluation mode too

    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(9), nn.Dropout(), Noisy(), nn.Linear(9, 4))
    model[1].eval()  # one module frozen on purpose
    model[4].weight.grad = torch.ones(4, 9)
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(0)
    stream = torch.get_rng_state()
    evaluate(model, IMAGES, LABELS, batch_size=5)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(stream, torch.get_rng_state())
    assert torch.equal(model[4].weight.grad, torch.ones(4, 9))
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_dropout_is_off_and_the_mode_comes_back_after_an_error():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(9, 4))
    assert evaluate(model, IMAGES, LABELS) == evaluate(model, IMAGES, LABELS)
    with pytest.raises(RuntimeError):
        evaluate(model, torch.zeros(23, 1, 2, 2), LABELS)
    assert model.training


@pytest.mark.parametrize(
    ("images", "labels", "batch_size", "message"),
    [
        (IMAGES[:0], LABELS[:0], 5, "labels must be as many as images and at least 1, got 0 for 0"),
        (IMAGES, LABELS[:5], 5, "got 5 for 23"),
        (IMAGES, LABELS, 0, "batch_size must be >= 1, got 0"),
    ],
)
def test_arguments_outside_their_range_are_refused(images, labels, batch_size, message):
    with pytest.raises(ValueError, match=message):
        evaluate(mlp(input_shape=(1, 3, 3), classes=4), images, labels, batch_size=batch_size)
