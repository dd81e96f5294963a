"""What a mini-batch gradient costs: a part that every step pays, and a part for each example."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optkit.noise.statistics import checked_weights

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["StepCost", "fit_step_cost", "gradient_seconds"]


class StepCost(NamedTuple):
    """Seconds of a gradient of m examples: ``step + m · example``."""

    step: float
    example: float

    @property
    def even(self) -> float:
        """The batch size at which the examples cost as much as the step itself; infinite if they are free."""
        return self.step / self.example if self.example else float("inf")


def gradient_seconds(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    sizes: Sequence[int],
    *,
    repeats: int = 9,
    loss: Callable[[Any, Any], Any] | None = None,
) -> np.ndarray:
    """Measure how long the gradient of a mini-batch takes, forward and backward, on the machine at hand.

    The sizes take turns, so that a busy moment does not fall on one of them alone. Each time is the second of
    two in a row: the first still pays for what the size before it left in the caches. The weights stay.

    Args:
        model: From inputs to outputs.
        inputs: Shape (N, …), on the CPU.
        labels: N of them.
        sizes: Batch sizes m, each 1 … N.
        repeats: Turns, at least 1.
        loss: From outputs and labels to their mean loss; default cross-entropy.

    Returns:
        Seconds, shape (repeats, sizes). The lowest of each column is least disturbed by others.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
        >>> data = torch.ones(8, 1, 2, 2), torch.zeros(8).long()
        >>> gradient_seconds(model, *data, [1, 8], repeats=3).shape
        (3, 2)
    """
    import torch

    checked_weights(model, inputs, labels)
    if not len(sizes) or not all(1 <= size <= len(inputs) for size in sizes):
        raise ValueError(f"sizes must be 1 … {len(inputs)} and one at least, got {list(sizes)}")
    if repeats < 1:
        raise ValueError(f"repeats must be >= 1, got {repeats}")
    measure = loss or torch.nn.functional.cross_entropy
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    taken = np.zeros((repeats, len(sizes)))
    for turn in taken:
        for place, size in enumerate(sizes):
            for _ in range(2):
                began = time.perf_counter()
                torch.autograd.grad(measure(model(inputs[:size]), labels[:size]), weights)
                turn[place] = time.perf_counter() - began
    return taken


def fit_step_cost(sizes: Any, seconds: Any) -> StepCost:
    """The part of a step and the part of an example, by least squares of the relative error.

    Args:
        sizes: Batch sizes m, at least two different ones.
        seconds: Of each, > 0.

    Raises:
        ValueError: Numbers that do not fit.

    Example:
        >>> cost = fit_step_cost([1, 10, 100], [1.01, 1.1, 2.0])
        >>> round(cost.step, 6), round(cost.example, 6), round(cost.even)
        (1.0, 0.01, 100)
    """
    m, taken = np.asarray(sizes, dtype=float), np.asarray(seconds, dtype=float)
    if m.ndim != 1 or m.shape != taken.shape or len(np.unique(m)) < 2:
        raise ValueError(
            f"sizes and seconds must be as many, of 2 sizes at least, got {m.shape} and {taken.shape}"
        )
    if not ((m >= 1).all() and (taken > 0).all() and np.isfinite(taken).all()):
        raise ValueError("sizes must be >= 1 and seconds > 0, all finite")
    from scipy.optimize import nnls

    (step, example), _ = nnls(np.stack([1 / taken, m / taken], axis=1), np.ones_like(m))
    return StepCost(float(step), float(example))
