"""What the averages ask of their arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
FORMS = ("first", "normalised")


def checked_series(series: ArrayLike, name: str = "series") -> Array:
    """The series in float64, with at least one value and all finite."""
    values = np.asarray(series, dtype=np.float64)
    if values.ndim == 0 or len(values) == 0:
        raise ValueError(f"{name} must have at least one value along axis 0, got shape {values.shape}")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        raise ValueError(
            f"{name} must be finite, got {values[tuple(bad[0])]} at step {bad[0][0] + 1}; "
            "drop or fill it first"
        )
    return values


def checked_alpha(alpha: Any) -> float:
    """A smoothing factor in [0, 1)."""
    if isinstance(alpha, (bool, str)) or not hasattr(alpha, "__float__") or not 0 <= alpha < 1:
        raise ValueError(f"alpha must be in [0, 1), got {alpha}")
    return float(alpha)


def checked_form(form: str) -> None:
    """Raise unless the form of an EWMA is known."""
    if form not in FORMS:
        raise ValueError(f"form must be {' or '.join(map(repr, FORMS))}, got {form!r}")


def checked_count(window: Any, name: str = "window") -> int:
    """A whole number of at least 1."""
    if isinstance(window, bool) or not hasattr(window, "__index__") or int(window) < 1:
        raise ValueError(f"{name} must be a whole number >= 1, got {window!r}")
    return int(window)
