"""The small figures in a real browser: by keyboard, by pointer, two on one page, on a phone, in the dark."""

import re

import pytest

from optkit.widgets.bundle import bundle
from optkit.widgets.relatives import RELATIVES

ELEMENT = "optkit-playground"
HANDLED = {"eigenvalues": ("lr", "momentum"), "sharp": ("theta",), "ball": ("start",)}
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Figures</title>
<style>html {{ --pst-color-background: #fff; --pst-color-text-base: #222832; }} body {{ margin: 8px; }}
html[data-theme="dark"] {{ --pst-color-background: #14181e; --pst-color-text-base: #ced6dd; }}</style>
<main><h1>Figures</h1>{body}</main><script type="module">{script}</script></html>"""
OUTPUTS = {}


def html(kind):
    """One cell output for each kind: drawing the printed figure takes a while."""
    if kind not in OUTPUTS:
        data, _ = RELATIVES[kind]()._repr_mimebundle_()
        OUTPUTS[kind] = data["text/html"]
    return OUTPUTS[kind]


@pytest.fixture
def open_page(browser):
    """Open a page with one figure of each given kind; whatever the console says is a fault."""
    contexts, said = [], []

    def run(*kinds, theme="light", width=800, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        body = "".join(html(kind) for kind in kinds)
        page.set_content(PAGE.format(theme=theme, body=body, script=bundle()))
        page.wait_for_function(f"document.querySelector('{ELEMENT}')?.state")
        frame(page)
        return page

    yield run
    for context in contexts:
        context.close()
    assert said == []


def frame(page):
    """Wait until what has changed is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def state(page, index=0):
    return page.evaluate(f"(i) => ({{...document.querySelectorAll('{ELEMENT}')[i].state}})", index)


def focused(page):
    """What has the focus: its tag, its type and its name."""
    return page.evaluate("""() => {
      let node = document.activeElement;
      while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
      const label = node.getAttribute("aria-label") ?? node.closest("label")?.textContent ?? node.textContent;
      return { tag: node.tagName.toLowerCase(), type: node.type, label: label.trim() };
    }""")


@pytest.mark.parametrize("kind", RELATIVES)
def test_alive_with_the_state_that_python_gave(open_page, kind):
    page = open_page(kind)
    assert state(page) == RELATIVES[kind]().state
    drawn = page.evaluate(f"""() => {{
      const {{ shadowRoot }} = document.querySelector('{ELEMENT}');
      return [...shadowRoot.querySelectorAll("canvas")].map((canvas) => {{
        const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
      }});
    }}""")
    assert drawn and all(drawn)
    assert "NaN" not in page.locator(f"{ELEMENT} .ok-relative").inner_text()


KEYS = {"select": ("ArrowDown", "ArrowUp"), "button": ("Enter",), "checkbox": ("Space",)}
WITHOUT_STATE = ("Copy as Python", "Link", "Let the ball roll", "Text to copy")


@pytest.mark.parametrize("kind", RELATIVES)
def test_every_control_is_reached_and_works_by_keyboard_alone(open_page, kind):
    page = open_page(kind)
    controls = f"{ELEMENT} :is(input, select, button:not([disabled]), .ok-handle):visible"
    visible, stops = page.locator(controls).count(), []
    while (page.keyboard.press("Tab"), focused(page))[1]["tag"] != "body":
        stop = focused(page)
        stops.append(stop["label"])
        assert stop["label"] and len(stops) < 60, stops
        before = state(page)
        for key in KEYS.get(stop["type"], KEYS.get(stop["tag"], ("ArrowRight", "ArrowLeft"))):
            if state(page) == before:  # else it stood at its end, and the second key leads away from it
                page.keyboard.press(key)
                frame(page)
        chosen = stop["label"] == "α = 0.5, β = 0.1" and kind == "ball"
        assert state(page) != before or stop["label"] in WITHOUT_STATE or chosen, stop
    assert len(stops) >= visible and {"Undo", "Reset", "Link"} <= set(stops)


@pytest.mark.parametrize("kind", RELATIVES)
def test_sliders_go_to_their_ends_and_back_to_the_beginning(open_page, kind):
    page = open_page(kind)
    initial = state(page)
    for slider in page.locator(f"{ELEMENT} input[type=range]:visible:enabled").all():
        slider.focus()
        for key in ("End", "Home", "PageUp"):
            page.keyboard.press(key)
            frame(page)
            assert slider.get_attribute("aria-valuetext")
    assert state(page) != initial
    text = page.locator(f"{ELEMENT} .ok-relative").inner_text()
    assert "NaN" not in text and "undefined" not in text
    page.get_by_role("button", name="Reset").click()
    frame(page)
    assert state(page) == initial
    assert page.get_by_role("button", name="Reset").is_disabled()


@pytest.mark.parametrize("kind", HANDLED)
def test_the_point_is_dragged_and_moved_by_arrow_keys(open_page, kind):
    page = open_page(kind)
    handle = page.locator(f"{ELEMENT} .ok-handle")
    before = state(page)
    box = handle.locator(".ok-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=4)
    page.mouse.up()
    frame(page)
    dragged = state(page)
    assert all(dragged[name] != before[name] for name in HANDLED[kind])
    after = handle.locator(".ok-knob").bounding_box()
    assert abs(after["x"] - box["x"] - 30) < 2
    handle.focus()
    said = handle.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowLeft")
    frame(page)
    assert state(page) != dragged and handle.get_attribute("aria-valuetext") != said


def test_a_finger_drags_too(open_page):
    page = open_page("sharp", width=360, has_touch=True, is_mobile=True)
    handle = page.locator(f"{ELEMENT} .ok-handle")
    handle.scroll_into_view_if_needed()
    box = handle.locator(".ok-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, shift in (("touchStart", 0), ("touchMove", 25), ("touchMove", 50), ("touchEnd", None)):
        points = [] if shift is None else [{"x": x + shift, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    frame(page)
    assert state(page)["theta"] > RELATIVES["sharp"]().theta + 0.3


def test_two_of_a_kind_are_independent(open_page):
    page = open_page("averages", "averages")
    sliders = page.get_by_role("slider", name="Smoothing factor")
    sliders.nth(1).focus()
    page.keyboard.press("End")
    frame(page)
    assert state(page, 0) == RELATIVES["averages"]().state
    assert state(page, 1)["alpha"] == 0.995
    assert page.evaluate("document.querySelectorAll('[id]').length") == 0


@pytest.mark.parametrize("kind", RELATIVES)
@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_page_and_targets_are_large_enough(open_page, kind, width):
    page = open_page(kind, width=width, has_touch=width < 700, is_mobile=width < 700)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    least = 44 if width < 700 else 24
    for control in page.locator(f"{ELEMENT} :is(button, select, .ok-range, .ok-toggle):visible").all():
        assert control.bounding_box()["height"] >= least - 0.5


@pytest.mark.parametrize("kind", RELATIVES)
def test_tick_labels_do_not_touch_each_other_on_a_phone(open_page, kind):
    page = open_page(kind, width=320)
    boxes = page.evaluate(f"""() => [
      ...document.querySelector('{ELEMENT}').shadowRoot.querySelectorAll(".ok-axes")].map((axes) =>
         [...axes.querySelectorAll(".ok-tick")].map((text) => {{
        const {{ left, right, top, bottom }} = text.getBoundingClientRect();
        return [left, right, top, bottom];
      }}))""")
    for labels in boxes:
        assert len(labels) >= 4
        for i, (left, right, top, bottom) in enumerate(labels):
            assert left >= 0 and right <= 320
            for other in labels[:i]:
                apart = left >= other[1] or right <= other[0] or top >= other[3] - 4 or bottom <= other[2] + 4
                assert apart


@pytest.mark.parametrize("kind", RELATIVES)
def test_its_height_is_settled_with_the_first_picture(browser, kind):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.set_content(PAGE.format(theme="light", body=html(kind), script=""))
    page.add_script_tag(content=bundle(), type="module")
    page.wait_for_function(f"document.querySelector('{ELEMENT}').state")
    first = page.locator(ELEMENT).bounding_box()["height"]
    frame(page)
    page.wait_for_timeout(100)
    assert page.locator(ELEMENT).bounding_box()["height"] == first
    context.close()


@pytest.mark.parametrize("kind", RELATIVES)
def test_a_screen_reader_hears_what_has_changed(open_page, kind):
    page = open_page(kind)
    region = page.locator(f"{ELEMENT} [role=status]")
    assert region.get_attribute("aria-live") == "polite" and region.inner_text() == ""
    page.locator(f"{ELEMENT} input[type=range]:visible").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"document.querySelector('{ELEMENT}').shadowRoot.querySelector('[role=status]').textContent"
    )
    assert re.search(r"\d", region.text_content())


def test_names_and_values_in_the_accessibility_tree(open_page):
    page = open_page("eigenvalues")
    tree = page.locator(ELEMENT).aria_snapshot()
    for line in (
        'slider "Learning rate"',
        'slider "Momentum"',
        'button "Copy as Python"',
        'slider "Learning rate and momentum"',
    ):
        assert line in tree
    slider = page.get_by_role("slider", name="Momentum", exact=True)
    assert slider.get_attribute("aria-valuetext") == "0.5"


@pytest.mark.parametrize("kind", RELATIVES)
@pytest.mark.parametrize("mode", ["dark", "forced", "reduced"])
def test_other_looks(open_page, kind, mode):
    options = {"dark": {}, "forced": {"forced_colors": "active"}, "reduced": {"reduced_motion": "reduce"}}[
        mode
    ]
    page = open_page(kind, theme="dark" if mode == "dark" else "light", **options)
    ink, ground = page.evaluate(f"""() => {{
      const body = document.querySelector('{ELEMENT}').shadowRoot.querySelector(".ok-root");
      const style = getComputedStyle(body);
      return [style.color, style.backgroundColor];
    }}""")
    assert ink != ground
    if mode == "dark":
        assert ground == "rgb(20, 24, 30)"


def test_a_change_of_theme_is_drawn_at_once(open_page):
    page = open_page("averages")
    colour = f"""() => {{
      const canvas = document.querySelector('{ELEMENT}').shadowRoot.querySelector("canvas");
      const {{ width, height }} = canvas;
      const copy = new OffscreenCanvas(width, height).getContext("2d", {{ willReadFrequently: true }});
      copy.drawImage(canvas, 0, 0);
      const {{ data }} = copy.getImageData(0, 0, width, height);
      return data.reduce((sum, value, i) => sum + (i % 4 < 3 ? value : 0), 0);
    }}"""
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    frame(page)
    frame(page)
    assert page.evaluate(colour) > 1.2 * light  # lighter lines on darker ground


def test_on_paper_stands_the_printed_figure(open_page):
    page = open_page("composer")
    image = page.locator(f"{ELEMENT} img")
    assert not image.is_visible()
    page.emulate_media(media="print")
    assert image.is_visible() and len(image.get_attribute("alt")) > 25
    assert not page.locator(f"{ELEMENT} .ok-root").is_visible()


def test_without_script_stands_the_printed_figure(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(html("ball"))
    assert page.locator("img").is_visible()
    context.close()


def test_code_is_shown_where_the_clipboard_is_closed(open_page):
    page = open_page("averages")  # no secure context, so no clipboard
    page.get_by_role("slider", name="Noise", exact=True).focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Copy as Python").click()
    code = page.get_by_role("textbox", name="Text to copy")
    assert code.input_value() == "from optkit.widgets import Averages\n\nAverages(noise=0)\n"


HOSTILE = [
    '{"alpha":1e308,"lr":-1e308,"steps":1e12,"at":-5,"seed":1e40,"noise":1e300,"time":1e300,"start":[1e308,null]}',
    '{"signal":"<img src=x onerror=alert(1)>","decay":"constructor","first":"__proto__","start":"x"}',
    '{"__proto__":{"alpha":0.1},"alpha":[],"start":{},"paper_start":1,"rho":"NaN","condition":null}',
    '{"a":' * 900 + "1" + "}" * 900,
    "[" * 100_000,
    '"' + "x" * 1_000_000 + '"',
    "%", "{", "null", "%00",
]  # fmt: skip


@pytest.mark.parametrize("kind", RELATIVES)
def test_hostile_links_do_no_harm(open_page, kind):
    page = open_page(kind)
    initial = state(page)
    for text in HOSTILE:
        page.evaluate("text => { location.hash = '#optkit-1=' + encodeURIComponent(text); }", text)
        frame(page)
        now = state(page)
        assert set(now) == set(initial)
        RELATIVES[kind](**now)  # Python's own checks accept it
        assert (
            page.evaluate(f"document.querySelector('{ELEMENT}').shadowRoot.querySelector('script, img')")
            is None
        )
    page.get_by_role("button", name="Reset").click()
    frame(page)
    assert state(page) == initial


@pytest.mark.parametrize("kind", RELATIVES)
def test_undo_goes_back_one_change_after_the_other(open_page, kind):
    page = open_page(kind)
    undo, seen = page.get_by_role("button", name="Undo"), [state(page)]
    assert undo.is_disabled()
    slider = page.locator(f"{ELEMENT} input[type=range]:visible:enabled").first
    slider.focus()
    for key in ("PageUp", "PageDown", "Home"):
        page.keyboard.press(key)
        frame(page)
        if state(page) != seen[-1]:
            seen.append(state(page))
    assert len(seen) > 2
    for before in reversed(seen[:-1]):
        undo.click()
        frame(page)
        assert state(page) == before
    assert undo.is_disabled()


def test_a_link_brings_the_state_back_to_the_right_figure(open_page):
    page = open_page("averages", "sharp")
    second = page.locator(ELEMENT).nth(1)
    second.locator(".ok-handle").focus()
    page.keyboard.press("ArrowRight")
    frame(page)
    first, wanted = state(page), state(page, 1)
    second.get_by_role("button", name="Link").click()
    address = second.get_by_role("textbox", name="Text to copy").input_value()
    hash_ = address[address.index("#") :]
    assert hash_.startswith("#optkit-2=")
    other = open_page("averages", "sharp")
    changed = state(other, 1)
    assert changed != wanted
    other.evaluate("hash => { location.hash = hash; }", hash_)
    frame(other)
    assert state(other, 1) == wanted
    assert state(other) == first
    other.locator(ELEMENT).nth(1).get_by_role("button", name="Undo").click()
    frame(other)
    assert state(other, 1) == changed


def test_reset_goes_back_to_what_python_made_and_not_to_the_defaults(open_page, monkeypatch):
    made = RELATIVES["averages"](alpha=0.5)
    monkeypatch.setitem(OUTPUTS, "averages", made._repr_mimebundle_()[0]["text/html"])
    page = open_page("averages")
    page.get_by_role("slider", name="Noise", exact=True).focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Reset").click()
    frame(page)
    assert state(page) == made.state


def test_the_ball_rolls_and_holds(open_page):
    page = open_page("ball")
    page.get_by_role("button", name="Let the ball roll").click()
    hold = page.get_by_role("button", name="Hold the ball")
    hold.wait_for()
    hold.click()
    page.get_by_role("button", name="Let the ball roll").wait_for()
    page.get_by_role("button", name="α = 1.3, β = 0.1").click()
    assert (state(page)["alpha"], state(page)["beta"]) == (1.3, 0.1)


def test_only_the_sliders_of_the_chosen_decay_are_shown(open_page):
    page = open_page("composer")
    assert page.get_by_role("slider", name="Factor at the end").is_visible()
    page.get_by_role("combobox", name="Decay").select_option("power")
    frame(page)
    assert page.get_by_role("slider", name="Exponent").is_visible()
    assert not page.get_by_role("slider", name="Factor at the end").is_visible()


NOTEBOOK = """async ([script, traits]) => {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { default: widget } = await import(address);
  const model = Object.assign(new EventTarget(), {
    traits, saved: 0,
    get: (name) => traits[name],
    set(name, value) {
      if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
      traits[name] = value;
      model.dispatchEvent(new Event(`change:${name}`));
    },
    save_changes: () => model.saved++,
    on: (name, f) => model.addEventListener(name, f),
    off: (name, f) => model.removeEventListener(name, f),
  });
  const el = document.createElement("div");
  document.body.append(el);
  window.model = model;
  window.close = widget.render({ model, el });
}"""


@pytest.mark.parametrize("kind", RELATIVES)
def test_in_a_notebook_traits_and_figure_follow_each_other(open_page, kind):
    """With a stand-in for the host application's model, which holds what Python sends."""
    page = open_page("averages")
    page.evaluate("document.querySelector('main').remove()")
    figure = RELATIVES[kind]()
    traits = {
        name: getattr(figure, name) for name in (*figure.shared, "_kind", "_config", "_extra", "_shared")
    }
    page.evaluate(NOTEBOOK, [bundle(), traits])
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    frame(page)
    sent = page.evaluate("Object.fromEntries(model.traits._shared.map((name) => [name, model.get(name)]))")
    (changed,) = [name for name in sent if sent[name] != figure.state[name]]
    assert page.evaluate("model.saved") > 0
    assert RELATIVES[kind](**sent).state == sent  # Python takes what the figure sends
    said = slider.get_attribute("aria-valuetext")
    page.evaluate("([name, value]) => model.set(name, value)", [changed, figure.state[changed]])
    frame(page)
    assert slider.get_attribute("aria-valuetext") != said
    page.evaluate("close()")
    assert slider.count() == 0
