"""Write the student notebooks: the chapters, with every check and without a solution.

    python tools/exercises.py            into _build/exercises
    python tools/exercises.py FOLDER     elsewhere

A student notebook is a chapter whose solutions are gone, with an empty cell where an answer is to be written.
Its questions keep their feedback, but not in a form that shows at a glance which answer is right. Nothing of
this is committed: `make exercises` makes it from the chapters whenever it is wanted.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "sphinx_ext"))

import address  # noqa: E402
from optkit_book.address import published  # noqa: E402

from optkit.quiz import quiz  # noqa: E402

FOLDER = Path("_build") / "exercises"
FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<name>exercise|solution)(?P<part>-start|-end)?\}\s*(?P<rest>.*)$"
)
OPTION = re.compile(r"^:(?P<name>[\w-]+):\s*(?P<value>.*)$")
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
FOLDED = {"remove-input", "hide-input", "colab"}
ANSWER = "# Your answer"
READ_ME = """# Exercises

Each notebook here is a chapter of the book without its solutions. Work from its top: an exercise may use what
the chapter has computed. A check says that an answer is right, or which mistake it shows. Of an exercise that
is still to be done it says so, and the cells after it run all the same.

The notebooks need Python 3.11 or newer, optkit and JupyterLab:

```shell
{install}
jupyter lab
```
"""
INSTALL = (
    'git clone {url} optkit-course\npip install --editable "./optkit-course" jupyterlab jupyterlab-myst',
    "pip install --editable FOLDER jupyterlab jupyterlab-myst   # FOLDER: your copy of the project",
)


class ExerciseError(ValueError):
    """A chapter is written in a way from which no student notebook can be made."""


def student(notebook: NotebookNode, name: str, site: str = "") -> NotebookNode | None:
    """The student notebook of a chapter, or None for a chapter that has no exercises.

    Args:
        notebook: The chapter, which is left as it is.
        name: Its file name; the number in front of it numbers the exercises.
        site: Address of the published book, for links to other pages than chapters; empty if there is none.

    Raises:
        ExerciseError: A solution without an end, or a question that is not written out in its cell.
    """
    number = int(name.partition("-")[0])
    made = _Student(number)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            made.read(cell)
        elif not made.in_solution:
            made.keep(cell, _student_code(cell, name))
    made.close()
    if made.in_solution:
        raise ExerciseError(f"{name}: the solution of {made.in_solution} has no end")
    if not made.exercises:
        return None
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = _links(cell.source, site)
    metadata = {
        key: value for key, value in notebook.metadata.items() if key in {"kernelspec", "language_info"}
    }
    return nbformat.v4.new_notebook(cells=made.cells, metadata=metadata)


@dataclass
class _Student:
    """The cells so far, and where the reading stands."""

    chapter: int
    cells: list[NotebookNode] = field(default_factory=list)
    exercises: int = 0
    in_solution: str = ""
    unanswered: bool = False
    _ids: set[str] = field(default_factory=set)

    def keep(self, cell: NotebookNode, source: str) -> None:
        """Take a code cell over."""
        tags = set(cell.metadata.get("tags", []))
        metadata = {"jupyter": {"source_hidden": True}} if tags & FOLDED or source != cell.source else {}
        self.cells.append(nbformat.v4.new_code_cell(source, id=self._id(cell.id), metadata=metadata))
        self.unanswered = False

    def read(self, cell: NotebookNode) -> None:
        """Take a text cell over, but for solutions; exercises become headings."""
        lines, kept = cell.source.split("\n"), []
        while lines:
            line = lines.pop(0)
            found = FENCE.match(line)
            if not found:
                if re.match(r"#{1,6} ", line):
                    kept = self._flush(cell, kept)
                if not self.in_solution:
                    kept.append(line)
                continue
            if found["name"] == "exercise" and found["part"] != "-end":
                kept = self._flush(cell, kept)
            elif found["name"] == "solution" and found["part"] != "-end":
                self._text(cell, kept)
                kept = self._answer()
                self.in_solution = found["rest"] or "an exercise"
            # What stands inside of the fence: options, and the text unless the directive is one of a pair.
            inside = _until_close(lines, found["fence"])
            options = dict(_options(inside))
            if found["name"] == "exercise" and found["part"] != "-end":
                self.exercises += 1
                title = found["rest"] or "Exercise"
                label = [f"({options['label']})="] if "label" in options else []
                kept += [*label, f"### Exercise {self.chapter}.{self.exercises}: {title}", "", *inside]
                self.unanswered = True
            if found["name"] == "solution" and found["part"] != "-start":
                self.in_solution = ""
        self._text(cell, kept)

    def close(self) -> None:
        """The last exercise may still want its empty cell."""
        self._answer()

    def _flush(self, cell: NotebookNode, kept: list[str]) -> list[str]:
        self._text(cell, kept)
        return self._answer()

    def _text(self, cell: NotebookNode, lines: list[str]) -> None:
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        if text:
            self.cells.append(nbformat.v4.new_markdown_cell(text, id=self._id(cell.id)))

    def _answer(self) -> list[str]:
        if self.unanswered:
            self.cells.append(nbformat.v4.new_code_cell(ANSWER, id=self._id(f"answer-{self.exercises}")))
        self.unanswered = False
        return []

    def _id(self, wanted: str) -> str:
        """An id that no other cell has: a text cell may be cut into several."""
        free = next(
            one
            for n in range(len(self._ids) + 2)
            if (one := f"{wanted[:58]}-{n}" if n else wanted) not in self._ids
        )
        self._ids.add(free)
        return free


def _until_close(lines: list[str], fence: str) -> list[str]:
    """Take the lines of a directive off, its closing fence included."""
    inside = []
    while lines:
        line = lines.pop(0)
        if line.strip() and not line.strip().strip(fence[0]) and len(line.strip()) >= len(fence):
            return inside
        inside.append(line)
    raise ExerciseError(f"a directive opened by {fence} is not closed")


def _options(inside: list[str]) -> Iterator[tuple[str, str]]:
    """Take the options of a directive off its lines."""
    while inside and (found := OPTION.match(inside[0])):
        inside.pop(0)
        yield found["name"], found["value"]


def _student_code(cell: NotebookNode, name: str) -> str:
    """The source of a cell; a question's is sealed, since its own gives the answer away."""
    tree = ast.parse(re.sub(r"^\s*[!%].*$", "", cell.source, flags=re.MULTILINE))
    calls = [
        one for one in ast.walk(tree) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == "quiz"
    ]
    if not calls:
        return cell.source
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    if len(calls) > 1 or len(imports) + 1 < len(tree.body):
        raise ExerciseError(f"{name}: a question stands alone in its cell: {cell.source[:60]!r}")
    try:
        arguments = [ast.literal_eval(one) for one in calls[0].args]
        named = {one.arg: ast.literal_eval(one.value) for one in calls[0].keywords}
    except ValueError as error:
        raise ExerciseError(
            f"{name}: a question is written out in its cell, without names: {error}"
        ) from error
    text = quiz(*arguments, **named).seal()
    lines = "\n".join(f'    "{text[start : start + 70]}"' for start in range(0, len(text), 70))
    kept = [ast.unparse(one) for one in imports if getattr(one, "module", "") != "optkit.quiz"]
    return "\n".join([*kept, f"from optkit.quiz import unsealed\n\nunsealed(\n{lines}\n)"])


