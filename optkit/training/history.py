"""The table of a training run: one row for each step, saved as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optkit.atomic import atomic_write

if TYPE_CHECKING:
    import pandas

__all__ = ["COLUMNS", "History"]

COLUMNS = (
    "step",
    "epoch",
    "loss",
    "lr",
    "gradients",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "seconds",
)
WHOLE = ("step", "epoch", "gradients")  # columns of whole numbers; all others are floats


class History:
    """What happened in a training run, one row for each step.

    - ``step``: counted from 1; row 0, where there is one, is the model before the first step.
    - ``epoch``: counted from 1.
    - ``loss``: of the mini-batch, before the step.
    - ``lr``: of the first parameter group, in this step.
    - ``gradients``: gradients computed up to here; some optimizers need two a step.
    - ``train_loss``, ``train_accuracy``, ``test_loss``, ``test_accuracy``: over all images, after the step,
      where evaluated.
    - ``seconds``: spent in steps up to here, evaluations left out. The only column that a repetition changes.

    A value that was not measured is NaN in arrays, None in rows, an empty field in CSV and null in JSON.

    Args:
        rows: mappings from the names of columns to values; absent ones count as not measured.

    Example:
        >>> history = History([
        ...     {"step": 0, "epoch": 0, "test_accuracy": 0.1},
        ...     {"step": 1, "epoch": 1, "loss": 2.0, "lr": 0.1},
        ...     {"step": 2, "epoch": 1, "loss": 1.5, "lr": 0.1, "test_accuracy": 0.5},
        ... ])
        >>> history["loss"].tolist()
        [nan, 2.0, 1.5]
        >>> steps, accuracy = history.curve("test_accuracy")
        >>> steps.tolist(), accuracy.tolist()
        ([0, 2], [0.1, 0.5])
        >>> history.final("test_accuracy"), history.diverged
        (0.5, False)
    """

    def __init__(self, rows: Iterable[Mapping[str, float | None]] = ()) -> None:
        self._rows: list[dict[str, float | None]] = []
        for row in rows:
            self.append(row)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return COLUMNS

    @property
    def rows(self) -> list[dict[str, float | None]]:
        """A copy of the rows."""
        return [dict(row) for row in self._rows]

    def append(self, row: Mapping[str, float | None]) -> None:
        """Add one row.

        Raises:
            ValueError: a name is not that of a column, or `step` is not given.
        """
        if unknown := [name for name in row if name not in COLUMNS]:
            raise ValueError(f"columns must be among {', '.join(COLUMNS)}, got {', '.join(unknown)}")
        if row.get("step") is None:
            raise ValueError("step must be given in each row, got none")
        self._rows.append({name: row.get(name) for name in COLUMNS})

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column, shape (rows,): float64 with NaN where not measured, int64 for step."""
        if column not in COLUMNS:
            raise KeyError(f"column must be one of {', '.join(COLUMNS)}, got {column!r}")
        if column == "step":
            return np.array([row["step"] for row in self._rows], dtype=np.int64)
        values = [math.nan if row[column] is None else row[column] for row in self._rows]
        return np.array(values, dtype=np.float64)

    def curve(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps at which a column was measured, and its values there: what a plot needs."""
        measured = [row[column] is not None for row in self._rows] if column in COLUMNS else []
        values = self[column]
        return self["step"][measured], values[measured]

    def final(self, column: str) -> float:
        """Return the last measured value of a column.

        Raises:
            ValueError: it was never measured.
        """
        _, values = self.curve(column)
        if not len(values):
            raise ValueError(f"column must have been measured, got {column!r}, which never was")
        return values[-1].item()

    @property
    def diverged(self) -> bool:
        """Whether the run ended because a loss was no longer finite."""
        last = self._rows[-1] if self._rows else {}
        losses = (last.get(name) for name in ("loss", "train_loss", "test_loss"))
        return any(value is not None and not math.isfinite(value) for value in losses)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a pandas DataFrame, NaN where not measured."""
        import pandas

        return pandas.DataFrame({name: self[name] for name in COLUMNS})

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV, all digits kept, an empty field where not measured."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        with atomic_write(path) as file:
            file.write(text.getvalue().encode())

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> History:
        """Read a table that `to_csv` wrote.

        Raises:
            ValueError: the file has other columns, or a field is no number.
        """
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}"
                )
            return cls({name: _number(name, text) for name, text in row.items()} for row in reader)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the table as JSON, column by column; NaN and infinities, which JSON lacks, become texts."""
        table = {name: [_to_json(row[name]) for row in self._rows] for name in COLUMNS}
        with atomic_write(path) as file:
            file.write(json.dumps({"columns": table}, allow_nan=False).encode())

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> History:
        """Read a table that `to_json` wrote.

        Raises:
            ValueError: the file is not JSON or has other columns.
        """
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        table = stored.get("columns") if isinstance(stored, dict) else None
        if not isinstance(table, dict) or tuple(table) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}")
        rows = zip(*table.values(), strict=True)
        return cls(
            {
                name: float(value) if isinstance(value, str) else value
                for name, value in zip(COLUMNS, row, strict=True)
            }
            for row in rows
        )

    def __repr__(self) -> str:
        if not self._rows:
            return "History(no steps)"
        words = [f"{self._rows[-1]['step']:,} steps"]
        for name in ("loss", "test_accuracy"):
            if len(values := self.curve(name)[1]):
                words.append(f"{name.replace('_', ' ')} {values[-1]:.4g}")
        return f"History({', '.join(words)}{', diverged' if self.diverged else ''})"


def _number(column: str, text: str) -> float | None:
    if text == "":
        return None
    return int(text) if column in WHOLE else float(text)


def _to_json(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return str(value)
