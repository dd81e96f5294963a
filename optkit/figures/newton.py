"""Newton's method in pictures: its steps as tangents and parabolas, and where it ends from each start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import INK, series
from optkit.newton import basins as newton_basins
from optkit.newton import critical_points, minimise
from optkit.problems.problem import problem
from optkit.rules import RULES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optkit.problems import Problem

__all__ = ["DOUBLE_WELL", "basins_of_attraction", "shares_of_starts", "tangents_and_parabolas"]


def double_well(theta):
    """Two minima, at −1 and 1, with a maximum between them."""
    return theta * theta * theta * theta / 4 - theta * theta / 2


DOUBLE_WELL = problem(double_well, start=(1.9,), window=((-1.5, 2.1),), minima=[(1.0,), (-1.0,)])
_KIND = {"minimum": "a minimum", "saddle": "a saddle", "maximum": "the maximum", None: "nowhere"}


def tangents_and_parabolas(starts: Sequence[float] = (1.9, 0.4), *, steps: int = 2) -> tuple[Figure, str]:
    """Draw Newton's steps on the double well: parabolas that touch f, and tangents of f′.

    Args:
        starts: One path from each, at most 6.
        steps: Steps drawn of each, >= 1.

    Returns:
        The figure, and its alternative text: where each start leads, and the curvature there.

    Raises:
        ValueError: Fewer than 1 step.

    Example:
        >>> figure, alt = tangents_and_parabolas()
        >>> "from 0.4 to a maximum at 0" in alt
        True
    """
    if steps < 1:
        raise ValueError(f"steps must be >= 1, got {steps}")
    (low, high), sentences = DOUBLE_WELL.window[0], []
    x = np.linspace(low, high, 401)
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.85, sharex=True)
        top.plot(x, DOUBLE_WELL.loss(x[:, None]), color=INK)
        bottom.plot(x, DOUBLE_WELL.gradient(x[:, None])[:, 0], color=INK)
        bottom.axhline(0, color=INK, linewidth=0.8)
        for index, start in enumerate(starts):
            path = minimise(DOUBLE_WELL, (start,), on_indefinite="follow")
            look = series(index)
            for here, there in zip(path.points[:steps, 0], path.points[1 : steps + 1, 0], strict=True):
                _one_step(top, bottom, float(here), float(there), look)
            label = rf"from $\theta = {start:g}$"
            for axes, heights in ((top, DOUBLE_WELL.loss), (bottom, lambda p: DOUBLE_WELL.gradient(p)[:, 0])):
                points = path.points[: steps + 1]
                axes.plot(
                    points[:, 0], np.asarray(heights(points)), look.marker, color=look.colour, label=label
                )
            end = round(path.point[0], 6) + 0.0  # turns a negative zero into zero
            kind = "minimum" if path.eigenvalues[0] > 0 else "maximum"
            sentences.append(f"from {start:g} to a {kind} at {end:.2g} in {path.steps} steps")
        top.set(ylabel=r"$f$", xlim=(low, high), ylim=(-0.5, 1.6))
        bottom.set(ylabel=r"$f'$", xlabel=r"$\theta$", ylim=(-1.5, 5.3))
        top.legend(loc="upper center")
    alt = (
        "Two panels: a function with minima at minus 1 and 1 and a maximum at 0, and its derivative. Each "
        "Newton step goes to the vertex of the parabola that touches the function with the same curvature, "
        "which is where the tangent of the derivative is zero. It goes " + ", and ".join(sentences) + "."
    )
    return figure, alt


def _one_step(top: Axes, bottom: Axes, here: float, there: float, look: Any) -> None:
    """The parabola and the tangent that lead from one iterate to the next, a little beyond both."""
    point = np.array([here])
    value, slope = DOUBLE_WELL.loss(point), DOUBLE_WELL.gradient(point)[0]
    curvature = DOUBLE_WELL.hessian(point)[0, 0]
    reach = 0.25 * abs(here - there) + 0.08
    x = np.linspace(min(here, there) - reach, max(here, there) + reach, 101)
    away = x - here
    options = {"color": look.colour, "linestyle": look.dash, "linewidth": 1.4}
    top.plot(x, value + slope * away + curvature * away**2 / 2, **options)
    bottom.plot(x, slope + curvature * away, **options)
    vertex = value + slope * (there - here) / 2
    top.plot([there, there], [vertex, DOUBLE_WELL.loss(np.array([there]))], color=look.colour, linewidth=0.8)
    bottom.plot(
        [there, there], [0.0, DOUBLE_WELL.gradient(np.array([there]))[0]], color=look.colour, linewidth=0.8
    )


def basins_of_attraction(
    landscape: Problem, *, side: int = 161, lr: float = 0.003, steps: int = 3000
) -> tuple[Figure, str]:
    """Map where gradient descent (above) and Newton's method (below) end, start by start.

    One shade for each minimum, in both panels the same; saddles, maxima and "nowhere" have their own.

    Args:
        landscape: Of two parameters, with at most 4 minima.
        side: Starts along each side of its window.
        lr: ε of gradient descent.
        steps: Steps of gradient descent; Newton's method has 50.

    Returns:
        The figure, and its alternative text with the share of the starts that end at each kind of point.

    Raises:
        ValueError: A problem of other than two parameters or with other than 1 to 4 minima.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> figure, alt = basins_of_attraction(PROBLEMS["himmelblau"], side=21)
        >>> "Gradient descent: 100 % end at a minimum" in alt
        True
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    points = critical_points(landscape) if landscape.dim == 2 else []
    minima = [one.point for one in points if one.kind == "minimum"]
    if not 1 <= len(minima) <= 4:
        raise ValueError(
            f"landscape must have 2 parameters and 1 to 4 minima, {landscape.name} has {landscape.dim} and "
            f"{len(minima)}"
        )
    starts, extent = _grid(landscape, side)
    ends = {
        "Gradient descent": _descent_basins(landscape, starts, points, lr=lr, steps=steps),
        "Newton's method": newton_basins(landscape, starts, [one.point for one in points]),
    }
    others = {"saddle": "#4d4d4d", "maximum": "#000000", None: "#ffffff"}
    # Minima by number, then the three others: four light shades that also differ in grey print.
    shades = ["#9ecbe8", "#f2b98a", "#cfe8c8", "#e3c3de"][: len(minima)]
    number = [
        minima.index(one.point) if one.kind == "minimum" else len(minima) + list(others).index(one.kind)
        for one in points
    ] + [len(minima) + 2]
    colours = ListedColormap([*shades, *others.values()])
    with style():
        figure, panels = canvas(2, 1, height=1.15, sharex=True)
        for axes, (name, found) in zip(panels, ends.items(), strict=True):
            picture = np.array(number)[found]
            axes.imshow(picture, origin="lower", extent=extent, cmap=colours, vmin=-0.5,
                        vmax=len(colours.colors) - 0.5, interpolation="nearest", aspect="auto")  # fmt: skip
            for one in points:
                look = {"minimum": "*", "saddle": "X", "maximum": "^"}[one.kind]
                axes.plot(*one.point, look, color=INK, markeredgecolor="white", markersize=11)
            axes.set_title(name)
            axes.set_ylabel(r"start $\theta_2$")
            axes.grid(False)
        panels[1].set_xlabel(r"start $\theta_1$")
        marks = [
            Line2D([], [], marker=m, linestyle="none", color=INK, markersize=9, label=label)
            for m, label in (("*", "minimum"), ("X", "saddle"), ("^", "maximum"))
        ]
        areas = [
            Patch(facecolor=colour, edgecolor=INK, label=f"ends at {_KIND[kind]}" if kind else "ends nowhere")
            for kind, colour in others.items()
        ]
        figure.legend(handles=[*marks, *areas], loc="outside lower center", ncols=3, frameon=False)
    alt = (
        f"Two maps of the starts on {landscape.name}, with {len(minima)} minima: each start has the shade of "
        "the point where it ends. "
        + " ".join(f"{name}: {_said(shares_of_starts(found, points))}." for name, found in ends.items())
    )
    return figure, alt


