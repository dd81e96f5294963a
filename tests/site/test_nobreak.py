"""Lines do not break between a formula and the sign that touches it, nor before a per cent."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document


@pytest.fixture
def kept(monkeypatch):
    """The children of a paragraph after the extension has seen it, as (class or tag, text)."""
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent.parent / "sphinx_ext"))
    from optkit_book.nobreak import keep_together

    def children(*parts):
        document, paragraph = new_document("page"), nodes.paragraph("", "", *parts)
        document += paragraph
        keep_together(SimpleNamespace(builder=SimpleNamespace(format="html")), document, "page")
        return [(part.tagname, part.astext()) for part in paragraph]

    return children


def test_a_formula_keeps_the_signs_that_touch_it(kept):
    found = kept(nodes.Text("large ("), nodes.math("", "x"), nodes.Text("), and then "), nodes.math("", "y"))
    assert found == [("#text", "large "), ("inline", "(x),"), ("#text", " and then "), ("math", "y")]


def test_a_formula_between_two_others_keeps_its_own_signs(kept):
    found = kept(nodes.math("", "x"), nodes.Text(","), nodes.math("", "y"), nodes.Text("."))
    assert [part for part in found if part[1]] == [("inline", "x,"), ("inline", "y.")]


def test_words_beside_a_formula_may_leave_it(kept):
    assert kept(nodes.Text("the "), nodes.math("", "i"), nodes.Text("-th"))[1] == ("math", "i")


def test_per_cent_stays_with_its_number_but_in_code(kept):
    found = kept(nodes.Text("10 % of it, "), nodes.literal("", "10 % 3"))
    assert found == [("#text", "10\u00a0% of it, "), ("literal", "10 % 3")]
