"""What a chapter marked as finished has besides its parts: figures, exercises and slides in order.

The parts themselves, and the form of every cell, are looked after by `test_notebook_form`; claims and their
numbers by `studies/test_quotes`.
"""

import ast
import copy
import json
import re
from pathlib import Path

import pytest

from optkit import exercises

ROOT = Path(__file__).parent.parent
DIRECTIVE = re.compile(r"```\{(exercise-start|exercise-end|exercise|solution-start|solution-end)\}([^`]*)")
SLIDES = range(8, 15)
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes"}


def notebook_at(path):
    return json.loads(path.read_text(encoding="utf-8"))


def finished():
    """The chapters that say of themselves that they are finished."""
    paths = sorted(ROOT.glob("chapters/*.ipynb"))
    return [path for path in paths if notebook_at(path)["metadata"].get("optkit", {}).get("finished")]


def text(cell):
    return "".join(cell["source"])


def cells(notebook, kind):
    return [text(cell) for cell in notebook["cells"] if cell["cell_type"] == kind]


def faults(notebook):
    """What a finished chapter lacks, one line for each fault."""
    checks = (printed_faults, figure_faults, alt_faults, exercise_faults, slide_faults)
    return [fault for check in checks for fault in check(notebook)]


def printed_faults(notebook):
    code = "\n".join(cells(notebook, "code"))
    return [f"no {call}( prints from the rules" for call in ("equation", "source") if f"{call}(" not in code]


def figure_faults(notebook):
    """Each figure is referred to in the text, and one of them, not more, opens the chapter."""
    code, prose = "\n".join(cells(notebook, "code")), "\n".join(cells(notebook, "markdown"))
    names = set(re.findall(r'"(fig-[a-z0-9-]+)"', code))
    names |= {f"fig-play-{name}" for name in re.findall(r'preset\("([a-z-]+)"\)', code)}
    said = set(re.findall(r"\{numref\}`[^`]*?(fig-[a-z0-9-]+)>?`", prose))
    found = [f"{name} is not referred to in the text" for name in sorted(names - said)]
    opening = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and "**You will learn**" in text(cell):
            break
        opening += cell["cell_type"] == "code" and bool(re.search(r"\b(preset|show|titled)\(", text(cell)))
    return found if opening == 1 else [*found, f"{opening} figures open the chapter, not one"]


def alt_faults(notebook):
    """A typed alternative text is a sentence. Those that figures return are tested with them."""
    found = []
    for source in cells(notebook, "code"):
        for node in ast.walk(ast.parse(source)):
            for keyword in node.keywords if isinstance(node, ast.Call) else ():
                if keyword.arg == "alt" and not is_sentence(keyword.value):
                    found.append(f"alt={ast.unparse(keyword.value)[:60]} is no sentence")
    return found


def is_sentence(value):
    if isinstance(value, ast.JoinedStr):
        value = value.values[-1]  # before it stands what was computed
        return isinstance(value, ast.Constant) and str(value.value).rstrip().endswith((".", "!", "?"))
    if isinstance(value, ast.Constant):
        words = str(value.value).split()
        return len(words) >= 4 and words[-1].endswith((".", "!", "?")) and not words[0][0].islower()
    return True


def exercise_faults(notebook):
    asked, solved = exercises_of(notebook)
    found = []
    for label, one in asked.items():
        if one["quiz"]:
            continue  # the quiz answers itself, with feedback on each answer
        if label not in solved:
            found.append(f"{label} has no solution")
        elif not solved[label]["hidden"]:
            found.append(f"the solution of {label} is not folded away")
        elif not solved[label]["code"]:
            found.append(f"the solution of {label} is not executed")
        elif not one["checks"] <= solved[label]["checks"]:
            found.append(f"the solution of {label} is not given to its check")
    kinds = {
        "exercises": (5, len(asked)),
        "quizzes": (2, sum(one["quiz"] for one in asked.values())),
        "coding exercises with a check": (2, sum(bool(one["checks"]) for one in asked.values())),
        "open exercises": (1, sum(not one["quiz"] and not one["checks"] for one in asked.values())),
    }
    found += [
        f"{count} {kind}, fewer than {least}" for kind, (least, count) in kinds.items() if count < least
    ]
    return found + [f"{label} solves no exercise" for label in solved if label not in asked]


