"""Mini-batches as training draws them: how long their gradients are, how far from that of all the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optkit.modes import mode
from optkit.noise.statistics import checked_weights
from optkit.progress import Progress, bar

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["NoiseCurve", "Slope", "batch_square_norms", "noise_against_batch_size"]


class Slope(NamedTuple):
    """The exponent p of a power law, and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True)
class NoiseCurve:
    """The noise at several batch sizes.

    Attributes:
        sizes: m, shape (n,).
        noise: Root mean square of ‖ĝ − G‖ over the draws, shape (n,).
        standard_error: Of the noise, shape (n,).
        count: N, the number of examples.
        replacement: Whether one example could be drawn twice.
    """

    sizes: np.ndarray
    noise: np.ndarray
    standard_error: np.ndarray
    count: int
    replacement: bool

    @property
    def per_population(self) -> np.ndarray:
        """The noise without the factor √((N − m)/(N − 1)) of drawing without replacement; NaN at m = N."""
        if self.replacement:
            return self.noise
        factor = np.sqrt((self.count - self.sizes) / max(self.count - 1, 1))
        return np.divide(self.noise, factor, out=np.full_like(self.noise, np.nan), where=factor > 0)

    def slope(self) -> Slope:
        """The exponent p in noise ∝ mᵖ, after the factor of drawing without replacement: −½ is expected.

        Least squares of the logarithms, each weighed by its standard error; sizes without noise are left out.

        Raises:
            ValueError: Fewer than two sizes have noise.
        """
        values = self.per_population
        kept = np.isfinite(values) & (values > 0) & (self.standard_error > 0)
        if len(np.unique(self.sizes[kept])) < 2:
            raise ValueError("sizes must be 2 at least with noise in their gradients, got fewer")
        x, y = np.log(self.sizes[kept]), np.log(values[kept])
        weight = (self.noise[kept] / self.standard_error[kept]) ** 2
        x = x - np.average(x, weights=weight)
        spread = float((weight * x * x).sum())
        return Slope(float((weight * x * y).sum()) / spread, spread**-0.5)


def noise_against_batch_size(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    sizes: Sequence[int],
    *,
    draws: int = 100,
    replacement: bool = True,
    seed: int = 0,
    loss: Callable[[Any, Any], Any] | None = None,
    chunk: int = 500,
    progress: Progress = True,
) -> NoiseCurve:
    """Draw mini-batches of several sizes, and measure how far their gradients are from that of all the data.

    Each gradient is computed as in training, by one backward pass; nothing of the formulas is assumed.

    Args:
        model: From inputs to outputs; asked in evaluation mode.
        inputs: Shape (N, …), on the model's device.
        labels: N of them.
        sizes: Batch sizes m, each at least 1; at most N without replacement.
        draws: Mini-batches of each size, at least 2.
        replacement: Whether one example may be drawn twice.
        seed: Of the draws, 0 … 2³² − 1.
        loss: From outputs and labels to their MEAN loss; default cross-entropy.
        chunk: Examples at a time in a large batch; changes results by rounding only.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        `NoiseCurve`.

    Raises:
        ValueError: The model has no parameters that require a gradient, or a number is out of range.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
        >>> generator = torch.Generator().manual_seed(0)
        >>> data = torch.randn(64, 1, 2, 2, generator=generator), torch.arange(64) % 2
        >>> round(noise_against_batch_size(model, *data, [2, 8, 32], draws=400).slope().value, 1)
        -0.5
    """
    weights = checked_weights(model, inputs, labels)
    _check_sizes(sizes, len(inputs), replacement)
    if draws < 2:
        raise ValueError(f"draws must be >= 2, got {draws}")
    random = np.random.RandomState(seed)
    noise, errors = [], []
    with bar(1 + len(sizes) * draws, "noise", "gradient", progress) as drawn, mode(model, training=False):
        whole = _gradient(model, weights, inputs, labels, np.arange(len(inputs)), loss, chunk)
        drawn.update()
        for size in sizes:
            squares = []
            for batch in _batches(random, len(inputs), size, draws, replacement):
                g = _gradient(model, weights, inputs, labels, batch, loss, chunk)
                squares.append(float(((g - whole) ** 2).sum()))
                drawn.update()
            level = np.sqrt(np.mean(squares))
            noise.append(level)
            # Of a root: the error of the mean square over twice the root.
            errors.append(np.std(squares, ddof=1) / np.sqrt(draws) / (2 * level) if level else 0.0)
    return NoiseCurve(np.asarray(sizes), np.asarray(noise), np.asarray(errors), len(inputs), replacement)


