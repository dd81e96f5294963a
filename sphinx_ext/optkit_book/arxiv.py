"""In the bibliography a number of arXiv is a link: every paper there has a DOI made from its number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

NUMBER = re.compile(r"\barXiv:(\d{4}\.\d{4,5})")
DOI = "https://doi.org/10.48550/arXiv."


def linked(text: str) -> Iterator[nodes.Node]:
    """The text with a link for each number."""
    end = 0
    for found in NUMBER.finditer(text):
        yield nodes.Text(text[end : found.start()])
        yield nodes.reference("", found[0], refuri=DOI + found[1])
        end = found.end()
    yield nodes.Text(text[end:])


def link(app: Sphinx, document: nodes.document, name: str) -> None:
    """Link the numbers of the works that a page lists."""
    for work in document.findall(nodes.citation):
        for text in list(work.findall(nodes.Text)):
            if NUMBER.search(text) and not isinstance(text.parent, nodes.reference):
                text.parent.replace(text, [node for node in linked(str(text)) if node.astext()])
