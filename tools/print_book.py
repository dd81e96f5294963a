"""Print the whole book into one PDF: A4, tagged, with an outline, contents and page numbers.

    python tools/print_book.py            from _build/html into _build/optkit.pdf
    python tools/print_book.py FILE       elsewhere

The pages of the built book are put one behind the other as `printed_book` says, and Chromium prints them, the
system's or Playwright's. It prints twice: only then are the pages known that the contents name. The Korean
letters of the glossary come from a font (Nanum Myeongjo, OFL), fetched by version and checksum from npm's
registry, once, into the user's cache folder. The page that is printed asks no other host for anything.
"""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import built_book
import chromium
import npm_packages
from printed_book import LETTERS, STATIC, printed
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
FILE = Path("_build") / "optkit.pdf"
NAME = "printed-book.html"
# A4, less the margins of print.css, at 96 pixels to the inch.
COLUMN = 650
READY = "html[data-ready=yes]"
MINUTES = 5


@contextmanager
def page_of(site: Path, text: str, letters: Path | None) -> Iterator[Any]:
    """The text as a page beside the files of a site, in a browser that reaches nothing else."""
    from playwright.sync_api import sync_playwright

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            """A file of the site, or of the font."""
            name = path.removeprefix(f"/{LETTERS}/")
            return str(letters / name) if letters and name != path else super().translate_path(path)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium.find(), args=chromium.launch_arguments()
                )
                page = browser.new_page(viewport={"width": COLUMN, "height": 1000})
                page.set_default_timeout(60_000 * MINUTES)
                page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
                address = f"http://127.0.0.1:{server.server_port}/{NAME}"
                kind = "text/html; charset=utf-8"
                page.route(address, lambda route: route.fulfill(body=text, content_type=kind))
                page.goto(address)
                page.wait_for_selector(READY, state="attached")
                yield page
                browser.close()
        finally:
            server.shutdown()
            thread.join()


def pages_of_places(file: Path) -> dict[str, int]:
    """The page on which each place stands that something links to, counted from 1."""
    reader = PdfReader(file)
    numbers = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages, start=1)}
    places = reader.named_destinations
    return {name.lstrip("/"): numbers[place.page.idnum] for name, place in places.items()}


def korean() -> Path | None:
    """The folder of the font with Korean letters; None, and a line that says so, where it cannot be got."""
    try:
        return npm_packages.folder(STATIC / "npm") / "@fontsource" / "nanum-myeongjo"
    except npm_packages.FetchError as error:
        print(f"The glossary is printed in the fonts of this system: {error}", file=sys.stderr)
        return None


def write(file: Path, site: Path, root: Path = ROOT) -> list[str]:
    """Print a built site; what does not fit the width of the paper, in words.

    Args:
        file: The PDF.
        site: The built book.
        root: The project, for the order of the pages.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with page_of(site, printed(site, root), korean()) as page:
        options = {"path": str(file), "prefer_css_page_size": True, "tagged": True, "outline": True}
        page.pdf(**options)
        page.evaluate("fillContents", pages_of_places(file))
        page.pdf(**options)
        return page.evaluate("sticksOut()")


def main() -> None:
    """Print the book as it is built."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / FILE
    try:
        wide = write(target, ROOT / built_book.SITE)
    except chromium.NoBrowserError as error:
        sys.exit(str(error))
    size = target.stat().st_size / 1e6
    print(f"{len(PdfReader(target).pages)} pages, {size:.1f} MB: {target}")
    if wide:
        sys.exit("wider than the paper: " + "; ".join(wide))


if __name__ == "__main__":
    main()
