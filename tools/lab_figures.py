"""Work the live figures of a notebook in Jupyter as a reader would, and have Python say what it then has.

Each function works what stands in the notebook of a `Lab`, and returns a line that says what happened; the
first thing that is not as it should be ends the program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import nbformat
from lab import Lab

ASK = """import json

from optkit.problems import PROBLEMS
from optkit.widgets import LiveTraining, Playground
from optkit.widgets.embed import Widget


def losses(figure):
    place = PROBLEMS[figure.problem].replace(**figure.problem_hyper)
    for path in figure.trajectory.values():
        points = path.points if hasattr(path, "points") else path.theta
        loss = float(place.loss(points[min(figure.step, len(points) - 1)]))
        yield loss if loss < float("inf") else None


figures = [out for out in Out.values() if isinstance(out, Widget)]
began = globals().get("began") or [figure.state for figure in figures]
said = {"states": [[type(figure).__name__, figure.state] for figure in figures]}
said["losses"] = [x for one in figures if isinstance(one, Playground) for x in losses(one)]
print(json.dumps(said))"""
SET_BACK = """for figure, state in zip(figures, began):
    for name, value in state.items():
        setattr(figure, name, value)
print(json.dumps([figure.state == state for figure, state in zip(figures, began)]))"""
LONG = """import torch

from optkit.data import digits
from optkit.models import logistic_regression


def long_run(seed):
    net = logistic_regression(input_shape=(1, 8, 8), seed=seed)
    return net, torch.optim.SGD(net.parameters(), lr=0.01)


LiveTraining({"a long run": long_run}, digits(), steps=10_000)"""
TRAINED = """live = [out for out in Out.values() if isinstance(out, LiveTraining)]
print(json.dumps([
    {"running": one.running, "seed": one.seed, "rows": [len(rows) for rows in one.history.values()]}
    for one in live
]))"""
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
HANDLE = "Start point; the arrow keys move it"
# What it says rounds: one key may move it by less than that.
WHERE = "slider => slider.value ?? slider.getAttribute('aria-valuetext')"
ACTIVE = ".jp-Notebook .jp-Cell.jp-mod-active"  # the cell that Lab.show has brought into view


def with_cells_that_ask(notebook: Any) -> None:
    """Empty a notebook of its stored outputs, and append the cells by which Python is asked."""
    trains = any("LiveTraining(" in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    asked = (ASK, SET_BACK, *((LONG, TRAINED) if trains else ()))
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in asked]


def work_figures(lab: Lab) -> Iterator[str]:
    """Work every live figure of the notebook, then have Python set them all back."""
    names = [name for name, _ in lab.read(ASK)["states"]]
    places = [_place(name) for name in names]
    before = [_texts(lab, place) for place in places]
    for which, (name, place) in enumerate(zip(names, places, strict=True)):
        way = _move_playground if name == "Playground" else _move_settings
        yield f"{name}: {way(lab, which, place)}"
    lab.read(SET_BACK)
    for name, place, texts in zip(names, places, before, strict=True):
        lab.wait_for(lambda p=place, t=texts: _texts(lab, p) == t, f"{name} to follow Python back")
    yield f"Python set {len(names)} figures back, and they say again what they said at first"
    if any(LONG == cell["source"] for cell in lab.cells()):
        yield _train_live(lab)


def _place(name: str) -> str:
    """What to look for in the source of a figure's cell."""
    return "preset(" if name == "Playground" else f"{name}("


def _sliders(lab: Lab, place: str) -> list[Any]:
    """What can be moved by keys in the figure of that cell, as far as it is shown."""
    lab.show(place)
    lab.page.locator(ACTIVE).get_by_role("slider").first.wait_for()
    return [one for one in lab.page.locator(ACTIVE).get_by_role("slider").all() if one.is_visible()]


def _texts(lab: Lab, place: str) -> list[str | None]:
    """What a screen reader says of each of them."""
    return [one.get_attribute("aria-valuetext") for one in _sliders(lab, place)]


def _state(lab: Lab, which: int, what: str, old: Any = None, part: str = "") -> Any:
    """The state of a figure as Python has it, once it, or a part of it, is another than the old one."""

    def of(said: Any) -> Any:
        state = said["states"][which][1]
        return state[part] if part else state

    return of(lab.read_until(ASK, lambda now: of(now) != old, what))


