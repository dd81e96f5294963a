"""Checks of the exercises of the chapter on Adam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_adam_step", "check_uncorrected_step"]

GRADIENTS = (0.5, -2.0, 1e-3, 0.3)
SETTING = (0.1, 0.9, 0.99, 1e-3)  # ε, ρ₁, ρ₂ and a coarse δ, so that its place shows
STEADY = ((1, 0.9, 0.999), (5, 0.9, 0.999), (1, 0.5, 0.99), (20, 0.8, 0.95))


def check_uncorrected_step(answer: Callable[[int, float, float], float]) -> Answer:
    """Check a function (t, ρ₁, ρ₂) → Adam's step number t under a constant gradient, uncorrected, over ε.

    Example:
        >>> check_uncorrected_step(lambda t, beta1, beta2: 1.0)
        Not yet. This is the step WITH the correction...
    """
    found = []
    for setting in STEADY:
        result, fault = attempt(answer, *setting)
        if fault:
            return fault
        found.append(result)
    t, beta1, beta2 = np.array(STEADY).T
    first, second = 1 - beta1**t, 1 - beta2**t
    if same(found, first / np.sqrt(second)):
        return right("At t = 1 with the usual decays it is 0.1/√0.001 = 3.16.")
    known = first_match(
        found,
        {
            "This is the step WITH the correction: both hats give 1, and so does their quotient.": (
                lambda: np.ones(len(t))
            ),
            "The second moment stands under a root in the step.": lambda: first / second,
            "Your fraction is upside down: s is above the line, √r below.": lambda: np.sqrt(second) / first,
            "These are the shares that are MISSING after t steps, ρᵗ. What is there is 1 − ρᵗ.": (
                lambda: beta1**t / np.sqrt(beta2**t)
            ),
            "This is the first step, for every t: the share after t steps is 1 − ρᵗ.": (
                lambda: (1 - beta1) / np.sqrt(1 - beta2)
            ),
            "Steps count from 1: your powers are those of the step before.": (
                lambda: (1 - beta1 ** (t - 1)) / np.sqrt(np.maximum(1 - beta2 ** (t - 1), 1e-300))
            ),
            "Your powers are one too high: after the first step the share is 1 − ρ.": (
                lambda: (1 - beta1 ** (t + 1)) / np.sqrt(1 - beta2 ** (t + 1))
            ),
        },
    )
    return known or wrong(
        "Let the gradient be 1. Then s after t steps is 1 − ρ₁ᵗ. What is r? The step is ε s/√r."
    )


def check_adam_step(answer: Callable[..., tuple[float, float, float]]) -> Answer:
    """Check one step of Adam, a function (θ, g, s, r, t, ε, ρ₁, ρ₂, δ) → (θ, s, r), with δ outside the root.

    Example:
        >>> def uncorrected(theta, g, s, r, t, lr, beta1, beta2, eps):
        ...     s, r = beta1 * s + (1 - beta1) * g, beta2 * r + (1 - beta2) * g * g
        ...     return theta - lr * s / (r**0.5 + eps), s, r
        >>> check_adam_step(uncorrected)
        Not yet. The two corrections are missing...
    """
    found, fault = _walk(answer)
    if fault:
        return _in_the_first_step(answer) or fault
    if same(found, _walk(_adam)[0]):
        return right("Five lines, and it is torch.optim.Adam.")
    hints = {
        "The two corrections are missing: divide s by 1 − ρ₁ᵗ and r by 1 − ρ₂ᵗ in the step.": _uncorrected,
        "δ stands inside the root. Here it is added to the root, as in PyTorch.": _inside,
        "You returned the corrected moments. The state stays uncorrected; each step corrects it anew.": (
            _corrected_state
        ),
        "Only s is corrected. r starts at zero, too.": _only_first,
        "Only r is corrected. s starts at zero, too.": _only_second,
        "r averages g, not its square.": _no_square,
        "There is no root: dividing by r̂ itself makes a step longer, the smaller the gradient.": _no_root,
        "You walk uphill: the step is against ŝ.": _uphill,
        "The step uses g where Adam has the average ŝ: this is RMSProp, corrected.": _rmsprop,
        "The step uses the moments from before g came in: update s and r first.": _late,
        "You divided by 1 − ρ in every step. The share grows with the step: 1 − ρᵗ.": _without_power,
        "Your powers are one too high: t counts from 1, and the first share is 1 − ρ.": _one_step_on,
        "The decays are exchanged: s keeps ρ₁ of itself, r keeps ρ₂.": _exchanged_decays,
        "ρ is what is KEPT of the old moment. The new gradient comes in with 1 − ρ.": _turned_weights,
        "δ is added to the root of r without its correction, as in Keras: correct r first.": _keras,
    }
    known = first_match(found, {hint: lambda f=f: _walk(f)[0] for hint, f in hints.items()})
    return (
        known
        or _in_the_first_step(answer)
        or wrong(
            "In order: update s, update r, divide each by 1 − ρᵗ, divide ŝ by √r̂ + δ, step against it. "
            "Return (θ, s, r)."
        )
    )


def _in_the_first_step(step: Callable[..., tuple[float, float, float]]) -> Answer | None:
    """A mistake that shows in the state after a first step, and later leads to the root of a number < 0."""
    result, _ = attempt(step, 1.0, GRADIENTS[0], 0.0, 0.0, 1, *SETTING)
    s, r = 0.1 * GRADIENTS[0], 0.01 * GRADIENTS[0] ** 2
    return first_match(
        result[1:] if isinstance(result, tuple | list) else None,
        {
            "The moments are exchanged: return (θ, s, r), with s before r.": lambda: (r, s),
            "r averages g, not its square.": lambda: (s, 0.01 * GRADIENTS[0]),
        },
    )


def _walk(step: Callable[..., tuple[float, float, float]]) -> tuple[list[float] | None, Answer | None]:
    """All numbers of four steps of a reader's function, or what went wrong."""
    theta, s, r, path = 1.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        result, fault = attempt(step, theta, g, s, r, t, *SETTING)
        if fault:
            return None, fault
        try:
            theta, s, r = (float(number) for number in result)
        except (TypeError, ValueError):
            return None, wrong(f"Return three numbers, (θ, s, r), got {result!r}.")
        path += [theta, s, r]
    return path, None


