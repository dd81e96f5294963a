"""`div` as jupyterlab-myst writes it: a box whose class the page gives its look, and a notebook its content.

Docutils' own `container` is unknown in JupyterLab, which hides what stands in it; sphinx-design's `div` takes
its classes where JupyterLab has none.
"""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Div(SphinxDirective):
    """A container with the classes of its option ``class``."""

    has_content = True
    option_spec = {"class": directives.class_option}  # noqa: RUF012  (docutils wants it so)

    def run(self) -> list[nodes.Node]:
        """The container with its content in it."""
        box = nodes.container("\n".join(self.content), classes=self.options.get("class", []))
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def setup(app: Sphinx) -> None:
    """Take the place of another extension's directive, whichever is set up first."""
    app.connect("config-inited", lambda app, config: app.add_directive("div", Div, override=True))
