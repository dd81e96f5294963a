"""Sharpness in a picture: two minima of equal height, and the worst loss in a ball around each point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import face, series
from optkit.sharpness import quadratic_sharpness, sam_point, sharpness_in_interval, two_valleys

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["lifted_minima"]

WINDOW = (-1.75, 2.25)


def lifted_minima(*, rho: float = 0.3, sharp: float = 25.0, flat: float = 1.0) -> tuple[Figure, str]:
    """Draw the loss of `optkit.sharpness.two_valleys`, its worst within ρ, and its value where SAM looks.

    Args:
        rho: ρ, the radius, > 0 and small enough that a ball around a minimum stays in its valley.
        sharp: Second derivative at the sharp minimum, > flat.
        flat: Second derivative at the flat minimum, > 0.

    Returns:
        The figure, and its alternative text with the two heights.

    Raises:
        ValueError: A number out of its range.

    Example:
        >>> figure, alt = lifted_minima(rho=0.2)
        >>> "to 0.500 at the sharp minimum" in alt
        True
    """
    if not 0 < flat < sharp:
        raise ValueError(f"flat and sharp must be 0 < flat < sharp, got {flat} and {sharp}")
    # Between the minima the parabolas meet at this distance from the sharp one.
    crest = 2 * np.sqrt(flat) / (np.sqrt(sharp) + np.sqrt(flat))
    if not 0 < rho < crest:
        raise ValueError(f"rho must be > 0 and < {crest:.4g}, the way to the crest, got {rho}")

    def loss(theta: np.ndarray) -> np.ndarray:
        return two_valleys(theta, sharp=sharp, flat=flat)

    # An even number of points: none falls on a minimum, where the gradient has no direction.
    theta = np.linspace(*WINDOW, 800)
    worst = np.array([sharpness_in_interval(loss, x, rho=rho, points=401) for x in theta]) + loss(theta)
    heights = [sharpness_in_interval(loss, x, rho=rho) for x in (-1.0, 1.0)]
    formulas = [float(quadratic_sharpness(0.0, curvature=c, rho=rho)) for c in (sharp, flat)]
    seen = loss(sam_point(two_valleys, theta, rho=rho))
    with style():
        figure, axes = canvas()
        axes.plot(theta, loss(theta), **series(0).line(label=r"loss $J(\theta)$", markers=False))
        axes.plot(theta, worst, **series(1).line(label=r"worst loss within $\rho$", markers=False))
        look = face("sam_perturbation").line(label="loss where SAM looks")
        axes.plot(theta, seen, **(look | {"linestyle": "", "markevery": 16}), markersize=4)
        for place, height, words in zip((-1, 1), heights, ("sharp", "flat"), strict=True):
            axes.plot([place, place], [0, height], color=series(5).colour, linewidth=1)
            axes.annotate(f"{words}: + {height:.3f}", (place, height), (60 if place < 0 else 0, 62),
                          textcoords="offset points", ha="center",
                          arrowprops={"arrowstyle": "-", "color": series(5).colour})  # fmt: skip
        axes.set_ylim(-0.1, 3.2)
        axes.set_xlabel(r"parameter $\theta$")
        axes.set_ylabel("loss")
        axes.legend(loc="upper right")
    lower = theta[~np.isclose(seen, worst, atol=1e-9)]
    alt = (
        "Loss of one parameter with a sharp minimum at -1 and a flat one at 1, both of height 0. The "
        f"worst loss within {rho:g} rises to {heights[0]:.3f} at the sharp minimum and to {heights[1]:.3f} "
        f"at the flat one; the formula gives {formulas[0]:.3f} and {formulas[1]:.3f}. Where SAM takes its "
        f"gradient the loss is that worst loss, but for the stretch from {lower.min():.2f} to "
        f"{lower.max():.2f} around the crest between the valleys, where it is lower."
    )
    return figure, alt
