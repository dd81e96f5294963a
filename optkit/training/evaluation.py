"""Loss and accuracy of a model on labelled images, leaving the model and the random streams as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from optkit.modes import mode

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Evaluation", "evaluate", "mean_loss", "mode"]


class Evaluation(NamedTuple):
    """Mean loss, and the fraction of images whose largest logit is that of their label."""

    loss: float
    accuracy: float


def evaluate(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    batch_size: int = 1_000,
) -> Evaluation:
    """Return the mean loss and the accuracy of a model in evaluation mode.

    Each module's training flag, the gradients and torch's random streams are left as they were.

    Args:
        model: from images to logits of shape (N, classes).
        images: shape (N, …), N at least 1, on the model's device.
        labels: int64, shape (N,).
        loss: from logits and labels to their MEAN loss; default cross-entropy.
        batch_size: how many images at a time, at least 1. Changes the result by rounding only.

    Raises:
        ValueError: no images, as many labels as images are not given, `batch_size` below 1, or a loss that is
            no single number.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(seed=0)
        >>> zero_weights = [weight.data.zero_() for weight in model.parameters()]
        >>> loss, accuracy = evaluate(model, torch.zeros(4, 1, 28, 28), torch.arange(4))
        >>> round(loss, 4), accuracy  # log 10: every class is as likely
        (2.3026, 0.25)
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(
            f"labels must be as many as images and at least 1, got {len(labels)} for {len(images)}"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be >= 1, got {batch_size}")
    import torch

    loss = loss or torch.nn.functional.cross_entropy
    total, right = 0.0, 0
    devices = [images.device] if images.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad(), mode(model, training=False):
        for start in range(0, len(images), batch_size):
            batch, targets = images[start : start + batch_size], labels[start : start + batch_size]
            logits = model(batch)
            total += mean_loss(loss, logits, targets).item() * len(batch)
            right += int((logits.argmax(dim=1) == targets).sum())
    return Evaluation(total / len(images), right / len(images))


def mean_loss(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], logits: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Return the loss of a mini-batch, a tensor of one number.

    Raises:
        ValueError: `loss` gives another number of values, as with reduction="none".
    """
    value = loss(logits, labels)
    if value.numel() != 1:
        raise ValueError(
            f"loss must return the mean over the images, one number, got a tensor of shape "
            f'{tuple(value.shape)}; leave out reduction="none"'
        )
    return value
