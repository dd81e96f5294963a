"""Every link from page to page of a finished site leads somewhere: to a file, and to a place in it.

Sphinx checks what it resolves itself. It does not check what a page links in HTML, nor the anchors that the
theme or an extension writes.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote

from sphinx.application import Sphinx
from sphinx.util import logging

from optkit_book import address

LOGGER = logging.getLogger(__name__)
_LINK = re.compile(r"<(?:a|link|img|script|source)\b[^>]*?\s(?:href|src)=\"([^\"]*)\"")
_PLACE = re.compile(r"\s(?:id|name)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"(\w+:|//)")


def broken(folder: Path, base: str = "/") -> list[str]:
    """What is linked in a site, to be served under ``base``, and is not there: ``page: link`` each."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))}
    texts = {path: text for path, text in texts.items() if "_static" not in path.relative_to(folder).parts}
    places = {path: {html.unescape(place) for place in _PLACE.findall(text)} for path, text in texts.items()}
    found = []
    for path, text in texts.items():
        for link in dict.fromkeys(map(html.unescape, _LINK.findall(text))):
            if link and not _ELSEWHERE.match(link) and not _leads(path, link, places, folder, base):
                found.append(f"{path.relative_to(folder)}: {link}")
    return found


def _leads(page: Path, link: str, places: dict[Path, set[str]], folder: Path, base: str) -> bool:
    path, _, place = unquote(link).partition("#")
    path = path.split("?")[0]
    if path.startswith("/"):
        if not path.startswith(base):
            return False
        target = folder / path[len(base) :]
    else:
        target = page.parent / path if path else page
    target = target.resolve()
    if not target.exists():
        return False
    # “#” alone is the top of a page; so is “#top”.
    return place in {"", "top"} or target not in places or place in places[target]


def check(app: Sphinx, error: Exception | None) -> None:
    """Warn of each broken link."""
    if error is None and app.builder.name == "html":
        for fault in broken(Path(app.outdir).resolve(), address.path(app.config.html_baseurl)):
            LOGGER.warning("broken link in %s", fault, type="optkit", subtype="link")
