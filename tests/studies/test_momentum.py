"""C05 and C06: verdicts that follow from numbers, a fair protocol, a study that survives a kill."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from optkit.studies import Journal, ledger, momentum, momentum_forms
from optkit.studies.engine import digest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    return tmp_path


SMALL = dict(momentum.PROTOCOL) | {
    "batches": [{"batch_size": 500, "steps": 4, "evaluate_every": 2}],
    "target": 2.2,
    "trials": 3,
    "tuning_seeds": [0],
    "fresh_seeds": [100, 101],
}


def runs(*steps):
    return {"runs": [{"steps_to_target": count} for count in steps]}


def result(*pairs):
    batches = [
        {"batch_size": 2**place, "fresh": {"sgd": runs(*sgd), "momentum": runs(*with_momentum)}}
        for place, (sgd, with_momentum) in enumerate(pairs, start=5)
    ]
    return {"protocol": momentum.PROTOCOL, "batches": batches}


FASTER = ([100, 110, 120, 130, 140], [40, 50, 60, 70, 80])
OVERLAP = ([100, 110, 120, 130, 140], [40, 50, 60, 70, 100])


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([FASTER, FASTER], "holds"),
        ([OVERLAP, FASTER], "holds under conditions"),
        ([OVERLAP, OVERLAP], "not reproduced here"),
        ([FASTER[::-1]], "not reproduced here"),
        ([([None] * 5, [40, 50, 60, 70, 80])], "holds"),
        ([([100, 110, 120, 130, 140], [40, 50, 60, 70, None])], "not reproduced here"),
    ],
)
def test_the_verdict_follows_from_the_runs(folder, pairs, expected):
    ledger.save(
        momentum.NAME,
        result(*pairs),
        command=momentum.COMMAND,
        seeds=[],
        declaration=digest(momentum.PROTOCOL),
    )
    assert momentum.CLAIMS["C06"]().verdict == expected


def test_medians_and_ranges_count_a_miss_as_the_slowest_run():
    (row,) = momentum.compare(result(([100, None, None, None, 140], [40, 80, 60, 70, 50])))
    assert row["sgd"] == (None, 100, None) and row["ratio"] is None
    assert row["momentum"] == (60, 40, 80)


def test_both_optimizers_get_the_same_number_of_trials_over_the_same_rates():
    sgd, tried = momentum.trials("sgd"), momentum.trials("momentum")
    assert len(sgd) == len(tried) == momentum.PROTOCOL["trials"]
    for table in (sgd, tried):
        rates = [row["lr"] for row in table]
        assert (min(rates), max(rates)) == tuple(momentum.PROTOCOL["lr"])
    assert {row["momentum"] for row in sgd} == {0.0}
    assert len({tuple(row.values()) for row in tried}) == len(tried)


def test_tuning_never_sees_a_test_image():
    from optkit.data import fashion_mnist

    parts = momentum._data()
    held = parts["tuning"].test_images
    train_images, _, test_images, _ = fashion_mnist().tensors()
    np.testing.assert_array_equal(held, train_images[8000:])
    np.testing.assert_array_equal(parts["fresh"].test_images, test_images)
    np.testing.assert_array_equal(parts["tuning"].train_images, parts["fresh"].train_images)
    assert len(parts["tuning"].train_images) == 8000


def test_lost_ground():
    assert momentum.lost_ground([4.0, 3.0, 2.0]) == 0.0
    assert momentum.lost_ground([4.0, 2.0, 3.0, 1.0]) == pytest.approx(1.0 / 4.0)
    assert momentum.lost_ground([1.0, 2.0]) is None
    assert momentum.lost_ground([1.0, float("nan"), 0.5]) is None


def test_a_killed_study_goes_on_and_ends_with_the_same_numbers(folder, monkeypatch):
    path = momentum.repeat(SMALL)
    whole = json.loads(path.read_text())["data"]
    assert [entry.name for entry in folder.iterdir()] == [path.name]

    real, count = momentum._run, [0]

    def killed(*arguments):
        if count[0] == 7:
            raise KeyboardInterrupt
        count[0] += 1
        return real(*arguments)

    monkeypatch.setattr(momentum, "_run", killed)
    with pytest.raises(KeyboardInterrupt):
        momentum.repeat(SMALL)
    assert len(Journal(momentum.NAME, SMALL)) == 7
    monkeypatch.setattr(momentum, "_run", real)
    resumed = json.loads(momentum.repeat(SMALL).read_text())["data"]
    assert without_seconds(resumed) == without_seconds(whole)


def without_seconds(data):
    if isinstance(data, dict):
        return {key: without_seconds(value) for key, value in data.items() if key != "seconds"}
    return [without_seconds(value) for value in data] if isinstance(data, list) else data


def test_the_stored_result_was_made_with_the_protocol_of_the_code():
    stored = momentum.stored()
    assert stored["data"]["protocol"] == json.loads(json.dumps(momentum.PROTOCOL))
    for part in stored["data"]["batches"]:
        for name in ("sgd", "momentum"):
            assert len(part["tuning"][name]) == momentum.PROTOCOL["trials"]
            assert len(part["fresh"][name]["runs"]) == 5
            best = min(part["tuning"][name], key=lambda row: row["score"])
            assert part["fresh"][name]["lr"] == best["lr"]


def test_the_chapter_quotes_the_stored_numbers():
    path = Path(__file__).parents[2] / "chapters" / "04-momentum.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (reading,) = [
        "".join(cell["source"]) for cell in cells if "Read the rows in pairs." in "".join(cell["source"])
    ]
    quoted = set(re.findall(r"[0-9][0-9,.]*[0-9]|[0-9]", reading))
    data = momentum.stored()["data"]
    for row, part in zip(momentum.compare(data), data["batches"], strict=True):
        assert {str(row["sgd"][0]), str(row["momentum"][0])} <= quoted
        for name in ("sgd", "momentum"):
            assert str(sum(trial["diverged"] for trial in part["tuning"][name])) in quoted
            lost = [run["lost_ground"] for run in part["fresh"][name]["runs"]]
            assert f"{np.median(lost):.2f}" in quoted
    assert [row["every"] for row in momentum.compare(data)] == [False, True, True]


def test_the_three_forms_part_only_when_the_rate_changes():
    def slope(theta):
        return 2.0 * theta

    constant = momentum_forms.three_forms([0.05] * 30, momentum=0.9, gradient=slope, start=1.0)
    changed = momentum_forms.three_forms([0.05] * 5 + [0.01] * 25, momentum=0.9, gradient=slope, start=1.0)
    np.testing.assert_allclose(constant["standard"], constant["common"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(constant["ewma"], constant["common"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(changed["ewma"], changed["common"], rtol=0, atol=1e-13)
    assert np.array_equal(changed["standard"][:6].round(12), changed["common"][:6].round(12))
    assert abs(changed["standard"][6] - changed["common"][6]) > 0.05


def test_c05_says_what_the_runs_say():
    claim = momentum_forms.CLAIMS["C05"]()
    assert claim.verdict == "holds"
    assert "−12.75 in the standard form, −1.44 in the common and −1.44 in the EWMA form" in claim.measured
