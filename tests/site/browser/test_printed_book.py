"""The book in one PDF: A4, tagged, with outline, contents and page numbers, nothing cut off."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import npm_packages
import print_book
import printed_book
import pytest
from pypdf import PdfReader

ROOT = Path(__file__).parent.parent.parent.parent
PAGES = (
    "index",
    "chapters/04-momentum",
    "reference/conventions",
    "reference/api/rules",
    "reference/glossary",
)
PAGES += ("reference/status", "reference/bibliography")
TOC = "format: jb-book\nroot: index\nparts:\n  - caption: Part\n    chapters:\n" + "".join(
    f"      - file: {name}\n" for name in PAGES[1:]
)
A4 = (595, 842)  # points


def article(inside: str) -> str:
    title = '<h1>4. T<a class="headerlink">#</a></h1>'
    return f'<article class="bd-article"><section id="t">{title}{inside}</section></article>'


@pytest.fixture
def site(tmp_path):
    """A site of two pages with all that paper cannot do."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: chapters/a\n")
    (tmp_path / "_config.yml").write_text('title: "A & B"\nauthor: somebody\ncopyright: "2026"\n')
    links = (
        '<a href="chapters/a.html#x">x</a> <a href="chapters/a.html">a</a> <a href="genindex.html">index</a>'
    )
    (tmp_path / "index.html").write_text(article(links + ' <a href="https://example.org/">afar</a>'))
    page = """<h2 id="h">Two</h2>
        <section id="x"><h2>X 관성 이</h2><a href="../index.html#t">back</a> <a href="#t">up</a></section>
        <details class="hide above-input"><pre>folded</pre></details>
        <img src="../_images/i.png" alt="An image.">
        <optkit-playground><script>{}</script><img class="optkit-printed" src="data:," alt="A path.">
        </optkit-playground>
        <div class="exercise"><p class="admonition-title">Exercise 4.1</p>
        <fieldset class="optkit-quiz"><legend>Q?</legend>
        <div class="optkit-answer"><input type="radio" id="r"><label for="r">two</label>
        <div class="optkit-feedback"><span>Right. So.</span></div></div></fieldset></div>
        <div class="solution"><p class="admonition-title">Solution to 4.2</p><p>Because.</p></div>"""
    (tmp_path / "chapters" / "a.html").write_text(article(page), encoding="utf-8")
    return tmp_path


