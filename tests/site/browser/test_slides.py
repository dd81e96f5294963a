"""The slides: what the chapters mark, in one folder that asks no other host, by keyboard, light and dark."""

import json
import re
import shutil
from pathlib import Path

import npm_packages
import pytest
import slides

ROOT = Path(__file__).parent.parent.parent.parent
MARKED = [
    path.stem
    for path in sorted(ROOT.glob("chapters/*.ipynb"))
    if '"slide_type": "slide"' in path.read_text(encoding="utf-8")
]
READY = "html[data-ready=yes]"
WIDE = {"width": 1280, "height": 720}
CELLS = [
    ("slide", "<p>A question.</p>"),
    ("skip", '<p>Not shown.</p><h2 id="b">Two<a class="headerlink" href="#b">#</a></h2><p>Nor this.</p>'),
    ("slide", '<h2 id="c">Three</h2><p>See <a href="#fig-x">Fig. 1</a>, <a href="#b">two</a>, '
     '<a href="03-b.html">chapter 3</a>, <a href="../reference/x.html">a page</a>, '
     '<a href="https://example.org/">afar</a>.</p>'
     '<figure class="optkit-figure" id="fig-x"><img src="../_images/x.png" alt="A line."></figure>'),
    ("-", "<p>The same slide.</p>"),
    ("fragment", '<div class="cell"><details class="hide above-input">folded</details><pre>7</pre></div>'),
    ("subslide", '<div class="exercise"><section><p>Asked.</p></section></div>'
     '<div class="solution">Told.</div>'),
    ("notes", "<p>Say this.</p>"),
]  # fmt: skip


def page(cells=CELLS) -> str:
    """A page of the book with such cells."""
    marked = "".join(f"<!-- cell {number}: {kind} -->\n{text}" for number, (kind, text) in enumerate(cells))
    return (
        "<head><style>.optkit-quiz { a: b }</style></head>"
        '<div><section><article class="bd-article"><section id="t"><h1>4. Title</h1>'
        f"{marked}</section></article></section></div>"
    )


