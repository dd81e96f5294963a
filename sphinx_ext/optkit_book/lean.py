"""A page loads what it uses: what an extension puts on every page is left out where nothing asks for it."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# file of sphinx-design → the class that needs it
NEEDED_FOR = {
    "sphinx-design.min.css": re.compile(r'class="(?:[^"]* )?sd-'),
    "design-tabs.js": re.compile(r'class="(?:[^"]* )?sd-tab'),
}


def leave_out(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Take the files that a page does not need off its lists."""
    body = context.get("body") or ""

    def wanted(file: Any) -> bool:
        name = str(getattr(file, "filename", None) or file).rpartition("/")[2].partition("?")[0]
        return name not in NEEDED_FOR or NEEDED_FOR[name].search(body) is not None

    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context.get(kind, []) if wanted(file)]
