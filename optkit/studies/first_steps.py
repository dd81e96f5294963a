"""The effective rates of AdaGrad and RMSProp, and Adam's first step, read off the rules (C07, C08).

Protocol, committed before the first run:

- The effective rate is −Δθ/g, what a rule multiplies the gradient by, with the rules' defaults but ε = 1
  (RMSProp: ρ = 0.9). Ten seeds.
- C07: 50 coordinates, normal gradients of scale 1 for 500 steps, then of scale 0.01 for 1,500. AdaGrad: no
  coordinate's rate may rise from one step to the next, by more than rounding (1 part in 10¹²); with |g| = 1
  its rate must fall as t^−½ (slope within 1 % between t = 100 and 10,000), so it tends to 0. RMSProp: over
  the last 100 steps of each part, the median rate must rise by 1/0.01, within 20 %.
- C08: one step of Adam from 1,000 gradients with |g| logarithmically even from 0.1 to 100 and random signs.
  Without bias correction every step must be (1 − ρ₁)/√(1 − ρ₂) of ε, with it ε, within 1 %. For gradients
  of 10⁻⁴ the stabiliser δ = 10⁻⁸ inside the root is felt: the step is reported too, and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from optkit.rules import RULES
from optkit.studies.ledger import Claim, verdict

__all__ = ["CLAIMS", "effective_rates", "first_step"]

COMMAND = "optkit claims C07 C08"
SEEDS = tuple(range(10))
COORDINATES = 50
LOUD, QUIET = 500, 1500
SCALE = 0.01


def effective_rates(name: str, gradients: np.ndarray, **hyper: float) -> np.ndarray:
    """What a rule multiplies each gradient by, step by step, with ε = 1.

    Args:
        name: A rule with one state: ``adagrad`` or ``rmsprop``.
        gradients: Shape (steps, coordinates), without zeros.
        **hyper: Its hyper-parameters.

    Returns:
        Rates, of the same shape.

    Example:
        >>> effective_rates("adagrad", np.ones((4, 1)), eps=0.0)[:, 0].round(3).tolist()
        [1.0, 0.707, 0.577, 0.5]
    """
    state, rates = np.zeros(gradients.shape[1]), np.empty_like(gradients)
    for t, g in enumerate(gradients, start=1):
        step, state = RULES[name](np.zeros_like(g), g, state, t, lr=1.0, **hyper)
        rates[t - 1] = -step / g
    return rates


def first_step(gradients: np.ndarray, *, bias_correction: bool) -> np.ndarray:
    """The size of Adam's first step in each coordinate, as a multiple of ε."""
    zeros = np.zeros_like(gradients)
    theta, _, _ = RULES["adam"](zeros, gradients, zeros, zeros, 1, lr=1.0, bias_correction=bias_correction)
    return np.abs(theta)


def _noise(seed: int) -> np.ndarray:
    scale = np.where(np.arange(LOUD + QUIET) < LOUD, 1.0, SCALE)[:, None]
    return scale * np.random.default_rng(seed).standard_normal((LOUD + QUIET, COORDINATES))


def _c07() -> Claim:
    rises, recovered = [], []
    for seed in SEEDS:
        noise = _noise(seed)
        rates = effective_rates("adagrad", noise)
        rises.append(float((rates[1:] / rates[:-1]).max() - 1))
        rates = effective_rates("rmsprop", noise, rho=0.9)
        recovered.append(float(np.median(rates[-100:]) / np.median(rates[LOUD - 100 : LOUD]) * SCALE))
    constant = effective_rates("adagrad", np.ones((10_000, 1)))[:, 0]
    slope = float(np.polyfit(np.log(np.arange(100, 10_001)), np.log(constant[99:]), 1)[0])
    falls = max(rises) <= 1e-12 and abs(slope + 0.5) < 0.005
    back = [abs(one - 1) < 0.2 for one in recovered]
    return Claim(
        "C07",
        "AdaGrad's effective rate never rises, and tends to 0 as $t^{-1/2}$ under gradients of constant "
        "size; RMSProp's follows when the gradients shrink to a hundredth.",
        f"AdaGrad: largest rise from step to step {max(rises):.0e}, slope −{-slope:.4f}; RMSProp: the rate "
        f"rises {np.median(recovered) / SCALE:.0f} times, median over seeds",
        f"RMSProp {min(recovered) / SCALE:.0f} to {max(recovered) / SCALE:.0f} times with {len(SEEDS)} seeds",
        verdict(falls and all(back), under_conditions=falls and sum(back) > len(back) / 2),
        COMMAND,
        SEEDS,
    )


def _c08() -> Claim:
    factor = (1 - 0.9) / math.sqrt(1 - 0.999)
    sizes = {True: [], False: []}
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        gradients = np.geomspace(0.1, 100, 1000) * draw.choice([-1.0, 1.0], 1000)
        for corrected, found in sizes.items():
            found.append(first_step(gradients, bias_correction=corrected))
    with_, without = np.array(sizes[True]), np.array(sizes[False])
    off = max(float(np.abs(with_ - 1).max()), float(np.abs(without / factor - 1).max()))
    small = float(first_step(np.array([1e-4]), bias_correction=True)[0])
    return Claim(
        "C08",
        "Without bias correction Adam's first step is $(1-ρ_1)/\\sqrt{1-ρ_2}$ times ε, with it ε, in every "
        "coordinate with a gradient of 0.1 to 100.",
        f"{np.median(without):.3f} ε without (formula {factor:.3f}), {np.median(with_):.3f} ε with; "
        f"for a gradient of 0.0001, where δ is felt, {small:.3f} ε",
        f"without {without.min():.3f} to {without.max():.3f}, with {with_.min():.6f} to {with_.max():.6f}, "
        f"over 1000 gradients of {len(SEEDS)} seeds",
        verdict(off < 0.01),
        COMMAND,
        SEEDS,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C07": _c07, "C08": _c08}