def _links(text: str, site: str) -> str:
    """Chapters are beside each other here as well; other pages are on the site, or are only named."""

    def one(found: re.Match[str]) -> str:
        target = found["target"]
        if re.match(r"\w+:|#", target) or re.fullmatch(r"\d\d-[\w-]+(\.ipynb)?(#.*)?", target):
            return found[0]
        page = re.sub(r"\.(ipynb|md)(?=#|$)", ".html", target.removeprefix("../"))
        return f"[{found['text']}]({site}{page})" if site else found["text"]

    return LINK.sub(one, text)


def write(folder: Path, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Write the student notebooks; the names of those written, and of chapters without exercises."""
    folder.mkdir(parents=True, exist_ok=True)
    url, _ = address.configured(root)
    written, without = [], []
    for path in sorted(root.glob("chapters/*.ipynb")):
        made = student(nbformat.read(path, as_version=4), path.name, published(url))
        (written if made else without).append(path.name)
        if made:
            (folder / path.name).write_text(nbformat.writes(made) + "\n", encoding="utf-8")
    install = INSTALL[0].format(url=url) if url else INSTALL[1]
    (folder / "README.md").write_text(READ_ME.format(install=install), encoding="utf-8")
    return written, without


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / FOLDER
    done, openings = write(target)
    print(f"{len(done)} student notebooks are in {target}: {', '.join(done)}")
    if openings:
        print(f"without exercises, and so not there: {', '.join(openings)}")
