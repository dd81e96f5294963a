"""A page loads what it uses, and no more."""

from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

FILES = ("sphinx-design.min.css", "design-tabs.js")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<p>sd-card</p>", []),
        ('<div class="sd-card">', ["sphinx-design.min.css"]),
        ('<div class="a sd-tab-set b">', ["sphinx-design.min.css", "design-tabs.js"]),
        ('<div class="a-sd-b">', []),
        (None, []),
    ],
)
def test_cards_and_tabs_bring_their_style_and_other_pages_do_not(body, kept, monkeypatch):
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "sphinx_ext"))
    from optkit_book.lean import leave_out

    files = [SimpleNamespace(filename=f"_static/{name}?v=1") for name in (*FILES, "optkit.css")]
    context = {"body": body, "css_files": files[:1] + files[2:], "script_files": files[1:2]}
    leave_out(None, "a", "page.html", context, None)
    left = [file.filename for kind in ("css_files", "script_files") for file in context[kind]]
    assert left == [f"_static/{name}?v=1" for name in (*kept[:1], "optkit.css", *kept[1:])]


def test_the_book_loads_neither_on_a_plain_page(book):
    for name in FILES:
        assert name not in book.html()
