"""sitemap.xml: the address of every page, for search engines.

The extension sphinx-sitemap lists the pages that a build has written, which after a small change is one.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from sphinx.application import Sphinx

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the map of a finished site whose address is known."""
    base = app.config.html_baseurl
    if error is not None or app.builder.format != "html" or not base:
        return
    top = ElementTree.Element("urlset", xmlns=NAMESPACE)
    for page in sorted(app.env.found_docs):
        place = ElementTree.SubElement(ElementTree.SubElement(top, "url"), "loc")
        place.text = base + app.builder.get_target_uri(page)
    ElementTree.indent(top)
    ElementTree.ElementTree(top).write(
        Path(app.outdir) / "sitemap.xml", encoding="utf-8", xml_declaration=True
    )
