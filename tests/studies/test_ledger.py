"""The ledger: verdicts from numbers, results whole or not at all, runs that survive a kill."""

import json
import re
from pathlib import Path

import pytest

from optkit.__main__ import main
from optkit.page import VERDICTS as PAGE_VERDICTS
from optkit.studies import __main__ as repeating
from optkit.studies import ledger

COMMAND = "python -m optkit.studies momentum"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    return tmp_path


def make(**changes):
    texts = {"id": "C99", "statement": "a", "measured": "1", "spread": "none", "command": COMMAND}
    return ledger.Claim(**(texts | {"verdict": "holds"} | changes))


def test_verdicts_are_those_the_page_can_print():
    assert set(ledger.VERDICTS) == set(PAGE_VERDICTS)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((True, False), "holds"),
        ((True, True), "holds"),
        ((False, True), "holds under conditions"),
        ((False, False), "not reproduced here"),
    ],
)
def test_verdict_follows_from_two_comparisons(numbers, expected):
    assert ledger.verdict(numbers[0], under_conditions=numbers[1]) == expected


@pytest.mark.parametrize("changes", [{"verdict": "true"}, {"spread": " "}, {"command": ""}])
def test_a_claim_without_verdict_or_text_is_refused(changes):
    with pytest.raises(ValueError, match="must"):
        make(**changes)


def test_what_is_saved_is_loaded_with_its_circumstances(folder):
    path = ledger.save("c99", {"steps": [3, 4], "none": None}, command=COMMAND, seeds=range(2))
    stored = ledger.load("c99", command=COMMAND)
    assert stored["data"] == {"steps": [3, 4], "none": None}
    assert stored["seeds"] == [0, 1] and stored["command"] == COMMAND
    assert stored["versions"]["torch"].startswith("2.")
    import socket

    assert socket.gethostname() not in path.read_text()


def test_nan_is_refused_and_leaves_the_old_result(folder):
    ledger.save("c99", {"loss": 1.0}, command=COMMAND, seeds=[0])
    with pytest.raises(ValueError, match="Out of range float values"):
        ledger.save("c99", {"loss": float("nan")}, command=COMMAND, seeds=[0])
    assert ledger.load("c99", command=COMMAND)["data"] == {"loss": 1.0}


def test_a_missing_result_names_the_command(folder):
    with pytest.raises(ledger.ResultError, match=r"no stored result c99.*python -m optkit\.studies momentum"):
        ledger.load("c99", command=COMMAND)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no readable JSON"),
        ("[]", "lacks command, commit, data"),
        ('{"name": "c99", "data": 1}', "lacks command, commit, machine, seeds, versions"),
    ],
)
def test_a_damaged_result_is_named(folder, text, message):
    (folder / "c99.json").write_text(text)
    with pytest.raises(ledger.ResultError, match=message):
        ledger.load("c99", command=COMMAND)


def test_a_result_under_another_name_is_refused(folder):
    ledger.save("c98", {}, command=COMMAND, seeds=[]).rename(folder / "c99.json")
    with pytest.raises(ledger.ResultError, match="holds the result 'c98'"):
        ledger.load("c99", command=COMMAND)


def test_a_journal_goes_on_after_a_kill_and_only_under_the_same_protocol(folder):
    first = ledger.Journal("demo", {"steps": 3})
    first["lr=0.1"] = {"loss": 0.5}
    again = ledger.Journal("demo", {"steps": 3})
    assert dict(again) == {"lr=0.1": {"loss": 0.5}}
    assert not ledger.Journal("demo", {"steps": 4})
    again.close()
    assert list(folder.iterdir()) == []


def test_a_journal_on_the_disk_is_always_whole(folder):
    journal = ledger.Journal("demo", {})
    journal["a"] = 1
    with pytest.raises(ValueError, match="Out of range float values"):
        journal["b"] = float("inf")
    assert dict(ledger.Journal("demo", {})) == dict(journal) == {"a": 1}
    assert json.loads(journal.path.read_text()) == {"a": 1}


def test_a_damaged_journal_says_what_to_do(folder):
    journal = ledger.Journal("demo", {})
    journal["a"] = 1
    journal.path.write_text("{")
    with pytest.raises(ledger.ResultError, match="remove it to start this study anew"):
        ledger.Journal("demo", {})


def test_an_unknown_claim_names_the_known_ones():
    with pytest.raises(KeyError, match="C05"):
        ledger.claim("C00")


def test_the_printed_ledger_holds_every_claim(capsys):
    assert main(["claims"]) == 0
    printed = capsys.readouterr().out
    for row in ledger.entries():
        assert row["id"] in printed and (row["verdict"] or "not measured yet") in printed
        if row["verdict"] and row["command"].startswith("optkit claims"):
            assert row["id"] in row["command"].split()


def test_the_printed_ledger_says_what_is_not_measured_and_how_to(folder, capsys):
    assert main(["claims"]) == 0
    printed = capsys.readouterr().out
    assert re.search(
        r"C06  not measured yet\n.*measure it with `python -m optkit\.studies momentum`", printed
    )
    assert "C05  holds" in printed  # computed at once


def test_a_damaged_result_fails_the_printed_ledger(folder, capsys):
    (folder / "c06_momentum.json").write_text("{")
    assert main(["claims"]) == 1
    assert "no readable JSON" in capsys.readouterr().err


def test_the_ledger_is_printed_by_one_command(capsys):
    with pytest.raises(SystemExit):
        repeating.main(["claims"])
    assert "invalid choice: 'claims'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        repeating.main(["--help"])
    assert "`optkit claims` prints the ledger" in " ".join(capsys.readouterr().out.split())


def test_a_measurement_that_cannot_be_stored_says_so(capsys, monkeypatch):
    def fail():
        raise ledger.ResultError("the place is gone")

    module = type("module", (), {"repeat": staticmethod(fail)})
    monkeypatch.setattr(repeating, "repeatable", lambda: {"small": module})
    assert repeating.main(["small"]) == 1
    assert capsys.readouterr().err == "the place is gone\n"


def test_what_measures_without_the_engine_declares_what_it_stores():
    for name, module in ledger.repeatable().items():
        assert module.DECLARED and set(module.DECLARED) <= set(ledger.declarations()), name


def test_every_stored_result_belongs_to_its_declaration_as_it_stands():
    declared = ledger.declarations()
    stored = sorted((Path(__file__).parents[2] / "results").glob("*.json"))
    assert stored
    for path in stored:
        found = json.loads(path.read_text())
        assert found["name"] in declared, f"{path.name}: no study declares it"
        assert found.get("declaration") == declared[found["name"]], f"{path.name} is of another declaration"


def test_a_result_of_another_declaration_is_refused(folder):
    ledger.save("c99", {}, command=COMMAND, seeds=[], declaration="a" * 64)
    assert ledger.load("c99", command=COMMAND, declaration="a" * 64)["data"] == {}
    with pytest.raises(
        ledger.ResultError, match=r"no longer belongs to the declaration of c99: .*aaaa.*bbbb"
    ):
        ledger.load("c99", command=COMMAND, declaration="b" * 64)
    ledger.save("c99", {}, command=COMMAND, seeds=[])
    with pytest.raises(ledger.ResultError, match="measured under None"):
        ledger.load("c99", command=COMMAND, declaration="b" * 64)
