"""Slices through the loss landscape, along directions that do not depend on the scale of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.progress import Progress, bar
from optkit.sharpness.surface import LossSurface

if TYPE_CHECKING:
    import torch

__all__ = ["filter_normalised_direction", "loss_along"]


def filter_normalised_direction(surface: LossSurface, *, seed: int) -> torch.Tensor:
    """A random direction, of which each filter is as long as the same filter of the model.

    d ← d/‖d‖ · ‖θ‖ for each filter: what feeds one output channel of a convolution or one unit of a linear
    layer. Biases and the weights of normalisation layers, tensors of fewer than two axes, do not move.

    Args:
        surface: The loss of a model; its present weights count.
        seed: 0 … 2⁶³ − 1.

    Returns:
        Shape (dim,), of the weights' dtype and on their device.

    Example:
        >>> import torch
        >>> model = torch.nn.Linear(3, 2)
        >>> surface = LossSurface(model, (torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64)))
        >>> parts = surface.split(filter_normalised_direction(surface, seed=0))
        >>> torch.allclose(parts["weight"].norm(dim=1), model.weight.norm(dim=1)), parts["bias"].tolist()
        (True, [0.0, 0.0])

    Source: li2018visualizing.
    """
    import torch

    theta = surface.theta
    draws = torch.randn(surface.dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    direction = draws.to(theta)
    for part, weight in zip(surface.split(direction).values(), surface.split(theta).values(), strict=True):
        if part.ndim < 2:
            part.zero_()
            continue
        axes = tuple(range(1, part.ndim))
        length = torch.linalg.vector_norm(part, dim=axes, keepdim=True)
        part.mul_(torch.linalg.vector_norm(weight, dim=axes, keepdim=True) / length)
    return direction


def loss_along(
    surface: LossSurface,
    directions: Sequence[Any],
    coordinates: Any,
    *,
    progress: Progress = True,
) -> np.ndarray:
    """The loss on a line or a plane through the model's weights: L(θ + a d₁ + b d₂).

    Args:
        surface: The loss of a model.
        directions: One or two vectors of shape (dim,).
        coordinates: a, and in the plane also b, shape (n,).
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        float64, shape (n,) for one direction; (n, n) for two, row b, column a.

    Raises:
        ValueError: Not one or two directions, or coordinates that are no vector.

    Example:
        >>> import torch
        >>> line = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.zeros_(line.weight)
        >>> data = torch.ones(1, 1), torch.zeros(1, 1)
        >>> surface = LossSurface(line, data, loss=torch.nn.functional.mse_loss)
        >>> loss_along(surface, [torch.ones(1)], [-1.0, 0.0, 2.0])
        array([1., 0., 4.])

    Source: li2018visualizing.
    """
    if len(directions) not in (1, 2):
        raise ValueError(f"directions must be 1 or 2, got {len(directions)}")
    places = np.asarray(coordinates, dtype=float)
    if places.ndim != 1:
        raise ValueError(f"coordinates must have shape (n,), got {places.shape}")
    theta = surface.theta
    axes = [surface._vector(direction, "each direction") for direction in directions]
    losses = np.empty((len(places),) * len(axes))
    with bar(losses.size, "loss landscape", "point", progress) as drawn:
        for index in np.ndindex(losses.shape):
            at = theta
            # Rows are the second direction's: the last axis of the array is the first direction's.
            for direction, place in zip(axes, reversed(index), strict=True):
                at = at + places[place] * direction
            losses[index] = surface.value(at)
            drawn.update()
    return losses
