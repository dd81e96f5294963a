"""Keep together what a line must not break: a formula and the comma after it, a number and its per cent."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

OPENING = re.compile(r"[(\[“‘]+$")
CLOSING = re.compile(r"^[.,;:!?)\]”’]+")
PER_CENT = re.compile(r"(?<=\d) (?=%)")
VERBATIM = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.raw)
CLASS = "optkit-nobreak"  # optkit.css: white-space: nowrap


def keep_together(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Frame each formula with the punctuation that touches it; a browser may break beside any formula."""
    if app.builder.format != "html":
        return
    for formula in list(doctree.findall(nodes.math)):
        frame(formula)
    for text in list(doctree.findall(nodes.Text)):
        if PER_CENT.search(text) and not isinstance(text.parent, VERBATIM):
            text.parent.replace(text, nodes.Text(PER_CENT.sub("\u00a0", text)))


def frame(formula: nodes.math) -> None:
    """Put the formula, and the signs that touch it on either side, into an inline element of their own."""
    parent = formula.parent
    place = parent.index(formula)
    before = parent[place - 1] if place > 0 else None
    after = parent[place + 1] if place + 1 < len(parent) else None
    opening = OPENING.search(before) if isinstance(before, nodes.Text) else None
    closing = CLOSING.search(after) if isinstance(after, nodes.Text) else None
    if not opening and not closing:
        return
    inline = nodes.inline(classes=[CLASS])
    if opening:
        inline += nodes.Text(opening[0])
        parent.replace(before, nodes.Text(before[: opening.start()]))
    parent.replace(formula, inline)
    inline += formula
    if closing:
        inline += nodes.Text(closing[0])
        parent.replace(after, nodes.Text(after[closing.end() :]))
