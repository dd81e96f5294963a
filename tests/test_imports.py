"""What importing optkit loads, and which of its rooms may import which."""

import subprocess
import sys
from pathlib import Path

import pytest

import optkit

ROOT = Path(__file__).parent.parent
HEAVY = ("numpy", "torch", "matplotlib", "pandas", "scipy", "sklearn", "tqdm", "IPython")


def loaded_after(statement: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter has loaded after a statement."""
    script = f"import sys; {statement}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_optkit_loads_nothing_heavy():
    assert loaded_after("import optkit") == set()


@pytest.mark.parametrize("room", ["rules", "translation", "kernels", "figures", "page", "quiz"])
def test_rooms_without_torch(room):
    assert loaded_after(f"import optkit.{room}") <= {"numpy"}


def test_widgets_need_what_notebooks_have():
    assert loaded_after("import optkit.widgets") <= {"numpy", "IPython"}


def test_the_probe_sees_what_is_loaded():
    assert loaded_after("import numpy") == {"numpy"}


def test_rooms_load_when_first_used():
    script = "import optkit; assert 'rules' in dir(optkit); print(optkit.rules.RULES['adam'].name)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["adam"]


def test_an_unknown_room_is_refused():
    with pytest.raises(AttributeError, match=r"optkit has no 'kernel'; it has .*rules"):
        _ = optkit.kernel


def test_imports_point_down():
    """The layers of pyproject.toml, checked by import-linter."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
