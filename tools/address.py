"""Write the address of the repository, which stands in _config.yml, wherever else it is needed.

Run with `python tools/address.py`; `make format` does. Written are a line of README.md, the addresses in
CITATION.cff, and the first code cell of each notebook, which installs optkit where it is missing (Colab).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "sphinx_ext"))

from optkit_book.address import parts, published  # noqa: E402

CELL_ID = "install-optkit"
# Not on the page and not on a slide, folded away in JupyterLab.
CELL_METADATA = {
    "jupyter": {"source_hidden": True},
    "slideshow": {"slide_type": "skip"},
    "tags": ["colab", "remove-cell"],
}
FOLDER = "optkit-course"
INSTALL = """\
# Where optkit is missing, as in Colab, it is installed; elsewhere nothing happens.
import sys
from importlib.util import find_spec

repository = "{url}"
if find_spec("optkit") is None:
    !git clone --quiet --depth 1 --branch {branch} $repository {folder}
    %pip install --quiet --editable {folder}
    sys.path.insert(0, "{folder}")"""
NO_ADDRESS = """\
from importlib.util import find_spec

if find_spec("optkit") is None:
    raise ModuleNotFoundError("optkit is missing: README.md says how to install it")"""
START, END = "<!-- launch: written by `make format` from _config.yml -->", "<!-- end of launch -->"


def configured(root: Path = ROOT) -> tuple[str, str]:
    """Address and branch of the repository in _config.yml."""
    stated = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    if stated["url"]:
        parts(stated["url"])
    return stated["url"], stated["branch"]


def install_cell(url: str, branch: str) -> str:
    """The cell that installs optkit, and the results that chapters read, where they are missing."""
    return (INSTALL if url else NO_ADDRESS).format(url=url, branch=branch, folder=FOLDER)


def with_install_cell(notebook: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    """The notebook whose first code cell is this one."""
    rest = [cell for cell in notebook.cells if "colab" not in cell.metadata.get("tags", ())]
    first = next((number for number, cell in enumerate(rest) if cell.cell_type == "code"), len(rest))
    cell = nbformat.v4.new_code_cell(source, id=CELL_ID, metadata=CELL_METADATA)
    notebook.cells = [*rest[:first], cell, *rest[first:]]
    return notebook


def launch_line(url: str, branch: str) -> str:
    """Links for the README; empty without an address."""
    if not url:
        return ""
    owner, name = parts(url)
    binder = f"https://mybinder.org/v2/gh/{owner}/{name}/{branch}?urlpath=lab/tree/chapters"
    colab = f"https://colab.research.google.com/github/{owner}/{name}/tree/{branch}/chapters"
    return f"[Read the book]({published(url)}) · [run it in Binder]({binder}) · [in Colab]({colab})\n"


def readme(text: str, url: str, branch: str) -> str:
    """README.md with these links between its two marks."""
    between = f"{START}\n{launch_line(url, branch)}{END}"
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: between, text, flags=re.DOTALL)


def citation(text: str, url: str) -> str:
    """CITATION.cff with the addresses of repository and site."""
    text = re.sub(r"^(repository-code|url): .*\n", "", text, flags=re.MULTILINE)
    lines = f"repository-code: {url}\nurl: {published(url)}\n" if url else ""
    return text.replace("license: BSD-3-Clause\n", f"license: BSD-3-Clause\n{lines}", 1)


def notebooks(root: Path = ROOT) -> list[Path]:
    """The notebooks of the book."""
    return sorted([*root.glob("chapters/*.ipynb"), *root.glob("reference/*.ipynb")])


def expected(root: Path = ROOT) -> dict[Path, str]:
    """The text that each file should have."""
    url, branch = configured(root)
    files = {root / "README.md": lambda text: readme(text, url, branch)}
    files[root / "CITATION.cff"] = lambda text: citation(text, url)
    for path in notebooks(root):
        files[path] = lambda text: (
            nbformat.writes(with_install_cell(nbformat.reads(text, as_version=4), install_cell(url, branch)))
            + "\n"
        )
    return {path: make(path.read_text(encoding="utf-8")) for path, make in files.items()}


if __name__ == "__main__":
    for path, text in expected().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
