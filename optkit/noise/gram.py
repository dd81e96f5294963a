"""The gradients of all examples at once, as a matrix of inner products: for small nets and few examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["gradient_gram", "mini_batch_noise", "one_example_noise"]


def gradient_gram(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
) -> np.ndarray:
    """Inner products of what is special about each example's gradient: ⟨g_i − G, g_j − G⟩.

    The noise of every batch size follows from this matrix, without a batch gradient being computed again.

    Args:
        model: From images to logits; layers that mix the examples of a batch (batch normalisation) are
            refused by torch.
        images: Shape (N, …), N at least 2. The memory needed is N times that of the largest weight.
        labels: int64, shape (N,).
        loss: From logits and labels to their mean loss; default cross-entropy.

    Returns:
        Shape (N, N), float64. Its rows add up to 0.

    Raises:
        ValueError: Fewer than 2 images, or another number of labels.

    Example:
        >>> import torch
        >>> from optkit.models import logistic_regression
        >>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
        >>> gram = gradient_gram(model, torch.ones(3, 1, 2, 2), torch.tensor([0, 0, 1]))
        >>> gram.shape, bool(gram[0, 0] == gram[0, 1])  # two equal examples
        ((3, 3), True)
    """
    import torch

    if len(images) < 2 or len(images) != len(labels):
        raise ValueError(
            f"labels must be as many as images and at least 2, got {len(labels)} for {len(images)}"
        )
    measure = loss or torch.nn.functional.cross_entropy

    def of_one(weights: dict[str, Any], image: Any, label: Any) -> Any:
        logits = torch.func.functional_call(model, weights, (image[None],))
        return measure(logits, label[None])

    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    gradients = torch.func.vmap(torch.func.grad(of_one), in_dims=(None, 0, 0))(weights, images, labels)
    gram = np.zeros((len(images), len(images)))
    for name in weights:
        flat = gradients.pop(name).flatten(1).double()
        flat -= flat.mean(dim=0)
        gram += (flat @ flat.T).cpu().numpy()
    return gram


def one_example_noise(gram: np.ndarray) -> float:
    """The noise σ of a batch of one example: the root of the mean of ‖g_i − G‖².

    Example:
        >>> one_example_noise(np.array([[4.0, -4.0], [-4.0, 4.0]]))
        2.0
    """
    return float(np.sqrt(np.trace(gram) / len(gram)))


def mini_batch_noise(
    gram: np.ndarray, batch_size: int, *, seed: int, draws: int = 500, replacement: bool = True
) -> float:
    """Draw mini-batches and measure their noise: the root mean square of ‖ĝ − G‖₂ over the draws.

    Args:
        gram: What `gradient_gram` returns, shape (N, N).
        batch_size: m, at least 1; at most N without replacement.
        seed: Of the draws, 0 … 2³² − 1.
        draws: Number of mini-batches, at least 1.
        replacement: Whether one example may be drawn twice.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> gram = np.array([[4.0, -4.0], [-4.0, 4.0]])
        >>> mini_batch_noise(gram, 2, seed=0, replacement=False)  # all the data: no noise
        0.0
    """
    count = len(gram)
    most = np.inf if replacement else count
    if not 1 <= batch_size <= most:
        raise ValueError(
            f"batch_size must be >= 1 and <= {most} (replacement={replacement}), got {batch_size}"
        )
    if draws < 1:
        raise ValueError(f"draws must be >= 1, got {draws}")
    random = np.random.RandomState(seed)  # NumPy promises that this stream never changes
    shares = np.zeros((draws, count))
    for share in shares:
        chosen = (
            random.randint(count, size=batch_size) if replacement else random.permutation(count)[:batch_size]
        )
        np.add.at(share, chosen, 1 / batch_size)
    squares = np.einsum("di,di->d", shares @ gram, shares)
    # At m = N rounding can leave a square of −1e-17.
    return float(np.sqrt(max(squares.mean(), 0.0)))
