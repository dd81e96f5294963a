"""The notation page, the glossary and the preface use the symbols that equations are printed with."""

import re
from pathlib import Path

import pytest

from optkit.rules import RULES
from optkit.translation.symbols import symbol

ROOT = Path(__file__).resolve().parents[1]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "optkit").rglob("*.py"))


def rows() -> list[tuple[str, str]]:
    """Symbol and name in code of each line of the page's tables."""
    page = (ROOT / "reference" / "notation.md").read_text(encoding="utf-8")
    cells = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| $")]
    return [(line[0], line[1]) for line in cells]


def holds(cell: str, wanted: str) -> bool:
    """Whether the cell has the symbol itself, not only one that begins with it."""
    return re.search(rf"(?<![\w\\{{]){re.escape(wanted)}(?![A-Za-z0-9{{])(?!_(?!k))", cell) is not None


PARAMETERS = sorted(
    {
        (name, hyper.symbol)
        for rule in RULES.values()
        for name, hyper in rule.hyperparameters.items()
        if hyper.symbol
    }
)
STATE = sorted({name for rule in RULES.values() for name in rule.state})


@pytest.mark.parametrize(("name", "wanted"), PARAMETERS)
def test_every_hyperparameter_stands_on_the_page_with_its_symbol(name, wanted):
    assert [cell for cell, names in rows() if holds(cell, wanted) and f"`{name}`" in names]


@pytest.mark.parametrize("name", STATE)
def test_every_state_stands_on_the_page_with_its_symbol(name):
    assert [cell for cell, _ in rows() if holds(cell, symbol(name))]


def test_every_name_in_code_is_one():
    names = {name for _, names in rows() for name in re.findall(r"`(\w+)`", names)}
    assert len(names) > 30
    assert not {name for name in names if not re.search(rf"\b{name}\b", SOURCES)}


@pytest.mark.parametrize("page", ["reference/glossary.md", "index.md", "preface.md"])
def test_other_pages_bring_no_symbols_of_their_own(page):
    used = set(re.findall(r"\$(\\?[A-Za-z]+)", (ROOT / page).read_text(encoding="utf-8"))) - {"O"}
    known = " ".join(cell for cell, _ in rows())
    assert not {one for one in used if one not in known}


def test_a_symbol_that_another_begins_with_does_not_count():
    assert not holds(r"$\rho_1$, $\rho_2$", r"\rho")
    assert holds(r"$\rho$", r"\rho")
    assert holds(r"$\gamma_k = \gamma_0/(k+1)^q$", r"\gamma")
    assert not holds(r"$\hat s$", "hat")
