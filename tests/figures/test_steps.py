"""Figures and tables of the benchmark: what they say is what the file says."""

import json
from pathlib import Path

import pytest

from optkit.figures.steps import CONTENDERS, RUNGS, ladder, limits, race, roofline, rungs, targets
from optkit.rules import RULES
from optkit.translation.traffic import traffic

RESULT = Path(__file__).parents[2] / "benchmarks" / "step.json"


def row(ratio):
    return {"ms": 2 * ratio, "ratio": ratio, "low": 0.9 * ratio, "high": 1.1 * ratio, "quiet ratio": ratio}


@pytest.fixture
def record():
    names = [*dict.fromkeys([*CONTENDERS, *RUNGS])]
    against = {name: row(1.0 + index) for index, name in enumerate(names)}
    against |= {"C": row(0.5), "torch fused": row(1.0), "plain loop": row(0.4), "torch.compile": row(0.8)}
    near = {"C": row(1.25), "plain loop": row(1.0)}
    common = {"rounds": 25, "quiet": 20}
    return {
        "cases": {
            "Adam, 100 x 1,000, 1 thread, against torch fused": common
            | {"reference": "torch fused", "target": 0.6, "contenders": against},
            "Adam, 1e6, 2 threads, against torch fused": common
            | {"reference": "torch fused", "target": None, "contenders": {"C": row(0.7)}},
            "Adam, ResNet-50, 2 threads, against torch fused": common
            | {"reference": "torch fused", "target": 1.05, "contenders": near},
        },
        "first use in s": [0.2, 0.3, 0.1],
    }


def test_the_race_tells_optkit_and_the_best_of_the_others(record):
    figure, alt = race(record)
    assert "Adam, 100 × 1,000, 1 thread: 0.5 times torch fused" in alt
    assert "the best of the others torch.compile of the rule 0.8" in alt
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(CONTENDERS)
    assert len({(look.colour, look.marker) for _, look in CONTENDERS.values()}) == len(CONTENDERS)
    assert len({look.marker for _, look in CONTENDERS.values()}) == len(CONTENDERS)  # without colours too


def test_the_ladder_tells_the_time_of_every_rung(record):
    _, alt = ladder(record)
    assert "100 × 1,000, 1 thread: as written" in alt and "all tensors in one call 1," in alt
    (gains,) = rungs(record)
    before, after = (
        record["cases"][next(iter(record["cases"]))]["contenders"][x]["ms"] for x in [*RUNGS][2:4]
    )
    assert gains["all tensors in one call"] == f"{before / after:.2f}"


def test_the_roofline_tells_the_shares_of_the_limit(record):
    _, alt = roofline(record, {"adam": 28}, {"adam": 14})
    assert "358 to 358 GB/s" in alt and "from 80% (Adam) to 80% (Adam)" in alt
    (one,) = limits(record, {"adam": 28}, {"adam": 14})
    assert one == {
        "rule": "Adam", "bytes": "28", "operations": "14", "GB/s": "286", "GB/s, plain loop": "358",
        "share of the limit": "80%",
    }  # fmt: skip


def test_a_target_that_is_missed_is_said_to_be(record):
    rows = targets(record)
    assert [one[""] for one in rows] == ["reached", "missed", "reached"]
    assert rows[1]["median"] == "1.250" and rows[2]["median"] == "0.20 s"
    assert [one["plain loop"] for one in rows] == ["0.400", "1.000", ""]


@pytest.mark.parametrize("draw", [race, ladder, lambda record: roofline(record, {}, {})])
def test_a_file_without_such_cases_is_refused(draw):
    with pytest.raises(ValueError, match="record must hold a case"):
        draw({"cases": {}})


def test_the_stored_result_holds_every_target_against_others():
    """By its protocol, with the machine's description; the figures are drawn from it."""
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    assert len(targets(record)) >= 7 + 1 and len(rungs(record)) == 3
    for title, case in record["cases"].items():
        assert case["rounds"] == (101 if title.endswith("against plain loop") else 25)
    assert record["machine"]["processor"] and record["machine"]["versions"]["torch"]
    one = {rule.name: traffic(rule, t=100) for rule in RULES.values() if not rule.inputs}
    moved, operations = ({n: getattr(x, what) for n, x in one.items()} for what in ("moved", "operations"))
    assert len(limits(record, moved, operations)) == 5
    for _, alt in (race(record), ladder(record), roofline(record, moved, operations)):
        assert len(alt) > 100
