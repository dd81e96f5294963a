"""The largest eigenvalues of a Hessian that is never formed, by Lanczos' method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optkit.progress import Progress, bar

__all__ = ["Eigenpairs", "top_eigenvalues"]

ENDS = {"largest": "LA", "smallest": "SA", "magnitude": "LM"}


@dataclass(frozen=True)
class Eigenpairs:
    """Eigenvalues with their signs, and how far each is from being one.

    Attributes:
        values: λ, shape (k,), from the end that was asked for inwards.
        vectors: Unit eigenvectors, shape (n, k).
        residuals: ‖Au − λu‖₂, shape (k,): within this distance of λ there is a true eigenvalue.
        products: Number of matrix-vector products it took.
    """

    values: np.ndarray
    vectors: np.ndarray = field(repr=False)
    residuals: np.ndarray
    products: int


def top_eigenvalues(
    matrix: Any,
    k: int = 5,
    *,
    end: str = "largest",
    tolerance: float = 1e-5,
    max_products: int = 1_000,
    seed: int = 0,
    progress: Progress = True,
) -> Eigenpairs:
    """The k outermost eigenvalues of a symmetric matrix, by ARPACK's restarted Lanczos iteration.

    Only products with vectors are asked for, and max(2k + 1, 20) vectors are kept.

    Args:
        matrix: Symmetric, shape (n, n): an array, a sparse matrix or a LinearOperator, such as
            `LossSurface.hessian` gives.
        k: How many, 1 … n.
        end: ``"largest"`` (most positive), ``"smallest"`` (most negative) or ``"magnitude"`` (largest |λ|).
        tolerance: Stop when all residuals are estimated below this share of |λ|, > 0. A product in float32 is
            not good for less than about 1e-6.
        max_products: Give up after about so many products.
        seed: Of the first vector, 0 … 2³² − 1.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        `Eigenpairs`.

    Raises:
        ValueError: An argument is out of range.
        RuntimeError: Not all k have been found after ``max_products``, or a product was not finite.

    Example:
        >>> top_eigenvalues(np.diag([3.0, -7.0, 2.0, 1.0]), k=2).values.round(6)
        array([3., 2.])

    Source: lehoucq1998arpack.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, aslinearoperator, eigsh

    given = aslinearoperator(matrix)
    n = given.shape[0]
    if given.shape != (n, n):
        raise ValueError(f"matrix must be square, got shape {given.shape}")
    if not 1 <= k <= n:
        raise ValueError(f"k must be in 1 … {n}, the size of the matrix, got {k}")
    if end not in ENDS:
        raise ValueError(f"end must be 'largest', 'smallest' or 'magnitude', got {end!r}")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be > 0, got {tolerance}")
    products = 0
    with bar(None, "eigenvalues", "product", progress) as drawn:

        def counted(vector: np.ndarray) -> np.ndarray:
            nonlocal products
            products += 1
            drawn.update()
            found = given.matvec(vector)
            if not np.isfinite(found).all():
                raise RuntimeError(
                    f"product {products} with the matrix is not finite: the loss or its curvature overflows"
                )
            return found

        if n <= max(2 * k + 1, 20):  # as many products as Lanczos' basis has vectors
            values, vectors = np.linalg.eigh(np.stack([counted(row) for row in np.eye(n)], axis=1))
        else:
            operator = LinearOperator((n, n), matvec=counted, dtype=np.float64)
            start = np.random.RandomState(seed).standard_normal(n)
            basis = max(2 * k + 1, 20)
            try:
                values, vectors = eigsh(
                    operator,
                    k,
                    which=ENDS[end],
                    v0=start,
                    tol=tolerance,
                    ncv=basis,
                    # Each restart makes at most ncv − k products.
                    maxiter=max(1, max_products // (basis - k)),
                )
            except ArpackNoConvergence as error:
                raise RuntimeError(
                    f"{len(error.eigenvalues)} of {k} eigenvalues found after {products} products; raise "
                    "max_products or tolerance"
                ) from error
        inwards = {"largest": -values, "smallest": values, "magnitude": -np.abs(values)}[end]
        order = np.argsort(inwards, kind="stable")[:k]
        values, vectors = values[order], vectors[:, order]
        apart = np.stack([counted(u) for u in vectors.T], axis=1) - values * vectors
    return Eigenpairs(values, vectors, np.linalg.norm(apart, axis=0), products)
