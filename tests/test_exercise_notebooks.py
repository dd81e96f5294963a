"""Student notebooks: every check is there, no solution is, and the cells still run in their order."""

import ast
import builtins
import re
import subprocess
import sys
from pathlib import Path

import exercises
import nbformat
import pytest

from optkit.quiz import quiz, unsealed

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
NEW = nbformat.v4
QUIZ = 'from optkit.quiz import quiz\nquiz("Even?", {"2": "Yes.", "3": "It is odd."}, correct="2")'
STUB = "def f(x):\n    return ...\n\n\ncheck_f(f)"
SOLUTION = "def f(x):\n    return x\n\n\ncheck_f(f)"


def chapter(*parts: str) -> nbformat.NotebookNode:
    """A notebook: a part that begins with `>` is code, others are text."""
    cells = [
        NEW.new_code_cell(part[1:], id=f"c{number}")
        if part.startswith(">")
        else NEW.new_markdown_cell(part, id=f"c{number}")
        for number, part in enumerate(parts)
    ]
    return NEW.new_notebook(cells=cells, metadata={"optkit": {"finished": True}})


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    "parts",
    [
        (
            "```{exercise-start} One\n:label: ex-one\n```\nWrite it.",
            f">{STUB}",
            "```{exercise-end}\n```\n\n```{solution-start} ex-one\n:class: dropdown\n```\nBecause.",
            f">{SOLUTION}",
            "```{solution-end}\n```\n\nAfterwards.",
        ),
        (
            "```{exercise} One\n:label: ex-one\n\nWrite it.\n```",
            f">{STUB}",
            "```{solution-start} ex-one\n:class: dropdown\n```\nBecause.",
            f">{SOLUTION}",
            "```{solution-end}\n```\n\nAfterwards.",
        ),
        (
            "````{exercise} One\n:label: ex-one\nWrite it.\n````",
            f">{STUB}",
            "````{solution} ex-one\n:class: dropdown\nBecause:\n```python\nx\n```\n````\n\nAfterwards.",
        ),
        (
            ":::{exercise} One\n:label: ex-one\nWrite it.\n:::",
            f">{STUB}",
            ":::{solution} ex-one\nBecause.\n:::\nAfterwards.",
        ),
    ],
)
def test_a_solution_goes_and_its_exercise_stays(parts):
    made = exercises.student(chapter(*parts), "04-x.ipynb")
    heading, stub, after = sources(made)
    assert re.fullmatch(r"\(ex-one\)=\n### Exercise 4.1: One\n+Write it\.", heading)
    assert stub == STUB
    assert after == "Afterwards."
    assert made.cells[1].id == "c1"


def test_an_exercise_without_a_cell_gets_one():
    text = "```{exercise} Open\n:label: ex-a\nThink.\n```\n\n```{solution-start} ex-a\n```"
    parts = (
        text,
        ">1",
        "```{solution-end}\n```\n\n```{exercise} Last\n:label: ex-b\nThink more.\n```\n\n## End\n\nBooks.",
    )
    made = exercises.student(chapter(*parts), "04-x.ipynb")
    assert code(made) == [exercises.ANSWER] * 2
    assert [source.split("\n")[-1] for source in sources(made)] == [
        "Think.",
        exercises.ANSWER,
        "Think more.",
        exercises.ANSWER,
        "Books.",
    ]
    nbformat.validate(made)


def test_a_question_keeps_its_feedback_and_hides_its_answer():
    parts = ("```{exercise-start} Q\n:label: ex-q\n```", f">{QUIZ}", "```{exercise-end}\n```")
    (source,) = code(exercises.student(chapter(*parts), "04-x.ipynb"))
    assert "correct" not in source
    assert "odd" not in source
    names = {}
    exec(source.replace("unsealed(\n", "found = unsealed(\n"), names)
    assert names["found"] == quiz("Even?", {"2": "Yes.", "3": "It is odd."}, correct="2")


