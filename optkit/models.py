"""Small nets for the chapters: their first weights depend on `seed` and on nothing else.

>>> from optkit.models import lenet
>>> sum(weight.numel() for weight in lenet(seed=0).parameters())
61706
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["lenet", "logistic_regression", "mlp", "network_in_network"]

FASHION_MNIST_SHAPE = (1, 28, 28)


def logistic_regression(
    *, input_shape: Sequence[int] = FASHION_MNIST_SHAPE, classes: int = 10, seed: int = 0
) -> nn.Sequential:
    """Return multinomial logistic regression: logits W x + b of the flattened image x.

    With the cross-entropy loss its training loss is convex.

    Args:
        input_shape: of one image: channels, height, width, each at least 1.
        classes: number of logits, at least 2.
        seed: of the first weights, 0 … 2⁶³ − 1.

    Returns:
        A module from ``(N, *input_shape)`` to ``(N, classes)``, float32, on the CPU.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> import torch
        >>> logistic_regression(seed=0)(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """
    return mlp(input_shape=input_shape, hidden=(), classes=classes, seed=seed)


def mlp(
    *,
    input_shape: Sequence[int] = FASHION_MNIST_SHAPE,
    hidden: Sequence[int] = (128,),
    classes: int = 10,
    seed: int = 0,
) -> nn.Sequential:
    """Return a multilayer perceptron: linear layers with ReLU between them.

    Args:
        input_shape: of one image: channels, height, width, each at least 1.
        hidden: units of each hidden layer, each at least 1; () is logistic regression.
        classes: number of logits, at least 2.
        seed: of the first weights, 0 … 2⁶³ − 1.

    Returns:
        A module from ``(N, *input_shape)`` to ``(N, classes)``, float32, on the CPU.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> [tuple(weight.shape) for weight in mlp(hidden=(32, 16), seed=0).parameters()]
        [(32, 784), (32,), (16, 32), (16,), (10, 16), (10,)]
    """
    _check(input_shape, classes, seed)
    if any(units < 1 for units in hidden):
        raise ValueError(f"hidden must be >= 1 in each layer, got {tuple(hidden)}")
    from torch import nn

    with _seeded(seed):
        layers: list[nn.Module] = [nn.Flatten()]
        width = math.prod(input_shape)
        for units in hidden:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        return nn.Sequential(*layers, nn.Linear(width, classes))


def lenet(
    *, input_shape: Sequence[int] = FASHION_MNIST_SHAPE, classes: int = 10, seed: int = 0
) -> nn.Sequential:
    """Return a LeNet-like convolutional net: two convolutions with pooling, three linear layers.

    Convolution 5×5 to 6 channels (padded by 2), ReLU, maximum over 2×2, convolution 5×5 to 16 channels, ReLU,
    maximum over 2×2, linear to 120, ReLU, to 84, ReLU, to `classes`.
    It has 61,706 weights for 1×28×28 and 10 classes.

    Differs from LeNet-5: ReLU for the squashing function, maximum for the trainable mean, every channel
    joined to every channel, logits for the radial basis functions.

    Args:
        input_shape: of one image: channels (at least 1), height and width (at least 12).
        classes: number of logits, at least 2.
        seed: of the first weights, 0 … 2⁶³ − 1.

    Returns:
        A module from ``(N, *input_shape)`` to ``(N, classes)``, float32, on the CPU.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> import torch
        >>> lenet(input_shape=(3, 32, 32), classes=100, seed=0)(torch.zeros(5, 3, 32, 32)).shape
        torch.Size([5, 100])

    Source: lecun1998gradient.
    """
    _check(input_shape, classes, seed)
    channels, height, width = input_shape
    if min(height, width) < 12:
        raise ValueError(f"input_shape must have height and width >= 12 for lenet, got {tuple(input_shape)}")
    from torch import nn

    features = 16 * ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2)
    with _seeded(seed):
        return nn.Sequential(
            nn.Conv2d(channels, 6, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(features, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )


def network_in_network(
    *,
    input_shape: Sequence[int] = (3, 32, 32),
    classes: int = 10,
    width: int = 192,
    dropout: float = 0.5,
    seed: int = 0,
) -> nn.Sequential:
    """Return a Network-in-Network: three blocks of a convolution and two 1×1 convolutions, no linear layer.

    Block 1: 5×5 to w channels, 1×1 to 5w/6, 1×1 to w/2, maximum over 3×3 in steps of 2, dropout. Block 2: 5×5
    to w, 1×1 to w twice, mean over 3×3 in steps of 2, dropout. Block 3: 3×3 to w, 1×1 to w, 1×1 to
    ``classes``, mean over all places. ReLU after each convolution. With w = 192 it has 966,986 weights for
    3×32×32 and 10 classes.

    Args:
        input_shape: of one image: channels (at least 1), height and width (at least 4).
        classes: number of logits, at least 2.
        width: channels w, a multiple of 6.
        dropout: probability to drop a channel's value, 0 … 1, excluding 1.
        seed: of the first weights, 0 … 2⁶³ − 1. The dropout follows the random stream of the training.

    Returns:
        A module from ``(N, *input_shape)`` to ``(N, classes)``, float32, on the CPU.

    Raises:
        ValueError: an argument is outside its range.

    Example:
        >>> sum(weight.numel() for weight in network_in_network().parameters())
        966986

    Source: lin2014network.
    """
    _check(input_shape, classes, seed)
    channels, height, side = input_shape
    if min(height, side) < 4:
        raise ValueError(f"input_shape must have height and width >= 4, got {tuple(input_shape)}")
    if width < 6 or width % 6:
        raise ValueError(f"width must be a multiple of 6, got {width}")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be in 0 … 1, excluding 1, got {dropout}")
    from torch import nn

    def block(first: int, *sizes: int, kernel: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for place, (into, out) in enumerate(zip((first, *sizes), sizes, strict=False)):
            side = 1 if place else kernel
            layers += [nn.Conv2d(into, out, side, padding=side // 2), nn.ReLU()]
        return layers

    with _seeded(seed):
        return nn.Sequential(
            *block(channels, width, width * 5 // 6, width // 2, kernel=5),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Dropout(dropout),
            *block(width // 2, width, width, width, kernel=5),
            nn.AvgPool2d(3, stride=2, padding=1),
            nn.Dropout(dropout),
            *block(width, width, width, classes, kernel=3),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )


def _check(input_shape: Sequence[int], classes: int, seed: int) -> None:
    if len(input_shape) != 3 or any(size < 1 for size in input_shape):
        raise ValueError(
            f"input_shape must be channels, height and width, each >= 1, got {tuple(input_shape)}"
        )
    if classes < 2:
        raise ValueError(f"classes must be >= 2, got {classes}")
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed must lie in 0 … 2⁶³ − 1, got {seed}")


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Make layers on the CPU from a seeded random stream, and put the global one back as it was."""
    import torch

    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would also seed the streams of every GPU.
        torch.default_generator.manual_seed(seed)
        yield
