"""MathJax, served by the book itself: the page asks no other host for it.

The files come from the Python package ``sphinx-mathjax-offline`` (MathJax 3.2.2, Apache License 2.0), which
requirements.lock pins. Only the parts that a page may load are copied, 4 MB of the 24.
"""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

PACKAGE = "sphinx-mathjax-offline"
FOLDER = "mathjax"
ENTRY = "tex-chtml.js"
PARTS = (
    ENTRY,
    "output/chtml/fonts/woff-v2",
    "input/tex/extensions",  # loaded when an equation first uses them
    "a11y",  # loaded when a reader asks for the explorer in MathJax's menu
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
    "sre/mathmaps/nemeth.json",
)


def source_folder() -> Path:
    """Where the package has MathJax's files.

    Raises:
        ExtensionError: The package is not installed, or does not hold them.
    """
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/static/mathjax")))
    except PackageNotFoundError as error:
        raise ExtensionError(
            f"{PACKAGE} is not installed: run `make book`, or pip install {PACKAGE}"
        ) from error
    for part in PARTS:
        if not (folder / part).exists():
            raise ExtensionError(f"{PACKAGE} holds no {part}: install the version of requirements.lock")
    return folder


def use_local_copy(app: Sphinx, config: Config) -> None:
    """Point the pages to the copy in the site."""
    config.mathjax_path = f"{FOLDER}/{ENTRY}"


def copy_files(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax into a finished HTML site."""
    if error is not None or app.builder.format != "html":
        return
    source, target = source_folder(), Path(app.outdir) / "_static" / FOLDER
    for part in PARTS:
        destination = target / part
        if not destination.exists():
            destination.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (source / part).is_dir() else shutil.copyfile
            copy(source / part, destination)
