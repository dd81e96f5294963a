"""What the preface asks a reader to type works."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PREFACE = (ROOT / "preface.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PREFACE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(CODE)))
def test_its_code_runs(number, tmp_path):
    file = tmp_path / "cell.py"  # a rule is read from the file that it stands in
    file.write_text(CODE[number], encoding="utf-8")
    names = {}
    exec(compile(CODE[number], str(file), "exec"), names)
    assert len(names) > 1


def test_there_is_code_and_every_target_exists():
    assert len(CODE) == 2
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"book", "test", "format"} <= set(re.findall(r"make ([a-z]+)", PREFACE)) & targets


def test_the_plan_has_a_week_for_every_chapter():
    planned = re.findall(r"^\| (\d+) \| \[[^]]+\]\((chapters/\S+?)\)", PREFACE, re.MULTILINE)
    chapters = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "chapters").glob("*.ipynb"))
    assert [chapter for _, chapter in planned] == chapters
    assert [int(week) for week, _ in planned] == list(range(1, len(chapters) + 1))
