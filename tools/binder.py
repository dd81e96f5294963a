"""Prove, as far as a machine without Docker can, that Binder runs the chapters.

    python tools/binder.py                 a chapter in JupyterLab, and its figures worked by a browser
    python tools/binder.py --keep FOLDER   keeps clone and environment there, and uses them again
    python tools/binder.py --app notebook  in Notebook 7 instead, which is installed on top of the pins

The committed state is cloned; a fresh environment gets what environment.yml pins, and nothing else;
JupyterLab starts in it; a chapter is opened in a real browser and all its cells are run. Then the browser
moves the chapter's playground by keys, by dragging and by a slider, and Python is asked for the values it
has; Python sets one, and the figure has to follow; a net is trained live, and stopped. Takes some minutes:
`make binder` runs it, `make test` does not.
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

ROOT = Path(__file__).resolve().parent.parent
CHAPTER = "chapters/04-momentum.ipynb"
PRINT = """import json

from optkit.widgets import LiveTraining, Playground

shown = [out for out in Out.values() if isinstance(out, Playground)]
paths = shown[0].trajectory
losses = {name: float(path.loss[shown[0].step]) for name, path in paths.items()}
print(json.dumps({"figures": len(shown), "state": shown[0].state, "losses": losses}))"""
SET = "shown[0].start = (-2.5, 0.25)\nprint(json.dumps(shown[0].state))"
TRAINED = """live = next(out for out in Out.values() if isinstance(out, LiveTraining))
steps = {name: len(rows) for name, rows in live.history.items()}
print(json.dumps({"running": live.running, "seed": live.seed, "rows": steps}))"""
HANDLE = "Start point; the arrow keys move it"
APPS = {
    "lab": ("lab", "LabApp", "lab/tree/{}?reset&"),
    "notebook": ("notebook", "JupyterNotebookApp", "notebooks/{}?"),
}


def main() -> None:
    """Run all steps; the first that fails ends the run with its reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for clone and environment; kept")
    parser.add_argument("--app", choices=APPS, default="lab", help="JupyterLab, or Notebook 7")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        place = (chosen.keep or Path(passing)).resolve()
        place.mkdir(parents=True, exist_ok=True)
        project, binaries = clone(place), environment(place)
        if chosen.app == "notebook":
            subprocess.run(
                [binaries / "python", "-m", "pip", "install", "--quiet", "notebook==7.*"], check=True
            )
        with_cells_that_ask(project / CHAPTER)
        with jupyter(chosen.app, place, project, binaries) as address, browser_page() as page:
            lab = Lab(page, address.format(CHAPTER), CHAPTER)
            say(run_chapter(lab))
            say(move_playground(lab))
            say(follow_python(lab))
            say(train_live(lab))


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


def with_cells_that_ask(path: Path) -> None:
    """Empty the clone's notebook of its stored outputs, and append the cells that say what Python has."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in (PRINT, SET, TRAINED)]
    nbformat.write(notebook, path)


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


def run_chapter(lab: Lab) -> str:
    """Run all cells of the chapter; what it then holds, in words."""
    cells = lab.run_all()
    count = sum(cell["type"] == "code" for cell in cells)
    pictures = sum("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"])
    lab.page.locator(".jp-Notebook h1").first.wait_for()
    return f"{CHAPTER}: {count} cells ran without an error, {pictures} pictures"


def move_playground(lab: Lab) -> str:
    """Move the chapter's playground by keys, by dragging and by a slider; what Python then has, in words."""
    page, (asked, figure) = lab.page, (PRINT, "preset(")
    first = lab.read(asked)
    if first["figures"] != 1:
        raise SystemExit(f"the chapter must have 1 playground, got {first['figures']}")
    lab.show(figure)
    handle = page.get_by_role("slider", name=HANDLE)
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        handle.press(key)
    keys = lab.read_until(asked, lambda now: now["state"]["start"] != first["state"]["start"], "the keys")
    if not all(now > then for now, then in zip(keys["state"]["start"], first["state"]["start"], strict=True)):
        raise SystemExit(f"arrows right and up moved the start from {first['state']} to {keys['state']}")
    lab.show(figure)
    knob = handle.locator(".ok-knob").bounding_box()
    x, y = knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 30, steps=6)
    page.mouse.up()
    drag = lab.read_until(asked, lambda now: now["state"]["start"] != keys["state"]["start"], "the drag")
    lab.show(figure)
    rate = page.get_by_role("slider", name="lr", exact=True).first
    rate.focus()
    rate.press("PageDown")
    slid = lab.read_until(asked, lambda now: now["state"]["hyper"] != drag["state"]["hyper"], "the slider")
    lab.show(figure)
    said = page.locator(".ok-rule:not(.ok-off) .ok-value").all_inner_texts()
    for text, (name, loss) in zip(said, slid["losses"].items(), strict=True):
        if abs(number(text) - loss) > 1e-3 * abs(loss):
            raise SystemExit(f"{name}: the figure says {text}, Python {loss}")
    ways = " → ".join(str([round(x, 3) for x in now["state"]["start"]]) for now in (first, keys, drag))
    return f"the start as Python read it, at first, after keys, after a drag: {ways}; losses agree: {said}"


def follow_python(lab: Lab) -> str:
    """Set the start in Python, and see the figure follow."""
    wanted = lab.read(SET)["start"]
    lab.show("preset(")
    handle = lab.page.get_by_role("slider", name=HANDLE)
    text = f"θ₁ = {wanted[0]:g}, θ₂ = {wanted[1]:g}".replace("-", "−")
    wait_for(lambda: handle.get_attribute("aria-valuetext") == text, f"the handle to say {text}")
    return f"Python set the start, and the handle says: {text}"


def train_live(lab: Lab) -> str:
    """Start a training from its button, stop it, and see in Python what was made of it."""
    stored = lab.read(TRAINED)
    page = lab.page
    lab.show("LiveTraining(")
    page.get_by_role("spinbutton").first.fill("3")
    page.locator(".jupyter-button", has_text="Train").click()
    page.get_by_text(re.compile("step [1-9]")).first.wait_for()
    page.locator(".jupyter-button", has_text="Stop").click()
    page.get_by_text(re.compile("stopped")).first.wait_for()
    live = lab.read_until(TRAINED, lambda now: not now["running"], "the training to end")
    if live["seed"] != 3 or sum(live["rows"].values()) >= sum(stored["rows"].values()):
        raise SystemExit(f"the training was not stopped: stored {stored}, live {live}")
    return f"a net trained live with seed 3 and was stopped: rows {live['rows']}, stored {stored['rows']}"


def number(text: str) -> float:
    """A number as the figure writes it, such as 5.74·10⁻⁶."""
    plain = text.replace("−", "-").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    mantissa, _, power = plain.partition("·10") if "·" in plain else plain.rpartition("10")
    return float(plain) if not power or "." in power else float(mantissa or 1) * 10.0 ** int(power)


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
