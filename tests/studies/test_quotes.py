"""Chapters take their claims from the ledger: no table of claims is typed, no number is another."""

import json
import re
from pathlib import Path

import pytest

from optkit.studies import ledger

ROOT = Path(__file__).parents[2]
CLAIMS_OF = {
    "01": ("C01",),
    "02": ("C03",),
    "03": ("C04",),
    "04": ("C05", "C06"),
    "05": ("C07",),
    "06": ("C08",),
    "07": ("C09", "C10", "C11"),
    "08": ("C12", "C15"),
    "09": ("C13", "C14"),
    "10": ("C16", "C17", "C18", "C19", "C20"),
}  # C02 stands in chapter 1, and is explained in chapter 4
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


def in_table(cells):
    """The claims that the code cells of a chapter print in a table."""
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return {id for source in code if "claims(" in source for id in CLAIM.findall(source)}


def left_out(cells, own, rows):
    """The chapter's claims that are not in its table, and have no such excuse as not to be measured.

    A claim without a result cannot be printed; then a sentence has to name it.
    """
    said = {
        id
        for cell in cells
        if cell["cell_type"] == "markdown"
        for id in CLAIM.findall("".join(cell["source"]))
    }
    mine = {id for id in rows if id[:3] in own} | set(own)
    measured = {id for id in mine if id in rows and rows[id]["verdict"] is not None}
    return sorted((measured - in_table(cells)) | (mine - measured - said))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_finished_chapter_has_its_claims_in_its_table(chapter, rows):
    notebook = json.loads(chapter.read_text(encoding="utf-8"))
    if notebook["metadata"].get("optkit", {}).get("finished"):
        assert left_out(notebook["cells"], CLAIMS_OF[chapter.stem[:2]], rows) == []


def test_a_claim_left_out_is_seen():
    cells = [
        {"cell_type": "code", "source": 'claims(ledger.claims("C12"))'},
        {"cell_type": "markdown", "source": "C15 has no result yet."},
    ]
    rows = {"C12": {"verdict": "holds"}, "C12a": {"verdict": "holds"}, "C15": {"verdict": None}}
    assert left_out(cells, ("C12", "C15"), rows) == ["C12a"]
    rows["C15"]["verdict"] = "holds"
    assert left_out(cells, ("C12", "C15"), rows) == ["C12a", "C15"]
    assert left_out(cells[:1], ("C12", "C13"), rows | {"C12a": {"verdict": None}}) == ["C12a", "C13"]


def test_a_wrong_number_is_seen():
    rows = {"C06": {"id": "C06", "measured": "medians: 80 steps of SGD, 35 with momentum", "seeds": [100]}}
    assert misquoted("C06 was measured: 35 steps with momentum. Chapter 7 has more.", rows) == []
    assert misquoted("C06 was measured: 36 steps.", rows) == [("36", "C06 was measured: 36 steps.")]
    assert misquoted("By C06, momentum needs 36 steps.", rows) == [("36", "By C06, momentum needs 36 steps.")]
    assert misquoted("| C06 | 81 |", rows) == []  # a table: the next test's
