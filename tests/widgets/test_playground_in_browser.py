"""The playground in a real browser: by pointer, keyboard and link, two on a page, on screen and on paper."""

import functools
import http.server
import json
import struct
import threading

import numpy as np
import pytest

from optkit.language import exp, sign
from optkit.problems import PROBLEMS, problem
from optkit.rules import RULES, rule
from optkit.trajectories import run
from optkit.widgets import Playground
from optkit.widgets.bundle import bundle, read

WIDTHS = (360, 768, 1440)
# The theme's rules that a page of the book puts around a figure.
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>T</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script type="module" async blocking="render" src="figures.js"></script></head>
<body><main style="max-width: 790px; margin: 0 auto">{body}<p>After it.</p></main></body></html>"""


@rule
def by_sign(theta, g, v, t, *, lr=0.05, decay=0.5):
    """Signs of averaged gradients."""
    v = decay * v + (1 - decay) * g
    theta = theta - lr * sign(v)
    return theta, v


@problem(start=(1.5, -1.0), window=((-2.0, 2.0), (-2.0, 2.0)))
def bumps(x, y, *, height=0.5):
    """A bowl with a bump."""
    return x * x + y * y + height * exp(-4 * (x * x + y * y))


def html(figure):
    return figure._repr_mimebundle_()[0]["text/html"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that says nothing."""

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with two playgrounds, the second with its own rule and problem; and the modules alone."""
    folder = tmp_path_factory.mktemp("playground")
    (folder / "figures.js").write_text(bundle(), encoding="utf-8")
    for name in ("engine", "mathematics", "random"):
        (folder / f"{name}.js").write_text(read(f"{name}.js"), encoding="utf-8")
    first = Playground("half_pipe", ["gradient_descent", "momentum_common"], steps=60, offered=["nesterov"])
    second = Playground(bumps, [by_sign, "adam"], steps=40, opened=["numbers"])
    pages = {"index": html(first) + html(second), "plain": html(first), "modules": ""}
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(PAGE.replace("{body}", body), encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def opened(browser, site):
    """A function that opens a page; what goes wrong on it fails the test."""
    faults, contexts = [], []

    def open_page(name="index.html", **options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: faults.append(f"uncaught: {e}"))
        page.on("request", lambda r: None if r.url.startswith((site, "data:")) else faults.append(r.url))
        page.on("dialog", lambda d: (faults.append(f"dialog: {d.message}"), d.dismiss()))
        page.goto(site + name)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def state(page, index=0):
    return page.evaluate(f"document.querySelectorAll('optkit-playground')[{index}].state")


def figure(page, index=0):
    return page.locator("optkit-playground").nth(index)


def words(array):
    """The bits of each number; every NaN alike."""
    clean = np.where(np.isnan(array), np.nan, np.asarray(array, dtype=float)).ravel()
    return [struct.pack(">d", x).hex() for x in clean]


POWERS = {f"{b},{t}": words([b**t])[0] for b in (0.9, 0.999) for t in range(1, 41)}
PATHS = """async ([requests, powers]) => {
  const mathematics = await import("./mathematics.js");
  const { trajectory } = await import("./engine.js");
  const view = new DataView(new ArrayBuffer(8));
  const hex = (x) => {
    view.setFloat64(0, Number.isNaN(x) ? NaN : x);
    return view.getBigUint64(0).toString(16).padStart(16, "0");
  };
  const pow = Math.pow;
  let worst = 0;
  Math.pow = (a, b) => {
    const known = powers[`${a},${b}`];
    if (known === undefined) return pow(a, b);
    worst = Math.max(worst, Math.abs(Number(BigInt("0x" + hex(pow(a, b))) - BigInt("0x" + known))));
    view.setBigUint64(0, BigInt("0x" + known));
    return view.getFloat64(0);
  };
  const found = requests.map((request) => {
    const path = trajectory(mathematics, request);
    return [...path.theta, ...path.loss].map(hex);
  });
  return [found, worst];
}"""


@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_every_path_has_pythons_bits_in_the_browser(opened, noise):
    page = opened("modules.html")
    rules = [r for r in RULES.values() if not r.inputs]
    requests = [
        {"rule": r.name, "problem": p.name, "start": list(p.start), "steps": 40, "hyper": {"lr": 0.02},
         "noise": noise, "batch": 4, "seed": 5}
        for r in rules for p in PROBLEMS.values()
    ]  # fmt: skip
    found, worst = page.evaluate(PATHS, [requests, POWERS])
    assert worst <= 1
    for request, got in zip(requests, found, strict=True):
        path = run(
            RULES[request["rule"]],
            PROBLEMS[request["problem"]],
            steps=40,
            lr=0.02,
            noise=noise,
            batch_size=4,
            seed=5,
        )
        assert got == words(path.theta) + words(path.loss), (request["rule"], request["problem"])


def test_dragging_the_start_moves_it_and_undo_brings_it_back(opened):
    page = opened()
    handle = figure(page).locator(".ok-handle")
    before, other = state(page), state(page, 1)
    box = handle.locator(".ok-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    after = state(page)
    assert after["start"][0] > before["start"][0]
    assert after["start"][1] < before["start"][1]
    assert {**after, "start": 0} == {**before, "start": 0}
    assert state(page, 1) == other, "the second figure is not the first"
    figure(page).get_by_role("button", name="Undo").click()
    assert state(page) == before


def test_a_tap_and_the_arrow_keys_move_the_start(opened):
    page = opened(has_touch=True, viewport={"width": 360, "height": 780})
    surface = figure(page).locator(".ok-surface .ok-plot-svg").last
    box = surface.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5)
    tapped = state(page)["start"]
    assert tapped[0] > -3
    handle = figure(page).get_by_role("slider", name="Start point")
    handle.focus()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    moved = state(page)["start"]
    assert moved[0] > tapped[0]
    assert moved[1] > tapped[1]
    assert "θ₁" in handle.get_attribute("aria-valuetext")


def test_sliders_rules_and_problem_by_keyboard(opened):
    page = opened()
    one = figure(page)
    one.get_by_role("combobox", name="Settings of").select_option(label="Momentum (common form)")
    slider = one.get_by_role("slider", name="momentum")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert state(page)["hyper"]["momentum_common"]["momentum"] < 0.9
    one.get_by_label("Nesterov", exact=True).focus()
    page.keyboard.press("Space")
    assert state(page)["rules"] == ["gradient_descent", "momentum_common", "nesterov"]
    assert state(page)["selected"] == "nesterov"
    one.get_by_text("Loss surface and start").click()
    one.get_by_role("combobox", name="Problem").select_option("rosenbrock")
    now = state(page)
    assert (now["problem"], now["start"]) == ("rosenbrock", [-1.2, 1.0])
    one.get_by_role("button", name="Reset").click()
    assert state(page)["problem"] == "half_pipe"


def test_step_scrub_play_and_pause(opened):
    page = opened()
    one = figure(page)
    one.get_by_role("button", name="To the start").click()
    one.get_by_role("button", name="One step on").click()
    assert state(page)["step"] == 1
    scrub = one.get_by_role("slider", name="step", exact=True)
    scrub.focus()
    page.keyboard.press("PageUp")
    assert state(page)["step"] == 7
    page.keyboard.press("End")
    assert state(page)["step"] == 60
    assert one.get_by_role("button", name="One step on").is_disabled()
    one.get_by_role("button", name="Play").click()
    page.wait_for_function("(n => n > 2 && n < 60)(document.querySelector('optkit-playground').state.step)")
    one.get_by_role("button", name="Pause").click()
    stopped = state(page)["step"]
    page.wait_for_timeout(150)
    assert state(page)["step"] == stopped


def test_divergence_is_said(opened):
    page = opened()
    slider = figure(page).get_by_role("slider", name="lr")
    slider.focus()
    page.keyboard.press("End")
    text = figure(page).locator(".ok-rule").first.inner_text()
    assert "diverged at" in text


def test_a_link_brings_the_state_back_to_the_right_figure(opened, site):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    first = state(page)
    second = figure(page, 1)
    second.get_by_role("slider", name="lr").focus()
    page.keyboard.press("ArrowRight")
    second.get_by_role("button", name="One step back").click()
    wanted = state(page, 1)
    second.get_by_role("button", name="Link").click()
    second.get_by_text("Link copied").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == page.url
    assert address.startswith(f"{site}index.html#optkit-2=")
    second.get_by_role("button", name="Copy as Python").click()
    second.get_by_text("Python copied").wait_for()
    assert "Playground(" in page.evaluate("navigator.clipboard.readText()")
    other = opened(address.removeprefix(site))
    assert state(other, 1) == wanted
    assert state(other) == first


HOSTILE = [
    '{"problem":"<img src=x onerror=alert(1)>","rules":["<script>alert(1)</script>","adam"]}',
    '{"start":[1e308,-1e308],"steps":1e12,"step":-5,"seed":1e40,"noise":1e300}',
    '{"start":[null,"NaN"],"hyper":{"adam":{"lr":"javascript:alert(1)"}},"__proto__":{"problem":"x"}}',
    '{"a":' * 900 + "1" + "}" * 900,
    "[" * 100000,
    '"' + "x" * 1_000_000 + '"',
    "%", "{", "null", "%00",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_links_do_no_harm(opened, text):
    page = opened("plain.html")
    page.evaluate("text => { location.hash = '#optkit-1=' + encodeURIComponent(text); }", text)
    page.wait_for_timeout(50)
    now = state(page)
    assert now["problem"] in PROBLEMS
    assert set(now["rules"]) <= {*RULES, "sam", "newton"}
    assert now["steps"] <= 5000
    assert all(abs(x) <= 1e6 for x in now["start"])
    assert (
        page.evaluate(
            "document.querySelector('optkit-playground').shadowRoot.querySelectorAll('script,img').length"
        )
        == 0
    )
    figure(page).get_by_role("button", name="Reset").click()
    assert state(page)["problem"] == "half_pipe"


def test_a_readers_own_rule_and_problem_are_drawn(opened):
    page = opened()
    assert state(page, 1)["rules"] == ["by_sign", "adam"]
    value = figure(page, 1).locator(".ok-rule", has_text="by sign").locator(".ok-value").inner_text()
    path = run(by_sign, bumps, steps=40)
    assert float(value) == pytest.approx(path.loss[-1], rel=1e-3)
    lines = figure(page, 1).locator(".ok-lines li")
    assert lines.count() == 2
    assert "sign" in lines.nth(1).inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_and_nothing_sticks_out(browser, site, opened, width):
    page = opened("modules.html", viewport={"width": width, "height": 900})
    page.add_init_script(
        "window.moved = 0;"
        "new PerformanceObserver((list) => list.getEntries().forEach((e) => { window.moved += e.value; }))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    page.goto(site + "index.html")
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    size = "(r => [r.width, r.height])(document.querySelector('optkit-playground').getBoundingClientRect())"
    before = page.evaluate(size)
    slider = figure(page).get_by_role("slider", name="lr")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(size) == before, "a slider changes no sizes"


def test_paper_and_pages_without_scripts_show_the_printed_figure(opened):
    page = opened("plain.html")
    image = figure(page).locator("img")
    assert not image.is_visible()
    page.emulate_media(media="print")
    assert image.is_visible()
    assert not figure(page).get_by_role("button", name="Play").is_visible()
    assert len(image.get_attribute("alt")) > 100
    still = opened("plain.html", java_script_enabled=False)
    assert still.locator("optkit-playground img").is_visible()


def test_dark_follows_the_page(opened):
    page = opened("plain.html")
    shade = "document.querySelector('optkit-playground').shadowRoot.querySelector('canvas').toDataURL()"
    light = page.evaluate(shade)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{shade} !== {json.dumps(light)}")
    assert page.evaluate("document.querySelector('optkit-playground').hasAttribute('data-dark')")


def test_everything_has_a_name_and_nothing_an_id(opened):
    page = opened()
    root = "document.querySelector('optkit-playground').shadowRoot"
    assert page.evaluate(f"{root}.querySelectorAll('[id]').length") == 0
    tree = figure(page).aria_snapshot()
    for part in (
        'slider "Start point',
        'slider "step"',
        'button "Play"',
        "checkbox",
        'combobox "Settings of"',
    ):
        assert part in tree, part
    assert 'slider ""' not in tree
    assert "- button\n" not in tree


PIECES = """async (html) => {
  const whole = document.createElement("template");
  whole.innerHTML = html;
  const [script, image] = whole.content.firstChild.children;
  const element = document.createElement("optkit-playground");
  const seen = [];
  const settled = () => new Promise(requestAnimationFrame);
  for (const piece of [null, script, image]) {
    if (piece) element.append(piece);
    else document.querySelector("main").append(element);
    await settled();
    seen.push(element.state?.problem ?? null);
  }
  return seen;
}"""


def test_a_figure_that_arrives_in_pieces_waits_until_it_is_whole(opened):
    page = opened("modules.html")
    text = html(Playground("beale", ["adam"]))
    assert page.evaluate(PIECES, text) == [None, None, "beale"]


def test_moving_the_element_keeps_it_alive(opened):
    page = opened("plain.html")
    page.evaluate("document.querySelector('main').append(document.querySelector('optkit-playground'))")
    figure(page).get_by_role("button", name="One step back").click()
    assert state(page)["step"] == 59


MODEL = """async ([values, attached]) => {
  const { default: widget } = await import("./figures.js");
  const listeners = {};
  window.model = {
    values, saved: 0,
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes: () => { window.model.saved += 1; },
    on: (name, f) => { (listeners[name] ??= []).push(f); },
    off: (name, f) => { listeners[name] = listeners[name].filter((g) => g !== f); },
    change: (name, value) => { values[name] = value; for (const f of listeners[`change:${name}`]) f(); },
    listening: () => Object.values(listeners).flat().length,
  };
  const el = document.createElement("div");
  if (attached) document.querySelector("main").append(el);
  window.clean = await widget.render({ model: window.model, el });
  window.attach = () => document.querySelector("main").append(el);
}"""


def test_a_notebooks_model_and_the_figure_keep_each_other_up_to_date(opened):
    page = opened("modules.html")
    made = Playground("half_pipe", [by_sign, "adam"], steps=30)
    values = {name: getattr(made, name) for name in ("_kind", "_config", "_extra", "_shared", *made.shared)}
    page.evaluate(MODEL, [values, True])
    knob = page.locator("main > div .ok-handle")
    knob.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.values.start[0]") > made.start[0]
    assert page.evaluate("model.saved") == 1
    page.evaluate("model.change('step', 3)")
    step = page.locator("main > div").get_by_role("slider", name="step", exact=True)
    assert step.input_value() == "3"
    page.evaluate("model.change('problem', 'beale')")
    assert page.locator("main > div").get_by_role("combobox", name="Problem").count() == 0, "folded away"
    assert page.evaluate("model.saved") == 1, "what Python says is not told back"
    page.evaluate("clean()")
    assert page.evaluate("model.listening()") == 0


def test_a_notebook_shows_name_and_caption_of_a_figure(opened):
    page = opened("modules.html")
    made = Playground("half_pipe", ["adam"], steps=3)
    made.titled("fig-a", r"*Try:* $\epsilon = 10^{-2}$, <b>not</b> $\rho_2$ under *Loss surface*.")
    names = ("_kind", "_config", "_extra", "_shared", "_caption", *made.shared)
    page.evaluate(MODEL, [{name: getattr(made, name) for name in names}, True])
    caption = page.locator("main > div > p")
    assert caption.inner_text() == "fig-a. Try: ε = 10⁻², <b>not</b> ρ₂ under Loss surface."
    assert caption.locator("strong").all_inner_texts() == ["fig-a."]
    assert caption.locator("em").all_inner_texts() == ["Try:", "Loss surface"]
    page.evaluate(MODEL, [{name: getattr(made, name) for name in names if name != "_caption"}, True])
    assert page.locator("main > div > p").count() == 1, "without a title there is none"


def test_a_notebook_that_attaches_the_figure_later_has_the_state_of_then(opened):
    page = opened("modules.html")
    made = Playground("half_pipe", ["adam"], steps=30)
    values = {name: getattr(made, name) for name in ("_kind", "_config", "_extra", "_shared", *made.shared)}
    page.evaluate(MODEL, [values, False])
    page.evaluate("model.change('step', 3)")
    assert page.locator("main .ok-handle").count() == 0
    page.evaluate("attach()")
    page.locator("main [data-lm-suppress-shortcuts] .ok-handle").wait_for()  # Jupyter leaves it the keys
    step = page.locator("main > div").get_by_role("slider", name="step", exact=True)
    assert step.input_value() == "3"
    page.evaluate("model.change('step', 4)")
    assert step.input_value() == "4"
    page.evaluate("clean()")
    page.evaluate(MODEL, [values, False])
    page.evaluate("clean()")
    page.evaluate("attach()")
    page.wait_for_timeout(50)
    assert page.locator("main .ok-handle").count() == 0, "what was taken down before it was shown stays away"
