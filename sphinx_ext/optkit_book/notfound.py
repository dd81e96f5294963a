"""The page 404.html, which a host shows for an address that does not exist, at whatever depth that is.

Its links therefore start at the path of the published site, as it follows from _config.yml (or at `/`).
The extension sphinx-notfound-page does the same for themes that make all links with Sphinx's own functions;
the navigation of this theme does not, and keeps relative links there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from optkit_book import address

NAME = "404"
BODY = """<section id="page-not-found">
<h1>This page does not exist</h1>
<p>The address may be misspelled, or the page has moved. <a href="{index}">The first page</a> says what is
in the book; <a href="{search}">the search</a> finds words in it.</p>
</section>"""
LINK = re.compile(r'(?<=\s)(href|src|action|data-content_root)="(?!#|/|\w+:)(?:\./)?([^"]*)"')


def page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page, for Sphinx to write."""
    if app.builder.format == "html":
        body = BODY.format(index="index.html", search="search.html")
        yield NAME, {"title": "Page not found", "body": body, "metatags": "", "toc": ""}, "page.html"


def from_the_root(html: str, path: str) -> str:
    """The page with links that start at a path, whatever page they stand on."""
    return LINK.sub(lambda found: f'{found[1]}="{path}{found[2]}"', html)


def root_links(app: Sphinx, error: Exception | None) -> None:
    """Make the links of the finished page start at the path of the site."""
    file = Path(app.outdir) / f"{NAME}.html"
    if error is None and app.builder.format == "html" and file.is_file():
        html = from_the_root(file.read_text(encoding="utf-8"), address.path(app.config.html_baseurl))
        file.write_text(html, encoding="utf-8")
