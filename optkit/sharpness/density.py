"""How the eigenvalues of a matrix are spread, by stochastic Lanczos quadrature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optkit.progress import Progress, bar

__all__ = ["SpectralDensity", "spectral_density"]


@dataclass(frozen=True)
class SpectralDensity:
    """Nodes and weights that stand for all eigenvalues: sums over them are means over the spectrum.

    Attributes:
        nodes: Places on the axis of eigenvalues, shape (m,), ascending.
        weights: Share of the spectrum at each, shape (m,); they add up to 1.
    """

    nodes: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)

    def mean(self, function: Any) -> float:
        """The mean of a function over the spectrum: tr f(A)/n."""
        return float(self.weights @ function(self.nodes))

    def smoothed(self, points: Any, width: float) -> np.ndarray:
        """The density at each point, every node drawn out to a normal distribution.

        Args:
            points: Eigenvalues, any shape.
            width: Standard deviation of the normal distributions, > 0.

        Raises:
            ValueError: ``width`` is not positive.
        """
        if not width > 0:
            raise ValueError(f"width must be > 0, got {width}")
        z = (np.asarray(points, dtype=float)[..., None] - self.nodes) / width
        return np.exp(-z * z / 2) @ self.weights / (width * np.sqrt(2 * np.pi))

    def below(self, points: Any) -> np.ndarray:
        """The share of the spectrum at or below each point."""
        total = np.concatenate([[0.0], np.cumsum(self.weights)])
        return total[np.searchsorted(self.nodes, points, side="right")]


def spectral_density(
    matrix: Any, *, probes: int = 10, steps: int = 80, seed: int = 0, progress: Progress = True
) -> SpectralDensity:
    """The spectral density of a symmetric matrix: the mean over random starts of Lanczos' quadratures.

    From a random unit vector v, m steps of Lanczos' method give a tridiagonal T. With its eigenvalues as
    nodes and the squared first entries of its eigenvectors as weights, Σ w f(node) is vᵀf(A)v for polynomials
    f up to degree 2m − 1, whose mean over v is tr f(A)/n.

    Args:
        matrix: Symmetric, shape (n, n): an array, a sparse matrix or a LinearOperator, such as
            `LossSurface.hessian` gives.
        probes: Random starts, at least 1. The error falls with the root of their number.
        steps: m, at least 1: resolution. All m vectors are kept, and made orthogonal to each other again and
            again, since rounding undoes it.
        seed: 0 … 2³² − 1.
        progress: Draw a bar: True (on a terminal), False or ``"always"``.

    Returns:
        `SpectralDensity`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> found = spectral_density(np.diag([1.0, 1.0, 1.0, 5.0]), probes=2)
        >>> np.unique(found.nodes.round(6))
        array([1., 5.])

    Source: ghorbani2019investigation.
    """
    from scipy.linalg import eigh_tridiagonal
    from scipy.sparse.linalg import aslinearoperator

    given = aslinearoperator(matrix)
    n = given.shape[0]
    if given.shape != (n, n):
        raise ValueError(f"matrix must be square, got shape {given.shape}")
    for name, value in (("probes", probes), ("steps", steps)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    random = np.random.RandomState(seed)
    nodes, weights = [], []
    steps = min(steps, n)
    with bar(probes * steps, "spectral density", "product", progress) as drawn:
        for _ in range(probes):
            start = random.standard_normal(n)
            diagonal, beside = _lanczos(given, start / np.linalg.norm(start), steps, drawn)
            values, vectors = eigh_tridiagonal(diagonal, beside)
            nodes.append(values)
            weights.append(vectors[0] ** 2 / probes)
    where, share = np.concatenate(nodes), np.concatenate(weights)
    order = np.argsort(where)
    return SpectralDensity(where[order], share[order])


def _lanczos(matrix: Any, start: np.ndarray, steps: int, drawn: Any) -> tuple[np.ndarray, np.ndarray]:
    basis = np.empty((steps, len(start)))
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    basis[0] = start
    for m in range(steps):
        w = matrix.matvec(basis[m])
        drawn.update()
        diagonal[m] = basis[m] @ w
        scale = np.linalg.norm(w)
        for _ in range(2):  # twice is enough
            w = w - basis[: m + 1].T @ (basis[: m + 1] @ w)
        beside[m] = np.linalg.norm(w)
        # Nothing is left but rounding: the start lies in a subspace that the matrix keeps.
        if m + 1 == steps or beside[m] <= 1e-10 * scale:
            return diagonal[: m + 1], beside[:m]
        basis[m + 1] = w / beside[m]
    raise AssertionError("unreachable")
