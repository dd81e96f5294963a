"""The API reference lists every public name, from its docstring; one that is missing fails the build."""

import re
from pathlib import Path

import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "reference" / "api"


@pytest.fixture
def api(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "sphinx_ext"))
    from optkit_book import api

    return api


def room(name: str) -> str:
    return f"# T\n\n```{{eval-rst}}\n.. optkit-room:: optkit.{name}\n```\n"


def test_every_room_stands_on_one_page_of_the_reference(api):
    listed = [
        name
        for page in PAGES.glob("*.md")
        for name in re.findall(r"optkit-room:: (\S+)", page.read_text(encoding="utf-8"))
    ]
    assert len(listed) == len(set(listed))
    assert set(api.rooms()) <= set(listed)
    assert {path.stem for path in (ROOT / "optkit" / "figures").glob("*.py")} - {
        name.removeprefix("optkit.figures.") for name in listed
    } == {"__init__", "canvas", "palette", "show"}  # these four are offered by the room itself


def test_a_missing_name_fails_the_build(build):
    warnings = build({"index.md": room("averages")}).warnings
    assert "optkit.rules.adam is public, and no page of the reference lists it" in warnings
    assert "optkit.averages.ewma is public" not in warnings


def test_a_site_without_a_reference_is_not_asked_for_one(build):
    assert build({"index.md": "# T\n"}).warnings == ""


def test_a_function_a_formula_and_a_source_on_the_page(build):
    page = build({"index.md": room("averages")}).html()
    assert 'id="optkit.averages.ewma_weights"' in page
    assert "Smoothing factor in [0, 1)" in page
    assert 'id="optkit.averages.ewma_step"' in page and r"v \leftarrow \alpha" in page
    assert re.search(r'href="#optkit\.averages\.equivalent_window"', page), "a name in backticks is a link"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("The inverse of `half_life`.", "The inverse of :py:obj:`~optkit.averages.half_life`."),
        ("Raise if `alpha` is no number.", "Raise if ``alpha`` is no number."),
        ("As in ``a `half_life` b``.", "As in ``a `half_life` b``."),
        ("Stable iff |x| < 1.", r"Stable iff \|x\| < 1."),
        (">>> print('`half_life` |')", ">>> print('`half_life` |')"),
        ("See `optkit.nowhere`.", "See :py:obj:`optkit.nowhere`."),
        ("Source: kingma2015adam.", "Source: :cite:t:`kingma2015adam`."),
    ],
)
def test_names_become_links_arguments_code_and_keys_citations(api, line, expected):
    class App:
        pass

    lines = [line]
    api.name_things(App(), "function", "optkit.averages.lag", None, None, lines)
    api.cite_sources(App(), "function", "optkit.averages.lag", None, None, lines)
    assert lines == [expected]


def test_the_sentence_of_a_property_keeps_its_colon(api):
    class App:
        pass

    lines = ["Whether it is so: or not."]
    api.name_things(App(), "property", "optkit.averages.lag", None, None, lines)
    assert ":" not in lines[0]
    api.cite_sources(App(), "property", "optkit.averages.lag", None, None, lines)
    assert lines == ["Whether it is so: or not."]


def test_a_named_tuple_is_described_once(build):
    page = build({"index.md": room("conventions")}).html()
    assert 'id="optkit.conventions.MomentumSetting"' in page
    assert "Alias for field" not in page and "&lt;factory&gt;" not in page


def test_public_names_without_a_list_are_what_the_module_defines(api):
    from optkit import portable_random

    assert set(api.public_names(portable_random)) >= {"uniform", "key"}
    assert "np" not in api.public_names(portable_random)
