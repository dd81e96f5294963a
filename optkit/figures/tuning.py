"""The loss at the end of a run against the learning rate: where each optimizer wants it, and how narrowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.curves import line_faces
from optkit.figures.palette import Face

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["losses_by_rate"]


def losses_by_rate(
    rates: Any,
    panels: Mapping[str, Mapping[str, Any]],
    *,
    faces: Mapping[str, Face] | None = None,
    y_label: str = "training loss at the end",
    top: float | None = None,
) -> tuple[Figure, str]:
    """Draw the loss at the end against the learning rate, one panel under the other, with the best marked.

    Args:
        rates: ε of each column, shape (K,), > 0 and increasing.
        panels: Title of a panel (empty for none) → label → losses of shape (K,) or (runs, K), > 0; not finite
            for a run that diverged. Of several runs the median is drawn, in a band from lowest to highest.
        faces: Label → face; by default the rule's of that name, or by order.
        y_label: What the losses are.
        top: Highest loss shown; by default twice the largest at the smallest rate.

    Returns:
        The figure, and its alternative text with the best rate of each line.

    Raises:
        ValueError: No panel, losses of another shape, or a line without a finite value.

    Example:
        >>> figure, alt = losses_by_rate([0.01, 0.1, 1.0], {"": {"adam": [0.9, 0.3, float("inf")]}})
        >>> print(alt)
        training loss at the end against the learning rate, both axes logarithmic. Adam: 0.9 at ε = 0.01,
        least at ε = 0.1 with 0.3, diverged at ε = 1.
    """
    if not panels:
        raise ValueError("panels must hold at least 1 panel, got none")
    rates = np.asarray(rates, dtype=float)
    sentences = []
    with style():
        figure, grid = canvas(len(panels), 1, height=1.0 if len(panels) == 1 else 0.75, squeeze=False)
        for axes, (title, lines) in zip(grid[:, 0], panels.items(), strict=True):
            looks, shown, found = line_faces(lines, faces), [], []
            for label, values in lines.items():
                middle = _draw(axes, rates, _runs(label, values, len(rates)), looks[label])
                shown += [middle[0], middle.min()]
                found.append(f"{looks[label].label}: {_said(rates, middle)}")
            low, high = 0.8 * min(shown), top or 2 * max(shown)
            axes.set(xscale="log", yscale="log", ylim=(low, high), title=title)
            axes.set(xlabel=r"learning rate $\epsilon$", ylabel=y_label)
            plain_ticks(axes.yaxis, np.array([low, high]))
            # What leaves the picture would pass behind a legend inside; a title takes the room above.
            over = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 2, "frameon": False}
            axes.legend(**({} if title else over))
            sentences.append((f"{title}. " if title else "") + ". ".join(found) + ".")
    return figure, f"{y_label} against the learning rate, both axes logarithmic. " + " ".join(sentences)


def _runs(label: str, values: Any, count: int) -> np.ndarray:
    runs = np.atleast_2d(np.asarray(values, dtype=float))
    if runs.shape[1:] != (count,) or not np.isfinite(runs).any():
        raise ValueError(f"losses of {label!r} must have {count} columns and a finite value, got {values}")
    return np.where(np.isfinite(runs), runs, np.inf)


def _draw(axes: Axes, rates: np.ndarray, runs: np.ndarray, look: Face) -> np.ndarray:
    """Draw one line, its band and its best rate; return the medians, infinite where a run diverged."""
    middle = np.median(runs, axis=0)
    alive = np.isfinite(middle)
    axes.plot(rates, np.where(alive, middle, np.nan), **look.line(markers=False))
    if len(runs) > 1:
        high = np.minimum(runs.max(axis=0), 1e12)  # a band may leave the plot, not the finite numbers
        axes.fill_between(
            rates, runs.min(axis=0), high, where=alive, color=look.colour, alpha=0.18, linewidth=0
        )
    best = int(np.argmin(middle))
    axes.plot(rates[best], middle[best], marker=look.marker, color=look.colour, markersize=9)
    return middle


def _said(rates: np.ndarray, middle: np.ndarray) -> str:
    best = int(np.argmin(middle))
    end = f"{middle[-1]:.2g}" if np.isfinite(middle[-1]) else "diverged"
    text = f"{middle[0]:.2g} at ε = {rates[0]:.2g}"
    if best:
        text += f", least at ε = {rates[best]:.2g} with {middle[best]:.2g}"
    return text + f", {end} at ε = {rates[-1]:.2g}"
