"""The mathematics of the playground as one JavaScript module, written from the package's own formulas.

Nothing in it is typed by hand: rules, problems with gradient and Hessian, schedules, the lines of each
formula, faces, symbols and ranges all come from where the course has them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from optkit.figures.palette import FACES, LONG_DASH, SERIES, Face
from optkit.language.grammar import Formula
from optkit.language.hyperparameter import Hyperparameter
from optkit.problems import PROBLEMS, Problem
from optkit.rules import RULES, Rule
from optkit.schedules import SCHEDULES
from optkit.schedules.schedule import ScheduleFamily
from optkit.translation.javascript import to_javascript, waves
from optkit.translation.javascript_loops import over_points, walk
from optkit.translation.mathml import Lines, symbol_tree
from optkit.translation.symbols import symbol
from optkit.widgets.colour import on_dark
from optkit.widgets.newton_step import newton_step

CLIMB = "sam_perturbation"
NEWTON = Face("Newton", "#c44e00", "s", LONG_DASH)  # as in the figures of chapter 1


def module(formulas: Mapping[str, Any] | None = None) -> str:
    """The module ``mathematics.js``: RULES, PROBLEMS, SCHEDULES, FORMULAS, FACES and SERIES.

    Args:
        formulas: Name → what `to_javascript` takes: further functions, for other figures.

    Example:
        >>> module().splitlines()[0]
        'const $wave = (x, quarter) => {'
    """
    rules = [r for r in RULES.values() if not r.inputs]
    found = {
        "RULES": _object({**{r.name: rule_entry(r) for r in rules}, "sam": sam_entry(), "newton": newton()}),
        "PROBLEMS": _object({p.name: problem_entry(p) for p in PROBLEMS.values()}),
        "SCHEDULES": _object({s.name: schedule_entry(s) for s in SCHEDULES.values()}),
        "FORMULAS": _object({name: _function(f) for name, f in (formulas or {}).items()}),
        "FACES": _json({name: face_entry(face) for name, face in FACES.items()}),
        "SERIES": _json([face_entry(face) for face in SERIES]),
    }
    tables = "".join(f"export const {name} = {text};\n" for name, text in found.items())
    return "\n".join(waves()) + "\n" + tables


def extra(rules: Iterable[Rule] = (), problems: Iterable[Problem] = ()) -> str:
    """A reader's own rules and problems as one JavaScript expression, in the form of the module's tables.

    Example:
        >>> extra()
        ''
    """
    rules, problems = list(rules), list(problems)
    if not rules and not problems:
        return ""
    own_rules = _object({r.name: rule_entry(r, index) for index, r in enumerate(rules)})
    own_problems = _object({p.name: problem_entry(p) for p in problems})
    lines = "\n".join(waves())
    return f"(() => {{\n{lines}\nreturn {{ RULES: {own_rules}, PROBLEMS: {own_problems} }};\n}})()"


def rule_entry(rule: Rule, index: int = 0) -> str:
    """One entry of RULES; ``index`` chooses the face of a rule that the palette does not know."""
    face = FACES.get(rule.name)
    if face is None:
        line = SERIES[index % len(SERIES)]
        face = Face(rule.name.replace("_", " "), line.colour, line.marker, line.dash)
    return _object({**_said(rule, face), "walk": walk(rule), **_lines("", rule)})


def sam_entry() -> str:
    """Gradient descent under sharpness-aware minimisation: both gradients, one face."""
    climb, base = RULES[CLIMB], RULES["gradient_descent"]
    radius = {**hyper_entry(climb.hyperparameters["rho"]), "slider": [0.0, 1.0]}
    data = {
        **_said(base, FACES[CLIMB]),
        "name": _json("sam"),
        "description": _json(climb.description),
        "hyper": _json([hyper_entry(base.hyperparameters["lr"]), radius]),
        "sam": _json("rho"),
        "walk": walk(base),
    }
    return _object({**data, **_lines("climb", climb), **_lines("", base)})


def newton() -> str:
    """Newton's method, which is no rule: it asks for the Hessian."""
    damp = Hyperparameter("damp", False, description="Lift the Hessian where it is not positive definite.")
    data = {
        "name": "newton",
        "description": "Newton's method: θ − H⁻¹g.",
        "state": [],
        "hyper": [hyper_entry(damp)],
    }
    return _object(
        {**{key: _json(value) for key, value in {**data, **face_entry(NEWTON)}.items()},
         "step": _function(newton_step)}
    )  # fmt: skip


