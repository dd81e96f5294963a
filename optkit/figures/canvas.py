"""A blank figure in the house style: sizes, fonts and colours come from here, never from a chapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH = 5.6  # at 100 pixels an inch: on a phone the figure shrinks to 58 %, and its texts are still 9 pixels
HEIGHT = 3.7
ENOUGH = 3  # ticks of a logarithmic axis


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style inside this ``with`` block; matplotlib's own settings come back after it.

    Example:
        >>> with style():
        ...     figure, axes = canvas()
    """
    import matplotlib.style

    with (
        as_file(files("optkit.figures") / "optkit.mplstyle") as path,
        matplotlib.style.context(str(path), after_reset=True),
    ):
        yield


def canvas(rows: int = 1, columns: int = 1, *, height: float = 1.0, **subplots: Any) -> tuple[Figure, Any]:
    """Make a figure of the page's width with ``rows`` × ``columns`` axes, in the house style.

    The figure belongs to no pyplot state, so nothing shows it twice and nothing needs closing. What is
    added later follows the style only inside ``with style():``.

    Args:
        rows: Number of rows, 1 or more.
        columns: Number of columns, 1 or more.
        height: Height of one row, as a multiple of 3.7 inches (for one column) or 2.8 inches (for several).
        **subplots: Passed on to ``Figure.subplots`` (``sharex``, ``squeeze``, ...).

    Returns:
        The figure, and its axes as ``Figure.subplots`` returns them.

    Raises:
        ValueError: A number of rows or columns below 1, or a height that is not positive.

    Example:
        >>> figure, axes = canvas(1, 2, sharey=True)
        >>> axes.shape
        (2,)
    """
    for name, value in (("rows", rows), ("columns", columns)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    if not height > 0:
        raise ValueError(f"height must be > 0, got {height}")
    from matplotlib.figure import Figure

    with style():
        row_height = HEIGHT * (1.0 if columns == 1 else 0.75) * height
        figure = Figure(figsize=(WIDTH * (1.0 if columns == 1 else 1.25), row_height * rows))
        axes = figure.subplots(rows, columns, **subplots)
    return figure, axes


def plain_ticks(axis: Axis, values: np.ndarray) -> None:
    """Set the ticks of a logarithmic axis at 1, 2, 5, 10, … in plain digits.

    For values that span less than about two powers of ten: on so short an axis powers of ten are too few.
    Where fewer than three ticks would stand, as one label says nothing of a scale, more digits have one.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``, with its scale set.
        values: What is drawn along it, positive.

    Example:
        >>> figure, axes = canvas()
        >>> axes.set_yscale("log")
        >>> plain_ticks(axes.yaxis, np.array([0.2, 2.3]))
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['0.2', '0.5', '1', '2']
    """
    for digits in ((1, 2, 5), (1, 2, 3, 5, 7), (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)):
        steps = np.array([digit * 10.0**power for power in range(-6, 7) for digit in digits])
        ticks = steps[(steps >= values.min() * 0.99) & (steps <= values.max() * 1.01)]
        if len(ticks) >= ENOUGH:
            break
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
