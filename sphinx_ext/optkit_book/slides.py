"""Mark on the page where the cells of a notebook begin that say which slide they belong to.

JupyterLab keeps that choice in a cell's metadata, as ``slideshow.slide_type``. A page shows nothing of it:
the marks are comments, from which `tools/slides.py` cuts the slides out of the finished pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx

TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
LINES_OF_A_CELL = 10_000  # MyST-NB counts the lines of the cell with index i from (i + 1) times this


def mark_cells(app: Sphinx, document: nodes.document) -> None:
    """Put a comment before the first block of each cell of a notebook that has slides."""
    path = app.env.doc2path(app.env.docname)
    if not path.endswith(".ipynb"):
        return
    with open(path, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    types = [cell["metadata"].get("slideshow", {}).get("slide_type") or "-" for cell in cells]
    if set(types) == {"-"}:
        return
    before = -1
    for block in list(_blocks(document)):
        cell = (_line(block) // LINES_OF_A_CELL) - 1
        if cell != before and 0 <= cell < len(types):
            before = cell
            mark = nodes.raw("", f"<!-- cell {cell}: {types[cell]} -->\n", format="html")
            block.parent.insert(block.parent.index(block), mark)


def _blocks(parent: nodes.Element) -> Iterator[nodes.Element]:
    """The blocks of a document in the order of reading; a section stands before its own blocks."""
    for child in parent.children:
        if isinstance(child, nodes.title | nodes.target) or not isinstance(child, nodes.Element):
            continue
        top = isinstance(child, nodes.section) and isinstance(parent, nodes.document)
        if not top:  # what stands before the title of the page would be outside of its section
            yield child
        if isinstance(child, nodes.section):
            yield from _blocks(child)


def _line(block: nodes.Element) -> int:
    """The first line that a block or something in it knows."""
    return next((one.line for one in block.findall(nodes.Element) if one.line), 0)