def shares_of_starts(found: Any, points: Sequence[Any]) -> dict[str | None, float]:
    """Share of the starts that end at each kind of point; ``None`` stands for those that end nowhere.

    Args:
        found: Index of the point for each start, −1 for none, as `optkit.newton.basins` gives it.
        points: Critical points, as `optkit.newton.critical_points` gives them.

    Example:
        >>> from optkit.newton import CriticalPoint
        >>> shares_of_starts([0, 0, 0, -1], [CriticalPoint((0.0,), "minimum")])
        {'minimum': 0.75, 'saddle': 0.0, 'maximum': 0.0, None: 0.25}
    """
    kinds = [points[index].kind if index >= 0 else None for index in np.asarray(found).ravel()]
    return {kind: kinds.count(kind) / len(kinds) for kind in ("minimum", "saddle", "maximum", None)}


def _said(shares: dict[str | None, float]) -> str:
    parts = [f"{100 * share:.3g} % end at {_KIND[kind]}" for kind, share in shares.items() if kind and share]
    lost = f"{100 * shares[None]:.2g} % are still under way after the last step"
    return ", ".join(parts + ([lost] if shares[None] else []))


def _grid(landscape: Problem, side: int) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    (left, right), (low, high) = landscape.window
    x, y = np.meshgrid(np.linspace(left, right, side), np.linspace(low, high, side))
    return np.stack([x, y], axis=-1), (left, right, low, high)


def _descent_basins(
    landscape: Problem, theta: np.ndarray, points: Sequence[Any], *, lr: float, steps: int
) -> np.ndarray:
    for t in range(1, steps + 1):
        (theta,) = RULES["gradient_descent"](theta, landscape.gradient(theta), t, lr=lr)
        if t % 100 == 0 and np.abs(landscape.gradient(theta)).max() < 1e-6:
            break
    away = np.linalg.norm(theta[..., None, :] - np.array([one.point for one in points]), axis=-1)
    return np.where(away.min(axis=-1) < 1e-2, away.argmin(axis=-1), -1)
