"""The record of a run, step by step, as a Parquet file that is whole or not there.

The summary travels in the file's metadata: a finished run can be taken back from its record when the storage
of the study was lost, or when its worker was killed between the last step and telling the storage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optkit.atomic import atomic_write

if TYPE_CHECKING:
    from optkit.training import History

__all__ = ["read_history", "read_summary", "write"]

KEY = b"optkit"


def write(path: Path, history: History, summary: dict[str, Any], *, declaration: str, run: str) -> None:
    """Write the record of a run.

    Args:
        path: The file.
        history: Its steps: one row each, null where nothing was measured.
        summary: What is kept of the run in the result.
        declaration: Hash of the study's declaration.
        run: The run's key.
    """
    import pyarrow as pa
    from pyarrow import parquet

    whole = {"step", "epoch", "gradients"}
    rows = history.rows
    table = pa.table(
        {
            name: pa.array([row[name] for row in rows], pa.int64() if name in whole else pa.float64())
            for name in history.columns
        },
        metadata={KEY: json.dumps({"declaration": declaration, "run": run, "summary": summary}).encode()},
    )
    with atomic_write(path) as file:
        parquet.write_table(table, file)


def read_history(path: Path) -> History:
    """The steps of a recorded run."""
    from pyarrow import parquet

    from optkit.training import History

    return History(parquet.read_table(path).to_pylist())


def read_summary(path: Path, *, declaration: str, run: str) -> dict[str, Any] | None:
    """The summary of a recorded run; None if there is no record, or it is damaged or of another run.

    Nothing is lost by None: the run is then made again.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        found = json.loads(parquet.read_schema(path).metadata[KEY])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    if (found.get("declaration"), found.get("run")) != (declaration, run):
        return None
    return found["summary"]
