"""Chapters take their claims from the ledger: no table of claims is typed, no number is another."""

import json
import re
from pathlib import Path

import pytest

from optkit.studies import ledger

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
CLAIM = re.compile(r"\bC\d\d[a-z]?\b")
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")


def prose(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def misquoted(text, rows):
    """Numbers in sentences that name a claim, and that this claim's row of the ledger does not hold."""
    text = re.sub(r"\]\([^)\s]*\)", "]", text)  # where a link leads is not said
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+|\n\n|\|", text):
        ids = [id for id in CLAIM.findall(sentence) if id in rows]
        if ids:
            known = {
                number for id in ids for number in NUMBER.findall(json.dumps(rows[id], ensure_ascii=False))
            }
            said = NUMBER.findall(CLAIM.sub("", sentence))
            found += [(number, sentence.strip()) for number in said if number not in known]
    return found


@pytest.fixture(scope="module")
def rows():
    return {row["id"]: row for row in ledger.entries()}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_sentence_that_names_a_claim_quotes_its_numbers(chapter, rows):
    assert [wrong for text in prose(chapter) for wrong in misquoted(text, rows)] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_table_of_claims_is_typed(chapter):
    assert not [
        text for text in prose(chapter) if re.search(r"^\s*\|\s*\**C\d\d[a-z]?\b", text, re.MULTILINE)
    ]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_names_only_claims_that_a_study_states_or_that_are_planned(chapter, rows):
    planned = {f"C{number:02}" for number in range(1, 21)}
    assert {id for text in prose(chapter) for id in CLAIM.findall(text)} <= planned | set(rows)


def test_a_wrong_number_is_seen():
    rows = {"C06": {"id": "C06", "measured": "medians: 80 steps of SGD, 35 with momentum", "seeds": [100]}}
    assert misquoted("C06 was measured: 35 steps with momentum. Chapter 7 has more.", rows) == []
    assert misquoted("C06 was measured: 36 steps.", rows) == [("36", "C06 was measured: 36 steps.")]
    assert misquoted("By C06, momentum needs 36 steps.", rows) == [("36", "By C06, momentum needs 36 steps.")]
    assert misquoted("| C06 | 81 |", rows) == []  # a table: the next test's
