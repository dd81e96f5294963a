"""The sharpness that SAM minimises: the largest rise of the loss in a ball around θ."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optkit.progress import Progress, bar
from optkit.sharpness.surface import LossSurface

if TYPE_CHECKING:
    import torch

__all__ = ["Sharpness", "sam_sharpness"]


@dataclass(frozen=True)
class Sharpness:
    """The largest rise found. The true one may be larger: a search can only miss.

    Attributes:
        value: max L(θ + e) − L(θ) over all e that were tried; 0 or more.
        one_step: The rise at SAM's own e = ρ g/‖g‖; negative where that goes down again.
        loss: L(θ).
        starts: The rise found from each start, SAM's first.
        perturbation: The best e, shape (dim,).
    """

    value: float
    one_step: float
    loss: float
    starts: tuple[float, ...]
    perturbation: torch.Tensor = field(repr=False)


def sam_sharpness(
    surface: LossSurface,
    rho: float,
    *,
    steps: int = 10,
    restarts: int = 4,
    seed: int = 0,
    progress: Progress = True,
) -> Sharpness:
    """Sharpness max L(θ + e) − L(θ) over ‖e‖₂ ≤ ρ, by projected gradient ascent from several starts.

    e ← Π(e + η g(θ + e)/‖g‖), with Π the projection onto the ball. η starts at ρ and is halved whenever the
    loss does not rise. The first ascent starts at e = 0, so that its first step is SAM's; the others at
    random points of the sphere. A loss that overflows within the ball counts as an infinite rise.

    Args:
        surface: The loss of a model.
        rho: ρ ≥ 0.
        steps: Gradients of each ascent, at least 1.
        restarts: Further ascents from random points, at least 0.
        seed: 0 … 2⁶³ − 1.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        `Sharpness`.

    Raises:
        ValueError: An argument is out of range, or the loss is not finite at θ itself.

    Example:
        >>> import torch
        >>> line = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.constant_(line.weight, 2.0)
        >>> data = torch.ones(1, 1), torch.zeros(1, 1)
        >>> surface = LossSurface(line, data, loss=torch.nn.functional.mse_loss)
        >>> sam_sharpness(surface, 1.0).value  # 3² − 2²
        5.0

    Source: foret2021sharpness.
    """
    if not (math.isfinite(rho) and rho >= 0):
        raise ValueError(f"rho must be >= 0 and finite, got {rho}")
    if steps < 1:
        raise ValueError(f"steps must be >= 1, got {steps}")
    if restarts < 0:
        raise ValueError(f"restarts must be >= 0, got {restarts}")
    import torch

    theta = surface.theta
    loss, slope = surface.value_and_gradient()
    if not math.isfinite(loss):
        raise ValueError(f"the loss must be finite at the model's weights, got {loss}")
    generator = torch.Generator().manual_seed(seed)
    nowhere = torch.zeros_like(theta)
    with bar((1 + restarts) * steps, "sharpness", "gradient", progress) as drawn:
        found = [_ascend(surface, theta, rho, steps, nowhere, loss, slope, drawn)]
        for _ in range(restarts):
            e = torch.randn(surface.dim, generator=generator, dtype=torch.float64).to(theta)
            e = e * (rho / e.norm())
            value, g = surface.value_and_gradient(theta + e)
            found.append(_ascend(surface, theta, rho, steps, e, value, g, drawn))
    norm = slope.norm()
    one_step = surface.value(theta + rho * slope / norm) - loss if norm > 0 else 0.0
    rises = [_rise(value, loss) for value, _ in found]
    best = max(range(len(found)), key=rises.__getitem__)
    value, e = (rises[best], found[best][1]) if rises[best] > 0 else (0.0, nowhere)
    return Sharpness(value, one_step, loss, tuple(rises), e)


def _ascend(
    surface: LossSurface, theta: Any, rho: float, steps: int, e: Any, value: float, g: Any, drawn: Any
) -> tuple[float, Any]:
    """The largest loss that an ascent from e meets, and where."""
    size = rho
    for _ in range(steps):
        drawn.update()
        norm = g.norm()
        if not (math.isfinite(value) and norm > 0 and math.isfinite(norm)):
            break
        there = e + (size / norm) * g
        length = there.norm()
        if length > rho:
            there = there * (rho / length)
        higher, slope = surface.value_and_gradient(theta + there)
        if _rise(higher, value) > 0:
            e, value, g = there, higher, slope
        else:
            size /= 2
    return value, e


def _rise(value: float, loss: float) -> float:
    return math.inf if math.isnan(value) else value - loss
