"""The numbers that notebooks store are those that the book has computed.

The book executes every notebook; its outputs are compared here, so that none needs to run a second time.
`make notebooks` runs them all once more, on their own, under pytest.
"""

from pathlib import Path

import built_book
import nbformat
import pytest
from jupyter_cache import get_cache

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("reference/*.ipynb")])
TAG = "nbval-check-output"


def told(cell: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """What a cell printed or returned, in words: kind and text; what is printed in pieces is one."""
    found: list[tuple[str, str]] = []
    for output in cell.outputs:
        if output.output_type == "stream" and found and found[-1][0] == output.name:
            found[-1] = (output.name, found[-1][1] + output.text)
        elif output.output_type == "stream":
            found.append((output.name, output.text))
        elif output.output_type == "error":
            found.append(("error", output.ename))
        else:
            found += sorted((kind, text) for kind, text in output.data.items() if kind.startswith("text/"))
    return found


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def differences(stored: nbformat.NotebookNode, run: nbformat.NotebookNode) -> list[str]:
    """The cells whose outputs are to be compared and differ, by their first lines."""
    pairs = list(zip(code(stored), code(run), strict=True))  # the cache keeps no text
    assert all(one.source == other.source for one, other in pairs)
    return [
        f"{one.source.splitlines()[0]}: stored {told(one)}, now {told(other)}"
        for one, other in pairs
        if TAG in one.metadata.get("tags", []) and told(one) != told(other)
    ]


@pytest.fixture(scope="module")
def executed():
    """The notebooks as the built book has executed them."""
    if fault := built_book.fault():
        pytest.fail(fault, pytrace=False)
    cache = get_cache(str(ROOT / built_book.SITE.parent / ".jupyter_cache"))

    def find(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
        return cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk).nb

    return find


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_book_computes_what_the_notebook_stores(path, executed):
    stored = nbformat.read(path, as_version=4)
    assert differences(stored, executed(stored)) == []


def notebook(*outputs, tags=(TAG,)) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("x", outputs=list(outputs), metadata={"tags": list(tags)})
    return nbformat.v4.new_notebook(cells=[cell])


def stream(text: str):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def result(text: str, **others: str):
    return nbformat.v4.new_output("execute_result", data={"text/plain": text, **others})


def test_other_numbers_are_found_and_how_they_were_sent_does_not_matter():
    assert differences(notebook(stream("1\n"), stream("2\n")), notebook(stream("1\n2\n"))) == []
    assert differences(notebook(result("1", **{"image/png": "a"})), notebook(result("1"))) == []
    assert differences(notebook(stream("1")), notebook(stream("2")))
    assert differences(notebook(result("1")), notebook(result("2")))
    assert differences(notebook(result("1")), notebook())
    assert differences(notebook(result("1")), notebook(result("1"), stream("more")))
    assert differences(notebook(stream("1"), tags=()), notebook(stream("2"), tags=())) == []
