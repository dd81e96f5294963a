"""Execute one notebook in a process of its own.

    python run_notebook.py NOTEBOOK SECONDS EXECUTED

writes the executed notebook to the file EXECUTED, with the time that it took as its metadata
``execution_seconds``. Ends with 1, and writes nothing, if a cell raises or takes longer than SECONDS.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from jupyter_cache.executors.utils import single_nb_execution


def main(source: str, seconds: str, target: str) -> int:
    """Execute the notebook in its own folder, as MyST-NB does."""
    path = Path(source)
    notebook = nbformat.read(path, as_version=4)
    result = single_nb_execution(notebook, cwd=str(path.parent), timeout=int(seconds), allow_errors=False)
    if result.err is not None:
        return 1
    result.nb.metadata["execution_seconds"] = result.time
    nbformat.write(result.nb, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
