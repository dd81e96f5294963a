"""Faults that theme, Sphinx and pandas write are mended in the finished pages, once."""

import pytest


@pytest.fixture
def mended(monkeypatch):
    """The function of the extension."""
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent.parent / "sphinx_ext"))
    from optkit_book import mend

    return mend.mended


@pytest.mark.parametrize(
    ("fault", "better"),
    [
        (
            '<summary aria-label="Toggle hidden content">\n<p class="a">Show</p></summary>',
            '<summary>\n<span class="a">Show</span></summary>',
        ),
        ('<div class="citation" id="id4" role="doc-biblioentry">', '<div class="citation" id="id4">'),
        ('<section id="exercise-content">', "<section>"),
        ("<tr><th></th><th>loss</th></tr>", "<tr><td></td><th>loss</th></tr>"),
        (
            '<p class="admonition-title">Solution to<a class="reference internal" href="#e"> Exercise</a>',
            '<p class="admonition-title">Solution to <a class="reference internal" href="#e">Exercise</a>',
        ),
        (
            '<tr style="text-align: right;">\n<th></th>\n<th></th>\n<th>rate</th>\n<th>n</th>\n</tr>\n'
            "<tr>\n<th>κ</th>\n<th>b</th>\n<th></th>\n<th></th>\n</tr>",
            '<tr style="text-align: right;">\n<th>κ</th>\n<th>b</th>\n<th>rate</th>\n<th>n</th>\n    </tr>',
        ),
        ('<th rowspan="2" valign="top">a</th>', '<th rowspan="2">a</th>'),
        ("<style scoped>\n a {}\n</style>\n<table>", "<table>"),
    ],
)
def test_a_fault_is_mended(mended, fault, better):
    assert mended(fault) == better
    assert mended(better) == better


def test_style_sheets_of_outputs_move_into_the_head_once(mended):
    output = '<div class="output text_html"><style>a {}</style><p>x</p></div>'
    page = f"<head></head>{output}{output}<script>'<style>b {{}}</style>'</script>"
    better = mended(page)
    assert better.count("<style>a {}</style>") == 1
    assert better.index("<style>a {}") < better.index("</head>")
    assert "'<style>b {}</style>'" in better
    assert mended(better) == better


def test_text_in_the_words_of_a_page_stays(mended):
    words = "<p>A summary, a <p> and a th in code: <code>&lt;th&gt;&lt;/th&gt;</code></p>"
    assert mended(words) == words


def test_a_table_whose_columns_have_a_name_keeps_its_two_rows(mended):
    table = '<tr style="text-align: right;"><th>rule</th><th>rate</th></tr><tr><th>κ</th><th></th></tr>'
    assert "<th>rule</th><th>rate</th></tr><tr><th>κ</th>" in mended(table)


def test_what_the_search_shows_of_a_page_are_its_own_words(mended, tmp_path):
    from types import SimpleNamespace

    from optkit_book.mend import TITLES, mend_pages

    script = tmp_path / "_static" / "searchtools.js"
    script.parent.mkdir()
    words, titles = 'for (const removalQuery of [".headerlink", "script", "style"]) {', TITLES[1][0]
    script.write_text(f"{words} {TITLES[0][0]} {titles}", encoding="utf-8")
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    for _ in range(2):  # a second build finds it mended
        mend_pages(app, None)
        found = script.read_text(encoding="utf-8")
        assert found.count(".header-article-items") == found.count("#jb-print-docs-body") == 1
        assert found.count("id === null ?") == found.count("id !== null ?") == 1 and "=== title" not in found


def test_only_the_search_page_loads_the_index_of_all_words(mended):
    scripts = [f'\n  <script src="../{name}.js"></script>' for name in ("_static/searchtools", "searchindex")]
    page, search = "<body></body>", '<body><div id="search-results"></div></body>'
    assert mended("".join(scripts) + page) == page
    assert mended("".join(scripts) + search) == "".join(scripts) + search
