"""A figure is shown once, with its name, caption and alternative text, and refused with faulty ones."""

import base64
import struct

import pytest
from matplotlib import pyplot

from optkit.figures import canvas, picture, style
from optkit.figures.show import alt_fault

GOOD = {
    "name": "fig-loss-curve",
    "caption": "The loss $L$ over the steps.",
    "alt": "The loss falls from 2.3 to 0.4 in 300 steps, fastest at the start.",
}


def test_the_output_carries_image_and_texts():
    figure, _ = canvas()
    data, metadata = picture(figure, **GOOD)._repr_mimebundle_()
    assert metadata["optkit"] == {"kind": "figure", **GOOD}
    png = base64.b64decode(data["image/png"])
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (1120, 740)
    assert metadata["image/png"]["width"] == 560
    assert GOOD["alt"] in data["text/html"]
    # The text of a notebook refers to it by its name, which no one numbers there.
    assert f"<strong>{GOOD['name']}.</strong> {GOOD['caption']}</figcaption>" in data["text/html"]


def test_texts_are_escaped_in_the_notebook():
    figure, _ = canvas()
    texts = GOOD | {"alt": 'A curve with "quotes", a < b and <b>tags</b>.'}
    html = picture(figure, **texts)._repr_mimebundle_()[0]["text/html"]
    assert "<b>" not in html
    assert "&quot;quotes&quot;, a &lt; b" in html


def test_the_same_figure_gives_the_same_bytes():
    def draw():
        figure, axes = canvas()
        axes.plot([0, 1], [0, 1])
        return picture(figure, **GOOD).png

    assert draw() == draw()


def test_a_pyplot_figure_is_closed_so_that_it_shows_once():
    figure = pyplot.figure()
    picture(figure, **GOOD)
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "loss"}, "name must look like fig-two-words, got 'loss'"),
        ({"name": "fig-Loss curve"}, "name must look like"),
        ({"caption": " "}, "caption must be one paragraph"),
        ({"caption": "One.\n\nTwo."}, "caption must be one paragraph"),
        ({"alt": ""}, "alt is missing"),
        ({"alt": "A loss curve."}, "at least 25 characters, got 13"),
        ({"alt": GOOD["caption"] + " "}, "must not repeat the caption"),
        ({"alt": f"{'0a' * 32}.png"}, "file name"),
        ({"alt": "_build/jupyter_execute/loss-curve-of-adam.svg"}, "file name"),
    ],
)
def test_faulty_texts_are_refused_before_drawing(change, message):
    with pytest.raises(ValueError, match=message):
        picture(None, **(GOOD | change))


def test_a_good_alt_text_has_no_fault():
    assert alt_fault(GOOD["alt"], GOOD["caption"]) is None


def test_the_style_ends_with_its_block():
    before = dict(pyplot.rcParams)
    with style():
        assert pyplot.rcParams["figure.constrained_layout.use"]
    assert dict(pyplot.rcParams) == before


@pytest.mark.parametrize("sizes", [{"rows": 0}, {"columns": -1}, {"height": 0.0}])
def test_a_canvas_of_no_size_is_refused(sizes):
    (name,) = sizes
    with pytest.raises(ValueError, match=f"{name} must be"):
        canvas(**sizes)
