"""The book's own Sphinx extension: style, local MathJax, live figures, fresh outputs, alternative texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from optkit_book import alt_text, execution, live, mathjax, thebe

STATIC = Path(__file__).parent / "static"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts to Sphinx's events."""
    app.connect("config-inited", _add_static_files)
    app.add_css_file("optkit.css")
    app.connect("builder-inited", thebe.disconnect)
    app.connect("config-inited", mathjax.use_local_copy)
    app.connect("build-finished", mathjax.copy_files)
    app.connect("builder-inited", live.write_module)
    app.connect("doctree-read", live.drop_widget_state)
    app.connect("html-page-context", live.add_module)
    app.connect("builder-inited", execution.empty_stale_cache)
    app.connect("env-get-outdated", execution.outdated_notebooks)
    app.connect("doctree-read", alt_text.check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_static_files(app: Sphinx, config: Config) -> None:
    config.html_static_path = [*config.html_static_path, str(STATIC)]
    config.html_favicon = config.html_favicon or str(STATIC / "favicon.svg")
