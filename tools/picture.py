"""Draw the picture of the README from the rules themselves.

Run with `python tools/picture.py`. Four optimizers walk down a half-pipe,
f(x, y) = (x² + 30 y²) / 2, from one start.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optkit.figures import canvas, face, style
from optkit.rules import RULES

TARGET = Path(__file__).resolve().parent.parent / "reference" / "picture.png"
CURVATURE = np.array([1.0, 30.0])
START = np.array([-4.0, 1.1])
STEPS = 60
SETTINGS = {
    "gradient_descent": {"lr": 0.06},
    "momentum_common": {"lr": 0.02, "momentum": 0.8},
    "adam": {"lr": 0.25},
    "inna": {"lr": 0.08, "alpha": 0.7, "beta": 0.2, "paper_start": False},
}


def path(name: str) -> np.ndarray:
    """The points that the rule visits, shape (STEPS + 1, 2)."""
    rule = RULES[name]
    theta, state = START, [np.zeros(2)] * len(rule.state)
    points = [theta]
    for t in range(1, STEPS + 1):
        theta, *state = rule(theta, CURVATURE * theta, *state, t, **SETTINGS[name])
        points.append(theta)
    return np.array(points)


def draw() -> None:
    """Write the picture."""
    x, y = np.meshgrid(np.linspace(-4.5, 1.5, 200), np.linspace(-1.4, 1.4, 200))
    with style():
        figure, axes = canvas(height=0.8)
        levels = [0.1, 0.5, 1.5, 4, 9, 18, 30]
        axes.contour(x, y, (x * x + 30 * y * y) / 2, levels=levels, colors="#c8c8c8", linewidths=0.8)
        for name in SETTINGS:
            axes.plot(*path(name).T, **face(name).line() | {"markevery": 4, "markersize": 5})
        axes.set(xlim=(-4.5, 1.5), ylim=(-1.4, 1.4), xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
        axes.set_title("Four rules on a half-pipe, 60 steps")
        axes.grid(False)
        axes.legend(loc="lower right", fontsize=9)
        figure.savefig(TARGET, dpi=150, metadata={"Software": None})


if __name__ == "__main__":
    draw()
