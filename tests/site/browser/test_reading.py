"""A reader finds words by the search, reaches everything by keyboard, and gets help at a wrong address."""

import pytest

# What the Tab key should reach, shadow trees included; of the radio buttons of a question one is a stop.
REACHABLE = """() => {
    const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const found = [];
    const walk = root => root.querySelectorAll('*').forEach(element => {
        if (element.shadowRoot) walk(element.shadowRoot);
        const shown = element.checkVisibility({visibilityProperty: true}) && element.getClientRects().length;
        if (!element.matches(wanted) || !shown || element.disabled || element.tabIndex < 0) return;
        if (element.type === 'radio') return;
        found.push(element);
    });
    walk(document);
    window.reachable = new Set(found);
    return found.length;
}"""
# The element in focus, how it looks with its surroundings, and how the last one looks now without it.
STOP = """() => {
    let now = document.activeElement;
    while (now && now.shadowRoot && now.shadowRoot.activeElement) now = now.shadowRoot.activeElement;
    const look = element => {
        const found = [];
        for (let one = element, up = 0; one && up < 4; one = one.parentElement, up++) {
            const style = getComputedStyle(one);
            found.push(style.outline, style.boxShadow, style.borderColor, style.backgroundColor, style.color,
                style.textDecoration, style.opacity, style.transform);
        }
        return found.join('|');
    };
    const last = window.lastStop;
    const same = last && look(last.element) === last.look;
    window.lastStop = now === document.body ? null : {element: now, look: look(now)};
    window.reachable.delete(now);
    const left = last ? last.element.outerHTML.slice(0, 120) : '';
    return {end: now === document.body, text: now.textContent.trim(), unmarked: same ? left : ''};
}"""
LEFT_OVER = "() => [...window.reachable].map(element => element.outerHTML.slice(0, 120))"
MOST_STOPS = 3000


def test_everything_is_reached_by_keyboard_and_seen_when_it_is(visit, page_name):
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    visit.open(f"{page_name}.html")
    assert page.evaluate(REACHABLE) > 10
    unmarked = []
    for number in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if number == 0:
            assert stop["text"] == "Skip to main content"
        if stop["unmarked"]:
            unmarked.append(stop["unmarked"])
        if stop["end"]:
            break
    else:
        pytest.fail(f"the Tab key had not come through the page after {MOST_STOPS} stops")
    assert page.evaluate(LEFT_OVER) == []
    assert unmarked == []


def test_the_skip_link_leads_past_the_navigation(visit):
    visit.open("index.html")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.closest('main') !== null")


def test_the_search_finds_words_in_the_book(visit):
    visit.open("search.html?q=momentum")
    results = visit.page.locator("#search-results li a")
    results.first.wait_for()
    assert results.count() >= 3
    titles = results.all_inner_texts()
    assert any("Momentum" in title for title in titles)


def test_the_search_opens_by_keyboard_on_any_page(visit):
    visit.open("chapters/03-moving-averages.html")
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type("ravine")
    visit.page.keyboard.press("Enter")
    found = visit.page.locator("#search-results li a").first
    found.wait_for()
    found.click()
    visit.settle()
    assert visit.page.locator("main h1:visible").count() == 1


def test_the_search_says_when_it_finds_nothing(visit):
    visit.open("search.html?q=xyzzyplugh")
    visit.page.get_by_text("did not match any documents").wait_for()


@pytest.mark.parametrize("wrong", ["no-such-page.html", "chapters/none/of/these/index.html"])
def test_a_wrong_address_at_any_depth_shows_a_page_that_helps(visit, wrong):
    visit.open(wrong)
    assert visit.faults.pop(0) == f"status 404: {visit.address}{wrong}"
    visit.faults[:] = [fault for fault in visit.faults if not fault.endswith("status of 404 (Not Found)")]
    assert visit.page.locator("main h1:visible").inner_text() == "This page does not exist"
    visit.page.get_by_role("link", name="4. Momentum").first.click()
    visit.settle()
    assert visit.page.locator("main h1:visible").inner_text().startswith("4. Momentum")
