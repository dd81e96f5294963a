"""Every image of the book says in words what it shows; the build fails for one that does not."""

from __future__ import annotations

from html.parser import HTMLParser

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from optkit.figures.show import alt_fault

LOGGER = logging.getLogger(__name__)


def check(app: Sphinx, document: nodes.document) -> None:
    """Warn of each image whose alternative text is missing, too short, a file name, or its own caption."""
    faulty = False
    for image in document.findall(nodes.image):
        fault = alt_fault(image.get("alt"), _caption(image))
        if fault:
            faulty = True
            LOGGER.warning("image %s: %s", image["uri"], fault, location=image, type="optkit", subtype="alt")
    for raw in document.findall(nodes.raw):
        for source, alt in _images(raw):
            fault = alt_fault(alt)
            if fault:
                faulty = True
                LOGGER.warning("image %s: %s", source, fault, location=raw, type="optkit", subtype="alt")
    if faulty:
        app.env.note_reread()  # else the next build, which skips unchanged pages, would pass


def _caption(image: nodes.image) -> str:
    figure = image.parent
    while figure is not None and not isinstance(figure, nodes.figure):
        figure = figure.parent
    captions = [] if figure is None else [node.astext() for node in figure.findall(nodes.caption)]
    return captions[0] if captions else ""


def _images(raw: nodes.raw) -> list[tuple[str, str | None]]:
    """The (source, alternative text) of each <img> in a piece of HTML."""
    found: list[tuple[str, str | None]] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                attributes = dict(attrs)
                found.append(((attributes.get("src") or "")[:60], attributes.get("alt")))

    if "html" in raw.get("format", "").split():
        Finder().feed(raw.astext())
    return found
