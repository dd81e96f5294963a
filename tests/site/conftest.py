"""Real Sphinx builds of small projects, with the book's own extension and settings."""

import io
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Site:
    """A built site: its folder and what Sphinx warned of."""

    folder: Path
    warnings: str

    def html(self, page: str = "index") -> str:
        return (self.folder / f"{page}.html").read_text(encoding="utf-8")


def _build(folder: Path, outdir: Path, settings: dict) -> Site:
    warnings = io.StringIO()
    with patch_docutils(str(folder)), docutils_namespace():
        app = Sphinx(
            str(folder), None, str(outdir), str(outdir / ".doctrees"), "html", settings, None, warnings
        )
        app.build()
    return Site(outdir, warnings.getvalue())


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Build a site from {file name: text} with MyST-NB and the book's extension; nothing is executed."""
    monkeypatch.syspath_prepend(str(ROOT / "sphinx_ext"))
    settings = {
        "extensions": ["myst_nb", "optkit_book"],
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath", "colon_fence"],
        "numfig": True,
        "root_doc": "index",
        "nb_ipywidgets_js": {},
    }

    def run(files: dict[str, str], **others: Any) -> Site:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        for name, text in files.items():
            if not (source / name).exists():  # a second build finds the files as they were
                (source / name).write_text(text, encoding="utf-8")
        return _build(source, tmp_path / "html", settings | others)

    return run


@pytest.fixture(scope="session")
def book(tmp_path_factory) -> Site:
    """A one-page book, built by the command of the Makefile with the book's own _config.yml and extension."""
    source = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "sphinx_ext", source / "sphinx_ext")
    shutil.copyfile(ROOT / "_config.yml", source / "_config.yml")
    (source / "_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    (source / "references.bib").write_text("", encoding="utf-8")
    (source / "index.md").write_text("# T\n\n$$\nx^2\n$$\n", encoding="utf-8")
    command = [Path(sys.executable).parent / "jupyter-book", "build", source, "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Site(source / "_build" / "html", "" if done.returncode == 0 else done.stdout + done.stderr)
