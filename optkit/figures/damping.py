"""What INNA's two dampings do to a direction, by its curvature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics import damping_ratio, decay_rate
from optkit.figures.canvas import canvas, style
from optkit.figures.curves import draw_curves
from optkit.figures.palette import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["damping_by_curvature"]


def damping_by_curvature(
    settings: Sequence[tuple[float, float]] = ((0.5, 0.0), (0.5, 0.01), (0.5, 0.1), (1.3, 0.1)),
    *,
    smallest: float = 0.01,
    largest: float = 1e4,
) -> tuple[Figure, str]:
    """Draw the damping ratio of DIN against the curvature of a direction, and how fast its error fades.

    Args:
        settings: (α, β) of each line, α > 0 and β ≥ 0; β = 0 is the heavy ball.
        smallest: The least curvature, > 0.
        largest: The greatest, > smallest.

    Returns:
        The figure, and its alternative text: the least damping ratio of each line and where it is.

    Raises:
        ValueError: A damping or a curvature is out of range.

    Example:
        >>> figure, alt = damping_by_curvature(((0.5, 0.1),))
        >>> print(alt)
        Two panels against the curvature from 0.01 to 10000, logarithmic scales: the damping ratio, and the
        rate at which the error fades. alpha 0.5, beta 0.1: the ratio is lowest, 0.22, at curvature 5; at the
        steepest end it is 5, and the error fades at the rate 10.
    """
    if not 0 < smallest < largest:
        raise ValueError(f"smallest and largest must be 0 < smallest < largest, got {smallest}, {largest}")
    curvature = np.geomspace(smallest, largest, 601)
    ratios, rates, sentences = {}, {}, []
    for alpha, beta in settings:
        label = rf"$\alpha = {alpha:g},\ \beta = {beta:g}$"
        ratio, rate = (f(curvature, alpha=alpha, beta=beta) for f in (damping_ratio, decay_rate))
        ratios[label], rates[label] = ratio, rate
        least = int(ratio.argmin())
        sentences.append(
            f"alpha {alpha:g}, beta {beta:g}: the ratio is lowest, {ratio[least]:.2g}, at curvature "
            f"{curvature[least]:.2g}; at the steepest end it is {ratio[-1]:.2g}, and the error fades at the "
            f"rate {rate[-1]:.2g}."
        )
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.95)
        for axes, lines, name in ((top, ratios, "damping ratio ζ"), (bottom, rates, "rate of decay")):
            looks = {"x_label": "curvature λ", "y_label": name, "log": True, "compare": False}
            draw_curves(axes, lines, steps=curvature, **looks)
            axes.set_xscale("log")
        top.axhline(1.0, color=INK, linewidth=0.8)
        if len(settings) > 1:
            bottom.get_legend().remove()  # the same lines as above it
    alt = (
        f"Two panels against the curvature from {smallest:g} to {largest:g}, logarithmic scales: the damping "
        "ratio, and the rate at which the error fades. " + " ".join(sentences)
    )
    return figure, alt
