"""How soon the first figure of a chapter answers, and what script and style a chapter's page loads.

    make book && python benchmarks/first_figure.py [--pages 04-momentum …] [--rounds 5]

The built book is served compressed, as a host would do it. Each visit begins with an empty cache: as the
machine is, and with the processor slowed to a quarter on a network of 1.6 Mbit/s and 150 ms delay
(what Lighthouse calls slow 4G). Printed are the median and the slowest visit, from navigation until the
figure can be moved, and how far the page moved by itself. Then the bytes of script and style, compressed, in
three parts: the theme's with MathJax, the course's own, and those of Sphinx and its extensions.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import statistics
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import built_book
import chromium

ROOT = Path(__file__).resolve().parent.parent
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
OF_THE_THEME = ("/scripts/", "/styles/", "/mathjax/", "/vendor/")
WATCH = """
  const tick = setInterval(() => {
    const figure = document.querySelector("optkit-playground");
    if (figure && figure.state) { window.alive = performance.now(); clearInterval(tick); }
  }, 10);
  window.moved = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) window.moved += one.value; })
    .observe({ type: "layout-shift", buffered: true });
"""


@cache
def compressed(file: Path) -> bytes:
    """A file as it travels."""
    return gzip.compress(file.read_bytes(), 6)


class Host(http.server.SimpleHTTPRequestHandler):
    """A host that compresses text, and says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file, as text compressed."""
        with suppress(ConnectionError):  # a visit ends when the figure is there
            self._send()

    def _send(self) -> None:
        file = Path(self.translate_path(self.path))
        if file.suffix not in TYPES or not file.is_file():
            super().do_GET()
            return
        body = compressed(file)
        self.send_response(200)
        self.send_header("Content-Type", TYPES[file.suffix])
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def visit(browser: Any, address: str, *, slowed: bool) -> tuple[float, float, list[str]]:
    """Milliseconds until the figure answers, layout shift, and the addresses of script and style."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    loaded: list[str] = []
    kinds = ("script", "stylesheet")
    page.on("request", lambda found: loaded.append(found.url) if found.resource_type in kinds else None)
    if slowed:
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW)
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.alive > 0", timeout=90_000)
    page.wait_for_timeout(300)
    if not slowed:
        page.wait_for_load_state("networkidle")
    alive, moved = page.evaluate("[window.alive, window.moved]")
    context.close()
    return alive, moved, loaded


def weights(folder: Path, root: str, addresses: list[str]) -> dict[str, int]:
    """Bytes of script and style, compressed, by whose they are."""
    found = {"theme and MathJax": 0, "the course": 0, "Sphinx and extensions": 0}
    for address in dict.fromkeys(addresses):
        name = address.removeprefix(root).partition("?")[0]
        ours = "optkit" in name
        whose = "the course" if ours else "Sphinx and extensions"
        if not ours and any(part in f"/{name}" for part in OF_THE_THEME):
            whose = "theme and MathJax"
        found[whose] += len(compressed(folder / name))
    return found


def main() -> None:
    """Measure and print."""
    folder = ROOT / built_book.SITE
    chapters = sorted(file.stem for file in (folder / "chapters").glob("*.html"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="+", default=chapters, help="names of chapters (all)")
    parser.add_argument("--rounds", type=int, default=5, help="visits of each kind")
    options = parser.parse_args()
    if fault := built_book.fault():
        parser.error(fault)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.launch_arguments()
        )
        print(f"Chromium {browser.version}, {options.rounds} visits each; milliseconds")
        for name in options.pages:
            for slowed in (False, True):
                visits = [
                    visit(browser, f"{root}chapters/{name}.html", slowed=slowed)
                    for _ in range(options.rounds)
                ]
                times, moves, loaded = zip(*visits, strict=True)
                print(
                    f"{name:22} {'slowed' if slowed else 'as it is':8}"
                    f" alive: median {statistics.median(times):5.0f}"
                    f"  slowest {max(times):5.0f}  layout shift {max(moves):.4f}"
                )
            parts = weights(folder, root, loaded[0])
            print(f"{name:22} kB: " + ", ".join(f"{who} {size / 1000:.1f}" for who, size in parts.items()))
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
