"""Processes started from Python give the table of one process."""

import pytest

from optkit.__main__ import main
from optkit.training import History, train_in_processes

WORDS = ["--data", "digits", "--model", "logistic_regression", "--steps", "5", "--batch-size", "51"]


def test_two_processes_give_the_table_of_one(tmp_path, capsys):
    path = tmp_path / "one.json"
    assert main(["train", *WORDS, "--history", str(path)]) == 0
    one, two = History.from_json(path), train_in_processes(2, WORDS)
    assert two["loss"][1:] == pytest.approx(one["loss"][1:], rel=1e-5)


def test_what_went_wrong_is_said():
    with pytest.raises(ValueError, match="processes must be >= 1, got 0"):
        train_in_processes(0, WORDS)
    with pytest.raises(RuntimeError, match=r"^.* failed with exit code 1:\nmodel must be one of .+$"):
        train_in_processes(2, ["--model", "resnet"])
