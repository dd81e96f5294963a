"""The iteration itself, on many starts at once, and what it leaves behind."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ON_INDEFINITE = ("refuse", "damp", "follow")
LIMIT = 1e12
REASONS = {
    "converged": "the gradient is below the tolerance",
    "max_steps": "the steps ran out: it cycles, wanders or is slow",
    "diverged": "the iterate is not finite or beyond 1e12",
    "indefinite": "the Hessian is not positive definite, and on_indefinite is 'refuse'",
    "singular": "the Hessian (for a root, the derivative) is singular: there is no Newton step",
}
STATUSES = tuple(REASONS)


@dataclass(frozen=True)
class NewtonPath:
    """The iterates of Newton's method and why it stopped.

    Attributes:
        points: (steps + 1, dim) iterates, the start first; for a root dim is 1.
        residuals: (steps + 1,) largest absolute entry of the gradient (for a root, of f) at each.
        status: ``"converged"``, ``"max_steps"``, ``"diverged"``, ``"indefinite"`` or ``"singular"``.
        eigenvalues: (dim,) eigenvalues of the last Hessian, ascending (for a root, f′): all positive at a
            minimum, of both signs at a saddle. NaN where the last point is not finite.
    """

    points: Array
    residuals: Array
    status: str
    eigenvalues: Array = field(repr=False)

    @property
    def point(self) -> Array:
        """The last iterate."""
        return self.points[-1]

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self.points) - 1

    @property
    def converged(self) -> bool:
        """Whether the tolerance was met."""
        return self.status == "converged"

    @property
    def reason(self) -> str:
        """Why it stopped, in words."""
        return f"after {self.steps} step(s): {REASONS[self.status]}"


def iterate(
    gradient: Any,
    hessian: Any,
    points: Array,
    max_steps: int,
    tolerance: float,
    on_indefinite: str,
    damping: float,
) -> Any:
    """Yield (points, residuals, status, eigenvalues) of all starts after 0, 1, 2, … steps."""
    points = points.copy()
    running = np.ones(len(points), dtype=bool)
    status = np.full(len(points), STATUSES.index("max_steps"))
    residuals = np.full(len(points), np.nan)
    values = np.full(points.shape, np.nan)
    with np.errstate(all="ignore"):  # far away the arithmetic may overflow; the status says so
        for step in range(max_steps + 1):
            where = np.flatnonzero(running)
            g, h = np.asarray(gradient(points[where])), np.array(hessian(points[where]))
            size = np.abs(g).max(axis=-1)
            finite = (np.abs(points[where]).max(axis=-1) <= LIMIT) & np.isfinite(size)
            finite &= np.isfinite(h).all(axis=(-2, -1))
            h[~finite] = np.eye(h.shape[-1])
            eigenvalues = np.linalg.eigvalsh(h)
            low, high = eigenvalues[:, 0], np.abs(eigenvalues).max(axis=-1)
            # Exactly singular, or so nearly that the step would be rounding.
            flat = np.finfo(float).eps * high
            singular = np.abs(eigenvalues).min(axis=-1) <= flat
            new = np.full(len(where), STATUSES.index("max_steps"))
            if on_indefinite == "refuse":
                new[low <= 0] = STATUSES.index("indefinite")
            if on_indefinite != "damp":
                new[singular] = STATUSES.index("singular")
            new[size <= tolerance] = STATUSES.index("converged")
            new[~finite] = STATUSES.index("diverged")
            status[where], residuals[where] = new, np.where(finite, size, np.inf)
            values[where] = np.where(finite[:, None], eigenvalues, np.nan)
            on = new == STATUSES.index("max_steps")
            running[where] = on
            yield points.copy(), residuals.copy(), status.copy(), values.copy()
            if step == max_steps or not on.any():
                return
            h, g, low, high, flat = h[on], g[on], low[on], high[on], flat[on]
            if on_indefinite == "damp":
                floor = damping * np.where(high > 0, high, 1.0)
                h = h + np.where(low <= flat, floor - low, 0.0)[:, None, None] * np.eye(h.shape[-1])
            points[where[on]] -= np.linalg.solve(h, g[..., None])[..., 0]


def follow(
    gradient: Any,
    hessian: Any,
    start: Any,
    max_steps: int,
    tolerance: float,
    on_indefinite: str,
    damping: float,
) -> NewtonPath:
    """The path from one start, by `iterate`."""
    check(max_steps, tolerance, on_indefinite, damping)
    first = np.array(start, dtype=np.float64)
    if first.ndim != 1 or not np.isfinite(first).all():
        raise ValueError(f"start must be finite and of shape (dim,), got {start!r}")
    rows = list(iterate(gradient, hessian, first[None], max_steps, tolerance, on_indefinite, damping))
    return NewtonPath(
        points=np.array([points[0] for points, _, _, _ in rows]),
        residuals=np.array([residuals[0] for _, residuals, _, _ in rows]),
        status=STATUSES[rows[-1][2][0]],
        eigenvalues=rows[-1][3][0],
    )


def check(max_steps: int, tolerance: float, on_indefinite: str, damping: float) -> None:
    """Raise if an argument is out of range."""
    if isinstance(max_steps, bool) or not hasattr(max_steps, "__index__") or max_steps < 0:
        raise ValueError(f"max_steps must be a whole number >= 0, got {max_steps!r}")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be >= 0 and finite, got {tolerance}")
    if on_indefinite not in ON_INDEFINITE:
        raise ValueError(f"on_indefinite must be one of {', '.join(ON_INDEFINITE)}, got {on_indefinite!r}")
    if on_indefinite == "damp" and not 0 < damping < math.inf:
        raise ValueError(f"damping must be > 0 and finite, got {damping}")
