"""Large batches: batch normalisation over ghost batches, and the learning rate that goes with the batch size.

A large batch gives batch normalisation accurate statistics, and takes away the noise that a small batch's
statistics bring. Ghost batches put it back: each part of the batch is normalised by itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from optkit.language.grammar import formula
from optkit.schedules import linear_scaling, warmup

if TYPE_CHECKING:
    from optkit.schedules import Schedule

__all__ = ["GhostBatchNorm1d", "GhostBatchNorm2d", "convert", "gradual_warmup", "running_share", "scaled_lr"]

RUNNING = ("sequential", "mean")
PARTIAL = ("own", "join")


class _Ghosts:
    """The part that `GhostBatchNorm1d` and `GhostBatchNorm2d` share; goes before torch's class."""

    def __init__(
        self,
        num_features: int,
        ghost_size: int | None = None,
        *,
        ghosts: int | None = None,
        running: str = "sequential",
        partial: str = "own",
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _check(ghost_size, ghosts, running, partial)
        super().__init__(
            num_features,
            eps=eps,
            momentum=momentum,
            affine=affine,
            track_running_stats=track_running_stats,
            device=device,
            dtype=dtype,
        )
        self.ghost_size, self.ghosts, self.running, self.partial = ghost_size, ghosts, running, partial

    def parts(self, examples: int) -> tuple[int, ...]:
        """Sizes of the ghosts of a batch of so many examples.

        Raises:
            ValueError: Fewer examples than ``ghosts``.
        """
        if self.ghosts is not None:
            if examples < self.ghosts:
                raise ValueError(
                    f"the batch must hold at least ghosts = {self.ghosts} examples, got {examples}; drop the "
                    "last small batch, or give ghost_size"
                )
            share, more = divmod(examples, self.ghosts)
            return (share + 1,) * more + (share,) * (self.ghosts - more)
        whole, rest = divmod(examples, self.ghost_size)
        if not rest:
            return (self.ghost_size,) * whole
        if whole and self.partial == "join":
            return (self.ghost_size,) * (whole - 1) + (self.ghost_size + rest,)
        return (self.ghost_size,) * whole + (rest,)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise: each ghost by its own statistics in training, else as torch's batch normalisation."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        sizes = self.parts(len(input))
        values = input[0].numel() // self.num_features if len(input) else 0  # of one example, in one channel
        if min(sizes, default=0) * values < 2:
            raise ValueError(
                "each ghost must hold at least 2 values in each channel, got a batch of "
                f"{len(input)} examples in ghosts of {', '.join(map(str, sizes)) or 'none'}; use "
                "partial='join', drop the last small batch, or choose another ghost size"
            )
        means, variances, outputs = [], [], []
        for chunk in input.split(sizes):
            if self.running_mean is None:
                mean = variance = None
                share = 0.0
            elif self.running == "sequential":
                mean, variance, share = self.running_mean, self.running_var, self._share()
            else:
                # With a share of 1 torch writes the ghost's own statistics, unbiased variance and all.
                mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
                share = 1.0
                means.append(mean)
                variances.append(variance)
            outputs.append(batch_norm(chunk, mean, variance, self.weight, self.bias, True, share, self.eps))
        if means:
            share = self._share()
            self.running_mean.lerp_(torch.stack(means).mean(dim=0), share)
            self.running_var.lerp_(torch.stack(variances).mean(dim=0), share)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs)

    def _share(self) -> float:
        """What the next statistics weigh in the running ones; counts them."""
        self.num_batches_tracked.add_(1)
        return 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """The arguments, as `print` shows them."""
        size = f"ghosts={self.ghosts}" if self.ghost_size is None else f"ghost_size={self.ghost_size}"
        return f"{super().extra_repr()}, {size}, running={self.running}, partial={self.partial}"


