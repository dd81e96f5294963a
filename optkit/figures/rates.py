"""How long a step a rule takes under gradients that are given to it: effective rates, first steps, scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import face, series
from optkit.rules import RULES, Rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bias_correction_and_scale", "effective_rates", "steps_under"]


def steps_under(rule: Rule, gradients: Any, **hyper: Any) -> np.ndarray:
    """The steps −Δθ that a rule takes when the gradients are these, one after the other.

    Args:
        rule: A rule whose step does not depend on θ itself (all but `inna`).
        gradients: Shape (n, …), float.
        **hyper: Hyper-parameters; the rule's defaults for the rest.

    Returns:
        Of the shape of ``gradients``, float64. Positive: against a positive gradient.

    Example:
        >>> steps_under(RULES["adagrad"], [1.0, 1.0, 1.0, 1.0], lr=0.1, eps=0.0).round(3)
        array([0.1  , 0.071, 0.058, 0.05 ])
    """
    gradients = np.asarray(gradients, dtype=float)
    state = tuple(np.zeros(gradients.shape[1:]) for _ in rule.state)
    steps = np.empty_like(gradients)
    for t, gradient in enumerate(gradients, start=1):
        # From θ = 0 each time: a small step loses no digits beside a large θ.
        moved, *state = rule(np.zeros(gradients.shape[1:]), gradient, *state, t, **hyper)
        steps[t - 1] = -moved
    return steps


def effective_rates(
    names: Sequence[str] = ("adagrad", "rmsprop"),
    *,
    steps: int = 1500,
    change: int = 500,
    factor: float = 0.1,
    lr: float = 0.01,
) -> tuple[Figure, str]:
    """Draw the effective rate, the step divided by the gradient, while the gradient's size changes.

    The gradient is 1 up to the step ``change`` and ``factor`` from then on.

    Args:
        names: Names of rules with a rate for each parameter, at their defaults.
        steps: Number of steps, more than ``change``.
        change: The last step before the change, at least 1.
        factor: Size of the gradient after it, > 0 and < 1.
        lr: ε of every rule.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: Steps or a factor out of range.

    Example:
        >>> figure, alt = effective_rates(steps=40, change=20)
        >>> alt.split(": ")[0]
        'Effective rate over 40 steps, logarithmic, for a gradient that falls from 1 to 0.1 after step 20'
    """
    if not 1 <= change < steps:
        raise ValueError(f"change must be >= 1 and < steps = {steps}, got {change}")
    if not 0 < factor < 1:
        raise ValueError(f"factor must be > 0 and < 1, got {factor}")
    gradients = np.where(np.arange(1, steps + 1) <= change, 1.0, factor)
    sentences = []
    with style():
        figure, axes = canvas()
        for name in names:
            rates = steps_under(RULES[name], gradients, lr=lr) / gradients
            axes.plot(np.arange(1, steps + 1), rates, **face(name).line())
            rises = "never rises" if (np.diff(rates) <= 0).all() else "rises again"
            sentences.append(
                f"{face(name).label} goes from {rates[0]:.2g} to {rates[change - 1]:.2g} before the change "
                f"and to {rates[-1]:.2g} at the end; after the change it "
                f"{_direction(rates[change:])}{', and it ' + rises if rises == 'never rises' else ''}."
            )
        axes.axvline(change, color=series(5).colour, linestyle=series(5).dash, linewidth=1)
        axes.annotate(f"gradient × {factor:g}", (change, 1), (4, -12), textcoords="offset points",
                      xycoords=("data", "axes fraction"))  # fmt: skip
        axes.set_yscale("log")
        axes.set_xlabel("step $t$")
        axes.set_ylabel("effective rate: step / gradient")
        axes.legend(loc="center right")
    alt = (
        f"Effective rate over {steps} steps, logarithmic, for a gradient that falls from 1 to {factor:g} "
        f"after step {change}: " + " ".join(sentences)
    )
    return figure, alt


def bias_correction_and_scale(*, steps: int = 100, lr: float = 0.001) -> tuple[Figure, str]:
    """Draw Adam's steps in units of ε: with and without bias correction, and against the gradient's size.

    Top: the first steps for a gradient that is always 1. Bottom: the first step for gradients of many sizes,
    with the stabiliser δ inside the root and outside.

    Args:
        steps: Number of steps on the top, at least 2.
        lr: ε, > 0.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: Fewer than 2 steps.

    Example:
        >>> figure, alt = bias_correction_and_scale()
        >>> "first step is 3.16 times" in alt
        True
    """
    if steps < 2:
        raise ValueError(f"steps must be >= 2, got {steps}")
    adam = RULES["adam"]
    ones, t = np.ones(steps), np.arange(1, steps + 1)
    corrected = steps_under(adam, ones, lr=lr) / lr
    plain = steps_under(adam, ones, lr=lr, bias_correction=False) / lr
    sizes = np.logspace(-10, 2, 241)
    inside = steps_under(adam, sizes[None], lr=lr)[0] / lr
    outside = steps_under(adam, sizes[None], lr=lr, eps_inside=False)[0] / lr
    floor = np.sqrt(adam.hyperparameters["eps"].default)
    at_floor = float(steps_under(adam, [floor], lr=lr)[0] / lr)
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.8)
        top.plot(t, corrected, **face("adam").line(label="with correction"))
        top.plot(t, plain, **series(0).line(label="without"))
        top.set_ylim(bottom=0)
        top.set_title("Gradient 1 at every step")
        top.set_xlabel("step $t$")
        bottom.set_ylabel(r"step in units of $\epsilon$")
        top.set_ylabel(r"step in units of $\epsilon$")
        top.legend()
        bottom.plot(sizes, inside, **face("adam").line(label=r"$\delta$ inside the root"))
        bottom.plot(sizes, outside, **series(1).line(label=r"$\delta$ outside"))
        bottom.axvline(floor, color=series(5).colour, linestyle=series(5).dash, linewidth=1)
        bottom.annotate(r"$\sqrt{\delta}$", (floor, 0), (4, 4), textcoords="offset points",
                       xycoords=("data", "axes fraction"))  # fmt: skip
        bottom.set_xscale("log")
        bottom.set_title("First step, gradients of all sizes")
        bottom.set_xlabel("size of the gradient $|g|$")
        bottom.legend(loc="center right")
    largest = int(plain.argmax())
    alt = (
        "Two panels, steps of Adam in units of the learning rate. Top, for a gradient of 1: with bias "
        f"correction every step is {corrected.min():.3g}; without it the first step is {plain[0]:.3g} "
        f"times the learning rate, the largest is {plain[largest]:.3g} at step {t[largest]}, and step "
        f"{steps} is still {plain[-1]:.3g}. Bottom, the first step against the size of the gradient: with "
        f"the stabiliser inside the root it is {inside[-1]:.3g} for large gradients, {at_floor:.2g} at a "
        f"gradient of {floor:.0e} and {inside[0]:.0e} at {sizes[0]:.0e}; outside the root it stays above "
        f"{at_floor:.2g} down to {sizes[outside > at_floor].min():.0e}."
    )
    return figure, alt


def _direction(values: np.ndarray) -> str:
    ratio = values[-1] / values[0]
    if 0.5 < ratio < 2:
        return f"{'rises' if ratio > 1 else 'falls'} by {abs(ratio - 1):.1%}"
    return f"{'rises' if ratio > 1 else 'falls'} {max(ratio, 1 / ratio):.2g}-fold"
