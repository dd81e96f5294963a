"""Checks of the exercises of the chapter on gradient noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_batch_for_noise", "check_noise_scale"]

Array = np.ndarray


def check_batch_for_noise(answer: Callable[[float, float], float]) -> Answer:
    """Check a function (m, share) → the batch size whose noise is ``share`` of that of m examples.

    Drawn with replacement; the result need not be a whole number.

    Example:
        >>> check_batch_for_noise(lambda m, share: m / share)
        Not yet. This divides the VARIANCE by the wanted factor...
    """
    cases = ((32, 0.5), (10, 0.1), (64, 0.8), (100, 2.0))
    found = []
    for m, share in cases:
        result, fault = attempt(answer, m, share)
        if fault:
            return fault
        if np.ndim(result):
            return wrong(f"Return one number, the batch size, got {result!r}.")
        found.append(result)
    m, share = np.array(cases).T
    if same(found, m / share**2):
        return right("A tenth of the noise for a hundred times the examples.")
    if same(found, np.ceil(m / share**2)) or same(found, np.round(m / share**2)):
        return right("Rounded to whole examples. A tenth of the noise for a hundred times the examples.")
    known = first_match(
        found,
        {
            "This divides the VARIANCE by the wanted factor. The noise σ/√m is a root: to halve it you need "
            "four times the examples.": lambda: m / share,
            "Upside down: less noise asks for a LARGER batch. Divide by the square.": lambda: m * share**2,
            "Upside down, and without the square: less noise asks for a larger batch.": lambda: m * share,
            "You took a root where a square belongs: solve σ/√M = share · σ/√m for M.": (
                lambda: m / np.sqrt(share)
            ),
            "This is by which factor the batch grows. Multiply it by m.": lambda: 1 / share**2,
            "This is the noise of m examples, not a batch size: solve σ/√M = share · σ/√m for M.": (
                lambda: share / np.sqrt(m)
            ),
        },
    )
    return known or wrong("Write σ/√M = share · σ/√m, square both sides, and solve for M.")


def check_noise_scale(answer: Callable[[Array, Array, int, int], float]) -> Answer:
    """Check a function (squares_small, squares_big, small, big) → the gradient noise scale.

    The squares are ‖ĝ‖² of many draws of batches of ``small`` and of ``big`` examples.

    Example:
        >>> check_noise_scale(lambda squares_small, squares_big, small, big: 0.0)
        Not yet. The mean of ‖ĝ‖² is ‖g‖² + σ²/m. You have it for two batch sizes: two...
    """
    small, big = 4, 64
    random = np.random.RandomState(0)
    short = 1.0 + 40.0 / small + 3.0 * random.standard_normal(200)
    long = 1.0 + 40.0 / big + 0.4 * random.standard_normal(200)
    result, fault = attempt(answer, short.copy(), long.copy(), small, big)
    if fault:
        return fault
    noise = (short - long) / (1 / small - 1 / big)
    square = (big * long - small * short) / (big - small)
    if same(result, noise.mean() / square.mean()):
        return right("Two means, and their ratio at the end.")
    if isinstance(result, tuple | list) and len(result) == 2:
        return wrong("Return one number, the ratio of σ² and ‖g‖².")
    if np.ndim(result):
        return wrong(
            "You return a number for each draw. Average σ² and ‖g‖² over the draws, and divide the two means."
        )
    hints: dict[str, Callable[[], Any]] = {
        "This is the mean of the ratios. Where ‖g‖² of a single draw comes out near zero, its ratio is huge, "
        "with either sign. Average numerator and denominator first.": lambda: (noise / square).mean(),
        "The median of the ratios is not the ratio of the means either. Average σ² and ‖g‖², then divide.": (
            lambda: np.median(noise / square)
        ),
        "Upside down: the noise scale is σ²/‖g‖², noise over signal.": lambda: square.mean() / noise.mean(),
        "This is σ², the squared noise of one example. Divide it by ‖g‖².": lambda: noise.mean(),
        "This is ‖g‖². The noise scale is σ² divided by it.": lambda: square.mean(),
        "A sign: the smaller batch has the LONGER gradients, so σ² is (small minus big) over a positive "
        "number.": lambda: -noise.mean() / square.mean(),
        "You divided by ‖ĝ‖² of the big batches. That still holds the noise σ²/big: take it out.": (
            lambda: noise.mean() / long.mean()
        ),
        "You divided by ‖ĝ‖² of the small batches, which is mostly noise. Solve for ‖g‖².": (
            lambda: noise.mean() / short.mean()
        ),
        "σ² is the difference of the means divided by (1/small − 1/big), not that difference alone.": (
            lambda: (short - long).mean() / square.mean()
        ),
        "This is the root. B is a number of examples, the ratio of the squares themselves.": (
            lambda: np.sqrt(noise.mean() / square.mean())
        ),
        "What you are given are squares already: average them as they are.": (
            lambda: _ratio(np.mean(short**2), np.mean(long**2), small, big)
        ),
        "You took medians. ‖g‖² + σ²/m is the MEAN of the squares.": (
            lambda: _ratio(np.median(short), np.median(long), small, big)
        ),
    }
    return first_match(result, hints) or wrong(
        "The mean of ‖ĝ‖² is ‖g‖² + σ²/m. You have it for two batch sizes: two equations for ‖g‖² and σ²."
    )


def _ratio(short: float, long: float, small: int, big: int) -> float:
    return (short - long) / (1 / small - 1 / big) * (big - small) / (big * long - small * short)
