"""Mean and variance of the gradients of single examples, in memory that does not grow with the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.modes import mode
from optkit.progress import Progress, bar

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["GradientStatistics", "gradient_statistics", "moments", "per_example_gradients"]


@dataclass(frozen=True)
class GradientStatistics:
    """What is known of N gradients g_i after going through them once.

    Attributes:
        count: N.
        mean: G, shape (dim,), float64.
        variance: Of each coordinate, divided by N − 1, shape (dim,), float64.
        block_counts: Examples in each of K blocks; example i is in block i mod K. Shape (K,).
        block_squares: Σ ‖g_i‖² over each block, shape (K,).
        block_products: Inner products of the sums Σ g_i over two blocks, shape (K, K).
    """

    count: int
    mean: np.ndarray = field(repr=False)
    variance: np.ndarray = field(repr=False)
    block_counts: np.ndarray = field(repr=False)
    block_squares: np.ndarray = field(repr=False)
    block_products: np.ndarray = field(repr=False)

    @property
    def total_variance(self) -> float:
        """The trace of the covariance, tr Σ: the mean square of the noise of one example. Unbiased."""
        return float(self.variance.sum())

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of each coordinate, shape (dim,)."""
        return np.sqrt(self.variance)


def per_example_gradients(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    chunk: int = 64,
) -> Iterator[torch.Tensor]:
    """Yield the gradients of single examples, some at a time, by torch.func.

    The model is asked in evaluation mode: where batch normalisation mixed the examples of a batch, one
    example would have no gradient of its own.

    Args:
        model: From inputs to outputs. Its parameters that require a gradient count, in their order.
        inputs: Shape (N, …), on the model's device.
        labels: N of them.
        loss: From outputs and labels to their MEAN loss; default cross-entropy.
        chunk: Examples at a time, at least 1: the memory needed is that of so many models.

    Yields:
        Shape (at most chunk, dim), of the weights' dtype.

    Raises:
        ValueError: Nothing to differentiate, or numbers that do not fit.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
        >>> pieces = per_example_gradients(model, torch.ones(5, 1, 2, 2), torch.zeros(5).long(), chunk=3)
        >>> [tuple(piece.shape) for piece in pieces]
        [(3, 10), (2, 10)]
    """
    import torch

    if chunk < 1:
        raise ValueError(f"chunk must be >= 1, got {chunk}")
    measure = loss or torch.nn.functional.cross_entropy
    weights = checked_weights(model, inputs, labels)

    def of_one(at: dict[str, Any], single: Any, label: Any) -> Any:
        return measure(torch.func.functional_call(model, at, (single[None],)), label[None])

    of_many = torch.func.vmap(torch.func.grad(of_one), in_dims=(None, 0, 0))
    for some, theirs in zip(inputs.split(chunk), labels.split(chunk), strict=True):
        with mode(model, training=False):
            found = of_many(weights, some, theirs)
        yield torch.cat([found[name].flatten(1) for name in weights], dim=1)


def gradient_statistics(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    chunk: int = 64,
    blocks: int = 20,
    progress: Progress = True,
) -> GradientStatistics:
    """Mean and variance of all gradients of single examples, gone through once.

    Args:
        model: From inputs to outputs; asked in evaluation mode.
        inputs: Shape (N, …), N at least ``blocks``, on the model's device.
        labels: N of them.
        loss: From outputs and labels to their MEAN loss; default cross-entropy.
        chunk: Examples at a time: the memory needed is that of ``chunk + 2 · blocks`` models, whatever N is.
        blocks: K, for the confidence interval of `noise_scale`, at least 2.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Raises:
        ValueError: The model has no parameters that require a gradient, or numbers do not fit.

    Example:
        >>> import torch
        >>> line = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.zeros_(line.weight)
        >>> data = torch.ones(4, 1), torch.tensor([[-1.0], [1.0], [3.0], [5.0]])  # gradients −2y
        >>> found = gradient_statistics(line, *data, loss=torch.nn.functional.mse_loss, blocks=2)
        >>> found.mean, round(found.total_variance, 6)
        (array([-4.]), 26.666667)
    """
    pieces = per_example_gradients(model, inputs, labels, loss=loss, chunk=chunk)
    with bar(len(inputs), "gradients of examples", "example", progress) as drawn:
        return moments(_counted(pieces, drawn), blocks=blocks)


def moments(pieces: Iterable[torch.Tensor], *, blocks: int = 20) -> GradientStatistics:
    """`GradientStatistics` of gradients that come in pieces of shape (some, dim).

    Raises:
        ValueError: Fewer than ``blocks`` gradients, or ``blocks`` below 2.
    """
    import torch

    if blocks < 2:
        raise ValueError(f"blocks must be >= 2, got {blocks}")
    count, mean, about_mean = 0, None, None
    sums = squares = None
    for piece in pieces:
        some = piece.detach().double()
        if sums is None:
            mean = torch.zeros_like(some[0])
            about_mean, sums = torch.zeros_like(mean), mean.new_zeros(blocks, len(mean))
            squares = mean.new_zeros(blocks)
        # Chan's merge of two sets: sums of squares alone would lose the variance to rounding.
        here, number = some.mean(dim=0), len(some)
        apart = here - mean
        about_mean += ((some - here) ** 2).sum(dim=0) + apart * apart * (count * number / (count + number))
        mean += apart * (number / (count + number))
        block = (torch.arange(number, device=some.device) + count) % blocks
        sums.index_add_(0, block, some)
        squares.index_add_(0, block, (some * some).sum(dim=1))
        count += number
    if count < blocks:
        raise ValueError(f"there must be at least as many examples as blocks = {blocks}, got {count}")
    return GradientStatistics(
        count,
        mean.cpu().numpy(),
        (about_mean / (count - 1)).cpu().numpy(),
        np.bincount(np.arange(count) % blocks, minlength=blocks),
        squares.cpu().numpy(),
        (sums @ sums.T).cpu().numpy(),
    )


def checked_weights(model: nn.Module, inputs: Any, labels: Any) -> dict[str, torch.Tensor]:
    """The parameters that require a gradient, by name.

    Raises:
        ValueError: There are none, or inputs and labels differ in number or are missing.
    """
    weights = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    if not weights:
        raise ValueError(
            f"model must have parameters that require a gradient, got {type(model).__name__} without any"
        )
    if len(inputs) < 1 or len(inputs) != len(labels):
        raise ValueError(
            f"labels must be as many as inputs and at least 1, got {len(labels)} for {len(inputs)}"
        )
    return weights


def _counted(pieces: Iterable[Any], drawn: Any) -> Iterator[Any]:
    for piece in pieces:
        yield piece
        drawn.update(len(piece))