@pytest.mark.parametrize("text", ["", "not sealed", "QUJD"])
def test_another_text_is_no_question(text):
    with pytest.raises(ValueError, match="text must be a sealed question"):
        unsealed(text)


def test_links_lead_to_chapters_or_to_the_site():
    text = (
        "[a](03-a.ipynb) [b](../reference/conventions.ipynb#x) [c](https://x.org) ![d](d.png)\n\n"
        + "```{exercise} E\nx\n```"
    )
    without = sources(exercises.student(chapter(text), "04-x.ipynb"))[0]
    assert "[a](03-a.ipynb) b [c](https://x.org) ![d](d.png)" in without
    with_site = sources(exercises.student(chapter(text), "04-x.ipynb", "https://o.github.io/n/"))[0]
    assert "[b](https://o.github.io/n/reference/conventions.html#x)" in with_site


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (("```{exercise} E\nx\n```\n```{solution-start} ex-e\n```", ">1"), "solution of ex-e has no end"),
        (("```{exercise} E\nx",), "not closed"),
        ((f">answer = 2\n{QUIZ}",), "stands alone"),
        ((f">{QUIZ}\n{QUIZ}",), "stands alone"),
        ((">quiz(question, {}, correct='2')",), "written out"),
    ],
)
def test_a_chapter_of_another_form_is_refused(parts, fault):
    with pytest.raises(exercises.ExerciseError, match=fault):
        exercises.student(chapter(*parts), "04-x.ipynb")


def test_a_chapter_without_exercises_has_no_student_notebook():
    assert exercises.student(chapter("# Title", ">1"), "04-x.ipynb") is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The student notebooks as `make exercises` writes them."""
    target = tmp_path_factory.mktemp("exercises")
    subprocess.run([sys.executable, ROOT / "tools" / "exercises.py", target], check=True, capture_output=True)
    return target


def bound(tree: ast.AST) -> set[str]:
    """Names that some code binds."""
    found = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def checks(notebook: nbformat.NotebookNode) -> set[str]:
    return set(re.findall(r"^check_\w+(?=\()", "\n".join(code(notebook)), re.MULTILINE))


def unbound(notebook: nbformat.NotebookNode) -> set[str]:
    """Names that a cell uses and no cell up to it binds."""
    known, missing = set(dir(builtins)), set()
    for source in code(notebook):
        tree = ast.parse(re.sub(r"^\s*[!%].*$", "", source, flags=re.MULTILINE))
        known |= bound(tree)
        missing |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in known}
    return missing


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_student_notebook_has_all_checks_no_solution_and_runs_in_order(path, folder):
    whole = nbformat.read(path, as_version=4)
    if "{exercise" not in "".join(sources(whole)):
        assert not (folder / path.name).exists()
        return
    made = nbformat.read(folder / path.name, as_version=4)
    nbformat.validate(made)
    text = "\n".join(sources(made))
    assert "{solution" not in text
    assert "{exercise" not in text
    assert "correct=" not in text
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in made.cells)
    assert checks(made) == checks(whole)
    assert text.count("### Exercise ") == len(re.findall(r"\{exercise(-start)?\}", "\n".join(sources(whole))))
    # The answers are still to be written, and nothing after them needs what a solution has computed.
    assert sum("..." in source for source in code(made)) >= len(checks(made))
    assert unbound(made) == set()


def test_a_name_from_a_solution_is_missed():
    assert unbound(chapter(">a = 1", ">a + b")) == {"b"}


def test_the_folder_says_how_to_begin_and_nothing_of_it_is_committed(folder):
    assert "jupyter lab" in (folder / "README.md").read_text(encoding="utf-8")
    assert {path.suffix for path in folder.iterdir()} == {".ipynb", ".md"}
    done = subprocess.run(["git", "check-ignore", "--quiet", exercises.FOLDER], cwd=ROOT, check=False)
    assert done.returncode == 0
