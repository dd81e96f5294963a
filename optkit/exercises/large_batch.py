"""Checks of the exercises of the chapter on large batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_ghost_normalised", "check_mean_of_shares"]

Shares = Sequence[np.ndarray]


def check_mean_of_shares(answer: Callable[[Shares, Sequence[int]], np.ndarray]) -> Answer:
    """Check a function (means, sizes) → the mean gradient of the whole batch.

    ``means`` are the mean gradients of the devices' shares, each a vector; ``sizes`` their examples.

    Example:
        >>> check_mean_of_shares(lambda means, sizes: sum(means) / len(means))
        Not yet. This is the mean of the means: a share of one example counts as much as one of many...
    """
    random = np.random.RandomState(0)
    cases = [[random.standard_normal((size, 3)) for size in sizes] for sizes in ((4, 4), (5, 2, 1), (1, 7))]
    found = []
    for case in cases:
        result, fault = attempt(answer, [part.mean(axis=0) for part in case], [len(part) for part in case])
        if fault:
            return fault
        found.append(result)
    if any(np.shape(one) != (3,) for one in found):
        return wrong(f"Return one vector, of the shape of each mean, got shape {np.shape(found[0])}.")
    if same(found, [np.concatenate(case).mean(axis=0) for case in cases]):
        return right("Each share weighs as many examples as it has.")

    def outcome(combine: Callable[[np.ndarray, np.ndarray], Any]) -> Callable[[], Any]:
        return lambda: [
            combine(np.array([part.mean(axis=0) for part in case]), np.array([len(part) for part in case]))
            for case in cases
        ]

    known = first_match(
        found,
        {
            "This is the mean of the means: a share of one example counts as much as one of many.": (
                outcome(lambda means, sizes: means.mean(axis=0))
            ),
            "This is the sum of the means. Averaged over equal shares it would be as many times too long as "
            "there are devices.": outcome(lambda means, sizes: means.sum(axis=0)),
            "This is the sum over all examples: divide by their number.": (
                outcome(lambda means, sizes: sizes @ means)
            ),
            "You divided by the number of devices. Weighted by their sizes, the means add up to a sum over "
            "examples: divide by the number of examples.": (
                outcome(lambda means, sizes: sizes @ means / len(sizes))
            ),
            "You weighted by 1/size. A larger share counts more, not less.": (
                outcome(lambda means, sizes: (1 / sizes) @ means / (1 / sizes).sum())
            ),
        },
    )
    return known or wrong("A mean times its size is a sum. Add the sums, then divide by all examples.")


def check_ghost_normalised(answer: Callable[[np.ndarray, int], np.ndarray]) -> Answer:
    """Check a function (x, ghost_size) → x, each ghost batch normalised by its own mean and variance.

    ``x`` has the shape (examples, features). No ε, no weights; a last ghost may be smaller.

    Example:
        >>> check_ghost_normalised(lambda x, size: (x - x.mean(axis=0)) / x.std(axis=0))
        Not yet. These are the statistics of the whole batch...
    """
    random = np.random.RandomState(1)
    cases = [
        (random.standard_normal((8, 2)) * 3 + 1, 4),
        (random.standard_normal((11, 3)), 4),
        (random.standard_normal((6, 1)), 3),
    ]
    found = []
    for x, size in cases:
        result, fault = attempt(answer, x.copy(), size)
        if fault and found and len(x) % size:
            return wrong(f"{len(x)} examples do not fill ghosts of {size}: the last is smaller. {fault.text}")
        if fault:
            return fault
        if np.shape(result) != x.shape:
            return wrong(f"Return an array of the shape of x, {x.shape}, got {np.shape(result)}.")
        found.append(np.ravel(result))

    def outcome(normalise: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.concatenate([np.ravel(normalise(x, size)) for x, size in cases])

    given = np.concatenate(found)
    if same(given, outcome(_ghosts)):
        return right("With one ghost it is batch normalisation; with many, each brings its own noise.")
    known = first_match(
        given,
        {
            "These are the statistics of the whole batch. Take them over each ghost.": (
                lambda: outcome(lambda x, size: _normalised(x))
            ),
            "You divided by n − 1. Normalisation divides by n; n − 1 is for the running variance.": (
                lambda: outcome(lambda x, size: _by_parts(x, size, ddof=1))
            ),
            "One mean for all features: take mean and variance along the examples, axis 0.": (
                lambda: outcome(lambda x, size: _by_parts(x, size, axis=None))
            ),
            "You divided by the variance: the root is missing.": (
                lambda: outcome(lambda x, size: _by_parts(x, size, power=1.0))
            ),
            "Every K-th example went into a ghost. Ghosts are contiguous parts: the first examples make the "
            "first ghost.": lambda: outcome(_interleaved),
            "ghost_size is the number of examples in a ghost, not the number of ghosts.": (
                lambda: outcome(lambda x, size: _by_parts(x, -(-len(x) // size)))
            ),
            "The mean is subtracted. What is left must also be divided by its standard deviation.": (
                lambda: outcome(lambda x, size: _by_parts(x, size, power=0.0))
            ),
        },
    )
    if not known and same(given, outcome(_ghosts), 1e-2):
        known = wrong("Nearly. Is there a small δ below the line? Here it is left out.")
    return known or wrong(
        "For start in range(0, len(x), ghost_size): take x[start : start + ghost_size], subtract its mean, "
        "divide by its standard deviation, both along axis 0."
    )


def _normalised(part: np.ndarray, *, axis: int | None = 0, ddof: int = 0, power: float = 0.5) -> np.ndarray:
    return (part - part.mean(axis=axis)) / part.var(axis=axis, ddof=ddof) ** power


def _by_parts(x: np.ndarray, size: int, **options: Any) -> np.ndarray:
    return np.concatenate(
        [_normalised(x[start : start + size], **options) for start in range(0, len(x), size)]
    )


def _ghosts(x: np.ndarray, size: int) -> np.ndarray:
    return _by_parts(x, size)


def _interleaved(x: np.ndarray, size: int) -> np.ndarray:
    ghosts = -(-len(x) // size)
    found = np.empty_like(x)
    for first in range(ghosts):
        found[first::ghosts] = _normalised(x[first::ghosts])
    return found
