"""A live figure on a page: numbered, with its module once and only there, and without a widget manager."""

import json
import re

import nbformat
import pytest

from optkit.widgets import Playground
from optkit.widgets.bundle import bundle

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


def notebook(*figures) -> str:
    """A stored notebook that shows these figures, with the widgets' state as a run leaves it."""
    new = nbformat.v4
    cells = [new.new_markdown_cell("# T\n\n[The other](other.md). See {numref}`fig-play`.")]
    for figure in figures:
        data, metadata = figure._repr_mimebundle_()
        output = new.new_output("display_data", data=data, metadata=metadata)
        cells.append(new.new_code_cell("...", outputs=[output]))
    state = {"version_major": 2, "version_minor": 0, "state": {"a": {"state": {"_esm": "x" * 1000}}}}
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": state},
    }
    return json.dumps(new.new_notebook(cells=cells, metadata=metadata))


@pytest.fixture
def site(build):
    titled = Playground("beale", ["adam"]).titled("fig-play", "A caption with $x^2$. *Try:* it.")
    return build(
        {
            "index.ipynb": notebook(titled, Playground("quadratic", ["adam"])),
            "other.md": "---\norphan: true\n---\n\n# Other\n",
        }
    )


def test_figures_stand_on_the_page_and_one_has_a_number(site):
    assert site.warnings == ""
    page = site.html()
    assert page.count("<optkit-playground") == 2
    assert re.search(r'<figure class="[^"]*optkit-live[^"]*" id="fig-play">', page)
    assert 'href="#fig-play"><span class="std std-numref">Fig. 1' in page
    assert len(re.findall(r'<img class="optkit-printed" [^>]*alt="Contours of ', page)) == 2


def test_the_module_is_loaded_once_where_a_figure_is_and_nowhere_else(site):
    (script,) = re.findall(r"<script[^>]*figures\.js[^>]*>", site.html())
    for part in ('type="module"', 'async="async"', 'blocking="render"', "?v="):
        assert part in script, part
    assert "figures.js" not in site.html("other")
    assert (site.folder / "_static" / "optkit" / "figures.js").read_text(encoding="utf-8") == bundle()


def test_no_state_of_a_widget_is_on_the_page(site):
    assert "widget-state" not in site.html()
    assert "x" * 1000 not in site.html()
