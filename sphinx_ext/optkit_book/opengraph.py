"""What sphinxext-opengraph writes into a page, less what would be wrong while the site has no address."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

ABSOLUTE = re.compile(r'<meta property="og:(?:url|image[\w:]*)"[^>]*>\n?')


def only_what_leads_somewhere(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Leave out the addresses of page and picture, which must be whole, until the site has one."""
    if not app.config.html_baseurl:
        context["metatags"] = ABSOLUTE.sub("", context.get("metatags") or "")
