"""The book executes its notebooks anew when the package, a stored result or the lock has changed."""

import json

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
