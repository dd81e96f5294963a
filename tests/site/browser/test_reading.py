"""A reader finds words by the search, reaches everything by keyboard, and gets help at a wrong address."""

import pytest

# What the Tab key should reach, shadow trees included; of the radio buttons of a question one is a stop. At
# each stop is noted whether the last one, now without focus, looks as it did with it, and so all around it.
WATCH = """() => {
    const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const reachable = new Set(), unmarked = [], texts = [];
    const look = element => {
        const found = [];
        for (let one = element, up = 0; one && up < 4; one = one.parentElement, up++) {
            const style = getComputedStyle(one);
            found.push(style.outline, style.boxShadow, style.borderColor, style.backgroundColor, style.color,
                style.textDecoration, style.opacity, style.transform);
        }
        return found.join('|');
    };
    const brief = element => element.outerHTML.slice(0, 120);
    let last = null, first = null;
    const stop = event => {
        const now = event.composedPath()[0];
        if (last && last.element === now) return;
        if (last && look(last.element) === last.look) unmarked.push(brief(last.element));
        last = {element: now, look: look(now)};
        window.ended ||= now === first;
        first ||= now;
        texts.push(now.textContent.trim());
        reachable.delete(now);
    };
    const walk = root => {
        // Within one shadow tree a change of focus is not heard outside.
        root.addEventListener('focusin', stop, true);
        root.querySelectorAll('*').forEach(element => {
            if (element.shadowRoot) walk(element.shadowRoot);
            const shown = element.checkVisibility({visibilityProperty: true})
                && element.getClientRects().length;
            if (!element.matches(wanted) || !shown || element.disabled || element.tabIndex < 0) return;
            if (element.type === 'radio') return;
            reachable.add(element);
        });
    };
    walk(document);
    window.ended = false;
    window.seen = () => ({first: texts[0], left: [...reachable].map(brief), unmarked, stops: texts.length});
    return reachable.size;
}"""
MOST_STOPS = 3000
AT_ONCE = 25  # the page is asked after so many keys, not after each


def come_through(page) -> dict:
    """Press the Tab key until the first stop comes again; returns what was seen on the way."""
    for _ in range(MOST_STOPS // AT_ONCE):
        for _ in range(AT_ONCE):
            page.keyboard.down("Tab")
        if page.evaluate("window.ended"):
            page.keyboard.up("Tab")
            return page.evaluate("window.seen()")
    pytest.fail(f"the Tab key had not come through the page after {MOST_STOPS} stops")


def test_everything_is_reached_by_keyboard_and_seen_when_it_is(visit, page_name):
    page = visit.page
    page.emulate_media(reduced_motion="reduce")
    visit.open(f"{page_name}.html")
    assert page.evaluate(WATCH) > 10
    seen = come_through(page)
    assert seen["first"] == "Skip to main content"
    assert seen["left"] == []
    assert seen["unmarked"] == []


def test_what_the_keyboard_does_not_reach_or_does_not_show_is_found(visit):
    visit.open("search.html")
    page = visit.page
    page.evaluate("""() => {
        const box = document.querySelector('main').appendChild(document.createElement('div'));
        const inner = box.attachShadow({mode: 'open'});
        inner.innerHTML = '<style>#plain { all: unset }</style><button id="plain">a</button>' +
            '<button id="good">b</button><div inert><button id="lost">c</button></div>';
    }""")
    page.evaluate(WATCH)
    seen = come_through(page)
    assert seen["left"] == ['<button id="lost">c</button>']
    assert seen["unmarked"] == ['<button id="plain">a</button>']


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
    assert titles[0] == "4. Momentum"
    assert len(set(titles)) == len(titles) and "4. Momentum > Momentum" not in titles


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
