"""Prove, as far as a machine without Docker can, that Binder runs the chapters.

    python tools/binder.py                 a chapter in JupyterLab, and the playground if optkit has one
    python tools/binder.py --keep FOLDER   keeps clone and environment there, and uses them again

The committed state is cloned; a fresh environment gets what environment.yml pins, and nothing else;
JupyterLab starts in it; a chapter is opened in a real browser, all its cells are run and stored. Then a
playground is moved by the arrow keys, and Python is asked for the value. Takes some minutes: `make binder`
runs it, `make test` does not.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chromium
import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = "chapters/03-moving-averages.ipynb"
TRIAL = "playground-trial.ipynb"
TRIAL_CELLS = (
    "from optkit.widgets import Playground\nfigure = Playground(rules=['adam'], start=(-4.0, 0.5))\nfigure",
    "print('start', *figure.start)",
)
HANDLE = "Start point; the arrow keys move it"
MINUTES = 8


def main() -> None:
    """Run all steps; the first that fails ends the run with its reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for clone and environment; kept")
    chosen = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as passing:
        place = (chosen or Path(passing)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        project, binaries = clone(place), environment(place)
        with jupyterlab(place, project, binaries) as address, browser_page() as page:
            say(run_chapter(page, address, project))
            if (project / "optkit" / "widgets" / "playground.py").is_file():
                say(move_playground(page, address, project))
            else:
                say("optkit has no playground yet: that step was not run")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def clone(place: Path) -> Path:
    """The committed state, as Binder would get it."""
    project = place / "optkit"
    if not project.exists():
        subprocess.run(["git", "clone", "--quiet", ROOT, project], check=True)
    return project


def environment(place: Path) -> Path:
    """The programs of a fresh environment with what environment.yml names for pip."""
    folder, project = place / "environment", place / "optkit"
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        stated = yaml.safe_load((project / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
        lines = next(one["pip"] for one in stated if isinstance(one, dict))
        (place / "pins.txt").write_text("\n".join(lines), encoding="utf-8")
        pip = [binaries / "python", "-m", "pip"]
        started = time.monotonic()
        # In the folder of the project, since the last line is `--editable .`.
        subprocess.run([*pip, "install", "--quiet", "-r", place / "pins.txt"], cwd=project, check=True)
        subprocess.run([*pip, "check"], check=True)
        (folder / "complete").touch()
        say(f"a fresh environment from environment.yml: {time.monotonic() - started:.0f} s")
    return binaries


@contextmanager
def jupyterlab(place: Path, project: Path, binaries: Path) -> Iterator[str]:
    """JupyterLab without a window, with settings of its own; gives its address with the token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = {
        name: str(place / "settings" / name)
        for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR")
    }
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}"]
    options += ["--allow-root", "--ServerApp.port_retries=0"]
    with (place / "jupyterlab.log").open("w") as log:
        server = subprocess.Popen(
            [binaries / "jupyter", "lab", *options],
            cwd=project,
            env=os.environ | own | {"PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: answer(f"{address}/api?token={token}"), "JupyterLab to start", server)
            yield f"{address}/lab/tree/{{}}?reset&token={token}"
        finally:
            server.terminate()
            server.wait(timeout=60)


@contextmanager
def browser_page() -> Iterator[Any]:
    """A page of a browser that reaches this machine alone."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.launch_arguments()
        )
        yield browser.new_page(viewport={"width": 1440, "height": 1000})
        browser.close()


def run_chapter(page: Any, address: str, project: Path) -> str:
    """Run all cells of a chapter in JupyterLab; what the stored notebook then holds, in words."""
    notebook = run_all(page, address, project, CHAPTER)
    pictures = sum("image/png" in output.get("data", {}) for output in outputs(notebook))
    page.locator(".jp-Notebook h1").first.wait_for()
    if not page.locator(".jp-MarkdownCell .myst").count():
        raise SystemExit("jupyterlab-myst did not set the text of the chapter")
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    return f"{CHAPTER} in JupyterLab: {count} cells ran without an error, {pictures} pictures"


def move_playground(page: Any, address: str, project: Path) -> str:
    """Move the start point of a playground by the arrow keys, and have Python print it."""
    cells = [nbformat.v4.new_code_cell(source) for source in TRIAL_CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), project / TRIAL)
    before = printed_start(run_all(page, address, project, TRIAL))
    handle = page.get_by_role("slider", name=HANDLE)
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    drawn = handle.get_attribute("aria-valuetext")
    page.locator(".jp-CodeCell").nth(1).click()
    page.keyboard.press("Control+Enter")
    moved = wait_for(lambda: changed(page, project, before), "Python to read the moved start")
    if not moved[0] > before[0] or moved[1] != before[1]:
        raise SystemExit(f"the arrow right moved the start from {before} to {moved}")
    return f"the playground moved from {before} to {moved} as Python reads it; the handle says: {drawn}"


def changed(page: Any, project: Path, before: tuple[float, ...]) -> tuple[float, ...] | None:
    """The start that Python printed, once it is another."""
    page.keyboard.press("Control+s")
    page.wait_for_timeout(500)
    now = printed_start(nbformat.read(project / TRIAL, as_version=4))
    return now if now != before else None


def printed_start(notebook: Any) -> tuple[float, ...]:
    """The numbers that the second cell printed."""
    text = "".join(output.get("text", "") for output in notebook.cells[1].get("outputs", []))
    return tuple(float(word) for word in text.split()[1:])


def run_all(page: Any, address: str, project: Path, name: str) -> Any:
    """Open a notebook, run all its cells, store it, and read what was stored."""
    page.goto(address.format(name))
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=120_000)
    start_all(page)
    return wait_for(lambda: ran(page, project / name), f"all cells of {name} to run")


def start_all(page: Any) -> None:
    """Choose "Run All Cells" in the menu."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def ran(page: Any, path: Path) -> Any:
    """The stored notebook, once all its cells have run; ends the program if one of them failed."""
    select = page.locator(".jp-Dialog .jp-mod-accept")
    if select.count():  # JupyterLab asks which kernel, and offers the right one
        select.click()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    notebook = nbformat.read(path, as_version=4)
    failed = [output for output in outputs(notebook) if output.output_type == "error"]
    if failed:
        raise SystemExit(f"{path.name}: {failed[0].ename}: {failed[0].evalue}")
    if not any(cell.get("execution_count") for cell in notebook.cells):
        page.wait_for_timeout(5000)  # asked before the kernel was connected, JupyterLab forgets to run
        start_all(page)
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").count()
    done = all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source)
    return notebook if idle and done else None


def outputs(notebook: Any) -> Iterator[Any]:
    """All outputs of a notebook."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def answer(address: str) -> Any:
    """What a server says; None while it does not answer."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return json.load(response)
    except OSError:
        return None


def wait_for(question: Any, what: str, server: subprocess.Popen | None = None) -> Any:
    """Ask until there is an answer; ends the program after some minutes."""
    limit = time.monotonic() + 60 * MINUTES
    while time.monotonic() < limit:
        if found := question():
            return found
        if server and server.poll() is not None:
            raise SystemExit(f"waited for {what}, but the program ended with {server.returncode}")
        time.sleep(0.5)
    raise SystemExit(f"waited {MINUTES} minutes for {what}")


if __name__ == "__main__":
    shutil.which("git") or sys.exit("git is needed, and is not on the PATH")
    main()
