"""Whether the book in `_build/html` is built from the sources as they are now.

    python tools/built_book.py          exits with 1 and says so if it is not
    python tools/built_book.py --mark   notes the sources of the book just built

`make book` marks; `make test` and the tests of the site ask.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = Path("_build") / "html"
MARK = Path("_build") / "book-sources.sha256"
SOURCES = (
    "_config.yml",
    "_toc.yml",
    "chapters",
    "index.md",
    "optkit",
    "preface.md",
    "reference",
    "references.bib",
    "requirements.lock",
    "results",
    "sphinx_ext",
)
MADE = {"__pycache__"}  # caches, and all that is hidden: not the book's, and changing while it stands


def digest(root: Path = ROOT) -> str:
    """A hash of the names and bytes of all files that the book is made from."""
    total = hashlib.sha256()
    for path in sorted(_files(root)):
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(root: Path) -> Iterable[Path]:
    for name in SOURCES:
        top = root / name
        found = [top] if top.is_file() else top.rglob("*")
        yield from (path for path in found if path.is_file() and not _made(path.relative_to(root)))


def _made(path: Path) -> bool:
    return any(part in MADE or part.startswith(".") for part in path.parts)


def fault(root: Path = ROOT) -> str:
    """What is wrong with the built book, in words; empty if it is fresh."""
    mark = root / MARK
    if not (root / SITE / "index.html").is_file() or not mark.is_file():
        return f"there is no built book in {SITE.as_posix()}: run `make book`"
    if mark.read_text(encoding="ascii").strip() != digest(root):
        return f"the book in {SITE.as_posix()} is older than its sources: run `make book`"
    return ""


def mark(root: Path = ROOT) -> None:
    """Note that the book in `_build/html` is built from the sources as they are now."""
    (root / MARK).write_text(digest(root) + "\n", encoding="ascii")


if __name__ == "__main__":
    if sys.argv[1:] == ["--mark"]:
        mark()
    elif fault():
        sys.exit(fault())
