"""Every page asks no other host, nothing on it fails or scrolls sideways, and it can be read everywhere."""

WIDTHS = (1440, 768, 360)
A4 = 794  # pixels of a page's width at 96 to the inch
MEDIA = {
    "dark": {"color_scheme": "dark"},
    "reduced motion": {"reduced_motion": "reduce"},
    "forced colours": {"forced_colors": "active"},
}
USUAL = {
    "color_scheme": "light",
    "reduced_motion": "no-preference",
    "forced_colors": "none",
    "media": "screen",
}
STICKS_OUT = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll('body *')]
        .filter(element => element.getBoundingClientRect().right > wide + 1)
        .slice(0, 3).map(element => element.outerHTML.slice(0, 120));
}"""
STILL = "() => document.getAnimations().every(one => one.playState !== 'running')"
# Text and ground of the article as they meet on paper, where no ground is printed.
PRINTED = """() => {
    const shown = selector => [...document.querySelectorAll(selector)]
        .filter(element => element.getClientRects().length > 0).map(element => element.className);
    const light = text => {
        const [r, g, b] = getComputedStyle(document.querySelector(text)).color.match(/[\\d.]+/g).map(Number);
        return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    };
    return {navigation: shown('.bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-footer'),
        heading: light('h1'), paragraph: light('article p, .bd-article p, main p')};
}"""


def sideways(page) -> list[str]:
    """What makes the page wider than its window."""
    return page.evaluate(STICKS_OUT)


def test_a_page_works_at_every_width_and_in_every_medium(visit, page_name):
    visit.open(f"{page_name}.html")
    page = visit.page
    assert page.title()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        visit.settle()
        assert sideways(page) == [], f"{width} pixels wide"
    for medium, features in MEDIA.items():
        page.emulate_media(**USUAL | features)
        visit.settle()
        assert sideways(page) == [], medium
        assert page.locator("h1:visible").count(), medium
        if medium == "reduced motion":
            page.wait_for_function(STILL, timeout=5000)  # what had begun before may come to its end
    # A reader in the dark prints black on white, without the navigation.
    page.emulate_media(**USUAL | {"media": "print", "color_scheme": "dark", "reduced_motion": "reduce"})
    page.set_viewport_size({"width": A4, "height": 1123})
    visit.settle()
    assert sideways(page) == [], "print"
    printed = page.evaluate(PRINTED)
    assert printed["navigation"] == []
    assert max(printed["heading"], printed["paragraph"]) < 0.5, printed


def test_no_page_escapes(book_folder, page_names):
    found = {path.relative_to(book_folder).with_suffix("").as_posix() for path in book_folder.rglob("*.html")}
    assert {name for name in found if not name.startswith("_static/")} == set(page_names)
