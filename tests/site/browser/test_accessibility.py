"""axe-core finds no fault on any page, light, dark or narrow; what a screen reader gets is in order."""

import itertools

import pytest

# What axe-core finds and we leave: id of the rule → what the element must hold, and why. Empty is best.
LEFT: dict[str, tuple[str, str]] = {
    "empty-table-header": (
        "mjx-container",
        "a head that is one formula: MathJax draws it by CSS, and gives a screen reader MathML, which axe "
        "does not count as text (convention translator)",
    ),
}
LIGHT = {"color_scheme": "light", "reduced_motion": "reduce"}
DARK = {"color_scheme": "dark", "reduced_motion": "reduce"}
RUN = """async ([only, left]) => {
    const options = {resultTypes: ['violations'], ...(only ? {runOnly: only} : {})};
    const holds = (node, what) => what && document.querySelector(node.target[0])?.querySelector(what);
    const found = [];
    for (const {id, help, nodes} of (await axe.run(document, options)).violations) {
        const met = nodes.filter(node => !holds(node, left[id]));
        if (met.length) found.push([id, help, met.slice(0, 3).map(node => node.html.slice(0, 140))]);
    }
    return found;
}"""
# The theme makes what scrolls reachable by keyboard 300 ms after the window has changed.
AFTER_RESIZE = 400
NAMED = {"button", "link", "textbox", "searchbox", "slider", "image", "checkbox", "radio", "combobox"}
NAMED |= {"spinbutton", "switch", "tab", "menuitem", "dialog"}
# Of all rules, those whose verdict the width of the window changes.
BY_WIDTH = ["scrollable-region-focusable", "label-content-name-mismatch", "region", "target-size"]
# What stands around a page, and is hidden where it is narrow, is the same on all pages: one of each kind.
FRAMED = {"index", "chapters/04-momentum", "reference/api/optimizers", "search"}


@pytest.fixture(scope="session")
def axe(node_modules) -> str:
    """The script of axe-core."""
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(page, only: list[str] | None = None) -> list:
    """What axe-core finds, less what is left."""
    return page.evaluate(RUN, [only, {id: holds for id, (holds, _) in LEFT.items()}])


def test_only_heads_that_hold_a_formula_are_left(visit, axe):
    visit.open("reference/conventions.html")
    visit.page.evaluate(axe)
    assert violations(visit.page, ["empty-table-header"]) == []
    visit.page.evaluate("() => document.querySelector('th.head').replaceChildren()")
    assert [found[0] for found in violations(visit.page, ["empty-table-header"])] == ["empty-table-header"]


def tree(page) -> list[tuple[str, str, dict]]:
    """Role, name and properties of all that a screen reader is told of, shadow trees included."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [
        (
            node["role"]["value"],
            node.get("name", {}).get("value", "").strip(),
            {one["name"]: one["value"].get("value") for one in node.get("properties", [])},
        )
        for node in nodes
        if not node.get("ignored") and "role" in node
    ]


def faults(nodes: list[tuple[str, str, dict]]) -> list[str]:
    """What a reader of the tree would miss: names, one main part, headings in order."""
    found = [f"{role} without a name" for role, name, _ in nodes if role in NAMED and not name]
    mains = sum(role == "main" for role, *_ in nodes)
    if mains != 1:
        found.append(f"{mains} main parts")
    levels = [properties["level"] for role, _, properties in nodes if role == "heading"]
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} headings of level 1")
    found += [f"a heading of level {b} after one of {a}" for a, b in itertools.pairwise(levels) if b > a + 1]
    return found


def test_tree_and_axe_find_nothing(visit, page_name, axe):
    # In one visit: loading a page takes longer than looking at it.
    page = visit.page
    page.emulate_media(**LIGHT)
    visit.open(f"{page_name}.html")
    nodes = tree(page)
    assert {"main", "navigation", "heading", "link"} <= {role for role, *_ in nodes}
    assert faults(nodes) == []
    page.evaluate(axe)
    assert violations(page) == [], "light"
    page.emulate_media(**DARK)
    if page_name in FRAMED:
        visit.settle()
        assert violations(page, ["color-contrast"]) == [], "dark"
    page.set_viewport_size({"width": 360, "height": 900})
    page.wait_for_timeout(AFTER_RESIZE)
    assert violations(page, ["color-contrast", *BY_WIDTH]) == [], "dark and narrow"


def test_faults_of_a_tree_are_found():
    good = [
        ("main", "", {}),
        ("heading", "A", {"level": 1}),
        ("heading", "B", {"level": 2}),
        ("button", "Go", {}),
    ]
    assert faults(good) == []
    assert faults([*good, ("slider", "", {})]) == ["slider without a name"]
    assert faults([*good, ("heading", "C", {"level": 4})]) == ["a heading of level 4 after one of 2"]
    assert faults(good[1:]) == ["0 main parts"]
    assert faults([*good, ("heading", "A", {"level": 1})]) == ["2 headings of level 1"]
