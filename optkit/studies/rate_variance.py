"""The variance of the adaptive rate early in training, and RAdam's cure (C11).

The adaptive rate is 1/√r̂, with r̂ the bias-corrected moving average of squared gradients. For gradients that
are independent and normal with variance 1, RAdam's paper takes it for √(ρ/X), X of a chi-square distribution
with ρ = ρ_t degrees of freedom: the variance is then ρ/(ρ − 2) − (ρ/2)(Γ((ρ − 1)/2)/Γ(ρ/2))². RAdam's factor
on the step is read off its rule.

Protocol, in `PROTOCOL`, committed before the first run. Monte-Carlo: 50,000 gradients at each step, δ = 0,
five seeds, ρ₂ = 0.99 and 0.999, looked at from t = 6, the first rectified step; before that the variance is
infinite or the draws say little. It holds if with every ρ₂, and every seed,

1. the variance at t = 6 is the largest;
2. the formula is within 15 % of what is measured, at every t looked at. It takes the exponential average
   for a simple one, which on paper costs it up to 12 % near t = 1.5/(1 − ρ₂);
3. the rectified variance varies (largest over smallest) a tenth as much as the bare one, or less.

Under conditions if the first and one of the others is so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np

from optkit.rules import RULES
from optkit.studies.ledger import Claim, verdict
from optkit.studies.repeated import Repeated

__all__ = ["CLAIMS", "STUDY", "factor", "formula", "length", "measure", "monte_carlo", "repeat"]

PROTOCOL: Mapping[str, Any] = {
    "draws": 50_000,
    "steps": {
        "0.99": [6, 7, 8, 10, 14, 20, 30, 50, 100, 150, 200, 500],
        "0.999": [6, 7, 8, 10, 14, 20, 30, 50, 100, 200, 500, 1000, 1500, 2000, 5000],
    },
    "tolerance": 0.15,
    "flatter": 10.0,
    "seeds": [0, 1, 2, 3, 4],
}


def length(t: int, beta2: float) -> float:
    """ρ_t, the length of the simple average that RAdam puts in place of the exponential one.

    Example:
        >>> round(length(6, 0.999), 2)
        5.99
    """
    power = beta2**t
    return 2 / (1 - beta2) - 1 - 2 * t * power / (1 - power)


def formula(t: int, beta2: float) -> float:
    """The variance of the adaptive rate at step t, by the formula; infinite for ρ_t ≤ 2.

    Example:
        >>> formula(2, 0.999), round(formula(6, 0.999), 3)
        (inf, 0.175)
    """
    rho = length(t, beta2)
    if rho <= 2:
        return math.inf
    mean = math.sqrt(rho / 2) * math.exp(math.lgamma((rho - 1) / 2) - math.lgamma(rho / 2))
    return rho / (rho - 2) - mean * mean


def factor(t: int, beta2: float) -> float:
    """RAdam's factor on the step, read off the rule: its step where every gradient has been 1.

    Example:
        >>> round(factor(6, 0.999), 3)
        0.026
    """
    # Averages of ones that began at 0, as they are before step t.
    before = [1 - beta ** (t - 1) for beta in (0.9, beta2)]
    theta, _, _ = RULES["radam"](0.0, 1.0, *before, t, lr=1.0, beta2=beta2, eps=0.0)
    return -float(theta)


def monte_carlo(beta2: float, steps: list[int], draws: int, seed: int) -> list[float]:
    """The variance of 1/√r̂ at some steps, over many averages of squared normal gradients."""
    random = np.random.default_rng(seed)
    r, found = np.zeros(draws), []
    for t in range(1, max(steps) + 1):
        g = random.standard_normal(draws)
        r = beta2 * r + (1 - beta2) * g * g
        if t in steps:
            found.append(float(np.var(np.sqrt((1 - beta2**t) / r), ddof=1)))
    return found


def measure(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """For each ρ₂: ``t``, ``formula``, ``factor``, and ``variance`` for each seed."""
    return {
        beta2: {
            "t": steps,
            "formula": [formula(t, float(beta2)) for t in steps],
            "factor": [factor(t, float(beta2)) for t in steps],
            "variance": [
                monte_carlo(float(beta2), steps, protocol["draws"], seed) for seed in protocol["seeds"]
            ],
        }
        for beta2, steps in protocol["steps"].items()
    }


STUDY = Repeated("rate_variance", PROTOCOL, measure)
DECLARED = {STUDY.name: PROTOCOL}
repeat = STUDY.repeat


def _c11() -> Claim:
    first, off, bare, flat = [], [], [], []
    for found in STUDY.stored().values():
        rectify = np.square(found["factor"])
        for row in np.array(found["variance"]):
            first.append(bool(row.argmax() == 0))
            off.append(float(np.abs(np.array(found["formula"]) / row - 1).max()))
            bare.append(float(row.max() / row.min()))
            rectified = rectify * row
            flat.append(float(rectified.max() / rectified.min()))
    close = max(off) <= PROTOCOL["tolerance"]
    flattened = all(a <= b / PROTOCOL["flatter"] for a, b in zip(flat, bare, strict=True))
    half = len(STUDY.seeds)
    return Claim(
        "C11",
        "The variance of the adaptive rate is largest in the first steps, its formula is within "
        f"{100 * PROTOCOL['tolerance']:.0f} % of what is measured, and RAdam's rectification flattens it at "
        f"least {PROTOCOL['flatter']:.0f}-fold (from $t = 6$ on).",
        f"largest variance over smallest: {median(bare[:half]):.0f} and {median(bare[half:]):.0f} for ρ₂ = "
        f"{' and '.join(PROTOCOL['steps'])}, rectified {median(flat[:half]):.1f} and "
        f"{median(flat[half:]):.1f}; formula off by at most {100 * median(off):.0f} %: medians over seeds",
        f"largest at t = 6 in {sum(first)} of {len(first)} series; formula off by at most "
        f"{100 * max(off):.0f} % with any of {half} seeds",
        verdict(all(first) and close and flattened, under_conditions=all(first) and (close or flattened)),
        STUDY.command,
        STUDY.seeds,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C11": _c11}
