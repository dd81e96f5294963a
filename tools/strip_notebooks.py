"""Store notebooks without outputs, but for reference outputs.

Run with `python tools/strip_notebooks.py FILE...`. The code that a page leaves out is folded in JupyterLab: a
question's would give its answer away. A cell tagged `nbval-check-output` and `keep_output` keeps
its outputs, and an execution count of 1: nbval compares them only in a cell that has a count.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

REFERENCE_TAGS = {"nbval-check-output", "keep_output"}
FOLDED = {"remove-input", "remove-cell"}
NOTEBOOK_METADATA = {"kernelspec", "language_info", "optkit", "mystnb"}
CELL_METADATA = {"tags", "mystnb", "optkit", "jupyter", "slideshow"}


def strip(notebook: nbformat.NotebookNode) -> None:
    """Remove what a run leaves in a notebook, in place."""
    notebook.metadata = {key: value for key, value in notebook.metadata.items() if key in NOTEBOOK_METADATA}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        kept = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            if FOLDED & set(cell.metadata.get("tags", [])):
                cell.metadata["jupyter"] = cell.metadata.get("jupyter", {}) | {"source_hidden": True}
            if not REFERENCE_TAGS <= set(cell.metadata.get("tags", [])):
                cell.outputs = []
            cell.execution_count = 1 if cell.outputs else None
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = 1


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        text = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(text, as_version=4)
        strip(notebook)
        stripped = nbformat.writes(notebook) + "\n"
        if stripped != text:
            path.write_text(stripped, encoding="utf-8")
