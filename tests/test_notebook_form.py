"""The form of the chapters: stored without outputs, no code that belongs in the package."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("reference/*.ipynb")])
REFERENCE_TAGS = {"nbval-check-output", "keep_output"}
PARTS = ("You will learn", "You need", "Time", "Claims", "Traps", "Exercises", "Further reading")
COLOUR_ARGUMENTS = {
    "color",
    "colour",
    "c",
    "facecolor",
    "edgecolor",
    "markerfacecolor",
    "ecolor",
    "cmap",
    "colors",
}
SIZE_ARGUMENTS = {"figsize", "dpi", "fontsize", "linewidth", "lw"}
SEED_CALLS = {"manual_seed", "default_rng", "seed", "RandomState", "PRNGKey"}
SEED_ARGUMENTS = {"seed", "random_state", "rng", "seeds"}
LONGEST_FUNCTION = 10
LONGEST_REFERENCE = 2000  # characters


def faults(notebook: dict) -> list[str]:
    """What is wrong with the form of a notebook, one line for each fault."""
    found = [
        fault for cell in notebook["cells"] if cell["cell_type"] == "code" for fault in cell_faults(cell)
    ]
    return found + (missing_parts(notebook) if is_finished(notebook) else [])


def is_finished(notebook: dict) -> bool:
    """Whether the notebook says of itself that it is a finished chapter."""
    return bool(notebook["metadata"].get("optkit", {}).get("finished"))


def missing_parts(notebook: dict) -> list[str]:
    prose = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    )
    found = [
        f"no part {part!r}" for part in PARTS if not re.search(rf"^(#+ |\*\*){part}\b", prose, re.MULTILINE)
    ]
    return found if references(notebook) else [*found, "no cell with a stored reference output"]


def references(notebook: dict) -> int:
    """Number of cells whose stored output a run is compared with."""
    return sum(bool(cell.get("outputs")) for cell in notebook["cells"] if REFERENCE_TAGS <= tags(cell))


def tags(cell: dict) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def cell_faults(cell: dict) -> list[str]:
    source = "".join(cell["source"])
    where = source.strip().split("\n")[0][:50]
    found = output_faults(cell)
    if "colab" in tags(cell):  # the one cell that may install optkit; hidden on the page
        return (
            found
            if "remove-cell" in tags(cell)
            else [*found, f"{where}: a colab cell must be tagged remove-cell"]
        )
    if re.search(r"^\s*[!%]", source, re.MULTILINE):
        return [*found, f"{where}: a shell command or magic"]
    if "remove-input" in tags(cell) and not cell["metadata"].get("jupyter", {}).get("source_hidden"):
        found.append(f"{where}: its code is on no page, and must be folded in JupyterLab: make format")
    if source.rstrip().endswith(";"):
        found.append(f"{where}: ends with a semicolon")
    for node in ast.walk(ast.parse(source)):
        found += [f"{where}: line {getattr(node, 'lineno', 0)}: {fault}" for fault in node_faults(node)]
    return found


def output_faults(cell: dict) -> list[str]:
    where = "".join(cell["source"]).strip().split("\n")[0][:50]
    if not cell["outputs"] and cell["execution_count"] is None:
        return []
    if not REFERENCE_TAGS <= tags(cell):
        return [f"{where}: stored with outputs or an execution count (run `make format`)"]
    if cell["execution_count"] is None:
        return [f"{where}: nbval compares no output without an execution count (run `make format`)"]
    if len(json.dumps(cell["outputs"])) > LONGEST_REFERENCE or "image/png" in json.dumps(cell["outputs"]):
        return [f"{where}: a reference output must be a few numbers"]
    return []


def node_faults(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        lines = node.end_lineno - node.lineno + 1
        return [f"{node.name} has {lines} lines"] if lines > LONGEST_FUNCTION else []
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ["a colour typed by hand"] if re.fullmatch(r"#[0-9a-fA-F]{3,8}", node.value) else []
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [*(getattr(node, "module", None) or "").split("."), *(a.name for a in node.names)]
        return [f"private name {n}" for name in names for n in name.split(".") if n.startswith("_")]
    if isinstance(node, ast.Call):
        return call_faults(node)
    return []


def call_faults(call: ast.Call) -> list[str]:
    found = []
    for keyword in call.keywords:
        typed = isinstance(keyword.value, ast.Constant | ast.Tuple | ast.List)
        if typed and keyword.arg in COLOUR_ARGUMENTS:
            found.append(f"{keyword.arg} typed by hand (use optkit.figures.face or series)")
        if typed and keyword.arg in SIZE_ARGUMENTS:
            found.append(f"{keyword.arg} typed by hand (use optkit.figures.canvas)")
        if typed and keyword.arg in SEED_ARGUMENTS and getattr(keyword.value, "value", 0) is not None:
            found.append(f"{keyword.arg} typed by hand")
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in SEED_CALLS and call.args and isinstance(call.args[0], ast.Constant):
        found.append(f"{name} with a seed typed by hand")
    return found


def notebook_of(
    source: str, *, cell_tags: tuple[str, ...] = (), outputs: tuple = (), finished: bool = False
) -> dict:
    cell = {
        "cell_type": "code",
        "source": source,
        "outputs": list(outputs),
        "execution_count": 1 if outputs else None,
        "metadata": {"tags": list(cell_tags)},
    }
    prose = {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(f"## {part}" for part in PARTS)}
    return {"cells": [prose, cell], "metadata": {"optkit": {"finished": finished}}}


TEXT = {"output_type": "stream", "name": "stdout", "text": "0.5"}


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_the_form(path):
    assert faults(json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("def f():\n" + "    x = 1\n" * 10, "f has 11 lines"),
        ("axes.plot(x, color='red')", "color typed by hand"),
        ("accent = '#ff0000'", "a colour typed by hand"),
        ("plt.figure(figsize=(4, 3))", "figsize typed by hand"),
        ("run(rule, seed=0)", "seed typed by hand"),
        ("torch.manual_seed(3)", "manual_seed with a seed typed by hand"),
        ("rng = np.random.default_rng(1)", "default_rng with a seed typed by hand"),
        ("!pip install optkit", "a shell command or magic"),
        ("x = 1\n%matplotlib inline", "a shell command or magic"),
        ("from optkit.rules import _table", "private name _table"),
        ("import optkit._hidden", "private name _hidden"),
        ("from optkit._hidden import open", "private name _hidden"),
        ("plt.show();", "ends with a semicolon"),
    ],
)
def test_a_cell_out_of_form_is_found(source, fault):
    found = faults(notebook_of(source))
    assert len(found) == 1
    assert fault in found[0]


def test_a_stored_output_is_found_and_a_reference_is_kept():
    assert "stored with outputs" in faults(notebook_of("x", outputs=(TEXT,)))[0]
    assert faults(notebook_of("x", outputs=(TEXT,), cell_tags=("nbval-check-output", "keep_output"))) == []
    assert "stored with outputs" in faults(notebook_of("x", outputs=(TEXT,), cell_tags=("keep_output",)))[0]


def test_a_reference_without_a_count_is_found():
    reference = notebook_of("x", outputs=(TEXT,), cell_tags=tuple(REFERENCE_TAGS))
    reference["cells"][1]["execution_count"] = None
    assert "without an execution count" in faults(reference)[0]


def test_stripping_a_notebook_gives_it_the_form():
    spec = importlib.util.spec_from_file_location("strip_notebooks", ROOT / "tools" / "strip_notebooks.py")
    stripper = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stripper)
    cells = [notebook_of("x", outputs=(TEXT,))["cells"][1], notebook_of("y", outputs=(TEXT,))["cells"][1]]
    cells[0]["metadata"] = {"tags": ["remove-input"]}
    cells[1]["metadata"] = {"tags": sorted(REFERENCE_TAGS), "scrolled": True}
    cells[1]["execution_count"] = 7
    notebook = nbformat.from_dict(
        {"cells": cells, "metadata": {"optkit": {"finished": False}, "widgets": {}}}
    )
    assert faults(notebook)
    stripper.strip(notebook)
    assert faults(notebook) == []
    assert [cell.outputs for cell in notebook.cells] == [[], [TEXT]]
    assert [cell.execution_count for cell in notebook.cells] == [None, 1]
    assert "scrolled" not in notebook.cells[1].metadata
    assert set(notebook.metadata) == {"optkit", "language_info"}


def test_a_finished_chapter_needs_its_parts_and_a_reference():
    finished = notebook_of("x", outputs=(TEXT,), cell_tags=tuple(REFERENCE_TAGS), finished=True)
    assert faults(finished) == []
    assert faults(notebook_of("x", finished=True)) == ["no cell with a stored reference output"]
    finished["cells"][0]["source"] = finished["cells"][0]["source"].replace("## Traps", "")
    assert faults(finished) == ["no part 'Traps'"]


def test_form_in_order_is_left_alone():
    source = "axes.plot(x, color=face('adam').colour)\nrun(rule, seed=seeds[0])\ndefault_rng(seeds[0])"
    assert faults(notebook_of(source)) == []


def test_the_build_gives_no_cell_more_than_a_minute():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert 0 < settings["execute"]["timeout"] <= 60


def test_what_a_notebook_reads_makes_the_book_execute_it_again():
    """A file beside the notebooks is an input of the cache, or the page would show the last one's numbers."""
    source = (ROOT / "sphinx_ext" / "optkit_book" / "execution.py").read_text(encoding="utf-8")
    (line,) = re.findall(r"^INPUTS = (.*)$", source, re.MULTILINE)
    names = ast.literal_eval(line)
    read = set()
    for path in CHAPTERS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                read.update(re.findall(r"""["']\.\./([^"']+)["']""", cell.source))
    assert "benchmarks/step.json" in read
    covered = {name for name in read for known in names if name == known or name.startswith(f"{known}/")}
    assert read == covered
