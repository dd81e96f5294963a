"""Where whole data sets are looked for, and where downloads go."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from optkit.data.catalogue import PublishedSet
from optkit.data.dataset import MissingData

__all__ = ["DEBIAN_ROOT", "Place", "find", "places", "target"]

VARIABLE = "OPTKIT_DATA"
DEBIAN_ROOT = Path("/usr/share/datasets")


class Place(NamedTuple):
    """A folder that may hold one folder for each set, and why it is searched."""

    root: Path
    reason: str


def cache_root() -> Path:
    """Return the user's cache folder for optkit, as the operating system wants it."""
    import platformdirs

    return Path(platformdirs.user_cache_path("optkit", appauthor=False))


def places() -> list[Place]:
    """Return the places searched, in this order: environment variable, Debian's folder, the user's cache."""
    named = os.environ.get(VARIABLE)
    first = [Place(Path(named).expanduser(), f"environment variable {VARIABLE}")] if named else []
    return [*first, Place(DEBIAN_ROOT, "Debian's data packages"), Place(cache_root(), "the user's cache")]


def target() -> Path:
    """Return the folder below which downloads are written: $OPTKIT_DATA where set, else the user's cache."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else cache_root()


def find(published: PublishedSet, missing_in: Callable[[Path], list[str]]) -> Path:
    """Return the first folder that holds the whole set.

    Args:
        published: the set.
        missing_in: given a folder, the names of the files that it lacks.

    Raises:
        MissingData: no place has all files; the message lists the places and the remedies.
    """
    searched = []
    for place in places():
        folder = place.root / published.folder
        if not (missing := missing_in(folder)):
            return folder
        if folder.is_dir():
            state = f"lacks {', '.join(missing)}"
        else:
            state = f"{place.root} is a file, not a folder" if place.root.is_file() else "no such folder"
        searched.append(f"  {folder} ({place.reason}): {state}")
    remedies = [
        f"  {published.call}: downloads {published.megabytes} MB into {target() / published.folder}",
        f"  {VARIABLE}=FOLDER: with the published files in FOLDER/{published.folder}",
    ]
    if published.debian_package:
        remedies.append(f"  on Debian and Ubuntu, the package {published.debian_package}")
    raise MissingData(
        "\n".join(
            [f"{published.title} (the whole set) was not found. Searched:", *searched, "Remedies:", *remedies]
        )
    )
