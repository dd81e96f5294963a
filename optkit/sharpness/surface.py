"""The loss of a model on data as a function of one vector: all weights, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.modes import mode

if TYPE_CHECKING:
    import torch
    from scipy.sparse.linalg import LinearOperator
    from torch import nn

    Batches = tuple[torch.Tensor, torch.Tensor] | Iterable[tuple[torch.Tensor, torch.Tensor]]

__all__ = ["LossSurface"]


class LossSurface:
    """L(θ), its gradient and its curvature, over all examples and in batches.

    θ is every parameter that requires a gradient, flattened, in the order of ``model.parameters()``. The
    model is asked in evaluation mode, where batch normalisation makes no loss depend on the other examples of
    a batch, and is left as it was.

    Args:
        model: From inputs to outputs.
        data: Inputs and labels, two tensors of N examples each; or anything that yields such pairs batch by
            batch whenever it is gone through, a DataLoader for one. A loader must give the same examples each
            time, in any order. Batches are brought to the model's device.
        loss: From outputs and labels to their MEAN loss; default cross-entropy.
        batch_size: Examples at a time for two tensors, at least 1. Changes results by rounding only.

    Attributes:
        dim: Number of weights.

    Raises:
        TypeError: ``data`` can be gone through once only.
        ValueError: The model has no parameters that require a gradient, there are no examples, or inputs and
            labels differ in number.

    Example:
        >>> import torch
        >>> line = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.constant_(line.weight, 3.0)
        >>> data = torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1)
        >>> surface = LossSurface(line, data, loss=torch.nn.functional.mse_loss)
        >>> surface.value(), surface.gradient().tolist()  # 2.5 θ², 5 θ
        (22.5, [15.0])
        >>> surface.hessian_vector_product(torch.ones(1)).tolist()
        [5.0]
    """

    def __init__(
        self,
        model: nn.Module,
        data: Batches,
        *,
        loss: Callable[[Any, Any], Any] | None = None,
        batch_size: int = 250,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be >= 1, got {batch_size}")
        self.model, self.data, self.batch_size = model, data, batch_size
        self._names = [name for name, p in model.named_parameters() if p.requires_grad]
        if not self._names:
            raise ValueError(
                f"model must have parameters that require a gradient, got {type(model).__name__} without any"
            )
        import torch

        self._loss = loss or torch.nn.functional.cross_entropy
        if self._is_pair():
            inputs, labels = data
            if len(inputs) == 0 or len(inputs) != len(labels):
                raise ValueError(
                    f"labels must be as many as inputs and at least 1, got {len(labels)} for {len(inputs)}"
                )
        elif iter(data) is data:
            raise TypeError(
                f"data must be two tensors, or something to go through again and again such as a DataLoader, "
                f"got {type(data).__name__}, which ends after once; use list(data)"
            )
        parameters = [p for p in model.parameters() if p.requires_grad]
        self._shapes = [p.shape for p in parameters]
        self.dim = sum(p.numel() for p in parameters)

    @property
    def theta(self) -> torch.Tensor:
        """A copy of the model's present weights, shape (dim,)."""
        import torch

        weights = dict(self.model.named_parameters())
        return torch.cat([weights[name].detach().flatten() for name in self._names])

    def split(self, vector: torch.Tensor) -> dict[str, torch.Tensor]:
        """A vector of shape (dim,) as views of the parameters' shapes, by their names."""
        parts = vector.split([shape.numel() for shape in self._shapes])
        return {n: p.view(s) for n, p, s in zip(self._names, parts, self._shapes, strict=True)}

    def value(self, theta: Any = None) -> float:
        """L(θ); by default at the model's present weights."""
        return self._pass(theta, lambda loss, at: (loss.detach().double(),), gradients=False)[0].item()

    def gradient(self, theta: Any = None) -> torch.Tensor:
        """∇L(θ), shape (dim,)."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Any = None) -> tuple[float, torch.Tensor]:
        """L(θ) and ∇L(θ), for the cost of the second."""
        import torch

        def of_batch(loss: Any, at: Any) -> Any:
            return loss.detach().double(), torch.autograd.grad(loss, at)[0]

        value, gradient = self._pass(theta, of_batch)
        return value.item(), gradient

    def hessian_vector_product(self, vector: Any, theta: Any = None) -> torch.Tensor:
        """∇²L(θ) u by differentiating ⟨∇L, u⟩ again: about three gradients, and no matrix.

        Args:
            vector: u, shape (dim,).
            theta: Where; by default at the model's present weights.

        Source: pearlmutter1994fast.
        """
        import torch

        u = self._vector(vector, "vector")

        def of_batch(loss: Any, at: Any) -> Any:
            (slope,) = torch.autograd.grad(loss, at, create_graph=True)
            if not slope.requires_grad:  # a loss that is linear in θ
                return (torch.zeros_like(u),)
            (product,) = torch.autograd.grad(slope, at, u, allow_unused=True)
            return (torch.zeros_like(u) if product is None else product,)

        return self._pass(theta, of_batch)[0]

    def hessian(self, theta: Any = None) -> LinearOperator:
        """∇²L(θ) as a linear operator of shape (dim, dim) on float64 arrays, without ever forming it."""
        from scipy.sparse.linalg import LinearOperator

        at = self.theta if theta is None else self._vector(theta, "theta").clone()

        def product(vector: np.ndarray) -> np.ndarray:
            found = self.hessian_vector_product(vector.reshape(-1), at)
            return found.double().cpu().numpy()

        return LinearOperator((self.dim, self.dim), matvec=product, rmatvec=product, dtype=np.float64)

    def _vector(self, values: Any, name: str) -> torch.Tensor:
        import torch

        like = next(p for p in self.model.parameters() if p.requires_grad)
        found = torch.as_tensor(values, dtype=like.dtype, device=like.device).detach()
        if found.shape != (self.dim,):
            raise ValueError(f"{name} must have shape ({self.dim},), got {tuple(found.shape)}")
        return found

    def _pass(self, theta: Any, of_batch: Any, *, gradients: bool = True) -> list[torch.Tensor]:
        """The mean over all examples of what ``of_batch`` makes of a batch's loss and θ."""
        import torch

        at = (self.theta if theta is None else self._vector(theta, "theta").clone()).requires_grad_(gradients)
        totals: list[torch.Tensor] = []
        count = 0
        with mode(self.model, training=False), torch.set_grad_enabled(gradients):
            for inputs, labels in self._batches(at.device):
                outputs = torch.func.functional_call(self.model, self.split(at), (inputs,))
                loss = self._loss(outputs, labels)
                if loss.numel() != 1:
                    raise ValueError(
                        "loss must return the mean over the examples, one number, got a tensor of shape "
                        f'{tuple(loss.shape)}; leave out reduction="none"'
                    )
                parts = [len(inputs) * part for part in of_batch(loss, at)]
                totals = [a + b for a, b in zip(totals, parts, strict=True)] if totals else parts
                count += len(inputs)
        if not count:
            raise ValueError("data must hold at least 1 example, got none")
        return [total / count for total in totals]

    def _is_pair(self) -> bool:
        import torch

        pair = isinstance(self.data, (tuple, list)) and len(self.data) == 2
        return pair and all(isinstance(part, torch.Tensor) for part in self.data)

    def _batches(self, device: Any) -> Iterator[tuple[Any, Any]]:
        if self._is_pair():
            pieces: Any = zip(*(part.split(self.batch_size) for part in self.data), strict=True)
        else:
            pieces = self.data
        for inputs, labels in pieces:
            yield inputs.to(device), labels.to(device)
