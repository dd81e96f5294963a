"""A page says in comments where each cell begins that belongs to a slide; without slides there are none."""

import json
import re

import nbformat
import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

NEW = nbformat.v4


def notebook(types: list[str | None]) -> str:
    """A notebook of four cells with these slide types."""
    cells = [
        NEW.new_markdown_cell("# Title\n\nOne.\n\nStill one."),
        NEW.new_code_cell("two = 2", outputs=[NEW.new_output("stream", text="2")]),
        NEW.new_markdown_cell("Three.\n\n(here)=\n## Heading\n\n$$\nx\n$$\n\n- a list"),
        NEW.new_markdown_cell("### Four"),
    ]
    for cell, kind in zip(cells, types, strict=True):
        if kind:
            cell.metadata["slideshow"] = {"slide_type": kind}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(NEW.new_notebook(cells=cells, metadata=metadata))


def test_each_cell_is_marked_once_before_its_first_block(build):
    site = build({"index.ipynb": notebook(["slide", "skip", None, "subslide"])})
    assert site.warnings == ""
    text = re.sub(r"<(?!!--)[^>]*>|\s+|¶", " ", site.html().partition("<h1>")[2].partition("<footer")[0])
    text = " ".join(text.split())
    assert "Title <!-- cell 0: slide --> One. Still one. <!-- cell 1: skip --> two = 2 2" in text.replace(
        "# ", ""
    )
    assert "<!-- cell 2: - --> Three. Heading" in text.replace("# ", "")
    assert re.search(r"a list <!-- cell 3: subslide --> Four", text)
    assert text.count("<!-- cell") == 4


def test_a_page_without_slides_is_left_alone(build):
    assert "<!-- cell" not in build({"index.ipynb": notebook([None] * 4)}).html()