@pytest.fixture
def site(tmp_path):
    """A site as far as slides are cut from it."""
    folder = tmp_path / "html"
    for name in slides.FROM_BOOK:
        (folder / "_static" / name).mkdir(parents=True)
    (folder / "_static" / "mathjax" / "tex-chtml.js").write_text("")
    (folder / "_images").mkdir()
    (folder / "_images" / "x.png").write_bytes(b"")
    (folder / "chapters").mkdir()
    for name, text in (("04-a", page()), ("03-b", page()), ("05-c", page([]))):
        (folder / "chapters" / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def package(tmp_path):
    """A stand-in for the package from npm."""
    for name in slides.FROM_REVEAL:
        file = tmp_path / "reveal.js" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path / "reveal.js"


def test_a_page_is_cut_where_its_cells_say_so():
    title, found = slides.cut(page())
    assert title == "4. Title"
    assert [slide.kind for slide in found] == ["slide", "slide", "subslide"]
    words = [" ".join(block.get_text() for _, block in slide.pieces) for slide in found]
    assert words[0] == "4. Title A question."
    assert words[1].startswith("Three See Fig. 1")
    assert "The same slide. 7" in words[1]
    assert "Asked." in words[2]
    assert not re.search("Not shown|Nor this|folded|Told|#", " ".join(words))
    assert [kind for kind, _ in found[1].pieces][-1] == "fragment"
    assert [kind for kind, _ in found[2].pieces] == ["subslide", "notes"]


def test_what_lies_under_another_slide_comes_below_it_and_notes_are_for_the_speaker():
    _, html, count = slides.deck(page())
    assert count == 3
    assert html.count("<section") == 4  # three slides and the pair
    assert html.index('<section>\n<section class="bd-article') < html.index("Three")
    assert '<aside class="notes"><p>Say this.</p></aside>' in html
    assert '<div class="fragment"><div class="cell">' in html


def test_a_folder_holds_all_that_it_links_to(site, package, tmp_path):
    folder = tmp_path / "slides"
    assert slides.write(folder, site, package) == {"03-b.html": 3, "04-a.html": 3}
    text = (folder / "04-a.html").read_text(encoding="utf-8")
    assert '<a href="#fig-x">' in text
    assert '<a href="03-b.html">' in text
    assert "See <a" in text and ", two, <a" in text and ", a page, <a" in text
    assert '<a href="https://example.org/" rel="noopener" target="_blank">' in text
    assert ".optkit-quiz" in text
    for link in re.findall(r'(?:href|src)="([^"#:]+)"', text):
        assert (folder / link).exists(), link


def test_earlier_slides_are_replaced_and_nothing_else_is_removed(site, package, tmp_path):
    folder = tmp_path / "slides"
    slides.write(folder, site, package)
    (folder / "09-old.html").write_text("")
    slides.write(folder, site, package)
    assert not (folder / "09-old.html").exists()
    own = tmp_path / "lectures"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not slides"):
        slides.write(own, site, package)
    assert (own / "notes.txt").read_text() == "mine"


def test_the_package_from_npm_is_pinned_by_checksum():
    lock = json.loads((slides.OWN / "npm" / "package-lock.json").read_text(encoding="utf-8"))
    (entry,) = [one for name, one in lock["packages"].items() if name]
    assert entry["integrity"].startswith("sha512-")
    assert "resolved" not in entry


def marked(html: str) -> str:
    """A page of the book with a slide for each of its headings, and one for each figure."""
    html = re.sub(r"<!-- cell .*? -->", "", html)
    return re.sub(r'(?=<h[23]>|<div class="cell [^"]*">\s*<details[^>]*>)', "<!-- cell 1: slide -->", html)


@pytest.fixture(scope="module")
def decks(book_folder, tmp_path_factory, serve):
    """The slides of the built book, and those of a chapter with all its headings and figures marked."""
    try:
        reveal = npm_packages.folder(slides.OWN / "npm") / "reveal.js"
    except npm_packages.FetchError as error:
        pytest.skip(f"NOT RUN: {error}")
    place = tmp_path_factory.mktemp("decks")
    for name in ("_static", "_images"):
        shutil.copytree(book_folder / name, place / "html" / name)
    (place / "html" / "chapters").mkdir()
    for name in MARKED:
        shutil.copyfile(
            book_folder / "chapters" / f"{name}.html", place / "html" / "chapters" / f"{name}.html"
        )
    whole = (book_folder / "chapters" / "04-momentum.html").read_text(encoding="utf-8")
    (place / "html" / "chapters" / "whole.html").write_text(marked(whole), encoding="utf-8")
    slides.write(place / "slides", place / "html", reveal)
    with serve(place / "slides") as address:
        yield address


@pytest.fixture
def shown(decks, visit_to):
    """Opens a deck; another host, an error or a warning on it fails the test."""
    visit = visit_to(decks)

    def open_deck(name, **media):
        visit.page.set_viewport_size(WIDE)
        visit.page.emulate_media(**{"color_scheme": "light"} | media)
        visit.page.goto(f"{decks}{name}.html")
        visit.page.wait_for_selector(READY, state="attached")
        return visit.page

    yield open_deck
    visit.page.close()
    assert visit.faults == []


def number(page) -> int:
    return page.evaluate("Reveal.getSlidePastCount()")


SIZES = """() => {
    const slide = Reveal.getCurrentSlide();
    return {live: slide.classList.contains('live'), words: slide.innerText.trim().length,
        tall: slide.scrollHeight - slide.clientHeight, wide: slide.scrollWidth - slide.clientWidth};
}"""


@pytest.mark.parametrize("name", [*MARKED, "whole"])
def test_every_slide_fits_and_is_reached_by_keyboard(shown, name):
    page = shown(name)
    slide_count = page.evaluate("Reveal.getTotalSlides()")
    assert slide_count > 3
    seen = 0
    while True:
        sizes = page.evaluate(SIZES)
        assert sizes["words"], f"slide {seen} is empty"
        assert sizes["wide"] <= 1, f"slide {seen} of {name} is too wide"
        if name != "whole":  # its slides are made of whole sections
            assert sizes["live"] or sizes["tall"] <= 1, f"slide {seen} of {name} is too tall: mark less of it"
        if page.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
            break
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Space")
        seen += 1
        assert seen < 400
    assert number(page) == slide_count - 1
    while page.evaluate("Reveal.availableFragments().prev"):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert number(page) < slide_count - 1


def test_light_and_dark_follow_the_system_and_a_key(shown):
    page = shown("whole", color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.keyboard.press("d")
    light = page.evaluate(ground)
    assert (dark, light) == ("rgb(20, 24, 30)", "rgb(255, 255, 255)")
    page.get_by_role("button", name="Dark or light").click()
    assert page.evaluate(ground) == dark


def test_mathematics_and_pictures_are_there(shown):
    page = shown("whole")
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror").count() == 0
    broken = "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"
    assert page.evaluate(broken) == []


TO_FIGURE = """() => {
    const at = Reveal.getIndices(document.querySelector('optkit-playground').closest('section'));
    Reveal.slide(at.h, at.v);
}"""


def test_a_figure_answers_and_has_the_arrow_keys_for_itself(shown):
    page = shown("whole")
    page.evaluate(TO_FIGURE)
    handle = page.get_by_role("slider", name="Start point").first
    handle.wait_for()
    handle.focus()
    before, at = handle.get_attribute("aria-valuetext"), number(page)
    handle.press("ArrowRight")
    page.wait_for_function(
        "([one, before]) => one.getAttribute('aria-valuetext') !== before",
        arg=[handle.element_handle(), before],
    )
    assert number(page) == at
    page.keyboard.press("PageDown")
    assert number(page) == at + 1
