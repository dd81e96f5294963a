"""The playground as a Python object: what a reader does in it Python sees, and the other way round."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from optkit.figures.palette import FACES
from optkit.language.declared import check_values
from optkit.newton import minimise
from optkit.problems import PROBLEMS, Problem
from optkit.rules import RULES, Rule
from optkit.schedules import SCHEDULES, Schedule
from optkit.trajectories import run
from optkit.widgets.embed import Widget
from optkit.widgets.mathematics import NEWTON, extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_STEPS = 5000
SPECIAL = {"sam": "sharpness-aware minimisation over gradient descent", "newton": "Newton's method"}
SECTIONS = ("rules", "surface", "pace", "numbers")
STATE = (
    "problem", "problem_hyper", "start", "rules", "hyper", "schedule", "noise", "batch_size", "seed", "steps",
    "step", "selected",
)  # fmt: skip


class Paths(Mapping[str, Any]):
    """The paths of a playground by the names of its rules, each computed when it is first asked for."""

    def __init__(self, playground: Playground) -> None:
        self._of = playground._path_of()
        self._names = tuple(playground.rules)
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(f"{name!r} is not switched on; these are: {', '.join(self._names)}")
        if name not in self._known:
            self._known[name] = self._of(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Playground(Widget):
    """A loss surface on which optimizers can be watched, steered and compared.

    Args:
        problem: A problem of two coordinates: its name in `PROBLEMS`, or a `Problem` of your own.
        rules: Names of rules that are switched on, or rules of your own; also ``"sam"`` and ``"newton"``.
        start: Where all rules start; by default the problem's own start.
        hyper: Rule → {hyper-parameter: value}; what is not named keeps the rule's default.
        problem_hyper: Values for the problem's own hyper-parameters.
        schedule: A schedule for the learning rate, as of `optkit.schedules`, or None.
        noise: Standard deviation of the gradient noise of one example, 0 to 1000; by default the problem's.
        batch_size: Examples a gradient averages, 1 to 65,536.
        seed: Of the noise, 0 to 2³² − 1.
        steps: Number of steps, 1 to 5,000.
        step: The step shown, 0 to ``steps``; by default the last.
        selected: The rule whose settings are open; by default the first.
        offered: Names of rules that are listed although they are off; the others fold away.
        opened: Sections that stand open: ``"rules"``, ``"surface"``, ``"pace"``, ``"numbers"``.

    Attributes:
        trajectory: Name of a rule → its `Trajectory` (for ``"newton"`` its `NewtonPath`), computed when
            asked for: the very numbers that are drawn.

    All arguments but ``offered`` and ``opened`` are traits: read them, set them, observe them.

    Raises:
        TypeError: Something is of the wrong kind, or a name is unknown.
        ValueError: A number is out of range.

    Example:
        >>> from optkit.widgets import Playground
        >>> figure = Playground(problem="rosenbrock", rules=["adam"], hyper={"adam": {"lr": 0.1}}, steps=3)
        >>> figure.trajectory["adam"].loss.round(2).tolist()
        [24.2, 5.62, 6.27, 11.8]
        >>> figure.start = (0.5, 0.5)
        >>> figure.trajectory["adam"].theta[0].tolist()
        [0.5, 0.5]
    """

    kind: ClassVar[str] = "playground"
    shared: ClassVar[tuple[str, ...]] = STATE

    problem = traitlets.Any().tag(sync=True)
    problem_hyper = traitlets.Dict().tag(sync=True)
    start = traitlets.Any().tag(sync=True)
    rules = traitlets.Any().tag(sync=True)
    hyper = traitlets.Dict().tag(sync=True)
    schedule = traitlets.Any(allow_none=True).tag(sync=True)
    noise = traitlets.Any().tag(sync=True)
    batch_size = traitlets.Any().tag(sync=True)
    seed = traitlets.Any().tag(sync=True)
    steps = traitlets.Any().tag(sync=True)
    step = traitlets.Any().tag(sync=True)
    selected = traitlets.Any().tag(sync=True)
    trajectory = traitlets.Any(read_only=True)

    def __init__(
        self,
        problem: str | Problem = "half_pipe",
        rules: Sequence[str | Rule] = ("gradient_descent", "momentum_common", "adam"),
        *,
        start: Sequence[float] | None = None,
        hyper: Mapping[str, Mapping[str, Any]] | None = None,
        problem_hyper: Mapping[str, Any] | None = None,
        schedule: Schedule | None = None,
        noise: float | None = None,
        batch_size: int = 1,
        seed: int = 0,
        steps: int = 100,
        step: int | None = None,
        selected: str | None = None,
        offered: Sequence[str] = (),
        opened: Sequence[str] = (),
    ) -> None:
        self._problems: dict[str, Problem] = dict(PROBLEMS)
        self._rules: dict[str, Rule] = {name: r for name, r in RULES.items() if not r.inputs}
        self._schedules: dict[str, Schedule] = {}
        place = self._problem(problem)
        names = [self._rule(r) for r in _sequence("rules", rules)]
        given = {
            "problem": place.name,
            "problem_hyper": self._own_values(place, problem_hyper or {}),
            "start": place.start if start is None else start,
            "rules": names,
            "hyper": dict(hyper or {}),
            "schedule": schedule,
            "noise": place.noise if noise is None else noise,
            "batch_size": batch_size,
            "seed": seed,
            "steps": steps,
            "step": steps if step is None else step,
            "selected": selected or (names[0] if names else ""),
        }
        self._offered = [self._rule(r) for r in offered]
        clean = {name: self._clean(name, value, given) for name, value in given.items()}
        own_rules = [r for r in self._rules.values() if r.name not in RULES]
        own_problems = [p for p in self._problems.values() if p.name not in PROBLEMS]
        super().__init__(
            **clean,
            _config={"offered": self._offered, "opened": _sections(opened)},
            _extra=extra(own_rules, own_problems),
        )
        self.set_trait("trajectory", Paths(self))

    @traitlets.validate(*STATE)
    def _checked(self, proposal: Any) -> Any:
        now = {name: getattr(self, name) for name in STATE}
        return self._clean(proposal["trait"].name, proposal["value"], now)

    @traitlets.observe(*STATE)
    def _follow(self, change: Any) -> None:
        if change["name"] == "problem" and change["old"] in self._problems:
            place = self._problems[change["new"]]
            if not len(self.start) == place.dim:
                self.start = list(place.start)
            known = {h: v for h, v in self.problem_hyper.items() if h in place.hyperparameters}
            self.problem_hyper = known
        if change["name"] == "steps" and self.step != traitlets.Undefined and self.step > self.steps:
            self.step = self.steps
        if self.trait_has_value("rules") and change["name"] not in ("step", "selected"):
            self.set_trait("trajectory", Paths(self))

    def _problem(self, given: Any) -> Problem:
        if isinstance(given, Problem):
            self._problems.setdefault(given.name, given)
            if self._problems[given.name].formula.source != given.formula.source:
                raise ValueError(f"problem must have a name of its own, got {given.name!r} a second time")
        name = given.name if isinstance(given, Problem) else given
        place = self._problems.get(name) if isinstance(name, str) else None
        if place is None:
            raise TypeError(f"problem must be one of {', '.join(self._problems)} or a Problem, got {given!r}")
        if place.dim != 2:
            raise ValueError(f"problem must have 2 coordinates, {place.name} has {place.dim}")
        return given if isinstance(given, Problem) else place

    def _own_values(self, place: Problem, values: Mapping[str, Any]) -> dict[str, Any]:
        """What differs from the problem of that name that everybody knows."""
        known = self._problems[place.name].hyper
        return {n: v for n, v in place.hyper.items() if v != known[n]} | dict(values)

    def _rule(self, given: Any) -> str:
        if isinstance(given, Rule):
            if given.inputs:
                raise ValueError(f"rules must be rules of descent, got {given.name}; take 'sam'")
            if self._rules.setdefault(given.name, given).formula.source != given.formula.source:
                raise ValueError(f"rules must have names of their own, got {given.name!r} a second time")
            return given.name
        if given in SPECIAL or (isinstance(given, str) and given in self._rules):
            return given
        raise TypeError(f"rules must be among {', '.join([*self._rules, *SPECIAL])} or rules, got {given!r}")

    def _clean(self, name: str, value: Any, state: Mapping[str, Any]) -> Any:
        """A checked value for one part of the state, as plain as JSON."""
        place = self._problems.get(state["problem"])
        if name == "problem":
            return self._problem(value).name
        if name == "problem_hyper":
            check_values(place.name, place.hyperparameters, value)
            return dict(value)
        if name == "start":
            return [_number("start", x, -math.inf, math.inf) for x in _sequence("start", value, 2)]
        if name == "rules":
            return list(dict.fromkeys(self._rule(r) for r in _sequence("rules", value)))
        if name == "hyper":
            return {rule: self._rule_values(rule, values) for rule, values in value.items()}
        if name == "schedule":
            return _schedule(value)
        if name == "noise":
            return _number("noise", value, 0.0, 1000.0)
        if name == "selected":
            return value if value in state["rules"] or not state["rules"] else state["rules"][0]
        high = {"batch_size": 65536, "seed": 2**32 - 1, "steps": MOST_STEPS, "step": state["steps"]}[name]
        return _whole(name, value, 0 if name in ("seed", "step") else 1, high)

    def _rule_values(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        if name == "newton":
            if set(values) - {"damp"} or not all(isinstance(v, bool) for v in values.values()):
                raise TypeError(f"newton has the flag damp and nothing else, got {dict(values)}")
        elif name == "sam":
            known = {
                "lr": RULES["gradient_descent"].hyperparameters["lr"],
                "rho": RULES["sam_perturbation"].hyperparameters["rho"],
            }
            check_values("sam", known, values)
        else:
            self._rules[self._rule(name)].check(**values)
        return dict(values)

    def _path_of(self) -> Any:
        """A function from a rule's name to its path, for the state of this moment."""
        state = self.state
        place = self._problems[state["problem"]].replace(**state["problem_hyper"])
        plan = state["schedule"]
        schedule = None if plan is None else SCHEDULES[plan["name"]](**plan["hyper"])
        common = {name: state[name] for name in ("steps", "start", "noise", "batch_size", "seed")}

        def path(name: str) -> Any:
            values = dict(state["hyper"].get(name, {}))
            if name == "newton":
                follow = "damp" if values.get("damp") else "follow"
                return minimise(place, state["start"], on_indefinite=follow, max_steps=state["steps"])
            if name == "sam":
                values.setdefault("sam", values.pop("rho", RULES["sam_perturbation"].defaults()["rho"]))
            rule = RULES["gradient_descent"] if name == "sam" else self._rules[name]
            plan = schedule if "lr" in rule.hyperparameters else None
            return run(rule, place, schedule=plan, **common, **values)

        return path

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.surface import surface

        place = self._problems[self.problem].replace(**self.problem_hyper)
        titles = {"sam": "SAM", "newton": "Newton"}
        faces = {"SAM": FACES["sam_perturbation"], "Newton": NEWTON}
        paths = {titles.get(name, name): getattr(p, "points", p) for name, p in self.trajectory.items()}
        return surface(place, paths, faces={name: faces[name] for name in paths if name in faces})

    def __repr__(self) -> str:
        return f"Playground({self.problem!r}, {list(self.rules)!r})"


def _sections(names: Sequence[str]) -> list[str]:
    if strange := [name for name in names if name not in SECTIONS]:
        raise ValueError(f"opened must be among {', '.join(SECTIONS)}, got {strange[0]!r}")
    return list(names)


def _sequence(name: str, value: Any, length: int | None = None) -> list[Any]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name} must be a list, got {value!r}")
    found = list(value)
    if length is not None and len(found) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(found)}")
    return found


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not (math.isfinite(number) and low <= number <= high):
        ends = "finite" if math.isinf(high) else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name} must be {ends}, got {number:g}")
    return number


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if not low <= int(value) <= high:
        raise ValueError(f"{name} must be in {low}..{high}, got {value}")
    return int(value)


def _schedule(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, Schedule):
        if value.name not in SCHEDULES or value.parts:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {value!r}")
        return {"name": value.name, "hyper": dict(value.hyper)}
    if isinstance(value, Mapping) and set(value) == {"name", "hyper"} and value["name"] in SCHEDULES:
        family = SCHEDULES[value["name"]]
        return {"name": family.name, "hyper": dict(family(**value["hyper"]).hyper)}
    raise TypeError(f"schedule must be a schedule of optkit.schedules or None, got {value!r}")