def _moments(g: float, s: float, r: float, beta1: float, beta2: float) -> tuple[float, float]:
    return beta1 * s + (1 - beta1) * g, beta2 * r + (1 - beta2) * g * g


def _adam(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1**t) / ((r / (1 - beta2**t)) ** 0.5 + eps), s, r


def _uncorrected(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (r**0.5 + eps), s, r


def _inside(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1**t) / (r / (1 - beta2**t) + eps) ** 0.5, s, r


def _corrected_state(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    s, r = s / (1 - beta1**t), r / (1 - beta2**t)
    return theta - lr * s / (r**0.5 + eps), s, r


def _only_first(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1**t) / (r**0.5 + eps), s, r


def _only_second(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / ((r / (1 - beta2**t)) ** 0.5 + eps), s, r


def _no_square(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = beta1 * s + (1 - beta1) * g, beta2 * r + (1 - beta2) * abs(g)
    return theta - lr * s / (1 - beta1**t) / ((r / (1 - beta2**t)) ** 0.5 + eps), s, r


def _no_root(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1**t) / (r / (1 - beta2**t) + eps), s, r


def _uphill(theta, g, s, r, t, lr, beta1, beta2, eps):
    after, s, r = _adam(0.0, g, s, r, t, lr, beta1, beta2, eps)
    return theta - after, s, r


def _rmsprop(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * g / ((r / (1 - beta2**t)) ** 0.5 + eps), s, r


def _late(theta, g, s, r, t, lr, beta1, beta2, eps):
    moved = theta - lr * s / (1 - beta1**t) / ((r / (1 - beta2**t)) ** 0.5 + eps)
    return moved, *_moments(g, s, r, beta1, beta2)


def _without_power(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1) / ((r / (1 - beta2)) ** 0.5 + eps), s, r


def _one_step_on(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1 ** (t + 1)) / ((r / (1 - beta2 ** (t + 1))) ** 0.5 + eps), s, r


def _exchanged_decays(theta, g, s, r, t, lr, beta1, beta2, eps):
    return _adam(theta, g, s, r, t, lr, beta2, beta1, eps)


def _turned_weights(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, 1 - beta1, 1 - beta2)
    return theta - lr * s / (1 - beta1**t) / ((r / (1 - beta2**t)) ** 0.5 + eps), s, r


def _keras(theta, g, s, r, t, lr, beta1, beta2, eps):
    s, r = _moments(g, s, r, beta1, beta2)
    return theta - lr * s / (1 - beta1**t) * (1 - beta2**t) ** 0.5 / (r**0.5 + eps), s, r
