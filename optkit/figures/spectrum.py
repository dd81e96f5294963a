"""The two roots of momentum on a quadratic: how large they are, and where they travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from optkit.dynamics import Setting, roots
from optkit.figures.canvas import canvas, style
from optkit.figures.curves import line_faces
from optkit.figures.palette import INK, Face, series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["modulus_map", "root_paths"]

_GRID = 401  # points along each side of the map


def modulus_map(
    settings: Mapping[str, Setting],
    *,
    smallest: float,
    largest: float,
    faces: Mapping[str, Face] | None = None,
) -> tuple[Figure, str]:
    """Map the larger modulus of the two roots over the plane of ελ and α, with settings as segments.

    The eigenvalues of one Hessian, from μ to L, lie on a horizontal segment from εμ to εL. Its worst point
    is the rate of the setting.

    Args:
        settings: Label → setting; a label that names a rule takes its face.
        smallest: μ > 0, the smallest eigenvalue of the Hessian.
        largest: L ≥ μ, the largest.
        faces: Label → face, over those by rule name or by order.

    Returns:
        The figure and its alternative text.

    Raises:
        ValueError: Not 0 < smallest ≤ largest.

    Example:
        >>> from optkit.dynamics import best_momentum
        >>> setting = best_momentum(1.0, 100.0)
        >>> figure, alt = modulus_map({"momentum_standard": setting}, smallest=1.0, largest=100.0)
        >>> alt.endswith("slowest root along it has modulus 0.818.")
        True
    """
    if not 0 < smallest <= largest:
        raise ValueError(f"smallest and largest must be 0 < smallest <= largest, got {smallest}, {largest}")
    looks = line_faces(settings, faces)
    with style():
        figure, axes = canvas(height=1.1)
        pull, momentum = np.meshgrid(np.linspace(0, 4, _GRID), np.linspace(0, 1, _GRID))
        modulus = np.abs(roots(pull, lr=1.0, momentum=momentum)).max(axis=-1)
        # Above 1 it diverges, and how fast is of no interest: one colour for all.
        stable = np.ma.masked_where(modulus > 1 + 1e-9, modulus)
        shades = axes.contourf(pull, momentum, stable, levels=np.linspace(0, 1, 11), cmap="cividis")
        figure.colorbar(shades, ax=axes, label=r"larger modulus $|\sigma|$")
        edge = np.linspace(0, 1, _GRID)
        axes.plot((1 - np.sqrt(edge)) ** 2, edge, color="white", linewidth=1.6)
        axes.plot((1 + np.sqrt(edge)) ** 2, edge, color="white", linewidth=1.6)
        box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0}
        axes.text(3.25, 0.2, "diverges", ha="center", color=INK)
        axes.text(1.0, 0.9, "complex pair: swings", ha="center", fontsize=9, color=INK, bbox=box)
        sentences = []
        for label, setting in settings.items():
            look = looks[label]
            ends = np.array([smallest, largest]) * setting.lr
            axes.plot(
                ends,
                [setting.momentum] * 2,
                color="white",
                linewidth=6,
                solid_capstyle="round",
                zorder=3,
                clip_on=False,
            )
            axes.plot(
                ends,
                [setting.momentum] * 2,
                color=look.colour,
                marker=look.marker,
                label=look.label,
                linewidth=3,
                zorder=4,
                clip_on=False,
            )
            along = roots(np.linspace(smallest, largest, 2001), lr=setting.lr, momentum=setting.momentum)
            sentences.append(
                f"{look.label} lies at momentum {setting.momentum:.3g}, from {ends[0]:.3g} to {ends[1]:.3g}; "
                f"the slowest root along it has modulus {np.abs(along).max():.3f}."
            )
        axes.set(xlim=(0, 4), ylim=(0, 1), xlabel=r"$\epsilon\lambda$", ylabel=r"momentum $\alpha$")
        axes.grid(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
    alt = (
        "Map of the larger modulus of the two roots over learning rate times curvature (0 to 4) and momentum "
        "(0 to 1). For each product it is smallest on the curve where the roots meet; it is above 1 to "
        "the right of the line from (2, 0) to (4, 1). " + " ".join(sentences)
    )
    return figure, alt


def root_paths(momenta: Sequence[float]) -> tuple[Figure, str]:
    """Draw the paths of the two roots in the complex plane while ελ grows from 0 to where it diverges.

    Args:
        momenta: At most 5 values of α, each in [0, 1).

    Returns:
        The figure and its alternative text.

    Raises:
        ValueError: No momentum, or one outside [0, 1).

    Example:
        >>> figure, alt = root_paths([0.25, 0.81])
        >>> "α = 0.81 on the circle of radius 0.9" in alt
        True
    """
    if not momenta or not all(0 <= momentum < 1 for momentum in momenta):
        raise ValueError(f"momenta must be values in [0, 1), got {list(momenta)}")
    with style():
        figure, axes = canvas(height=1.08)
        turn = np.linspace(0, 2 * np.pi, 361)
        axes.plot(np.cos(turn), np.sin(turn), color=INK, linewidth=1.0, linestyle=(0, (1.5, 2)))
        axes.text(0.76, 0.74, r"$|\sigma| = 1$", color=INK)
        found = []
        for index, momentum in enumerate(momenta):
            look = series(index)
            pull = _pulls(momentum)
            pair = roots(pull, lr=1.0, momentum=momentum)
            for branch in (0, 1):
                axes.plot(
                    pair[:, branch].real,
                    pair[:, branch].imag,
                    color=look.colour,
                    linestyle=look.dash,
                    label=rf"$\alpha = {momentum:g}$" if branch == 0 else None,
                )
            axes.plot([1, momentum], [0, 0], look.marker, color=look.colour)
            swinging = np.abs(pair.imag).max(axis=1) > 1e-9
            radius = np.abs(pair[swinging]).mean() if swinging.any() else 0.0
            found.append(f"α = {momentum:g} on the circle of radius {radius:.3g}")
        axes.set(xlim=(-1.15, 1.9), ylim=(-1.08, 1.08))
        axes.set(xlabel=r"real part of $\sigma$", ylabel=r"imaginary part of $\sigma$")
        axes.set_aspect("equal")
        axes.legend(loc="upper right")
    alt = (
        "Paths of the two roots in the complex plane as learning rate times curvature grows. They start on "
        "the real axis at 1 and at the momentum, meet, and leave the axis as a complex pair: "
        + ", ".join(found)
        + ". They meet again on the negative real axis, and one leaves the unit circle at minus 1."
    )
    return figure, alt


def _pulls(momentum: float) -> np.ndarray:
    """Values of ελ from 0 to where it diverges, dense where the roots meet: there they move fastest."""
    meet, part, end = (1 - momentum**0.5) ** 2, (1 + momentum**0.5) ** 2, 2 * (1 + momentum)
    ease = (1 - np.cos(np.linspace(0, np.pi, 200))) / 2
    return np.concatenate([low + (high - low) * ease for low, high in ((0, meet), (meet, part), (part, end))])
