"""The figures that answer: one module for the whole site, loaded once by each page that has such a figure.

The file is written here and not put under a static path: what stands there lands on every page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from optkit.widgets.bundle import bundle
from optkit.widgets.embed import ELEMENT

FILE = "optkit/figures.js"


def write_module(app: Sphinx) -> None:
    """Write the joined modules into the site, before the pages that refer to them by checksum."""
    if app.builder.format == "html":
        target = Path(app.outdir) / "_static" / FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(bundle(), encoding="utf-8")


def add_module(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the module in the head of a page that has a figure.

    It waits for no other script, and blocks rendering, not parsing: the figures stand complete when the page
    is first shown, and nothing below them moves. A browser that does not know the attribute shows the printed
    figures for a moment.
    """
    if f"<{ELEMENT}" in context.get("body", ""):
        app.add_js_file(FILE, loading_method="async", type="module", blocking="render", fetchpriority="high")


def drop_widget_state(app: Sphinx, document: nodes.document) -> None:
    """Keep the state of the notebook's widgets off the page: no widget manager is there to read it."""
    files = app.env.nb_metadata.get(app.env.docname, {}).get("js_files", {})
    files.pop("ipywidgets_state", None)
