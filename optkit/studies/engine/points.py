"""The points that are tried: fixed by the declaration alone, so that no run depends on another's outcome.

A sampler that learns from finished trials would give other points when two workers finish in another order,
and would favour whichever arm it models better. Evenly spread points treat every arm alike, and repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optkit.studies.engine.declaration import Choice, Span

__all__ = ["points"]


def points(space: Mapping[str, Span | Choice], trials: int) -> list[dict[str, Any]]:
    """The settings to try.

    One range is divided evenly, both ends included. Several are filled by Halton's sequence, whose first
    point, a corner, is left out. Without a range there is one point: nothing is tuned.

    Args:
        space: Option → range.
        trials: How many, at least 1.

    Example:
        >>> points({"lr": Span(0.01, 1.0)}, 3)
        [{'lr': 0.01}, {'lr': 0.1}, {'lr': 1.0}]
        >>> len(points({"lr": Span(0.01, 1.0), "momentum": Choice((0.8, 0.9))}, 12))
        12
    """
    if not space:
        return [{}]
    names = sorted(space)
    if len(names) == 1:
        places = [[0.5 if trials == 1 else i / (trials - 1)] for i in range(trials)]
    else:
        from scipy.stats.qmc import Halton

        places = Halton(len(names), scramble=False).random(trials + 1)[1:].tolist()
    return [{name: space[name].at(place) for name, place in zip(names, row, strict=True)} for row in places]
