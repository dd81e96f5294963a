"""The table of a study: options as they are, medians with their range, and lost runs told."""

from optkit.studies.engine.summary import summary


def run(accuracy, *, outcome="finished", **more):
    return {"outcome": outcome, "options": {"lr": 0.012345}, "test_accuracy": accuracy, "steps": 10, **more}


def test_rows_of_a_result(monkeypatch):
    found = {
        "SGD": {"fresh": [run(0.8, measures={"top_eigenvalue": value}) for value in (1.0, 2.0, 4.0)]},
        "SAM": {"fresh": [run(0.5), run(None, outcome="diverged"), run(0.1, outcome="diverged")]},
        "none": {"fresh": [run(None, outcome="diverged")] * 2},
    }
    monkeypatch.setitem(summary.__globals__, "arms", lambda study: found)
    columns = ["lr", "rho", "steps", "test_accuracy", "top_eigenvalue"]
    sgd, sam, none = summary(None, columns)
    assert sgd == {
        "arm": "SGD",
        "ε": "0.0123",
        "ρ": "–",
        "steps": "10",
        "test accuracy, %": "80",
        "λ₁": "2 (1–4)",
    }
    assert sam["test accuracy, %"] == "50.0 (50.0–50.0, 2 of 3 without)"
    assert none["test accuracy, %"] == "none"