def exercises_of(notebook):
    """Label → what the exercise asks with, and label → what its solution is made of."""
    asked, solved = {}, {}
    here = None
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for directive, rest in DIRECTIVE.findall(text(cell)):
                here = None
                if directive in ("exercise", "exercise-start"):
                    label = re.search(r":label:\s*(\S+)", rest).group(1)
                    here = asked.setdefault(label, {"quiz": False, "checks": set()})
                elif directive == "solution-start":
                    hidden = ":class: dropdown" in rest
                    here = {"hidden": hidden, "code": False, "checks": set()}
                    solved[rest.split()[0]] = here
        elif here is not None:
            here["checks"] |= set(re.findall(r"\bcheck_\w+(?=\()", text(cell)))
            here["quiz" if "quiz" in here else "code"] = "quiz" not in here or "quiz(" in text(cell)
    return asked, solved


def slide_faults(notebook):
    kinds = [
        cell["metadata"].get("slideshow", {}).get("slide_type", "no slide type") for cell in notebook["cells"]
    ]
    found = sorted({f"a cell has {kind!r}" for kind in kinds if kind not in SLIDE_TYPES})
    if kinds[0] != "slide":
        found.append("the title is no slide")
    count = sum(kind in ("slide", "subslide") for kind in kinds)
    return found if count in SLIDES else [*found, f"{count} slides, not 8 to 14"]


@pytest.mark.parametrize("path", finished(), ids=lambda path: path.stem)
def test_a_finished_chapter_is_whole(path):
    assert faults(notebook_at(path)) == []


@pytest.mark.parametrize("path", finished(), ids=lambda path: path.stem)
def test_its_checks_are_public(path):
    asked, _ = exercises_of(notebook_at(path))
    used = {name for one in asked.values() for name in one["checks"]}
    assert used <= set(exercises.__all__)


def test_every_check_is_tested():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/exercises/*.py"))
    assert [name for name in exercises.__all__ if name.startswith("check_") and name not in tests] == []


GOOD = ROOT / "chapters" / "01-gradient-descent.ipynb"


def without(old, new=""):
    """A finished chapter with one text replaced wherever it stands."""
    notebook = copy.deepcopy(notebook_at(GOOD))
    for cell in notebook["cells"]:
        cell["source"] = text(cell).replace(old, new)
    return notebook


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("source(", "sources(", "no source( prints"),
        ("{numref}`fig-newton-basins`", "the map", "fig-newton-basins is not referred to"),
        ("preset(", "no_preset(", "0 figures open"),
        ("**You will learn**", "", "figures open"),
        (
            "```{solution-start} ex-descent-best\n:class: dropdown",
            "```{note}",
            "ex-descent-best has no solution",
        ),
        (":class: dropdown", ":class: open", "ex-descent-best is not folded away"),
        ("return 2 / (mu + L)\n\n\ncheck_best_rate(best_rate)", "return 1", "ex-descent-best is not given"),
        ("quiz(", "riddle(", "0 quizzes, fewer than 2"),
        ("check_", "tell_", "0 coding exercises with a check, fewer than 2"),
    ],
)
def test_what_is_missing_is_found(old, new, fault):
    assert old in "\n".join(map(text, notebook_at(GOOD)["cells"]))
    assert any(fault in one for one in faults(without(old, new)))


def test_slides_that_are_too_many_or_not_marked_are_found():
    notebook = notebook_at(GOOD)
    notebook["cells"][3]["metadata"].pop("slideshow")
    assert slide_faults(notebook) == ["a cell has 'no slide type'"]
    for cell in notebook["cells"]:
        cell["metadata"]["slideshow"] = {"slide_type": "slide"}
    assert slide_faults(notebook) == [f"{len(notebook['cells'])} slides, not 8 to 14"]


@pytest.mark.parametrize(
    ("alt", "good"),
    [
        ("'The loss falls from 2 to 1.'", True),
        ("'loss curve'", False),
        ("'The loss falls from 2 to 1'", False),
        ("f'{alt} It leaps {n} times.'", True),
        ("f'{alt} {n}'", False),
        ("alt", True),
        ("' '.join(alts)", True),
    ],
)
def test_a_sentence_is_told_from_a_label(alt, good):
    assert is_sentence(ast.parse(alt, mode="eval").body) == good
