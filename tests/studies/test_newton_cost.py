"""The fit of the costs, and verdicts that follow from what is stored."""

import copy

import pytest

from optkit.studies import newton_cost as study
from optkit.studies.ledger import claim


def test_the_verdicts_are_those_of_the_stored_measurements():
    for id, result in (("C01a", study.stored()), ("C01d", study.stored_larger())):
        slope, _ = study.exponent(result["data"])
        tolerance = result["data"]["protocol"]["solve"]["tolerance"]
        assert (claim(id).verdict == "holds") is (abs(slope - 3) < tolerance)
        assert f"exponent {slope:.2f}" in claim(id).measured


def test_only_the_sizes_of_the_declared_fit_count():
    rows = [{"parameters": n, "seconds": [n**2.5]} for n in (1000, 2000, 4000)]
    plan = {"solve": {"fit_from": 1000}}
    alone = study.exponent({"solve": rows, "protocol": plan})
    with_small = study.exponent({"solve": [{"parameters": 250, "seconds": [1e9]}, *rows], "protocol": plan})
    assert alone == with_small
    assert alone[0] == pytest.approx(2.5)


def test_c01b_fails_where_products_are_dear(monkeypatch):
    stored = copy.deepcopy(study.stored())
    for row in stored["data"]["product"][:2]:
        row["product"] = [5 * seconds for seconds in row["gradient"]]
    monkeypatch.setattr(study, "stored", lambda: stored)
    assert claim("C01b").verdict == "holds under conditions"


def test_measuring_gives_what_the_protocol_names(monkeypatch):
    small = {**study.PROTOCOL["solve"], "parameters": [20, 40], "repeats": 2}
    product = {**study.PROTOCOL["product"], "hidden": [[4]], "images": 8, "repeats": 2}
    monkeypatch.setattr(study, "PROTOCOL", {**study.PROTOCOL, "solve": small, "product": product})
    found = study.measure()
    assert [row["parameters"] for row in found["solve"]] == [20, 40]
    assert all(len(row["seconds"]) == 2 and min(row["seconds"]) > 0 for row in found["solve"])
    assert [len(row[key]) for row in found["product"] for key in ("gradient", "product")] == [2, 2]
    assert found["product"][0]["parameters"] == 784 * 4 + 4 + 4 * 10 + 10
    assert list(study.ratios(found)) == [3190]


def test_both_measurements_are_stored_with_one_thread(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    for name in ("PROTOCOL", "LARGER"):
        plan = getattr(study, name)
        tiny = {**plan["solve"], "parameters": [10, 20], "repeats": 1}
        product = {"product": {**study.PROTOCOL["product"], "hidden": [], "repeats": 1}}
        monkeypatch.setattr(study, name, {**plan, **product, "solve": tiny})
    assert study.repeat().name == "newton_cost.json"
    assert study.stored()["machine"]["threads"] == study.stored_larger()["machine"]["threads"] == 1
