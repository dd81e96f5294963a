"""What a check says of an answer: right, or which typical mistake it is and a hint."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Answer", "attempt", "first_match", "right", "same", "wrong"]

WIDTH = 66  # characters a line: fits a solution on the page, and a terminal


@dataclass(frozen=True)
class Answer:
    """The verdict on an answer; its text is for the reader.

    Attributes:
        is_right: Whether the answer is accepted.
        text: Why, or a hint.

    Example:
        >>> wrong("The sign is turned round.")
        Not yet. The sign is turned round.
    """

    is_right: bool
    text: str

    def __repr__(self) -> str:
        return textwrap.fill(f"{'Right.' if self.is_right else 'Not yet.'} {self.text}".strip(), WIDTH)


def right(text: str = "") -> Answer:
    """Accept an answer; ``text`` says what it is good for."""
    return Answer(True, text)


def wrong(text: str) -> Answer:
    """Refuse an answer; ``text`` names the mistake and gives a hint."""
    return Answer(False, text)


def attempt(function: Any, *arguments: Any) -> tuple[Any, Answer | None]:
    """Call a reader's function: its result and None, or None and what went wrong, in words.

    Example:
        >>> attempt(lambda x: 1 / x, 0)[1]
        Not yet. Your function raised ZeroDivisionError: division by zero.
        >>> attempt(lambda x: ..., 1)[1]
        Not yet. Nothing came back: replace the ... by your formula, and return the result.
    """
    if not callable(function):
        return None, wrong(f"Pass the function itself, got {function!r}: write check(f), not check(f(…)).")
    try:
        with np.errstate(all="ignore"):  # a division by zero shows in the result, and gets its own hint
            result = function(*arguments)
    except Exception as error:  # whatever the reader's code raises is the answer to report
        return None, wrong(f"Your function raised {type(error).__name__}: {error}.")
    if result is None or result is ...:
        return None, wrong("Nothing came back: replace the ... by your formula, and return the result.")
    return result, None


def same(result: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    """Whether a result has the shape and, up to rounding, the numbers expected.

    Example:
        >>> same([1.0, 2.0], (1, 2)), same([1.0], [1.0, 2.0]), same("1", 1.0), same(["1"], [1.0])
        (True, False, False, False)
    """
    try:
        # NumPy would read a number out of a text: an f-string is no number, nor is a list of them.
        is_text = np.asarray(result).dtype.kind in "US"
        found = None if is_text else np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        return False
    wanted = np.asarray(expected, dtype=float)
    return (
        found is not None
        and found.shape == wanted.shape
        and bool(np.allclose(found, wanted, rtol=tolerance, atol=tolerance))
    )


def first_match(result: Any, mistakes: dict[str, Callable[[], Any]]) -> Answer | None:
    """The hint of the first mistake whose outcome the result equals, or None."""
    for hint, outcome in mistakes.items():
        if same(result, outcome()):
            return wrong(hint)
    return None
