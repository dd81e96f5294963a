"""The same function with other weights: why sharpness alone says little."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["reparametrised"]


def reparametrised(model: nn.Sequential, factor: float, *, layer: int = 0) -> nn.Sequential:
    """A model of the same function: weights and bias of one layer times c, weights of the next divided by c.

    Between the two stand only layers f with f(cx) = c f(x) for c > 0, such as ReLU and pooling. The curvature
    with respect to the first is divided by c², that with respect to the second multiplied by it: the
    sharpness of one and the same function can be made as large as one likes.

    Args:
        model: A sequence of linear and convolutional layers, with ReLU, pooling, dropout or flattening
            between.
        factor: c > 0 and finite.
        layer: Which pair: the layer of this place among the linear and convolutional ones, and the next.

    Returns:
        A copy.

    Raises:
        TypeError: The model is no ``torch.nn.Sequential``.
        ValueError: ``factor`` or ``layer`` is out of range, or another kind of layer stands between the two.

    Example:
        >>> import torch
        >>> from optkit.models import mlp
        >>> model = mlp(seed=0).double()
        >>> x = torch.ones(1, 1, 28, 28, dtype=torch.float64)
        >>> torch.allclose(reparametrised(model, 10.0)(x), model(x), rtol=1e-12)
        True

    Source: dinh2017sharp.
    """
    from torch import nn, no_grad

    weighted = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    homogeneous = (
        nn.ReLU, nn.LeakyReLU, nn.Identity, nn.Flatten, nn.Dropout, nn.Dropout2d, nn.MaxPool1d, nn.MaxPool2d,
        nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d,
    )  # fmt: skip
    if not isinstance(model, nn.Sequential):
        raise TypeError(f"model must be a torch.nn.Sequential, got {type(model).__name__}")
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"factor must be > 0 and finite, got {factor}")
    places = [i for i, module in enumerate(model) if isinstance(module, weighted)]
    if not 0 <= layer < len(places) - 1:
        raise ValueError(
            f"layer must be in 0 … {len(places) - 2}: the model has {len(places)} linear or convolutional "
            f"layers, and each pair is of neighbours, got {layer}"
        )
    first, second = places[layer], places[layer + 1]
    for module in model[first + 1 : second]:
        if not isinstance(module, homogeneous):
            raise ValueError(
                "between the two layers there must be ReLU, pooling, dropout or flattening only, got "
                f"{type(module).__name__}; choose another layer"
            )
    new = copy.deepcopy(model)
    with no_grad():
        new[first].weight.mul_(factor)
        if new[first].bias is not None:
            new[first].bias.mul_(factor)
        new[second].weight.div_(factor)
    return new
