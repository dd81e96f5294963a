"""The table of a run, and its files."""

import math

import numpy as np
import pytest

from optkit.training import History
from optkit.training.history import COLUMNS

ROWS = [
    {"step": 0, "epoch": 0, "gradients": 0, "train_loss": 2.3, "test_accuracy": 0.1, "seconds": 0.0},
    {"step": 1, "epoch": 1, "gradients": 2, "loss": 0.1 + 0.2, "lr": 1e-3, "seconds": 1e-9 / 3},
    {"step": 2, "epoch": 1, "gradients": 4, "loss": 1e300, "lr": 1e-3, "test_accuracy": 1 / 3},
]


def test_columns_are_arrays_and_unmeasured_values_nan():
    history = History(ROWS)
    assert len(history) == 3 and history.columns == COLUMNS
    np.testing.assert_array_equal(history["loss"], [math.nan, 0.1 + 0.2, 1e300])
    assert history["step"].dtype == np.int64
    with pytest.raises(KeyError, match="column must be one of step, epoch"):
        history["accuracy"]


def test_a_curve_holds_the_measured_points_only():
    steps, values = History(ROWS).curve("test_accuracy")
    assert steps.tolist() == [0, 2] and values.tolist() == [0.1, 1 / 3]
    assert History(ROWS).final("test_accuracy") == 1 / 3
    with pytest.raises(ValueError, match="'test_loss', which never was"):
        History(ROWS).final("test_loss")


def test_rows_are_copies():
    history = History(ROWS)
    history.rows[0]["step"] = 7
    assert history["step"][0] == 0


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("last", [math.nan, math.inf, -math.inf, 5e-324])
def test_files_keep_every_digit_and_every_kind_of_number(tmp_path, kind, last):
    history = History([*ROWS, {"step": 3, "loss": last}])
    path = tmp_path / f"run.{kind}"
    getattr(history, f"to_{kind}")(path)
    again = getattr(History, f"from_{kind}")(path)
    assert repr(again.rows) == repr(history.rows)  # repr: NaN is not equal to itself, 1 is not 1.0
    assert again.diverged == (not math.isfinite(last))


def test_json_is_standard_json(tmp_path):
    import json

    History([{"step": 1, "loss": math.nan}]).to_json(tmp_path / "run.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    json.loads((tmp_path / "run.json").read_text(), parse_constant=refuse)


def test_pandas_gets_the_same_numbers():
    table = History(ROWS).to_pandas()
    assert tuple(table.columns) == COLUMNS
    np.testing.assert_array_equal(table["lr"], [math.nan, 1e-3, 1e-3])


def test_files_with_other_columns_are_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other\.csv: expected the columns step, epoch"):
        History.from_csv(tmp_path / "other.csv")
    (tmp_path / "other.json").write_text('{"columns": {"a": [1]}}')
    with pytest.raises(ValueError, match=r"other\.json: expected the columns step, epoch"):
        History.from_json(tmp_path / "other.json")


def test_unknown_columns_and_rows_without_a_step_are_refused():
    with pytest.raises(ValueError, match=r"columns must be among .* got accuracy"):
        History([{"step": 1, "accuracy": 0.5}])
    with pytest.raises(ValueError, match="step must be given"):
        History([{"loss": 0.5}])


def test_it_says_what_happened_in_one_line():
    assert repr(History()) == "History(no steps)"
    assert repr(History(ROWS)) == "History(2 steps, loss 1e+300, test accuracy 0.3333)"
    assert repr(History([{"step": 1, "loss": math.inf}])) == "History(1 steps, loss inf, diverged)"
    assert History([{"step": 1, "test_loss": math.nan}]).diverged and not History().diverged