class GhostBatchNorm2d(_Ghosts, nn.BatchNorm2d):
    r"""Batch normalisation of images, each ghost batch by its own mean and variance.

    y = w (x − μ_k)/√(σ_k² + δ) + b for the examples of ghost k, with μ_k and σ_k² over this ghost alone. The
    ghosts are contiguous parts of the batch, in its order. In evaluation it is ``torch.nn.BatchNorm2d``,
    whose weights, buffers and state dict it has; with a single ghost also in training.

    Args:
        num_features: Channels C, at least 1.
        ghost_size: Examples in a ghost, at least 1. A batch no larger than that is one ghost. Give this or
            ``ghosts``.
        ghosts: Number of ghosts, at least 1: the batch is divided as evenly as can be, larger parts first.
        running: How the running statistics take in those of K ghosts, r ← (1 − η)r + η·new:
            ``"sequential"``, ghost after ghost, so that K ghosts weigh 1 − (1 − η)ᴷ, as in the paper;
            ``"mean"``, once, with the mean of the ghosts' means and that of their unbiased variances. Each
            ghost counts the same, also a partial one.
        partial: What becomes of a rest of fewer than ``ghost_size`` examples: ``"own"``, a smaller ghost;
            ``"join"``, part of the ghost before it.
        eps: δ > 0.
        momentum: η, torch's name for it; None for the mean of all statistics so far.
        affine: Whether it has w and b.
        track_running_stats: Whether it keeps running statistics. If not, evaluation uses those of the batch.
        device: Where to put weights and buffers.
        dtype: Their dtype.

    Shape:
        (N, C, height, width) to the same, of the same memory format.

    Raises:
        ValueError: An argument is out of range; in training a ghost of fewer than 2 values in a channel, or
            fewer examples than ``ghosts``.

    Example:
        >>> layer = GhostBatchNorm2d(1, ghost_size=2)
        >>> layer(torch.tensor([0.0, 2.0, 10.0, 30.0]).reshape(4, 1, 1, 1)).flatten().detach().round()
        tensor([-1.,  1., -1.,  1.])
        >>> layer.running_mean  # 0.1 · 1, then 0.9 · 0.1 + 0.1 · 20
        tensor([2.0900])

    Source: hoffer2017train.
    """


class GhostBatchNorm1d(_Ghosts, nn.BatchNorm1d):
    r"""Batch normalisation of vectors, each ghost batch by its own mean and variance.

    All arguments, errors and the formula are those of `GhostBatchNorm2d`.

    Shape:
        (N, C) or (N, C, length) to the same.

    Example:
        >>> layer = GhostBatchNorm1d(1, ghosts=2)
        >>> layer(torch.tensor([[0.0], [2.0], [10.0], [30.0]])).flatten().detach().round()
        tensor([-1.,  1., -1.,  1.])

    Source: hoffer2017train.
    """


GHOSTS = {nn.BatchNorm1d: GhostBatchNorm1d, nn.BatchNorm2d: GhostBatchNorm2d}


def convert(
    model: nn.Module,
    ghost_size: int | None = None,
    *,
    ghosts: int | None = None,
    running: str = "sequential",
    partial: str = "own",
) -> nn.Module:
    """Replace every batch normalisation in a model by one over ghost batches.

    Weights and buffers are the same objects as before, so that optimizers and state dicts stay valid; layers
    that stand in several places still do.

    Args:
        model: Changed in place, unless it is itself a batch normalisation.
        ghost_size: Examples in a ghost; this or ``ghosts``, see `GhostBatchNorm2d`.
        ghosts: Number of ghosts.
        running: ``"sequential"`` or ``"mean"``.
        partial: ``"own"`` or ``"join"``.

    Returns:
        The model.

    Raises:
        ValueError: The model has no batch normalisation, or one of another kind (3d, synchronised, lazy);
            nothing is changed then.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        >>> convert(net, ghost_size=32)[1]
        GhostBatchNorm2d(4, ..., ghost_size=32, running=sequential, partial=own)
    """
    _check(ghost_size, ghosts, running, partial)
    found = {name: m for name, m in model.named_modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)}
    if not found:
        raise ValueError(f"model must have batch normalisation, got {type(model).__name__} without any")
    for name, layer in found.items():
        if type(layer) not in (*GHOSTS, *GHOSTS.values()):
            raise ValueError(
                f"batch normalisation must be BatchNorm1d or BatchNorm2d, got {type(layer).__name__} at "
                f"{name or 'the top'}; there is no ghost form of it"
            )
    options = {"ghost_size": ghost_size, "ghosts": ghosts, "running": running, "partial": partial}
    made = {id(layer): _ghost(layer, options) for layer in found.values()}
    if id(model) in made:
        return made[id(model)]
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if id(child) in made:
                setattr(parent, name, made[id(child)])
    return model


