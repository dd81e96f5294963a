"""Contours of a problem in the plane, with the paths that several rules take on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.curves import line_faces
from optkit.figures.palette import INK, Face

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optkit.problems import Problem

__all__ = ["draw_surface", "surface"]

Window = tuple[tuple[float, float], tuple[float, float]]
_GRID = 241  # points along each side
_LEVELS = 14
_MOST_MARKED = 60  # a path of more steps carries ten markers instead of one for each step


def surface(
    problem: Problem,
    paths: Mapping[str, Any] | None = None,
    *,
    window: Window | None = None,
    faces: Mapping[str, Face] | None = None,
    height: float = 1.0,
) -> tuple[Figure, str]:
    """Draw contours of a problem of two parameters, with the path of each rule in the rule's own face.

    Args:
        problem: Of two parameters.
        paths: Label → trajectory, or → points of shape (steps + 1, 2). A label that names a rule takes its
            face and its name in print.
        window: ((x from, x to), (y from, y to)); by default the problem's own.
        faces: Label → face, over those by rule name or by order.
        height: As for `optkit.figures.canvas`.

    Returns:
        The figure, and its alternative text: where each path starts and ends, how low, and how much longer
        than the straight line it is.

    Raises:
        ValueError: A problem of other than two parameters, or points of another shape.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> figure, alt = surface(PROBLEMS["rosenbrock"], {"mine": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]})
        >>> print(alt)
        Contours of rosenbrock (Rosenbrock's banana: a curved valley with steep walls and a nearly flat
        floor). mine: 2 steps from (0, 0) to (1, 1), where the function is 0; its path is 1.4 times as long
        as the straight line.
    """
    with style():
        figure, axes = canvas(height=height)
        alt = draw_surface(axes, problem, paths, window=window, faces=faces)
    return figure, alt


def draw_surface(
    axes: Axes,
    problem: Problem,
    paths: Mapping[str, Any] | None = None,
    *,
    window: Window | None = None,
    faces: Mapping[str, Face] | None = None,
) -> str:
    """Draw what `surface` draws on axes that are there already; return the alternative text.

    Call it inside ``with style():``. Arguments and errors as in `surface`.
    """
    if problem.dim != 2:
        raise ValueError(
            f"problem must have 2 parameters to be drawn in the plane, {problem.name} has {problem.dim}"
        )
    (left, right), (bottom, top) = problem.window if window is None else window
    x, y = np.meshgrid(np.linspace(left, right, _GRID), np.linspace(bottom, top, _GRID))
    heights = problem.loss(np.stack([x, y], axis=-1))
    axes.contourf(x, y, heights, levels=_levels(heights), cmap="Greys", alpha=0.35, extend="both")
    axes.contour(x, y, heights, levels=_levels(heights), colors="#8a8a8a", linewidths=0.6)
    for minimum in problem.minima:  # one outside the window stays invisible
        axes.plot(*minimum, marker="*", color=INK, markersize=13, linestyle="none", zorder=5)
    sentences = []
    looks = line_faces(paths or {}, faces)
    for label, path in (paths or {}).items():
        points = _points(label, path)
        look = looks[label]
        line = look.line()
        if len(points) <= _MOST_MARKED:
            line["markevery"] = 1
        axes.plot(points[:, 0], points[:, 1], markersize=4.5, linewidth=1.6, zorder=4, **line)
        sentences.append(_sentence(look.label, points, problem))
    if paths:
        start = _points(*next(iter(paths.items())))[0]
        axes.plot(*start, marker="o", markersize=11, markerfacecolor="none", color=INK, zorder=6)
        axes.legend(loc="upper right")
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    axes.grid(False)
    return " ".join(
        [f"Contours of {problem.name.replace('_', ' ')} ({problem.description.rstrip('.')}).", *sentences]
    )


def _levels(heights: np.ndarray) -> np.ndarray:
    """Levels between which equal areas of the window lie: a flat valley gets as many as a steep wall."""
    levels = np.unique(np.quantile(heights[np.isfinite(heights)], np.linspace(0.0, 1.0, _LEVELS + 2)[1:]))
    return levels if len(levels) > 1 else levels[0] + np.array([-0.5, 0.5])


def _points(label: str, path: Any) -> np.ndarray:
    points = np.asarray(getattr(path, "theta", path), dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"path {label!r} must be of shape (steps + 1, 2), got {points.shape}")
    return points


def _sentence(label: str, points: np.ndarray, problem: Problem) -> str:
    finite = np.isfinite(points).all(axis=1)
    last = int(np.flatnonzero(finite)[-1]) if finite.any() else 0
    left = "" if finite.all() else f", and is not finite after step {last}"
    points = points[: last + 1]
    straight = float(np.linalg.norm(points[-1] - points[0]))
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    steps = "1 step" if last == 1 else f"{last} steps"
    longer = (
        f"; its path is {length / straight:.1f} times as long as the straight line" if straight > 0 else ""
    )
    return (
        f"{label}: {steps} from {_place(points[0])} to {_place(points[-1])}, where the "
        f"function is {problem.loss(points[-1]) + 0.0:.3g}{longer}{left}."
    )


def _place(point: np.ndarray) -> str:
    # + 0.0 turns a negative zero, which prints as -0, into zero.
    return "(" + ", ".join(f"{value.round(3) + 0.0:.3g}" for value in point) + ")"