def test_all_pages_become_one_whose_links_stay_in_it(site):
    text = printed_book.printed(site, site)
    assert text.count("<title>A &amp; B</title>") == 1
    assert 'id="index--t"' in text and 'id="chapters-a--t"' in text
    assert '<a href="#chapters-a--x">x</a> <a href="#chapters-a">a</a> index' in text
    assert '<a href="#index--t">back</a> <a href="#chapters-a--t">up</a>' in text
    assert 'href="https://example.org/"' in text
    places = set(re.findall(r'\sid="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= places
    assert len(re.findall(r'\sid="', text)) == len(places)


def test_what_paper_cannot_do_is_replaced(site):
    text = printed_book.printed(site, site)
    assert "folded" not in text and "<input" not in text and "<optkit-playground" not in text
    assert '<img alt="A path." class="optkit-printed"' in text
    assert 'src="_images/i.png"' in text
    assert '<span lang="ko">관성 이</span>' in text
    exercise, end = text.index("Exercise 4.1</p>"), text.index('id="answers"')
    assert (
        exercise
        < end
        < text.index("Right. So.")
        < text.index("<h2>Solution to 4.2</h2>")
        < text.index("Because.")
    )


def test_the_contents_name_each_heading(site):
    titles = re.findall(r'<p class="(h\d)"><a href="#([^"]+)">([^<]+)</a>', printed_book.printed(site, site))
    assert titles[:2] == [("h1", "index--t", "4. T"), ("h1", "chapters-a--t", "4. T")]
    assert ("h2", "chapters-a--x", "X 관성 이") in titles
    assert titles[-1] == ("h1", "answers", "Answers and solutions")


def apart(function, *arguments):
    """A call in a thread of its own: Playwright allows one each, and the tests' own may be open."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


@pytest.fixture(scope="module")
def pdf(book_folder, tmp_path_factory):
    """Some pages of the built book, printed: the PDF, what sticks out of the paper, the text of each page."""
    root = tmp_path_factory.mktemp("printed")
    (root / "_toc.yml").write_text(TOC, encoding="utf-8")
    shutil.copyfile(ROOT / "_config.yml", root / "_config.yml")
    wide = apart(print_book.write, root / "book.pdf", book_folder, root)
    reader = PdfReader(root / "book.pdf")
    return reader, wide, [page.extract_text() for page in reader.pages]


def outline(reader, entries=None, depth=0):
    """Depth, title and page of each entry of the outline."""
    for entry in reader.outline if entries is None else entries:
        if isinstance(entry, list):
            yield from outline(reader, entry, depth + 1)
        else:
            yield depth, entry.title, reader.get_destination_page_number(entry) + 1


def tags(reader):
    """Type and alternative text of each element of the tag tree."""
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += element
        elif isinstance(element, dict):
            if "/S" in element:
                yield element["/S"], element.get("/Alt")
            if "/K" in element:
                waiting.append(element["/K"])


def test_nothing_is_wider_than_the_paper_and_each_page_has_its_number(pdf):
    reader, wide, texts = pdf
    assert wide == []
    assert len(reader.pages) > 20
    for number, page in enumerate(reader.pages, start=1):
        assert tuple(round(float(length)) for length in page.mediabox[2:]) == A4
        words = texts[number - 1].split()
        assert (str(number) in {words[0], words[-1]}) == (number > 1), f"page {number}"


def test_it_is_tagged_in_english_and_every_picture_says_what_it_shows(pdf, book_folder):
    reader, _, _ = pdf
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value
    assert root["/Lang"] == "en"
    assert reader.metadata.title == "Gradient-based optimization with optkit"
    found = list(tags(reader))
    kinds = {kind for kind, _ in found}
    assert {"/H1", "/H2", "/H3", "/P", "/Table", "/TH", "/L", "/Link", "/Figure"} <= kinds
    pictures = [alt for kind, alt in found if kind == "/Figure"]
    shown = (
        (book_folder / "chapters" / "04-momentum.html").read_text(encoding="utf-8").partition("<article")[2]
    )
    assert len(pictures) >= len(re.findall(r"<img ", shown.partition("</article>")[0]))
    assert all(pictures)


def test_the_outline_and_the_contents_agree(pdf):
    reader, _, texts = pdf
    entries = list(outline(reader))
    tops = [title for depth, title, _ in entries if depth == 0]
    assert tops[0] == "Contents"
    assert tops[-1] == "Answers and solutions"
    assert len(tops) == len(PAGES) + 2
    contents = " ".join(texts[1 : entries[1][2] - 1])
    contents = re.sub(r"\s+", " ", contents)
    for depth, title, page in entries[1:]:
        if depth == 0:
            assert re.search(rf"{re.escape(title)} ?{page}\b", contents), title


def test_letters_are_embedded(pdf):
    reader, _, _ = pdf
    fonts = {
        str(font.get_object().get("/BaseFont"))
        for page in reader.pages
        for font in (page["/Resources"].get_object().get("/Font") or {}).values()
    }
    # Those of MathJax have no name: Chromium draws their letters into the file.
    assert all(name == "None" or "+" in name for name in fonts), fonts
    if print_book.korean() is not None:
        assert any("Nanum" in name for name in fonts), fonts


def test_the_page_to_print_asks_no_other_host_and_all_its_mathematics_is_set(book_folder, tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: reference/notation\n", encoding="utf-8")
    shutil.copyfile(ROOT / "_config.yml", tmp_path / "_config.yml")
    text = printed_book.printed(book_folder, tmp_path)
    apart(check_page_to_print, book_folder, text)


def check_page_to_print(folder, text):
    with print_book.page_of(folder, text, None) as page:
        origin = page.evaluate("location.origin")
        asked = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
        assert len(asked) > 5
        assert [one for one in asked if not one.startswith((origin, "data:"))] == []
        assert page.locator("mjx-container").count() > 50
        assert page.locator("mjx-merror").count() == 0
        assert page.evaluate("sticksOut()") == []
        page.add_style_tag(content="main p { white-space: nowrap }")
        assert page.evaluate("sticksOut()")


def test_without_the_font_it_says_so_and_prints(monkeypatch, capsys):
    def fails(*arguments):
        raise npm_packages.FetchError("no network")

    monkeypatch.setattr(npm_packages, "folder", fails)
    assert print_book.korean() is None
    assert "fonts of this system: no network" in capsys.readouterr().err
