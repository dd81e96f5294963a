"""What the README, the recipes and the workflows name exists, and the licences are in place."""

import re
from pathlib import Path

import pytest

from optkit.rules import RULES

ROOT = Path(__file__).parent.parent
GUIDES = ("README.md", "CONTRIBUTING.md")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_make_target_named_exists(guide):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", read(guide), re.MULTILINE))
    assert {"book", "test"} <= named <= targets


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_named_exists(guide):
    links = re.findall(r"\]\(([^):]+)\)", read(guide))
    rooms = re.findall(r"`((?:optkit|chapters|tests|sphinx_ext|results)/[\w/.]*)`", read(guide))
    assert rooms
    for path in links + rooms:
        assert list(ROOT.glob(path.rstrip("/") + "*")), path


def test_every_page_is_in_the_table_of_contents_and_the_chapters_stand_in_order():
    listed = re.findall(r"- file: (\S+)", read("_toc.yml"))
    pages = [p for folder in ("chapters", "reference") for p in (ROOT / folder).rglob("*.*")]
    names = {"preface"} | {
        str(p.relative_to(ROOT).with_suffix("")) for p in pages if p.suffix in {".md", ".ipynb"}
    }
    assert set(listed) == names
    chapters = [name for name in listed if name.startswith("chapters/")]
    assert chapters == sorted(chapters)


def test_the_rule_in_the_readme_is_the_one_in_the_package():
    shown = re.search(r"```python\n@rule\n(def (\w+).*?)```", read("README.md"), re.DOTALL)
    text = re.sub(r'    """.*?"""\n', "", RULES[shown[2]].source, flags=re.DOTALL)
    assert shown[1] == text


def test_continuous_integration_runs_the_two_commands_of_the_readme():
    lines = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert lines == ["set -eo pipefail", 'cd "$(dirname "$0")/.."', "make book", "make test"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_the_same_and_pin_their_actions(workflow):
    text = workflow.read_text(encoding="utf-8")
    assert "set -eo pipefail\n          .ci/run\n" in text
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in actions)


def test_the_licences_are_in_place():
    assert read("LICENSE").startswith("BSD 3-Clause License\n\nCopyright (c) 2026, the optkit authors\n")
    assert "SPDX-License-Identifier: CC-BY-4.0" in read("LICENSE-TEXT")
    notices = [
        path for path in (ROOT / "optkit" / "data" / "files").iterdir() if "MIT License" in text_of(path)
    ]
    assert notices, "the shipped data needs its MIT notice beside it"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.suffix in {"", ".txt", ".md"} else ""
