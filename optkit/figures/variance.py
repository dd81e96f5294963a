"""The variance of the adaptive rate, step by step: measured, by formula, and after RAdam's rectification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["variance_of_rates"]


def variance_of_rates(found: Mapping[str, Mapping[str, Any]]) -> tuple[Figure, str]:
    """Draw the variance of 1/√r̂ against the step, bare and rectified, one panel for each ρ₂.

    Args:
        found: ρ₂ → ``t``, ``formula``, ``factor`` (RAdam's, on the step), and ``variance``, a row for each
            seed: as the study `rate_variance` gives them.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: Nothing to draw.

    Example:
        >>> rows = {"t": [6, 7], "formula": [0.2, 0.1], "factor": [0.1, 0.2], "variance": [[0.2, 0.1]]}
        >>> print(variance_of_rates({"0.9": rows})[1])
        Variance of the adaptive rate against the step, both axes logarithmic, 1 seed. rho_2 = 0.9: from 0.2
        at step 6 to 0.1 at step 7; rectified between 0.002 and 0.004; the formula is off by at most 0 %.
    """
    if not found:
        raise ValueError("found must hold at least 1 series, got none")
    sentences = []
    with style():
        figure, grid = canvas(len(found), 1, height=0.8, squeeze=False)
        for axes, (beta2, rows) in zip(grid[:, 0], found.items(), strict=True):
            t, formula = np.array(rows["t"]), np.array(rows["formula"])
            variance = np.array(rows["variance"])
            rectified = np.square(rows["factor"]) * variance
            axes.plot(t, formula, **series(0).line(label="formula", markers=False))
            points = np.tile(t, len(variance))
            for values, index, label in ((variance, 0, "measured"), (rectified, 1, "measured, rectified")):
                look = series(index)
                axes.plot(
                    points, values.ravel(), look.marker, color=look.colour, label=label, fillstyle="none"
                )
            axes.set(xscale="log", yscale="log", xlabel="step $t$", ylabel=r"variance of $1/\sqrt{\hat r}$")
            axes.set_title(rf"$\rho_2 = {beta2}$")
            axes.legend()
            middle, flat = np.median(variance, axis=0), np.median(rectified, axis=0)
            off = np.abs(formula / variance - 1).max()
            sentences.append(
                f"rho_2 = {beta2}: from {middle[0]:.2g} at step {t[0]} to {middle[-1]:.2g} at step {t[-1]}; "
                f"rectified between {flat.min():.2g} and {flat.max():.2g}; the formula is off by at most "
                f"{100 * off:.0f} %."
            )
    seeds = len(next(iter(found.values()))["variance"])
    return figure, (
        f"Variance of the adaptive rate against the step, both axes logarithmic, {seeds} "
        f"seed{'s' if seeds > 1 else ''}. " + " ".join(sentences)
    )
