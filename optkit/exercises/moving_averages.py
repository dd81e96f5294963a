"""Checks of the exercises of the chapter on moving averages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from optkit.exercises.answer import Answer, attempt, first_match, right, same, wrong

__all__ = ["check_alpha_for_window", "check_corrected", "check_ewma"]

_VALUES = (3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0)


def check_alpha_for_window(answer: Callable[[int], float]) -> Answer:
    """Check a function from the window w of a plain mean to the α of the EWMA with its lag and its noise.

    Example:
        >>> check_alpha_for_window(lambda w: 1 - 1 / w)
        Not yet. This is the rule of thumb w ≈ 1/(1 − α), which gives...
    """
    windows = (1, 3, 19, 199)
    found = []
    for window in windows:
        result, fault = attempt(answer, window)
        if fault and "ZeroDivisionError" in fault.text:
            return wrong("You divide by zero for w = 1, where α must be 0. Is your fraction upside down?")
        if fault:
            return fault
        if not _numeric(result) or np.ndim(result):
            return wrong(f"Return one number for each w, got {result!r}.")
        found.append(result)
    w = np.array(windows, dtype=float)
    if same(found, (w - 1) / (w + 1)):
        return right("For w = 19 it is 0.9: the same lag of 9 steps, and 1/19 of the variance left.")
    known = first_match(
        found,
        {
            "This is the rule of thumb w ≈ 1/(1 − α), which gives the EWMA about twice the lag of the plain "
            "mean. Set the two lags equal: (w − 1)/2 and α/(1 − α).": lambda: 1 - 1 / w,
            "This is 1 − α: you solved in the swapped convention, where α is the weight of the NEWEST value "
            "(pandas' alpha for a span of w). Ours is the weight of the past.": lambda: 2 / (w + 1),
            "This matches a lag of w steps. The plain mean over w values lags by (w − 1)/2 only, since its "
            "newest value has age 0.": lambda: w / (w + 1),
        },
    )
    if known:
        return known
    if not np.all((np.asarray(found) >= 0) & (np.asarray(found) < 1)):
        return wrong("An α must lie in 0 ≤ α < 1, and w = 1 (no averaging) must give 0.")
    return wrong("Set the share of the variance that is left, (1 − α)/(1 + α), to 1/w. Solve for α.")


def check_ewma(answer: Callable[[Sequence[float], float], Sequence[float]]) -> Answer:
    """Check a function (g, α) → (v₁, v₂, …) that starts at v₁ = g₁.

    Example:
        >>> check_ewma(lambda g, alpha: g)
        Not yet. This returns the data as they came...
    """
    alpha = 0.9
    values = list(_VALUES)
    result, fault = attempt(answer, values, alpha)
    if fault:
        return fault
    if values != list(_VALUES):
        return wrong("Your function changed the list it was given. Keep v in a variable of its own.")
    if same(result, _recursion(_VALUES, alpha, start=_VALUES[0])):
        short, fault = attempt(answer, [2.0], alpha)
        if fault or not same(short, [2.0]):
            return wrong("Right for a long series. For a series of one value it must return that value.")
        return right("Note that it keeps one number in memory, however long the series is.")
    known = first_match(
        result,
        {
            "This returns the data as they came.": lambda: _VALUES,
            "Your v starts at 0, so the first averages are too small: v₁ is 0.1 g₁. Start with v₁ = g₁.": (
                lambda: _recursion(_VALUES, alpha, start=0.0, from_first=True)
            ),
            "α and 1 − α are swapped: α = 0.9 must be the weight of the PAST.": (
                lambda: _recursion(_VALUES, 1 - alpha, start=_VALUES[0])
            ),
            "This is the normalised form. The exercise asks for the recursion that starts at v₁ = g₁ and "
            "divides by nothing.": (lambda: _corrected(_VALUES, alpha)),
            "You average the last two VALUES. The weight α belongs to the last average, v_{t−1}.": (
                lambda: _last_two(_VALUES, alpha)
            ),
            "You return one average too many: v₁ = g₁ stands there twice. Loop from the second value on.": (
                lambda: np.append(_VALUES[0], _recursion(_VALUES, alpha, start=_VALUES[0]))
            ),
            "This is a sum, not an average: the new value enters with weight 1 instead of 1 − α.": (
                lambda: _sum(_VALUES, alpha)
            ),
            "This is the last average alone. Return all of them: v₁, v₂, …": (
                lambda: _recursion(_VALUES, alpha, start=_VALUES[0])[-1]
            ),
        },
    )
    if known:
        return known
    if _numeric(result) and np.ndim(result) == 1 and len(result) < len(values):
        return wrong(
            f"You return {len(result)} averages for {len(values)} values. Each value has one, the first too: "
            "begin with [g₁]. And does `return` stand after the loop, or in it?"
        )
    return wrong(
        "Print the first two values. With α = 0.9 and g = 3, 1, … they must be 3 and 0.9 · 3 + 0.1 · 1 = 2.8."
    )


def check_corrected(answer: Callable[[Sequence[float], float], Sequence[float]]) -> Answer:
    """Check a function from zero-start averages (s, α) to the normalised averages.

    Example:
        >>> check_corrected(lambda s, alpha: [x / (1 - alpha) for x in s])
        Not yet. Dividing by 1 − α is right for t = 1 alone...
    """
    alpha = 0.9
    zero_start = _recursion(_VALUES, alpha, start=0.0, from_first=True)
    t = np.arange(1, len(_VALUES) + 1)
    result, fault = attempt(answer, np.array(zero_start), alpha)
    if fault:
        if "ZeroDivisionError" in fault.text:
            return wrong("You divide by 1 − α⁰ = 0: the first value has t = 1, not t = 0.")
        return fault
    if same(result, _corrected(_VALUES, alpha)):
        return right("Adam does exactly this to both of its moments; chapter 6 calls it bias correction.")
    if not _numeric(result) or not np.all(np.isfinite(np.asarray(result, dtype=float))):
        return wrong("Not every number is finite. Does the first value have t = 1? With t = 0, 1 − αᵗ is 0.")
    known = first_match(
        result,
        {
            "These are the averages as they came, with s₁ = 0.1 g₁.": lambda: zero_start,
            "Dividing by 1 − α is right for t = 1 alone: later the weights in s have a larger sum.": (
                lambda: zero_start / (1 - alpha)
            ),
            "You multiplied by 1 − αᵗ. Divide by it.": lambda: zero_start * (1 - alpha**t),
            "Your t runs one ahead: the first value has t = 1, so it is divided by 1 − α.": (
                lambda: zero_start / (1 - alpha ** (t + 1))
            ),
            "You wrote α · t for αᵗ.": lambda: zero_start / (1 - alpha * t),
            "You divide all of them by the last 1 − αᵗ. Each value has a t of its own: 1, 2, 3, …": (
                lambda: zero_start / (1 - alpha ** len(_VALUES))
            ),
        },
    )
    return known or wrong("If every g is 1, what is s_t? (1 − α)(1 + α + … + α^(t−1)). Divide by that sum.")


def _recursion(
    values: Sequence[float], alpha: float, *, start: float, from_first: bool = False
) -> np.ndarray:
    """The plain loop, kept apart from `optkit.averages`: the two are compared in a test."""
    v, averages = start, []
    for t, g in enumerate(values, start=1):
        if t > 1 or from_first:
            v = alpha * v + (1 - alpha) * g
        averages.append(v)
    return np.array(averages)


def _corrected(values: Sequence[float], alpha: float) -> np.ndarray:
    t = np.arange(1, len(values) + 1)
    return _recursion(values, alpha, start=0.0, from_first=True) / (1 - alpha**t)


def _last_two(values: Sequence[float], alpha: float) -> np.ndarray:
    g = np.array(values)
    return np.append(g[0], alpha * g[:-1] + (1 - alpha) * g[1:])


def _sum(values: Sequence[float], alpha: float) -> np.ndarray:
    total, sums = 0.0, []
    for g in values:
        total = alpha * total + g
        sums.append(total)
    return np.array(sums)


def _numeric(result: object) -> bool:
    try:
        np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        return False
    return not isinstance(result, str)
