"""Curves over the steps of one or several runs: a line for the median, a band for the spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.palette import FACES, Face, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["curves", "draw_curves", "line_faces"]


def curves(
    lines: Mapping[str, Any],
    *,
    steps: Any = None,
    faces: Mapping[str, Face] | None = None,
    x_label: str = "step",
    y_label: str = "loss",
    log: bool = False,
    compare: bool = True,
    height: float = 1.0,
) -> tuple[Figure, str]:
    """Draw one curve for each entry: the median over its runs, in a band from the lowest run to the highest.

    Args:
        lines: Label → values, of shape (n,) for one run or (runs, n) for several, any float dtype. A label
            that names a rule (``"adam"``) takes the rule's face and its name in print.
        steps: Shape (n,), shared by all lines, or label → steps; by default 1 … n.
        faces: Label → face, over the faces given by rule name or by order.
        x_label: What the horizontal axis counts.
        y_label: What the values are.
        log: Logarithmic values.
        compare: Say which line is lowest at the end: for losses, where lower is better.
        height: As for `optkit.figures.canvas`.

    Returns:
        The figure, and its alternative text with the first and last values of each line.

    Raises:
        ValueError: No line, an empty one, or steps of another length.

    Example:
        >>> figure, alt = curves({"gradient_descent": [1.0, 0.5, 0.25], "flat": [1.0, 1.0, 1.0]})
        >>> print(alt)
        loss against step, 2 curves. Gradient descent: from 1 to 0.25. flat: from 1 to 1. Lowest at the end:
        Gradient descent.
    """
    with style():
        figure, axes = canvas(height=height)
        looks = {"x_label": x_label, "y_label": y_label, "log": log, "compare": compare}
        alt = draw_curves(axes, lines, steps=steps, faces=faces, **looks)
    return figure, alt


def draw_curves(
    axes: Axes,
    lines: Mapping[str, Any],
    *,
    steps: Any = None,
    faces: Mapping[str, Face] | None = None,
    x_label: str = "step",
    y_label: str = "loss",
    log: bool = False,
    compare: bool = True,
) -> str:
    """Draw the curves of `curves` on axes that are there already; return their alternative text.

    Call it inside ``with style():``. Arguments and errors as in `curves`.
    """
    if not lines:
        raise ValueError("lines must hold at least 1 curve, got none")
    looks = line_faces(lines, faces)
    sentences, last = [], {}
    for label, values in lines.items():
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        given = steps[label] if isinstance(steps, Mapping) else steps
        x = np.arange(1, runs.shape[1] + 1) if given is None else np.asarray(given, dtype=float)
        if runs.ndim != 2 or runs.size == 0 or x.shape != runs.shape[1:]:
            raise ValueError(
                f"values of {label!r} must be of shape (n,) or (runs, n), with n steps, "
                f"got values of shape {np.shape(values)} and steps of shape {x.shape}"
            )
        # A run that diverged leaves the plot; the others go on.
        runs = np.where(np.isfinite(runs), runs, np.nan)
        low, middle, high = _range(runs)
        look = looks[label]
        axes.plot(x, middle, **look.line(markers=len(x) <= 200 or len(lines) > 1))
        if len(runs) > 1:
            axes.fill_between(x, low, high, color=look.colour, alpha=0.18, linewidth=0)
        sentences.append(_sentence(look.label, low, middle, high, len(runs), log))
        if np.isfinite(middle[-1]):
            last[look.label] = middle[-1]
    if log:
        axes.set_yscale("log")
        low, high = axes.dataLim.intervaly
        if 0 < low and high < 100 * low:
            plain_ticks(axes.yaxis, np.array([low, high]))
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if len(lines) > 1:
        axes.legend()
    lowest = f" Lowest at the end: {min(last, key=last.__getitem__)}." if compare and len(last) > 1 else ""
    count = f"{len(lines)} curves" if len(lines) > 1 else "1 curve"
    scale = ", logarithmic scale" if log else ""
    return f"{y_label} against {x_label}{scale}, {count}. " + " ".join(sentences) + lowest


def line_faces(lines: Mapping[str, Any], faces: Mapping[str, Face] | None = None) -> dict[str, Face]:
    """The face of each line: the one given, else the rule's, else the next of the series.

    Raises:
        KeyError: A face is given for a label that no line has.

    Example:
        >>> [face.label for face in line_faces({"adam": 0, "mine": 0}).values()]
        ['Adam', 'mine']
    """
    given = faces or {}
    strangers = given.keys() - lines.keys()
    if strangers:
        raise KeyError(f"faces names {', '.join(sorted(strangers))}; the lines are {', '.join(lines)}")
    looks: dict[str, Face] = {}
    free = 0
    for label in lines:
        if label in given:
            looks[label] = replace(given[label], label=label if label not in FACES else given[label].label)
        elif label in FACES:
            looks[label] = FACES[label]
        else:
            looks[label] = replace(series(free), label=label)
            free += 1
    return looks


def _range(runs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lowest, median and highest run at each step; NaN where no run is finite."""
    alive = np.isfinite(runs).any(axis=0)
    low, middle, high = (np.full(runs.shape[1], np.nan) for _ in range(3))
    low[alive] = np.nanmin(runs[:, alive], axis=0)
    middle[alive] = np.nanmedian(runs[:, alive], axis=0)
    high[alive] = np.nanmax(runs[:, alive], axis=0)
    return low, middle, high


def _sentence(label: str, low: np.ndarray, middle: np.ndarray, high: np.ndarray, runs: int, log: bool) -> str:
    finite = np.flatnonzero(np.isfinite(middle))
    if finite.size == 0:
        return f"{label}: no finite value."
    first, last = finite[0], finite[-1]
    peak = max(np.nanmax(np.abs(low)), np.nanmax(np.abs(high)))

    def number(value: float) -> str:
        # Rounding errors differ from machine to machine; a text should not.
        if abs(value) > 1e-9 * peak:
            return f"{value:.3g}"
        return f"below {1e-9 * peak:.0e}" if log else "0"

    spread = f" ({number(low[last])} to {number(high[last])} over {runs} runs)" if runs > 1 else ""
    end = "" if last == len(middle) - 1 else f", then not finite after point {last + 1} of {len(middle)}"
    return f"{label}: from {number(middle[first])} to {number(middle[last])}{spread}{end}."
