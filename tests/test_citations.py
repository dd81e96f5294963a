"""Every work that the package names stands in the bibliography."""

import re
from pathlib import Path

import pytest

from optkit.problems import PROBLEMS
from optkit.rules import RULES

ROOT = Path(__file__).resolve().parents[1]
BIBLIOGRAPHY = (ROOT / "references.bib").read_text(encoding="utf-8")
KEYS = re.findall(r"^@\w+\{([^,]+),", BIBLIOGRAPHY, re.MULTILINE)
# A key has the form name, year, word: kingma2015adam.
NAMED = re.compile(r'(?:citation=|[Ss]ources?: |cite:[pt]\}`)"?([a-z]+\d{4}[a-z]+(?:, ?[a-z]+\d{4}[a-z]+)*)')


def test_keys_are_unique():
    assert len(KEYS) == len(set(KEYS)) > 20


@pytest.mark.parametrize("found", [*RULES.values(), *PROBLEMS.values()], ids=lambda found: found.name)
def test_rules_and_problems_cite_known_works(found):
    assert found.citation is None or found.citation in KEYS


def test_docstrings_and_pages_cite_known_works():
    files = [*(ROOT / "optkit").rglob("*.py"), *(ROOT / "chapters").glob("*.ipynb")]
    named = {
        (key, file.name)
        for file in files
        for match in NAMED.finditer(file.read_text(encoding="utf-8"))
        for key in re.split(r", ?", match[1])
    }
    assert len(named) > 20
    assert not {(key, file) for key, file in named if key not in KEYS}
