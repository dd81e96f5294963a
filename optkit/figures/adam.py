"""Where Adam goes the wrong way: its drift under rare large gradients, against the length of its memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics.adam import rare_drift, rare_gradients
from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.figures.rates import steps_under
from optkit.rules import RULES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drift_against_memory"]


def drift_against_memory(
    *,
    period: int = 101,
    size: float = 101.0,
    decays: Sequence[float] = (0.0, 0.9),
    windows: tuple[float, float] = (200.0, 20_000.0),
    measured: Sequence[float] = (300.0, 1000.0, 3000.0),
) -> tuple[Figure, str]:
    """Draw how far Adam moves in one period of `optkit.dynamics.rare_gradients`, for each length of memory.

    Args:
        period: Steps from one rare gradient to the next.
        size: The rare gradient; the others are −1. Larger than period − 1: downhill is to the left.
        decays: ρ₁ of each line.
        windows: Shortest and longest memory 1/(1 − ρ₂), in steps.
        measured: Memories at which the rule itself is run, until it repeats itself.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: A size for which downhill is not to the left.

    Example:
        >>> figure, alt = drift_against_memory(measured=())
        >>> alt.split(". ")[0]
        'Drift of Adam in 101 steps, in units of the learning rate, against its memory, logarithmic'
    """
    if not size > period - 1:
        raise ValueError(f"size must be > period - 1 = {period - 1}, got {size}")
    memory = np.geomspace(*windows, 400)
    sentences = []
    with style():
        figure, axes = canvas()
        for index, beta1 in enumerate(decays):
            look = series(index)
            drift = np.array([rare_drift(period, size, beta1=beta1, beta2=1 - 1 / one) for one in memory])
            axes.plot(memory, drift, **look.line(label=rf"$\rho_1 = {beta1:g}$, formula", markers=False))
            points = [_measured(period, size, beta1, 1 - 1 / one) for one in measured]
            if points:
                axes.plot(measured, points, look.marker, color=look.colour, label="measured")
            sentences.append(f"With rho_1 = {beta1:g} {_turn(memory, drift)}.")
        axes.axhline(0, color=series(5).colour, linewidth=1)
        default = RULES["adam"].hyperparameters["beta2"].default
        axes.axvline(1 / (1 - default), color=series(5).colour, linestyle=series(5).dash, linewidth=1)
        axes.annotate(rf"$\rho_2 = {default:g}$", (1 / (1 - default), 1), (4, -14),
                      textcoords="offset points", xycoords=("data", "axes fraction"))  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel(r"memory $1/(1-\rho_2)$ in steps")
        axes.set_ylabel(rf"drift in {period} steps, in units of $\epsilon$")
        axes.legend()
    alt = (
        f"Drift of Adam in {period} steps, in units of the learning rate, against its memory, logarithmic. "
        "Above 0 it goes uphill. " + " ".join(sentences)
    )
    return figure, alt


def _measured(period: int, size: float, beta1: float, beta2: float) -> float:
    # After ten memories of r the moments repeat themselves to 5 parts in 100,000.
    periods = math.ceil(10 / (1 - beta2) / period) + 1
    gradients = rare_gradients(period, size, periods)
    steps = steps_under(RULES["adam"], gradients, lr=1.0, beta1=beta1, beta2=beta2, eps=0.0)
    return float(-steps[-period:].sum())


def _turn(memory: np.ndarray, drift: np.ndarray) -> str:
    ends = f"from {drift[0]:+.2f} at {memory[0]:.0f} steps to {drift[-1]:+.2f} at {memory[-1]:.0f}"
    downhill = np.flatnonzero(drift < 0)
    if not downhill.size or not downhill[0]:
        return f"it goes {ends}"
    return f"it goes {ends}, and downhill only from a memory of {memory[downhill[0]]:.0f} steps on"
