"""A blank figure in the house style: sizes, fonts and colours come from here, never from a chapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 6.4
HEIGHT = 4.0


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
        height: Height of one row, as a multiple of 4 inches (for one column) or 3 inches (for several).
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