def batch_square_norms(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    small: int,
    big: int,
    draws: int = 50,
    seed: int = 0,
    loss: Callable[[Any, Any], Any] | None = None,
    progress: Progress = True,
) -> tuple[np.ndarray, np.ndarray]:
    """|G_s|² and |G_b|² of drawn batches, for `noise_scale_of_batches`.

    A big batch is made of big/small small ones, as of the devices in data-parallel training: their gradients
    are averaged for |G_b|², and their squares for |G_s|². Examples are drawn with replacement.

    Args:
        model: From inputs to outputs; asked in evaluation mode.
        inputs: Shape (N, …), on the model's device.
        labels: N of them.
        small: B_s ≥ 1.
        big: B_b, a multiple of ``small`` and larger.
        draws: Number of big batches, at least 2.
        seed: Of the draws, 0 … 2³² − 1.
        loss: From outputs and labels to their MEAN loss; default cross-entropy.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        Two arrays of shape (draws,).

    Raises:
        ValueError: The model has no parameters that require a gradient, or a number is out of range.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
        >>> data = torch.ones(8, 1, 2, 2), torch.zeros(8).long()  # all examples alike: no noise
        >>> short, long = batch_square_norms(model, *data, small=2, big=4, draws=3)
        >>> bool(np.allclose(short, long))
        True
    """
    weights = checked_weights(model, inputs, labels)
    if not (1 <= small < big and big % small == 0):
        raise ValueError(f"big must be a multiple of small >= 1 and larger, got small={small}, big={big}")
    if draws < 2:
        raise ValueError(f"draws must be >= 2, got {draws}")
    random = np.random.RandomState(seed)
    short, long = np.zeros(draws), np.zeros(draws)
    parts = big // small
    with bar(draws * parts, "noise scale", "gradient", progress) as drawn, mode(model, training=False):
        for draw in range(draws):
            total: Any = 0
            for batch in random.randint(len(inputs), size=(parts, small)):
                g = _gradient(model, weights, inputs, labels, batch, loss, small)
                short[draw] += float((g * g).sum()) / parts
                total = total + g / parts
                drawn.update()
            long[draw] = float((total * total).sum())
    return short, long


def _check_sizes(sizes: Sequence[int], count: int, replacement: bool) -> None:
    most = np.inf if replacement else count
    for size in sizes:
        if not 1 <= size <= most:
            raise ValueError(
                f"each of sizes must be >= 1 and <= {most} (replacement={replacement}), got {size}"
            )
    if not len(sizes):
        raise ValueError("sizes must be 1 at least, got none")


def _batches(random: Any, count: int, size: int, draws: int, replacement: bool) -> Iterator[np.ndarray]:
    for _ in range(draws):
        yield random.randint(count, size=size) if replacement else random.permutation(count)[:size]


def _gradient(
    model: nn.Module,
    weights: dict[str, torch.Tensor],
    inputs: torch.Tensor,
    labels: torch.Tensor,
    batch: np.ndarray,
    loss: Callable[[Any, Any], Any] | None,
    chunk: int,
) -> torch.Tensor:
    """The gradient of the mean loss of a batch, flat, float64."""
    import torch

    measure = loss or torch.nn.functional.cross_entropy
    leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    total: Any = 0
    for some in torch.as_tensor(batch, device=inputs.device).split(chunk):
        value = measure(torch.func.functional_call(model, leaves, (inputs[some],)), labels[some])
        pieces = torch.autograd.grad(value, list(leaves.values()))
        flat = torch.cat([piece.flatten() for piece in pieces]).double()
        total = total + flat * (len(some) / len(batch))
    return total
