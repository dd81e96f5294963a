"""What drawing again leaves alone: lines outside the frame, and parts of the page that have not changed."""

import functools
import http.server
import threading

import numpy as np
import pytest


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that says nothing."""

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def page(browser, modules):
    """An empty page that can import the playground's modules."""
    (modules / "empty.html").write_text("<!doctype html><meta charset=utf-8><link rel=icon href=data:><main>")
    handler = functools.partial(Quiet, directory=str(modules))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        opened = browser.new_page(viewport={"width": 600, "height": 600})
        opened.goto(f"http://127.0.0.1:{server.server_port}/empty.html")
        yield opened
        opened.close()
        server.shutdown()
        thread.join()


PLOT = """
  const { createPlot } = await import("./plot.js");
  const plot = createPlot(document.querySelector("main"), {
    label: "p", x: { domain: [0, 1] }, y: { domain: [0, 1] }, height: 200,
  });
  plot.element.style.width = "400px";
  plot.element.querySelector(".ok-plot-room").style.height = "0";
"""
LINE = (
    "async ([xs, ys]) => {"
    + PLOT
    + """
  const path = [];
  const context = plot.layer("a");
  for (const name of ["moveTo", "lineTo"]) {
    const draw = context[name].bind(context);
    context[name] = (x, y) => { path.push([name, x, y]); draw(x, y); };
  }
  plot.line(context, xs, ys, { colour: "#000000", width: 2 });
  const plain = plot.layer("b");
  plain.lineWidth = 2;
  plain.lineJoin = plain.lineCap = "round";
  plain.beginPath();
  xs.forEach((x, k) => plain.lineTo(plot.x.map(x), plot.y.map(ys[k])));
  plain.stroke();
  window.plotScale = [plot.width, plot.height];
  const of = (each) => each.getImageData(0, 0, plot.width, plot.height).data;
  const [a, b] = [of(context), of(plain)];
  return { path, inked: b.some((v) => v), different: a.filter((v, k) => v !== b[k]).length };
}"""
)


def test_what_lies_outside_the_frame_is_left_out_and_nothing_inside_changes(page):
    # In, out on the right, about out there, across the frame, out below, back in from a corner.
    xs = [0.1, 0.5, 1.6, 3.0, 2.0, -0.8, -0.5, 0.3, 0.9, 1.4, 1.5, 0.7]
    ys = [0.2, 0.9, 0.5, 0.6, 0.1, 0.7, -0.5, -0.9, 0.4, 0.95, 1.8, 0.8]
    found = page.evaluate(LINE, [xs, ys])
    assert found["inked"]
    assert found["different"] == 0
    drawn = [step for step in found["path"] if step[0] == "lineTo"]
    assert len(drawn) == 6, "five of eleven segments have both ends beyond one edge"


def away(points, corners):
    """How far the farthest of the points lies from the line through the corners."""
    a, b = corners[:-1, None], corners[1:, None]
    along = ((points - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1)
    nearest = a + np.clip(along, 0, 1)[..., None] * (b - a)
    return np.hypot(*np.moveaxis(points - nearest, -1, 0)).min(axis=0).max()


def drawn_corners(page, xs, ys):
    """The corners that are drawn for a line, and its points, both in pixels."""
    found = page.evaluate(LINE, [xs.tolist(), ys.tolist()])
    corners = np.array([step[1:] for step in found["path"]], dtype=float)
    scale = page.evaluate("() => window.plotScale")
    return corners, np.stack([xs * scale[0], (1 - ys) * scale[1]], axis=-1)


def test_a_smooth_line_is_drawn_by_few_corners_and_none_of_its_points_is_off_by_a_quarter_pixel(page):
    t = np.linspace(0, 2 * np.pi, 400)
    corners, points = drawn_corners(page, 0.5 + 0.4 * np.cos(t), 0.5 + 0.4 * np.sin(3 * t))
    assert len(corners) < 200
    assert away(points, corners) <= 0.2 + 1e-6
    assert np.allclose(corners[[0, -1]], points[[0, -1]])


def test_every_turn_of_a_line_is_drawn(page):
    # There and back along one line, then saw teeth of 2 pixels: no straight line passes near all of them.
    there = np.array([0.1, 0.3, 0.5, 0.9, 0.7, 0.2, 0.6])
    teeth = 0.2 + 0.004 * np.arange(100)
    xs = np.concatenate([there, teeth])
    ys = np.concatenate([np.full(7, 0.5), 0.3 + 0.01 * (np.arange(100) % 2)])
    corners, points = drawn_corners(page, xs, ys)
    assert away(points, corners) <= 0.2 + 1e-6
    assert len(corners) == 1 + 3 + 100, "the start, three turns on the line, and each tooth"


CONTROLS = """async () => {
  const controls = await import("./controls.js");
  const main = document.querySelector("main");
  const options = [{ value: "a", label: "A" }, { value: "b", label: "B" }];
  const slider = controls.slider(main, {
    label: "rate", symbol: ["mi", "ε"], scale: "log", min: 0.001, max: 1, value: 0.1,
  }, () => {});
  const choice = controls.choice(main, { label: "which", options, value: "a" }, () => {});
  const toggle = controls.toggle(main, { label: "on", value: true }, () => {});
  const seen = [];
  const observer = new MutationObserver((found) => seen.push(...found.map((each) => each.target.nodeName)));
  observer.observe(main, { subtree: true, childList: true, attributes: true, characterData: true });
  const look = async (...changes) => {
    seen.length = 0;
    slider.update(changes[0]);
    choice.update(changes[1]);
    toggle.update({ value: true });
    await Promise.resolve();
    return [...seen];
  };
  return [
    await look({ value: 0.1, min: 0.001 }, { options: options.map((each) => ({ ...each })), value: "a" }),
    await look({ value: 0.2, min: 0.001 }, { options: options.slice(1), value: "b" }),
  ];
}"""


def test_controls_that_show_what_they_should_are_not_written_again(page):
    same, other = page.evaluate(CONTROLS)
    assert same == []
    assert {"INPUT", "SELECT", "#text"} <= set(other)
