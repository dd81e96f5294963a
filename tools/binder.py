"""Prove, as far as a machine without Docker can, that Binder runs the chapters.

    python tools/binder.py                 chapter 4 in JupyterLab, and its figures worked by a browser
    python tools/binder.py 1 10            these chapters; all: every one
    python tools/binder.py --keep FOLDER   keeps clone and environment there, and uses them again
    python tools/binder.py --app notebook  in Notebook 7 instead, which is installed on top of the pins

The committed state is cloned; a fresh environment gets what environment.yml pins, and nothing else;
JupyterLab starts in it; a chapter is opened in a real browser and all its cells are run. Then the browser
moves the chapter's playground by keys, by dragging and by a slider, and each small figure by keys, and Python
is asked for the values it has; Python sets them back, and the figures have to follow; a net is trained live,
and stopped. At last the chapter's student notebook is run as it is handed out: no check may fail with a
traceback. Takes some minutes: `make binder` runs it, `make test` does not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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
from lab import MINUTES, Lab
from lab_figures import with_cells_that_ask, work_figures

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ("4",)  # the chapter that has everything: playground, a small figure, nets that train live
EXERCISES = "_build/exercises"
APPS = {
    "lab": ("lab", "LabApp", "lab/tree/{}?reset&"),
    "notebook": ("notebook", "JupyterNotebookApp", "notebooks/{}?"),
}


def main() -> None:
    """Run all steps; the first that fails ends the run with its reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("chapters", nargs="*", default=DEFAULT, help="their numbers, or all; 4 by default")
    parser.add_argument("--keep", type=Path, help="folder for clone and environment; kept")
    parser.add_argument("--app", choices=APPS, default="lab", help="JupyterLab, or Notebook 7")
    chosen = parser.parse_args()
    names = notebooks(chosen.chapters)
    with tempfile.TemporaryDirectory() as passing:
        place = (chosen.keep or Path(passing)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        project, binaries = clone(place), environment(place)
        if chosen.app == "notebook":
            subprocess.run(
                [binaries / "python", "-m", "pip", "install", "--quiet", "notebook==7.*"], check=True
            )
        subprocess.run([binaries / "python", "tools/exercises.py", EXERCISES], cwd=project, check=True)
        with jupyter(chosen.app, place, project, binaries) as address:
            for name in names:
                run_chapter(address, project, name)
                if (project / EXERCISES / name).exists():
                    run_exercises(address, name)


def notebooks(numbers: list[str], root: Path = ROOT) -> list[str]:
    """The file names of chapters given by their numbers, or of all."""
    found = {str(int(path.name[:2])): path.name for path in sorted(root.glob("chapters/[0-9][0-9]-*.ipynb"))}
    if "all" in numbers:
        return list(found.values())
    if unknown := [number for number in numbers if number.lstrip("0") not in found]:
        raise SystemExit(f"chapters must be among {', '.join(found)} or be “all”, got {', '.join(unknown)}")
    return [found[number.lstrip("0")] for number in numbers]


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def clone(place: Path) -> Path:
    """The committed state, as Binder would get it."""
    project = place / "optkit"
    if not project.exists():
        subprocess.run(["git", "clone", "--quiet", ROOT, project], check=True)
    else:
        subprocess.run(["git", "fetch", "--quiet", ROOT, "HEAD"], cwd=project, check=True)
        subprocess.run(["git", "reset", "--quiet", "--hard", "FETCH_HEAD"], cwd=project, check=True)
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
def jupyter(app: str, place: Path, project: Path, binaries: Path) -> Iterator[str]:
    """Jupyter without a window, with settings of its own; gives its address with the token."""
    command, settings, where = APPS[app]
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
    options += ["--allow-root", "--ServerApp.port_retries=0", f"--{settings}.expose_app_in_browser=True"]
    with (place / f"{app}.log").open("w") as log:
        server = subprocess.Popen(
            [binaries / "jupyter", command, *options],
            cwd=project,
            env=os.environ | own | {"PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: answer(f"{address}/api?token={token}"), "Jupyter to start", server)
            yield f"{address}/{where}token={token}"
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


def run_chapter(address: str, project: Path, name: str) -> None:
    """Run all cells of a chapter, and work its figures."""
    path = project / "chapters" / name
    notebook = nbformat.read(path, as_version=4)
    with_cells_that_ask(notebook)
    nbformat.write(notebook, path)
    with opened(address, f"chapters/{name}") as lab:
        cells, seconds = timed(lab)
        lab.page.locator(".jp-Notebook h1").first.wait_for()
        code = [cell for cell in cells if cell["type"] == "code"]
        pictures = sum("image/png" in output.get("data", {}) for cell in code for output in cell["outputs"])
        say(f"{name}: {len(code)} cells ran without an error in {seconds:.0f} s, {pictures} pictures")
        for line in work_figures(lab):
            say(f"  {line}")


def run_exercises(address: str, name: str) -> None:
    """Run a student notebook as it is handed out: no cell fails, and each check says "Not yet"."""
    with opened(address, f"{EXERCISES}/{name}") as lab:
        cells, seconds = timed(lab)
    asked = sum(len(re.findall(r"^check_\w+\(", cell["source"], re.MULTILINE)) for cell in cells)
    refused = sum(
        "".join(output.get("data", {}).get("text/plain", "")).startswith("Not yet.")
        for cell in cells
        for output in cell["outputs"]
    )
    if refused != asked:
        raise SystemExit(f"{EXERCISES}/{name}: {asked} checks, and {refused} of them say “Not yet.”")
    say(f"  its student notebook ran without an error in {seconds:.0f} s; {asked} checks say “Not yet.”")


@contextmanager
def opened(address: str, path: str) -> Iterator[Lab]:
    """A notebook, open in a browser of its own; its kernel ends with it."""
    with browser_page() as page:
        lab = Lab(page, address.format(path), path)
        yield lab
        lab.close()


def timed(lab: Lab) -> tuple[list[dict[str, Any]], float]:
    """Run all cells of a notebook; the cells, and the seconds that it took."""
    started = time.monotonic()
    return lab.run_all(), time.monotonic() - started


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
