"""How long a slider's event takes in the playground: 12 rules of 2,000 steps computed and drawn again.

    python benchmarks/playground.py [--rounds 60]

Prints milliseconds, median and 95th percentile, with the processor as it is and slowed to a quarter by the
browser: for the event itself (compute and draw), and until the frame that follows is done. Then the start is
dragged by the mouse: pictures a second, the longest wait for one, and how far the page moved meanwhile.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import itertools
import math
import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from optkit.rules import RULES
from optkit.widgets import Playground
from optkit.widgets.bundle import bundle

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import chromium

NAMES = [name for name, r in RULES.items() if not r.inputs]
RATES = {n: {"lr": 0.02 if n in ("adagrad", "rmsprop", "adam", "radam") else 0.0005} for n in NAMES}
PROBLEMS = ("rosenbrock", "rastrigin")
EVENTS = {
    "rate of one rule": "lr",
    "start of all rules": "start",
    "noise of all rules": "gradient noise of one example",
}
PAGE = (
    "<!doctype html><meta charset=utf-8><link rel=icon href=data:>"
    "<script type=module src=figures.js></script>{}"
)
MEASURE = """async ([label, rounds]) => {
  const root = document.querySelector("optkit-playground").shadowRoot;
  const named = (input) => input.getAttribute("aria-label") === label;
  const input = [...root.querySelectorAll("input[type=range]")].find(named);
  const times = [];
  for (let k = 0; k < rounds; k++) {
    await new Promise(requestAnimationFrame);
    input.value = Number(input.value) + (k % 2 ? 1 : -1) * (3 + (k % 5));
    const begun = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const handled = performance.now();
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(0);
    }));
    times.push([handled - begun, performance.now() - begun]);
  }
  return times.slice(5);
}"""

WATCH = """() => {
  window.frames_ = [];
  window.moved = 0;
  const note = (entries) => entries.forEach((entry) => { window.moved += entry.value; });
  new PerformanceObserver((list) => note(list.getEntries())).observe({ type: "layout-shift" });
  const frame = (now) => { window.frames_.push(now); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def drag(page: Any, seconds: float = 2.0) -> tuple[float, float, float]:
    """Drag the start in circles: pictures a second, the longest milliseconds between two, layout shift."""
    knob = page.locator(".ok-handle .ok-knob").bounding_box()
    x, y = knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(WATCH)
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        page.mouse.move(x + 60 * math.sin(3 * passed), y + 40 * math.sin(2 * passed))
    times, moved = page.evaluate("[window.frames_, window.moved]")
    page.mouse.up()
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    return 1000 * len(waits) / sum(waits), max(waits), moved


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="events of each kind")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "figures.js").write_text(bundle(), encoding="utf-8")
        for name in PROBLEMS:
            figure = Playground(name, NAMES, hyper=RATES, steps=2000, noise=0.1, selected="adam")
            text = figure._repr_mimebundle_()[0]["text/html"]
            (Path(folder) / f"{name}.html").write_text(PAGE.format(text), encoding="utf-8")
        handler = functools.partial(Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.launch_arguments()
        )
        print(
            f"{platform.processor() or platform.machine()}, Chromium {browser.version}, {rounds} events each"
        )
        print("problem     slowed  slider               event: median   95 %   until drawn: median")
        for name in PROBLEMS:
            for rate in (1, 4):
                page = browser.new_page(viewport={"width": 1000, "height": 1000})
                page.goto(f"http://127.0.0.1:{server.server_port}/{name}.html")
                page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
                for what, label in EVENTS.items():
                    times = page.evaluate(MEASURE, [label, rounds])
                    event, drawn = (sorted(t[i] for t in times) for i in (0, 1))
                    late = event[int(0.95 * len(event))]
                    print(
                        f"{name:11} {rate:5}×  {what:20} {statistics.median(event):10.1f} ms {late:6.1f}"
                        f" {statistics.median(drawn):17.1f} ms"
                    )
                speed, longest, moved = drag(page)
                print(
                    f"{name:11} {rate:5}×  the start dragged: {speed:.0f} pictures a second, at most"
                    f" {longest:.0f} ms between two, layout shift {moved:g}"
                )
                page.close()
        browser.close()
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    main()
