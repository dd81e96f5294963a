"""Series with a known truth, to watch averages on: a signal of t, and noise that any language repeats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optkit.averages.checks import checked_count
from optkit.language.functions import exp, pi, sin, step
from optkit.language.grammar import Formula, formula
from optkit.portable_random import noise as portable_noise


@formula
def jump(t, *, steps=200):
    """A level that jumps from 0 to 1 in the middle."""
    return step(t - steps / 2)


@formula
def ramp(t, *, steps=200):
    """A straight line from 0 to 1."""
    return t / steps


@formula
def wave(t, *, steps=200):
    """Two periods of a sine."""
    return (1 + sin(4 * pi * t / steps)) / 2


@formula
def falling_loss(t, *, steps=200):
    """A loss that falls fast at first and then slowly."""
    return 0.15 + 0.85 * exp(-6 * t / steps)


@formula
def observed(truth, z, *, noise):
    """What is seen of the truth under noise of this standard deviation."""
    return truth + noise * z


SIGNALS: Mapping[str, Formula] = {f.name: f for f in (jump, ramp, wave, falling_loss)}


def noisy_signal(
    signal: str, *, steps: int = 200, noise: float = 0.3, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A signal at t = 1 … steps, seen under noise, and the signal itself.

    Args:
        signal: A name in `SIGNALS`.
        steps: Length, at least 1.
        noise: Standard deviation of the noise, ≥ 0.
        seed: Whole number: the noise is `optkit.portable_random.noise` of (seed, t, 0).

    Returns:
        What is seen and the truth, both of shape (steps,), float64.

    Raises:
        KeyError: No signal of this name.
        ValueError: Too few steps, or a negative noise.

    Example:
        >>> seen, truth = noisy_signal("jump", steps=4, noise=0.0)
        >>> truth
        array([0., 0., 1., 1.])
    """
    if signal not in SIGNALS:
        raise KeyError(f"no signal {signal!r}; there are {', '.join(SIGNALS)}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be >= 0 and finite, got {noise}")
    t = range(1, checked_count(steps, "steps") + 1)
    truth = np.array([SIGNALS[signal](k, steps=steps) for k in t], dtype=np.float64)
    return observed(truth, portable_noise(seed, np.array(t), 0), noise=noise), truth
