"""What optkit displays becomes figures, equations and tables; an image without words fails the build."""

import json
import re

import nbformat
import pytest
from matplotlib.figure import Figure

from optkit.figures import picture
from optkit.page import claims, equation, source

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

ALT = "An empty pair of axes from 0 to 1, with nothing drawn."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def notebook(*parts) -> str:
    """A stored notebook: text parts are Markdown cells, others the (data, metadata) of an output."""
    new = nbformat.v4
    cells = []
    for part in parts:
        if isinstance(part, str):
            cells.append(new.new_markdown_cell(part))
        else:
            output = new.new_output("display_data", data=part[0], metadata=part[1])
            cells.append(new.new_code_cell("...", outputs=[output]))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(new.new_notebook(cells=cells, metadata=metadata))


def shown(name: str, caption: str = "A caption with $x^2$.", alt: str = ALT):
    return picture(Figure(), name=name, caption=caption, alt=alt)._repr_mimebundle_()


def stored(texts: dict):
    """An image output as an older or foreign show() might have stored it, past the checks of today's."""
    return {"image/png": PNG}, {
        "optkit": {"kind": "figure", "name": "fig-x", "caption": "A caption."} | texts
    }


def test_a_shown_figure_has_number_label_caption_alt_and_width(build):
    site = build({"index.ipynb": notebook("# T\n\nSee {numref}`fig-one`.", shown("fig-one"))})
    assert site.warnings == ""
    assert re.search(
        r'<a class="reference internal" href="#fig-one"><span class="std std-numref">Fig. 1', site.html()
    )
    assert re.search(
        r'<figure class="optkit-figure[^"]*" id="fig-one">\s*(<a [^>]*>)?<img alt="' + re.escape(ALT),
        site.html(),
    )
    assert re.search(r'<img [^>]*width: 640px|<img [^>]*width="640"', site.html())
    assert r"A caption with <span class=" in site.html()
    assert site.html().count("<img") == 1  # the form for notebooks is left out


def test_an_equation_is_framed_numbered_and_referred_to(build):
    block = equation("adam", label="eq-adam")._repr_mimebundle_()
    site = build({"index.ipynb": notebook("# T\n\nSee {eq}`eq-adam`.", block)})
    assert site.warnings == ""
    assert '<div class="optkit-equation docutils container">' in site.html()
    assert '<p class="optkit-equation-title">Adam</p>' in site.html()
    assert 'href="#equation-eq-adam">(1)</a>' in site.html()
    assert r"\begin{aligned}" in site.html()


@pytest.mark.parametrize("design_first", [True, False])
def test_a_box_is_written_as_jupyterlab_reads_it(build, design_first):
    """`div` with a class, also beside sphinx-design, whose own `div` has no such option."""
    text = "# T\n\n:::{div}\n:class: optkit-equation\n**Title**\n\n$$\nx\n$$ (eq-x)\n:::\n\nSee {eq}`eq-x`."
    others = ["sphinx_design"] if design_first else ["optkit_book", "sphinx_design"]
    site = build({"index.md": text}, extensions=["myst_nb", *others, "optkit_book"])
    assert site.warnings == ""
    assert re.search(r'<div class="optkit-equation docutils container">\s*<p><strong>Title', site.html())
    assert 'href="#equation-eq-x">(1)</a>' in site.html()


def test_a_source_is_highlighted_and_claims_are_a_table(build):
    row = {"id": "C01", "statement": "$|x| < 1$", "measured": 1, "spread": 0, "verdict": "holds"}
    site = build(
        {
            "index.ipynb": notebook(
                "# T", source("adam")._repr_mimebundle_(), claims([row])._repr_mimebundle_()
            )
        }
    )
    assert site.warnings == ""
    assert 'class="optkit-source docutils container"' in site.html()
    assert '<div class="highlight-python' in site.html()
    assert re.search(r'class="optkit-claims docutils container">\s*<table', site.html())
    assert "|x| &lt; 1" in site.html()


def test_an_output_of_another_kind_is_left_alone(build):
    site = build({"index.ipynb": notebook("# T", ({"text/plain": "plain words"}, {}))})
    assert site.warnings == ""
    assert "plain words" in site.html()


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (({"image/png": PNG}, {}), "alt is missing"),
        (stored({"alt": ""}), "alt is missing"),
        (stored({"alt": "Loss."}), "at least 25 characters"),
        (stored({"alt": "0a" * 32 + ".png"}), "file name"),
        (
            stored(
                {"alt": "A long enough caption, said twice.", "caption": "A long enough caption, said twice."}
            ),
            "repeat",
        ),
        (({"text/html": '<p><img src="a.png"></p>'}, {}), "alt is missing"),
    ],
)
def test_an_image_without_words_fails_the_build_every_time(build, output, fault):
    files = {"index.ipynb": notebook("# T", output)}
    assert fault in build(files).warnings
    assert fault in build(files).warnings  # the page did not change, and is read again all the same


def test_a_markdown_image_without_words_fails_the_build(build):
    files = {
        "index.md": "# T\n\n![](a.png)\n\n```{image} a.png\n```\n\n![A dot, one pixel wide, grey.](a.png)\n"
    }
    files["a.png"] = ""
    assert build(files).warnings.count("alt is missing") == 2


def test_two_figures_of_one_name_fail_the_build(build):
    page = notebook("# T", shown("fig-one"))
    other = notebook("# U", shown("fig-one"))
    toctree = "# R\n\n```{toctree}\na\nb\n```\n"
    assert "duplicate label" in build({"index.md": toctree, "a.ipynb": page, "b.ipynb": other}).warnings


def test_two_figures_of_one_name_on_one_page_fail_the_build(build):
    site = build({"index.ipynb": notebook("# T", shown("fig-one"), shown("fig-one"))})
    assert "fig-one" in site.warnings
