"""The book executes its notebooks anew when the package, a stored result or the lock has changed."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

EMPTY = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def project(build, tmp_path):
    """Builds a project; says whether its notebook and its plain page were read, and the cache kept."""
    source, kept = tmp_path / "source", tmp_path / ".jupyter_cache" / "executed"
    for folder in ("optkit", "results"):
        (source / folder).mkdir(parents=True)
        (source / folder / "file").write_text("1")
    notebook = EMPTY | {"cells": [{"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# T"}]}
    files = {
        "index.md": "# R\n\n```{toctree}\na\n```\n",
        "a.ipynb": json.dumps(notebook),
        "requirements.lock": "a==1",
    }

    def run() -> tuple[bool, bool, bool]:
        trees = [tmp_path / "html" / ".doctrees" / name for name in ("a.doctree", "index.doctree")]
        before = [tree.stat().st_mtime_ns if tree.exists() else 0 for tree in trees]
        build(files)
        was_kept = kept.exists()
        kept.write_text("an executed notebook")
        notebook_read, page_read = (
            tree.stat().st_mtime_ns != old for tree, old in zip(trees, before, strict=True)
        )
        return notebook_read, page_read, was_kept

    run.source = source
    return run


def test_nothing_is_done_twice_without_a_change(project):
    assert project() == (True, True, False)
    assert project() == (False, False, True)


@pytest.mark.parametrize("changed", ["optkit/file", "results/file", "optkit/new.py", "requirements.lock"])
def test_a_change_of_what_notebooks_use_executes_them_anew(project, changed):
    project()
    (project.source / changed).write_text("2")
    assert project() == (True, False, False)
    assert project() == (False, False, True)


def test_compiled_files_do_not_count(project):
    project()
    (project.source / "optkit" / "__pycache__").mkdir()
    (project.source / "optkit" / "__pycache__" / "file.pyc").write_text("2")
    assert project() == (False, False, True)


MEET = """from pathlib import Path
from time import monotonic, sleep
Path({own!r}).touch()
end = monotonic() + 60
while not Path({other!r}).exists() and monotonic() < end:
    sleep(0.05)
assert Path({other!r}).exists(), "the other did not run at the same time"
"""


@pytest.fixture
def execution(monkeypatch):
    """The module of the book's extension that executes notebooks."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent.parent / "sphinx_ext"))
    from optkit_book import execution

    return execution


def test_notebooks_are_executed_at_the_same_time_once_and_a_failing_one_is_left(
    execution, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    sources = {
        "a": MEET.format(own=str(tmp_path / "1"), other=str(tmp_path / "2")),
        "b": MEET.format(own=str(tmp_path / "2"), other=str(tmp_path / "1")),
        "c": "1 / 0",
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for name, source in sources.items():
        cells = [nbformat.v4.new_code_cell(source)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / f"{name}.ipynb")
    config = SimpleNamespace(
        nb_execution_mode="cache", nb_execution_cache_path=str(tmp_path / "cache"), nb_execution_timeout=100
    )
    app = SimpleNamespace(config=config)
    env = SimpleNamespace(
        doc2path=lambda name: str(tmp_path / f"{name}.{'md' if name == 'page' else 'ipynb'}")
    )
    started = []
    execute = execution._execute
    monkeypatch.setattr(
        execution, "_execute", lambda path, *rest: started.append(path.stem) or execute(path, *rest)
    )
    execution.execute_ahead(app, env, ["page", *sources])
    assert sorted(started) == ["a", "b", "c"]
    execution.execute_ahead(app, env, ["page", *sources])
    assert started[3:] == ["c"]


@pytest.mark.parametrize(("seconds", "ran"), [(1, False), (50, True)])
def test_a_cell_that_takes_longer_than_it_may_fails(execution, tmp_path, seconds, ran):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cell = nbformat.v4.new_code_cell("from time import sleep\nsleep(3)")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "a.ipynb")
    assert execution._execute(tmp_path / "a.ipynb", tmp_path / "done.ipynb", seconds) is ran
    assert (tmp_path / "done.ipynb").exists() is ran
