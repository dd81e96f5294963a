"""Checks of the exercises of the chapter on learning-rate scheduling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong
from optkit.noise import greedy_rate

__all__ = ["check_greedy_rate", "check_warmup_then_cosine"]

STEPS = (1, 3, 10, 11, 40, 99, 100)
WARMUP, TOTAL = 10, 100
PLACES = ((3.0, 1.0, 2.0), (0.5, 2.0, 1.0), (1.0, 0.3, 0.2), (9.0, 1.5, 4.0))


def check_warmup_then_cosine(answer: Callable[[int, int, int], float]) -> Answer:
    """Check a function (t, warm-up steps, all steps) → factor: a line up to 1, then half a cosine down.

    The factor is t/warm-up up to the end of the warm-up. After it the cosine starts at 1 and would be 0 in
    the step after the last.

    Example:
        >>> check_warmup_then_cosine(lambda t, warmup, total: t / warmup)
        Not yet. The line goes on beyond 1...
    """
    found = []
    for t in STEPS:
        result, fault = attempt(answer, t, WARMUP, TOTAL)
        if fault:
            return fault
        found.append(result)
    t = np.array(STEPS, dtype=float)
    if same(found, _joined(t, t / WARMUP, (t - WARMUP - 1) / (TOTAL - WARMUP))):
        return right("It is warmup(steps=10).then(cosine(steps=90)).")
    rest = (t - WARMUP - 1) / (TOTAL - WARMUP)
    known = first_match(
        found,
        {
            "The line goes on beyond 1: after the warm-up the cosine takes over.": lambda: t / WARMUP,
            "Steps count from 1. You start with a factor of 0, and the first step is lost.": (
                lambda: _joined(t, (t - 1) / WARMUP, rest)
            ),
            "The warm-up is missing: in the first steps the factor is t/warm-up.": lambda: _joined(
                t, np.ones(len(t)), rest
            ),
            "The cosine counts from the start of the run. It begins after the warm-up.": (
                lambda: _joined(t, t / WARMUP, (t - 1) / TOTAL)
            ),
            "The cosine is as long as the whole run: it has only the steps after the warm-up.": (
                lambda: _joined(t, t / WARMUP, (t - WARMUP - 1) / TOTAL)
            ),
            "The first step after the warm-up still has the factor 1: count the cosine from 1.": lambda: (
                _joined(t, t / WARMUP, (t - WARMUP) / (TOTAL - WARMUP))
            ),
            "Your cosine gets to 0 in the last step. Its progress is (u − 1)/T, as in the chapter, and not "
            "(u − 1)/(T − 1): u is its own step, T their number.": (
                lambda: _joined(t, t / WARMUP, (t - WARMUP - 1) / (TOTAL - WARMUP - 1))
            ),
            "You multiplied the two. One follows the other: during the line there is no cosine.": lambda: (
                np.minimum(t / WARMUP, 1) * (1 + np.cos(np.pi * (t - 1) / TOTAL)) / 2
            ),
            "A straight line leads down. Half a cosine is (1 + cos(π · progress))/2.": lambda: np.where(
                t <= WARMUP, t / WARMUP, 1 - rest
            ),
            "The cosine itself goes down to −1: it needs (1 + cos(π · progress))/2.": lambda: np.where(
                t <= WARMUP, t / WARMUP, np.cos(np.pi * rest)
            ),
            "The cosine rises: it needs a plus, (1 + cos(π · progress))/2.": lambda: np.where(
                t <= WARMUP, t / WARMUP, (1 - np.cos(np.pi * rest)) / 2
            ),
        },
    )
    return known or wrong(
        "Two cases. Up to the end of the warm-up: t/warm-up. Then (1 + cos(π · progress))/2, with progress = "
        "(t − warm-up − 1)/(all − warm-up)."
    )


def _joined(t: np.ndarray, rise: np.ndarray, progress: np.ndarray) -> np.ndarray:
    return np.where(t <= WARMUP, rise, (1 + np.cos(np.pi * progress)) / 2)


def check_greedy_rate(answer: Callable[[float, float, float], float]) -> Answer:
    """Check a function (q, λ, σ) → the ε that makes the next mean square (1 − ελ)²q + ε²σ² smallest.

    Example:
        >>> check_greedy_rate(lambda q, curvature, sigma: 1 / curvature)
        Not yet. This is the best rate without noise...
    """
    found = []
    for place in PLACES:
        result, fault = attempt(answer, *place)
        if fault:
            return fault
        found.append(result)
    q, curvature, sigma = np.array(PLACES).T
    if same(found, greedy_rate(q, curvature, sigma=sigma, m=1)):
        return right("Far away it is 1/λ. Near the minimum, where λ²q is below σ², it falls with q.")
    known = first_match(
        found,
        {
            "This is the best rate without noise: it jumps to the minimum, and by σ/λ past it.": (
                lambda: 1 / curvature
            ),
            "The noise enters as a variance, σ².": lambda: curvature * q / (curvature**2 * q + sigma),
            "The curvature below the line belongs to the square of ελ: λ²q.": (
                lambda: curvature * q / (curvature * q + sigma**2)
            ),
            "q is a mean SQUARE already: do not square it again.": (
                lambda: curvature * q**2 / (curvature**2 * q**2 + sigma**2)
            ),
            "This is the share of the signal in the square of the gradient. A rate is that share over λ.": (
                lambda: curvature**2 * q / (curvature**2 * q + sigma**2)
            ),
            "A sign: the derivative is −2λ(1 − ελ)q + 2εσ², and noise makes the best rate smaller.": (
                lambda: curvature * q / (curvature**2 * q - sigma**2)
            ),
            "This is the smallest mean square itself. Asked for is the rate that leads to it.": (
                lambda: q * sigma**2 / (curvature**2 * q + sigma**2)
            ),
        },
    )
    return known or wrong("Differentiate (1 − ελ)²q + ε²σ² with respect to ε, and set it to 0.")
