"""The book's own Sphinx extension: local MathJax, figures, fresh outputs, API reference, checked pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from optkit_book import (
    address,
    alt_text,
    api,
    arxiv,
    card,
    div,
    execution,
    lean,
    links,
    live,
    mathjax,
    mend,
    nobreak,
    notfound,
    opengraph,
    sitemap,
    slides,
    status,
    thebe,
)

STATIC = Path(__file__).parent / "static"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts to Sphinx's events.

    The value `optkit_book` is a hash of this extension: Sphinx makes all pages anew when it changes.
    """
    app.add_config_value("optkit_book", execution.folder_digest(Path(__file__).parent), "env")
    app.connect("config-inited", _add_static_files)
    app.add_css_file("optkit.css")
    app.connect("config-inited", thebe.drop_style)
    app.connect("builder-inited", thebe.disconnect)
    app.connect("config-inited", mathjax.use_local_copy)
    app.connect("build-finished", mathjax.copy_files)
    app.connect("builder-inited", live.write_module)
    app.connect("doctree-read", live.drop_widget_state)
    app.connect("html-page-context", live.add_module)
    app.connect("html-page-context", lean.leave_out, priority=900)
    app.connect("builder-inited", execution.empty_stale_cache)
    app.connect("env-get-outdated", execution.outdated_notebooks)
    app.connect("env-before-read-docs", execution.execute_ahead)
    app.connect("doctree-read", alt_text.check)
    app.connect("doctree-read", slides.mark_cells)
    app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", address.settle)
    app.connect("config-inited", card.announce)
    app.connect("html-page-context", opengraph.only_what_leads_somewhere, priority=900)
    app.connect("html-collect-pages", notfound.page)
    app.connect("build-finished", notfound.root_links)
    app.connect("doctree-resolved", arxiv.link)
    app.connect("doctree-resolved", nobreak.keep_together)
    app.connect("build-finished", sitemap.write)
    app.connect("build-finished", card.write)
    app.connect("build-finished", mend.mend_pages)
    app.connect("build-finished", links.check, priority=900)
    api.setup(app)
    div.setup(app)
    status.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_static_files(app: Sphinx, config: Config) -> None:
    config.html_static_path = [*config.html_static_path, str(STATIC)]
    config.html_favicon = config.html_favicon or str(STATIC / "favicon.svg")