def _move_settings(lab: Lab, which: int, place: str) -> str:
    """Move everything that can be moved by one arrow key; each time Python has to have another state."""
    state = _state(lab, which, "the state of the figure")
    moved = []
    for one in _sliders(lab, place):
        there, label = one.evaluate(WHERE), one.get_attribute("aria-label")
        one.focus()
        for key in ("ArrowLeft", "ArrowRight"):  # at one of its ends it goes one way only
            if one.evaluate(WHERE) == there:
                one.press(key)
        state = _state(lab, which, f"{label!r}, moved by a key", state)
        moved.append(label)
        lab.show(place)
    return f"keys moved {len(moved)} controls, and Python read each: {', '.join(moved)}"


def _move_playground(lab: Lab, which: int, place: str) -> str:
    """Move the playground by keys, by dragging and by a slider; its losses are then those of Python."""
    figure, page = lab.page.locator(ACTIVE), lab.page
    first = _state(lab, which, "the start", part="start")
    lab.show(place)
    handle = figure.get_by_role("slider", name=HANDLE)
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        handle.press(key)
    keys = _state(lab, which, "the keys", first, "start")
    if not (keys[0] > first[0] and keys[1] >= first[1]):  # a start may lie at the upper edge
        raise SystemExit(f"arrows right and up moved the start from {first} to {keys}")
    lab.show(place)
    knob = handle.locator(".ok-knob").bounding_box()
    x, y = knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 30, steps=6)
    page.mouse.up()
    drag = _state(lab, which, "the drag", keys, "start")
    hyper = _state(lab, which, "the rates", part="hyper")
    lab.show(place)
    rate = figure.get_by_role("slider", name="lr", exact=True).first
    rate.focus()
    rate.press("PageDown")
    _state(lab, which, "the slider", hyper, "hyper")
    lab.show(place)
    losses = sorted(float("inf") if loss is None else loss for loss in lab.read(ASK)["losses"])
    lab.show(place)
    said = sorted(figure.locator(".ok-rule:not(.ok-off) .ok-value").all_inner_texts(), key=number)
    for text, loss in zip(said, losses, strict=True):
        if not math.isclose(number(text), loss, rel_tol=6e-3, abs_tol=1e-9):  # it writes 3 digits
            raise SystemExit(f"the figure says {', '.join(said)}; Python has {losses}")
    ways = " → ".join(str([round(x, 3) for x in now]) for now in (first, keys, drag))
    return f"the start as Python read it, at first, after keys, after a drag: {ways}; losses agree: {said}"


def number(text: str) -> float:
    """A number as the figure writes it, such as 5.74·10⁻⁶; infinite where a path has diverged."""
    if text.startswith("diverged"):
        return math.inf
    factor, _, power = re.fullmatch(r"(−?[\d.]*?)(·?10([⁻⁰¹²³⁴-⁹]+))?", text).groups()
    mantissa = {"": 1.0, "−": -1.0}.get(factor) or float(factor.replace("−", "-"))
    return mantissa * 10.0 ** int((power or "0").translate(RAISED))


def _train_live(lab: Lab) -> str:
    """Train the chapter's nets from the button; then stop a run that is long enough for that."""
    stored = lab.read(TRAINED)
    lab.show("LiveTraining(")
    figure, status = lab.page.locator(ACTIVE), lab.page.locator(ACTIVE).get_by_role("status")
    figure.get_by_role("spinbutton").first.fill("3")
    figure.locator(".jupyter-button", has_text="Train").click()
    status.filter(has_text=re.compile("^trained, seed 3")).wait_for(timeout=120_000)
    lab.show(LONG)
    figure.locator(".jupyter-button", has_text="Train").click()
    status.filter(has_text=re.compile("step [1-9]")).wait_for()
    figure.locator(".jupyter-button", has_text="Stop").click()
    status.filter(has_text=re.compile("^stopped")).wait_for()
    (short, long), before = lab.read(TRAINED), stored[1]["rows"]
    if (short["seed"], short["rows"], short["running"]) != (3, stored[0]["rows"], False):
        raise SystemExit(f"the chapter's nets were not trained anew: stored {stored[0]}, live {short}")
    if long["running"] or sum(long["rows"]) >= sum(before):
        raise SystemExit(f"the training was not stopped: stored {stored[1]}, live {long}")
    stopped = f"a run was stopped after {long['rows']} of {before}"
    return f"nets trained live with seed 3: {short['rows']} rows; {stopped}"