def _ghost(layer: Any, options: dict[str, Any]) -> nn.Module:
    kind = GHOSTS.get(type(layer), type(layer))
    new = kind(
        layer.num_features,
        eps=layer.eps,
        momentum=layer.momentum,
        affine=layer.affine,
        track_running_stats=layer.track_running_stats,
        device="meta",
        **options,
    )
    new._parameters.update(layer._parameters)
    new._buffers.update(layer._buffers)
    new.training = layer.training
    return new


@formula
def running_share(*, momentum, ghosts):
    """What a batch of K ghosts weighs in the running statistics when they are taken in one after another."""
    return 1 - (1 - momentum) ** ghosts


def scaled_lr(lr: float, batch_size: int, reference: int, *, exponent: float = 1.0) -> float:
    """The learning rate for another batch size: ε · (m/m₀)^p.

    Args:
        lr: ε ≥ 0, chosen for batches of ``reference``.
        batch_size: m ≥ 1, in use.
        reference: m₀ ≥ 1.
        exponent: p: 1 is the linear scaling rule, ½ the square-root rule, which keeps the noise of a step.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> scaled_lr(0.1, 1024, 256), scaled_lr(0.1, 1024, 256, exponent=0.5)
        (0.4, 0.2)

    Source: goyal2017accurate, hoffer2017train.
    """
    if not (math.isfinite(lr) and lr >= 0):
        raise ValueError(f"lr must be >= 0 and finite, got {lr}")
    _check_sizes(batch_size, reference)
    if not 0 <= exponent <= 1:
        raise ValueError(f"exponent must be in [0, 1], got {exponent}")
    return lr * (batch_size / reference) ** exponent


def gradual_warmup(batch_size: int, reference: int, steps: int) -> Schedule:
    """The linear scaling rule with gradual warm-up: from the rate of the small batch to that of the large.

    The factor on the learning rate of the small batch is 1 before the first step, and k = m/m₀ from step
    ``steps`` on, on a straight line: 1 + (k − 1)·min(t/T, 1). The published schedule lasts 5 epochs.

    Args:
        batch_size: m, at least m₀.
        reference: m₀ ≥ 1, for which the learning rate was chosen.
        steps: T ≥ 1, steps until the full rate.

    Returns:
        A schedule, from the step t = 1, 2, … to the factor; join more by ``*``.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> gradual_warmup(1024, 256, steps=3).factors(4)
        [2.0, 3.0, 4.0, 4.0]

    Source: goyal2017accurate.
    """
    _check_sizes(batch_size, reference)
    if batch_size < reference:
        raise ValueError(f"batch_size must be >= reference = {reference} to warm up to, got {batch_size}")
    if not steps >= 1:
        raise ValueError(f"steps must be >= 1, got {steps}")
    start = reference / batch_size
    return linear_scaling(batch_size=batch_size, reference=reference) * warmup(steps=steps, start=start)


def _check_sizes(batch_size: int, reference: int) -> None:
    for name, value in (("batch_size", batch_size), ("reference", reference)):
        if not value >= 1:
            raise ValueError(f"{name} must be >= 1, got {value}")


def _check(ghost_size: int | None, ghosts: int | None, running: str, partial: str) -> None:
    if (ghost_size is None) == (ghosts is None):
        raise ValueError(
            f"ghost_size or ghosts must be given, and not both, got ghost_size={ghost_size}, ghosts={ghosts}"
        )
    name, value = ("ghosts", ghosts) if ghost_size is None else ("ghost_size", ghost_size)
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"{name} must be a whole number >= 1, got {value!r}")
    for name, value, allowed in (("running", running, RUNNING), ("partial", partial, PARTIAL)):
        if value not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}")