def problem_entry(problem: Problem) -> str:
    """One entry of PROBLEMS."""
    data = {
        "name": problem.name,
        "label": problem.name.replace("_", " ").capitalize(),
        "description": problem.description,
        "dim": problem.dim,
        "start": problem.start,
        "window": problem.window,
        "minima": problem.minima,
        "saddles": problem.saddles,
        "noise": problem.noise,
        "hyper": [hyper_entry(h, problem.hyper[h.name]) for h in problem.hyperparameters.values()],
    }
    functions = {
        "loss": over_points(problem),
        "gradient": over_points(problem.gradient_formula),
        "hessian": over_points(problem.hessian_formula),
    }
    return _object({**{key: _json(value) for key, value in data.items()}, **functions})


def schedule_entry(family: ScheduleFamily) -> str:
    """One entry of SCHEDULES."""
    data = {
        "name": family.name,
        "label": family.name.replace("_", " ").capitalize(),
        "description": family.description,
        "hyper": [hyper_entry(h) for h in family.hyperparameters.values()],
    }
    return _object({**{key: _json(value) for key, value in data.items()}, "factor": _function(family)})


def face_entry(face: Face) -> dict[str, Any]:
    """A face for the page: matplotlib's dash as lengths, and a colour of its own on dark ground."""
    dash = [] if isinstance(face.dash, str) else list(face.dash[1])
    return {
        "label": face.label,
        "colour": face.colour,
        "dark": on_dark(face.colour),
        "marker": face.marker,
        "dash": dash,
    }


def hyper_entry(hyper: Hyperparameter, default: Any = None) -> dict[str, Any]:
    """A hyper-parameter for the page: range, symbol, and what its slider goes over."""
    value = hyper.default if default is None else default
    scale, low, high = slider_of(hyper)
    finite = {
        "low": None if math.isinf(hyper.low) else hyper.low,
        "high": None if math.isinf(hyper.high) else hyper.high,
    }
    return {
        "name": hyper.name,
        "default": value,
        "flag": hyper.is_flag,
        "symbol": None if hyper.is_flag else symbol_tree(hyper.symbol or symbol(hyper.name)),
        "description": hyper.description,
        **finite,
        "lowOpen": hyper.low_open,
        "highOpen": hyper.high_open,
        "integer": isinstance(hyper.default, int) and not hyper.is_flag,
        "scale": scale,
        "slider": [low, high],
    }  # fmt: skip


def slider_of(hyper: Hyperparameter) -> tuple[str, float, float]:
    """Scale and ends of a slider: ``log``, ``linear``, or ``complement`` (logarithmic in 1 − value).

    Example:
        >>> slider_of(RULES["adam"].hyperparameters["beta2"])
        ('complement', 0.0, 0.9999)
    """
    if hyper.is_flag:
        return "linear", 0.0, 1.0
    size = abs(float(hyper.default)) or 1.0
    whole = isinstance(hyper.default, int)
    if hyper.name == "lr":
        return "log", 1e-5, 10.0
    if hyper.name == "eps":
        return "log", 1e-12, 1.0
    if hyper.low == 0 and hyper.high == 1:
        return ("complement", 0.0, 0.9999) if hyper.high_open else ("linear", 0.01 * hyper.low_open, 1.0)
    endless = math.isinf(hyper.high)
    if whole and hyper.low == 1 and endless:
        return "log", 1.0, 10_000.0
    if hyper.log or (hyper.low == 0 and hyper.low_open and endless):
        low = max(10.0 ** math.floor(math.log10(size) - 2), hyper.low)
        return "log", low, min(10.0 ** math.ceil(math.log10(size) + 2), hyper.high)
    if math.isinf(hyper.low):
        return "linear", -math.pi, math.pi
    return "linear", hyper.low, 4 * size if endless else hyper.high


def _said(rule: Rule, face: Face) -> dict[str, str]:
    data = {
        "name": rule.name,
        "description": rule.description,
        **face_entry(face),
        "state": [{"name": name, "symbol": symbol_tree(symbol(name))} for name in rule.state],
        "hyper": [hyper_entry(h) for h in rule.hyperparameters.values()],
        "lookAhead": rule.gradient_at is not None,
    }
    return {key: _json(value) for key, value in data.items()}


def _lines(prefix: str, rule: Rule) -> dict[str, str]:
    found = Lines(rule)
    names = ("climbLines", "climbTrace") if prefix else ("lines", "trace")
    return dict(zip(names, (_json(found.lines), found.trace), strict=True))


def _function(source: Formula | Any) -> str:
    """A function expression: the text of `to_javascript` without its ``export``."""
    return to_javascript(source).removeprefix("export ")


def _object(entries: Mapping[str, str]) -> str:
    if not entries:
        return "{}"
    return "{\n" + ",\n".join(f"{_json(name)}: {text}" for name, text in entries.items()) + "\n}"


def _json(value: Any) -> str:
    # "</" would end the script element that may hold it.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
