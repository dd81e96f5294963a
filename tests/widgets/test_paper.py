"""On paper stands the printed figure with its text, for every kind; what only a screen can use does not."""

import html
import re

import pytest

from optkit.widgets import Playground
from optkit.widgets.bundle import bundle
from optkit.widgets.relatives import RELATIVES

KINDS = {"playground": lambda: Playground("half_pipe", ["adam"], steps=20), **RELATIVES}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Paper</title>
<main><h1>Paper</h1>{body}</main><script type="module">{script}</script></html>"""
IMAGE = re.compile(rb"/Subtype\s*/Image\b")


@pytest.fixture(scope="module")
def printed():
    """The output of a cell with each kind of figure."""
    return {kind: make()._repr_mimebundle_()[0]["text/html"] for kind, make in KINDS.items()}


def alternatives(pdf: bytes) -> str:
    """The alternative texts of a tagged PDF: plain strings, and hexadecimal ones of 16 bits a character."""
    plain = re.findall(rb"/Alt\s*\((.*?)(?<!\\)\)", pdf, re.DOTALL)
    wide = [bytes.fromhex(text.decode()) for text in re.findall(rb"/Alt\s*<([0-9A-Fa-f]+)>", pdf)]
    return " ".join(
        [
            *(re.sub(rb"\\(.)", rb"\1", t).decode("latin-1") for t in plain),
            *(t.decode("utf-16") for t in wide),
        ]
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_pdf_holds_each_printed_figure_and_its_text(browser, printed, scripts):
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.set_content(PAGE.format(body="".join(printed.values()), script=bundle()))
    if scripts:
        page.wait_for_function(
            "[...document.querySelectorAll('optkit-playground')].every((one) => one.state)"
        )
    pdf = page.pdf(tagged=True)
    assert len(IMAGE.findall(pdf)) == len(printed)
    found = alternatives(pdf)
    for text in printed.values():
        assert html.unescape(re.search(r' alt="([^"]*)"', text)[1]) in found
    context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_paper_shows_the_picture_and_no_controls(browser, printed, kind):
    page = browser.new_page()
    page.set_content(PAGE.format(body=printed[kind], script=bundle()))
    page.wait_for_function("document.querySelector('optkit-playground').state")
    image = page.locator("optkit-playground img")
    assert not image.is_visible()
    page.emulate_media(media="print")
    assert image.is_visible()
    assert page.locator("optkit-playground :is(button, input, canvas):visible").count() == 0
    assert len(image.get_attribute("alt")) > 60
    page.close()
