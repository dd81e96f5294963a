"""The one progress bar: drawn on terminals, silent elsewhere unless asked for."""

from __future__ import annotations

from typing import Any, Literal

__all__ = ["Progress", "bar"]

Progress = bool | Literal["always"]


def bar(total: int | None, description: str, unit: str, progress: Progress, *, initial: int = 0) -> Any:
    """A tqdm bar; use it as a context, and call its ``update``.

    Args:
        total: How many units there are; None where that is not known.
        description: What is going on.
        unit: Of what.
        progress: True: where the output is a terminal, so that a page made from a notebook keeps no
            half-drawn bars. ``"always"``: also elsewhere. False: never.
        initial: How many are done already.

    Raises:
        ValueError: ``progress`` is something else.

    Example:
        >>> with bar(2, "counting", "number", False) as counted:
        ...     counted.update()
    """
    if not (isinstance(progress, bool) or progress == "always"):
        raise ValueError(f'progress must be True, False or "always", got {progress!r}')
    from tqdm import tqdm

    hidden = {True: None, "always": False}.get(progress, True)
    return tqdm(total=total, initial=initial, desc=description, unit=unit, disable=hidden)
