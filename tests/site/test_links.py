"""A link that leads nowhere is found, and one that leads somewhere is left alone."""

import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

PAGE = "# T\n\n## Place\n\n"


def raw(link: str) -> str:
    return PAGE + f'<a href="{link}">there</a>\n'


@pytest.mark.parametrize(
    "link", ["#place", "index.html#place", "_static/optkit.css", "https://example.org/x", "#"]
)
def test_a_link_that_leads_somewhere(build, link):
    assert build({"index.md": raw(link)}).warnings == ""


@pytest.mark.parametrize(
    "link", ["#plaice", "index.html#plaice", "other.html", "_static/none.css", "a/../b.html"]
)
def test_a_link_that_leads_nowhere_fails_the_build(build, link):
    assert f"broken link in index.html: {link}" in build({"index.md": raw(link)}).warnings
