"""Why each parameter wants a rate of its own, and what one for each axis cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.palette import face, series
from optkit.problems import PROBLEMS
from optkit.rules import RULES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["following", "gradient_sizes", "rms_gap", "steps_when_turned"]


def gradient_sizes(sizes: Mapping[str, Any], pixels: Any) -> tuple[Figure, str]:
    """Draw the sizes of the gradients of a net's parameters: by pixel of the input, and sorted by layer.

    Args:
        sizes: Name of a parameter → root mean square gradient of each of its entries, any shape, >= 0.
        pixels: Root mean square gradient of the weights at each pixel, shape (height, width), >= 0.

    Returns:
        The figure, and its alternative text with the spread over the middle 98 % of all parameters.

    Raises:
        ValueError: No gradient is above 0.

    Example:
        >>> figure, alt = gradient_sizes({"weight": np.geomspace(1e-4, 1.0, 101)}, np.eye(3))
        >>> "a factor of 8318" in alt
        True
    """
    from matplotlib.colors import LogNorm

    every = np.concatenate([np.ravel(values) for values in sizes.values()])
    alive = every[every > 0]
    if not alive.size:
        raise ValueError("sizes must hold at least 1 gradient above 0, got none")
    low, high = np.quantile(alive, [0.01, 0.99])
    plane = np.asarray(pixels, dtype=float)
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.85)
        floor = max(plane[plane > 0].min(), 1e-6)
        image = top.imshow(np.maximum(plane, floor), cmap="cividis", norm=LogNorm(floor, plane.max()))
        top.set_anchor("W")  # beneath its title, with its scale beside it
        figure.colorbar(image, cax=top.inset_axes((1.06, 0.05, 0.06, 0.9)))
        top.set_title("first layer, by pixel")
        top.set_xticks([])
        top.set_yticks([])
        top.grid(False)
        for index, (name, values) in enumerate(sizes.items()):
            ordered = np.sort(np.ravel(values))
            share = (np.arange(len(ordered)) + 0.5) / len(ordered)
            bottom.plot(share[ordered > 0], ordered[ordered > 0], **series(index).line(label=name))
        bottom.set_yscale("log")
        bottom.set_xlabel("share of the parameters")
        bottom.set_title("root mean square gradient")
        bottom.legend()
    alt = (
        "Two panels. Above, a map of the input pixels: the gradients of their weights are at most "
        f"{plane.max():.2g}, and {plane[0, 0]:.1g} in the upper left corner. Below, the gradients of each "
        f"layer's parameters in order of size, logarithmic. Of all {len(every)} parameters "
        f"{(every == 0).mean():.1%} have no gradient at all; the middle 98 % of the others lie between "
        f"{low:.2g} and {high:.2g}, a factor of {high / low:.0f}."
    )
    return figure, alt


def steps_when_turned(
    *,
    condition: float = 100.0,
    angles: Sequence[float] = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0),
    hyper: Mapping[str, Mapping[str, float]] | None = None,
    rates: Sequence[float] = tuple(10.0 ** (k / 8) for k in range(-16, 9)),
    starts: int = 12,
    steps: int = 120,
) -> tuple[Figure, str]:
    """Draw how many steps rules need on a quadratic bowl, against the angle by which its axes are turned.

    At each angle each rule has the learning rate at which it does best: the fewest steps to a thousandth of
    the loss, median over starts on a circle.

    Args:
        condition: κ of the bowl.
        angles: Degrees.
        hyper: Rule → hyper-parameters besides ``lr``; by default gradient descent, AdaGrad and RMSProp.
        rates: Learning rates that are tried.
        starts: Places on the circle of radius 4.
        steps: The most that a run may take; one that takes more counts as ``steps``.

    Returns:
        The figure, and its alternative text.

    Example:
        >>> few = {"angles": (0.0, 45.0), "rates": (0.01, 0.1, 1.0), "starts": 2, "steps": 50}
        >>> figure, alt = steps_when_turned(**few)
        >>> alt.split(":")[0]
        'Steps to a thousandth of the loss against the angle of the axes, for condition number 100'
    """
    chosen = {"gradient_descent": {}, "adagrad": {}, "rmsprop": {"rho": 0.9}} if hyper is None else hyper
    # Off the axes, where one coordinate alone would have to move.
    round_ = 2 * np.pi * (np.arange(starts) + 0.5) / starts
    circle = 4.0 * np.stack([np.cos(round_), np.sin(round_)], axis=1)
    sentences, heights = [], []
    with style():
        figure, axes = canvas()
        for name, others in chosen.items():
            best = []
            for angle in angles:
                bowl = PROBLEMS["quadratic"].replace(condition=condition, angle=float(np.radians(angle)))
                best.append(_fewest_steps(name, bowl, circle, steps, np.array(rates), others))
            axes.plot(angles, best, **face(name).line() | {"markevery": 1})
            heights += best
            sentences.append(f"{face(name).label} takes {_listed(best)} steps")
        axes.set_yscale("log")
        plain_ticks(axes.yaxis, np.array(heights))
        axes.set_xlabel("axes turned by (degrees)")
        axes.set_ylabel("steps to loss / 1000")
        axes.legend()
    alt = (
        f"Steps to a thousandth of the loss against the angle of the axes, for condition number "
        f"{condition:g}: at {_listed(angles)} degrees " + "; ".join(sentences) + "."
    )
    return figure, alt


def _fewest_steps(
    name: str, bowl: Any, circle: np.ndarray, steps: int, rates: np.ndarray, others: Mapping[str, float]
) -> float:
    """Of the best rate, median over the starts; all rates and starts go side by side."""
    theta = np.tile(circle, (len(rates), 1, 1))
    state = tuple(np.zeros_like(theta) for _ in RULES[name].state)
    goal = bowl.loss(theta) / 1000
    taken = np.full(goal.shape, float(steps))
    with np.errstate(all="ignore"):  # a rate beyond the limit overflows, and never gets there
        for t in range(1, steps + 1):
            theta, *state = RULES[name](
                theta, bowl.gradient(theta), *state, t, lr=rates[:, None, None], **others
            )
            taken = np.where((bowl.loss(theta) <= goal) & (taken == steps), t, taken)
    return float(np.median(taken, axis=1).min())


def rms_gap(name: str, *, seed: int, periods: int = 8, runs: int = 50, **hyper: float) -> np.ndarray:
    """How far a rule is from a minimum that moves to and fro, root mean square over each period.

    One parameter, the loss ½(θ − c)² with c = 3 sin(2πt/1000), and normal gradient noise of variance 1.

    Args:
        name: Name of a rule.
        seed: Of the noise.
        periods: Of 1,000 steps.
        runs: Runs side by side, with noise of their own.
        **hyper: Of the rule.

    Returns:
        Shape (periods,).

    Example:
        >>> rms_gap("gradient_descent", seed=0, periods=1, runs=5, lr=0.1).round(1)
        array([0.3])
    """
    steps = 1000 * periods
    place = 3.0 * np.sin(2 * np.pi * np.arange(1, steps + 1) / 1000)
    random = np.random.RandomState(seed)
    theta = np.zeros(runs)
    state = tuple(np.zeros(runs) for _ in RULES[name].state)
    squares = np.empty(steps)
    for t, c in enumerate(place, start=1):
        theta, *state = RULES[name](theta, theta - c + random.standard_normal(runs), *state, t, **hyper)
        squares[t - 1] = ((theta - c) ** 2).mean()
    return np.sqrt(squares.reshape(periods, 1000).mean(axis=1))


def following(settings: Mapping[str, tuple[str, Mapping[str, float]]], *, seed: int) -> tuple[Figure, str]:
    """Draw how well rules follow a minimum that moves to and fro, period by period.

    Args:
        settings: Label → rule and its hyper-parameters.
        seed: Of the noise.

    Returns:
        The figure, and its alternative text.

    Example:
        >>> figure, alt = following({"Descent": ("gradient_descent", {"lr": 0.1})}, seed=0)
        >>> "Descent: 0.26 in the first period, 0.26 in the last" in alt
        True
    """
    sentences = []
    with style():
        figure, axes = canvas()
        for label, (name, hyper) in settings.items():
            gaps = rms_gap(name, seed=seed, **hyper)
            axes.plot(np.arange(1, len(gaps) + 1), gaps, **face(name).line(label=label) | {"markevery": 1})
            sentences.append(f"{label}: {gaps[0]:.2g} in the first period, {gaps[-1]:.2g} in the last.")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("period of 1,000 steps")
        axes.set_ylabel("distance to the moving minimum")
        axes.legend()
    return figure, "Root mean square distance to a moving minimum in each period. " + " ".join(sentences)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
