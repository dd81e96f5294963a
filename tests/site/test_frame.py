"""A page built with the book's own _config.yml asks no other host for anything, and its files are there."""

import re
from html.parser import HTMLParser


class Loaded(HTMLParser):
    """What a page loads when it is opened: scripts, style sheets, images; and its inline scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = ""
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self._script = tag == "script"
        if tag in {"script", "img", "iframe", "source"} and attributes.get("src"):
            self.addresses.append(attributes["src"])
        if tag == "link" and attributes.get("rel") not in {"search", "index", "next", "prev", "canonical"}:
            self.addresses.append(attributes["href"])

    def handle_data(self, data):
        self.inline += data if self._script else ""

    def handle_endtag(self, tag):
        self._script = False


def test_the_page_builds_without_a_warning(book):
    assert book.warnings == ""


def test_a_page_loads_only_files_of_the_site(book):
    loaded = Loaded(book.html())
    assert loaded.addresses
    for address in loaded.addresses:
        assert not re.match(r"(\w+:)?//", address), address
        assert (book.folder / address.split("?")[0]).is_file(), address
    assert not re.search(r"https?://", loaded.inline)


def test_the_style_sheets_name_no_other_host(book):
    for sheet in book.folder.rglob("*.css"):
        addresses = re.findall(
            r"(?:url\(|@import )\s*['\"]?(https?:)?//[^)'\"]*", sheet.read_text(encoding="utf-8")
        )
        assert addresses == [], sheet


def test_mathematics_is_set_by_the_copy_in_the_site(book):
    assert [a for a in Loaded(book.html()).addresses if "mathjax/tex-chtml.js" in a]
    fonts = book.folder / "_static" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2"
    assert len(list(fonts.glob("MathJax_*.woff"))) >= 20


def test_no_widget_manager_and_no_thebe(book):
    assert not re.search(r"require(\.min)?\.js|html-manager|THEBE_JS_URL", book.html())


def test_the_book_s_style_is_on_the_page(book):
    assert [a for a in Loaded(book.html()).addresses if "optkit.css" in a]
    assert (book.folder / "_static" / "optkit.css").read_text(encoding="utf-8").count(".optkit-equation") >= 2
