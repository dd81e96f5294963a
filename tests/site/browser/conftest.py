"""The built book, served on this machine alone, and its pages in a browser that can reach nothing else."""

import functools
import http.server
import os
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import built_book
import npm_packages
import pytest

ROOT = Path(__file__).parent.parent.parent.parent
SETTLED = """async () => {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    await document.fonts.ready;
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""


PAGES = [
    *re.findall(r"(?:root|- file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8")),
    *("genindex", "search", "404"),
]


def pytest_generate_tests(metafunc):
    """A test that takes `page_name` runs for every page of the book."""
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", PAGES)


@pytest.fixture(scope="session")
def page_names() -> list[str]:
    """The pages that the book should have."""
    return PAGES


def not_run(reason: str) -> None:
    """Say in one line that a test is not run; in continuous integration that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT RUN: {reason}")


@pytest.fixture(scope="session")
def book_folder() -> Path:
    """The folder of the built book, which is as new as its sources."""
    if fault := built_book.fault():
        pytest.fail(fault, pytrace=False)
    return ROOT / built_book.SITE


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The packages of npm that the tests use."""
    try:
        return npm_packages.folder()
    except npm_packages.FetchError as error:
        not_run(str(error))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A host such as GitHub's: an address that does not exist gets 404.html."""

    def log_message(self, *arguments):
        """Say nothing."""

    def send_error(self, code, message=None, explain=None):
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(folder: Path, base: str = "/"):
    """Serve a folder under a path of this machine; gives the address of its first page."""

    class Under(Quiet):
        def translate_path(self, path):
            return super().translate_path(
                path[len(base) - 1 :] if path.startswith(base) else "/no such place"
            )

    handler = functools.partial(Under, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{base}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def serve():
    """The function that serves a folder."""
    return served


@pytest.fixture(scope="session")
def address(book_folder):
    """Where the built book is served: under the path that its page 404.html is made for."""
    base = re.search(r'data-content_root="([^"]+)"', (book_folder / "404.html").read_text(encoding="utf-8"))
    with served(book_folder, base[1]) as found:
        yield found


class Visit:
    """A page in a browser, and all that went wrong on it."""

    def __init__(self, context, address: str):
        self.page = context.new_page()
        self.address = address
        self.faults: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.on("response", self._response)

    def open(self, name: str) -> None:
        """Load a page of the book, and wait until fonts and mathematics are set."""
        self.page.goto(f"{self.address}{name}", wait_until="load")
        self.settle()

    def settle(self) -> None:
        """Wait until fonts and mathematics are set and two frames are drawn."""
        self.page.evaluate(SETTLED)

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console {message.type}: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"another host: {request.url}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.faults.append(f"status {response.status}: {response.url}")


@pytest.fixture(scope="module")
def context(browser):
    """Pages of one context share their cache, so that scripts and fonts are read once."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def visit(context, address):
    """A fresh page; what goes wrong on it fails the test."""
    opened = Visit(context, address)
    yield opened
    opened.page.close()
    assert opened.faults == []


@pytest.fixture
def visit_to(context):
    """The function that opens a fresh page of a site served elsewhere."""
    return functools.partial(Visit, context)
