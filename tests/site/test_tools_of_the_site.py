"""Finding a browser, packages by checksum, whether the built book is fresh, reading what a figure says."""

import json
import os
from pathlib import Path

import binder
import built_book
import chromium
import lab_figures
import npm_packages
import pytest


@pytest.fixture
def project(tmp_path):
    """A project with a built book."""
    for name in built_book.SOURCES:
        if "." in name:
            (tmp_path / name).write_text("1")
        else:
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").write_text("1")
    (tmp_path / built_book.SITE).mkdir(parents=True)
    (tmp_path / built_book.SITE / "index.html").write_text("")
    return tmp_path


def test_a_book_is_fresh_until_a_source_changes_comes_or_goes(project):
    assert "no built book" in built_book.fault(project)
    built_book.mark(project)
    assert built_book.fault(project) == ""
    (project / "chapters" / "__pycache__").mkdir()
    (project / "chapters" / "__pycache__" / "x.pyc").write_text("2")
    (project / "results" / ".study-1.journal").write_text("2")
    (project / "chapters" / ".ruff_cache").mkdir()
    (project / "chapters" / ".ruff_cache" / "x").write_text("2")
    assert built_book.fault(project) == ""
    (project / "chapters" / "new").write_text("2")
    assert "older than its sources: run `make book`" in built_book.fault(project)
    built_book.mark(project)
    (project / "chapters" / "new").rename(project / "chapters" / "newer")
    assert "older than its sources" in built_book.fault(project)
    built_book.mark(project)
    (project / "chapters" / "newer").unlink()
    (project / "_config.yml").write_text("2")
    assert "older than its sources" in built_book.fault(project)


def test_a_project_in_a_hidden_folder_is_watched_too(project):
    hidden = project.rename(project.parent / ".hidden")
    built_book.mark(hidden)
    (hidden / "chapters" / "file").write_text("2")
    assert "older than its sources" in built_book.fault(hidden)


def test_every_source_of_the_book_is_watched():
    config = (built_book.ROOT / "_config.yml").read_text(encoding="utf-8")
    assert "bibtex_bibfiles: [references.bib]" in config
    assert all((built_book.ROOT / name).exists() for name in built_book.SOURCES)


def program(folder: Path, name: str, code: int = 0) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def find(monkeypatch, tmp_path):
    """Look for a browser on a PATH of our own, with no installer."""
    ways = dict(chromium.WAYS) | {"Playwright's installer": lambda: [str(tmp_path / "none")]}
    monkeypatch.setattr(chromium, "WAYS", ways)
    monkeypatch.setattr(chromium, "MANAGERS", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    return chromium.find.__wrapped__


def test_the_browser_of_the_system_is_taken_by_name_if_it_starts(find, tmp_path):
    program(tmp_path, "chromium", code=1)
    chrome = program(tmp_path, "google-chrome")
    assert find() == chrome


def test_without_a_browser_it_says_what_was_tried(find):
    with pytest.raises(chromium.NoBrowserError, match=r"no Chromium was found .*installer.*package manager"):
        find()


def test_a_package_manager_that_installs_one_is_the_last_resort(find, monkeypatch, tmp_path):
    manager = tmp_path / "manager"
    manager.write_text(f"#!/bin/sh\n: > {tmp_path}/chromium; /bin/chmod +x {tmp_path}/chromium\n")
    manager.chmod(0o755)
    monkeypatch.setattr(chromium, "MANAGERS", {"manager": (str(manager),)})
    monkeypatch.setattr(chromium, "_starts", lambda path: bool(path) and os.access(path, os.X_OK))
    assert find() == str(tmp_path / "chromium")


def test_packages_come_from_the_cache_without_a_network(node_modules_copy, monkeypatch):
    monkeypatch.setattr(npm_packages, "_npm_ci", lambda target: pytest.fail("asked the network"))
    assert (npm_packages.folder(cache=node_modules_copy) / "a-package").is_dir()


@pytest.fixture
def node_modules_copy(tmp_path, monkeypatch):
    """A cache into which packages were fetched once."""

    def fetched(target: Path) -> None:
        (target / "node_modules" / "a-package").mkdir(parents=True)

    with monkeypatch.context() as patch:
        patch.setattr(npm_packages, "_npm_ci", fetched)
        npm_packages.folder(cache=tmp_path / "cache")
    return tmp_path / "cache"


def test_a_fetch_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def fails(target: Path) -> None:
        (target / "node_modules").mkdir()
        raise npm_packages.FetchError("no network")

    monkeypatch.setattr(npm_packages, "_npm_ci", fails)
    with pytest.raises(npm_packages.FetchError):
        npm_packages.folder(cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_every_package_of_npm_is_pinned_by_checksum_and_none_names_a_registry():
    lock = json.loads((npm_packages.LOCKED / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert {"node_modules/axe-core", "node_modules/html-validate"} <= set(packages)
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_chapters_for_jupyterlab_are_named_by_their_numbers():
    assert binder.notebooks(["10", "04"]) == ["10-inna.ipynb", "04-momentum.ipynb"]
    assert len(binder.notebooks(["all"])) == len(list(binder.ROOT.glob("chapters/*.ipynb")))
    with pytest.raises(SystemExit, match=r"among 1, 2, .*10 or be “all”, got 11, x"):
        binder.notebooks(["1", "11", "x"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.0433", 0.0433),
        ("−1.5", -1.5),
        ("100", 100.0),
        ("10.5", 10.5),
        ("5.74·10⁻⁶", 5.74e-6),
        ("10⁻³", 1e-3),
        ("−10³", -1e3),
        ("0", 0.0),
        ("−2·10¹²", -2e12),
        ("diverged at 12", float("inf")),
    ],
)
def test_a_number_is_read_as_a_figure_writes_it(text, value):
    assert lab_figures.number(text) == pytest.approx(value)
