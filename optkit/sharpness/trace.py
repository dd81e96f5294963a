"""The trace of a matrix from products with random vectors, with its standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from optkit.progress import Progress, bar

if TYPE_CHECKING:
    from optkit.sharpness.surface import LossSurface

__all__ = ["TraceEstimate", "trace", "trace_by_parameter"]

METHODS = ("hutchinson", "hutch++")


class TraceEstimate(NamedTuple):
    """An unbiased estimate, its standard error, and the number of products it took."""

    value: float
    standard_error: float
    products: int


def trace(
    matrix: Any,
    *,
    products: int = 90,
    method: str = "hutchinson",
    seed: int = 0,
    progress: Progress = True,
) -> TraceEstimate:
    """The trace of a symmetric matrix: mean of zᵀAz over random vectors z of ±1 (Hutchinson).

    Hutch++ spends a third of the products on a subspace Q that holds most of A, a third on the exact trace
    there, and the last third on Hutchinson's estimate of the rest: tr QᵀAQ + mean of zᵀ(I−QQᵀ)A(I−QQᵀ)z.
    It pays where few eigenvalues make up most of the trace. The standard error is that of the mean over z:
    the standard deviation over the root of their number. For Hutch++ it is that of the rest, given Q.

    Args:
        matrix: Symmetric, shape (n, n): an array, a sparse matrix or a LinearOperator, such as
            `LossSurface.hessian` gives.
        products: How many to spend: at least 2, for Hutch++ at least 6. It takes a multiple of 3.
        method: ``"hutchinson"`` or ``"hutch++"``.
        seed: 0 … 2³² − 1.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        `TraceEstimate`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> trace(np.diag([3.0, -1.0]), products=4)  # exact, where the matrix is diagonal
        TraceEstimate(value=2.0, standard_error=0.0, products=4)

    Source: hutchinson1990stochastic; meyer2021hutchpp for Hutch++.
    """
    from scipy.sparse.linalg import aslinearoperator

    given = aslinearoperator(matrix)
    n = given.shape[0]
    if given.shape != (n, n):
        raise ValueError(f"matrix must be square, got shape {given.shape}")
    if method not in METHODS:
        raise ValueError(f"method must be 'hutchinson' or 'hutch++', got {method!r}")
    least = 2 if method == "hutchinson" else 6
    if products < least:
        raise ValueError(f"products must be >= {least} for {method}, got {products}")
    random = np.random.RandomState(seed)
    third = products // 3
    with bar(products if method == "hutchinson" else 3 * third, "trace", "product", progress) as drawn:

        def product(vector: np.ndarray) -> np.ndarray:
            drawn.update()
            return given.matvec(vector)

        def signs(count: int) -> np.ndarray:
            return 2.0 * random.randint(2, size=(n, count)) - 1.0

        if method == "hutchinson":
            return TraceEstimate(*_mean([z @ product(z) for z in signs(products).T]), products)
        third = min(third, n)
        sketch = np.stack([product(z) for z in signs(third).T], axis=1)
        # Dependent columns would add arbitrary directions: harmless, and only their number is bounded by n.
        basis, _ = np.linalg.qr(sketch)
        inside = sum(float(q @ product(q)) for q in basis.T)
        outside = [z - basis @ (basis.T @ z) for z in signs(third).T]
        value, error = _mean([z @ product(z) for z in outside])
    return TraceEstimate(inside + value, error, 3 * third)


def trace_by_parameter(
    surface: LossSurface, *, products: int = 30, seed: int = 0, progress: Progress = True
) -> dict[str, TraceEstimate]:
    """The trace of each diagonal block of the Hessian, a block for each parameter of the model.

    One product Hz serves all blocks: the mean of z_bᵀ(Hz)_b over random signs z is tr H_bb, since the signs
    of other blocks are independent of z_b. The estimates add up to that of `trace` from the same vectors.

    Args:
        surface: The loss of a model.
        products: How many to spend, at least 2.
        seed: 0 … 2³² − 1.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        The parameter's name → `TraceEstimate`.

    Raises:
        ValueError: ``products`` is out of range.

    Example:
        >>> import torch
        >>> from optkit.sharpness import LossSurface
        >>> line = torch.nn.Linear(1, 1)
        >>> data = torch.full((1, 1), 3.0), torch.zeros(1, 1)
        >>> surface = LossSurface(line, data, loss=torch.nn.functional.mse_loss)
        >>> found = trace_by_parameter(surface, products=100)
        >>> weight, bias = found["weight"], found["bias"]
        >>> abs(weight.value - 18) < 4 * weight.standard_error  # 2 · 3²
        True
        >>> abs(bias.value - 2) < 4 * bias.standard_error
        True

    Source: hutchinson1990stochastic.
    """
    if products < 2:
        raise ValueError(f"products must be >= 2, got {products}")
    import torch

    random = np.random.RandomState(seed)
    samples: dict[str, list[float]] = {}
    with bar(products, "trace", "product", progress) as drawn:
        for _ in range(products):
            z = torch.as_tensor(2.0 * random.randint(2, size=surface.dim) - 1.0)
            at = surface.hessian_vector_product(z).double().cpu()
            for name, part in surface.split(z * at).items():
                samples.setdefault(name, []).append(part.sum().item())
            drawn.update()
    return {name: TraceEstimate(*_mean(values), products) for name, values in samples.items()}


def _mean(samples: list[float]) -> tuple[float, float]:
    values = np.asarray(samples, dtype=float)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return float(values.mean()), float(error)
