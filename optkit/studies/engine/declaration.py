"""What a study is: data, a net, optimizers with declared ranges, budgets, seeds, metrics. No code runs here.

A declaration is plain values, so that it has a hash. The hash stands in the stored result: when the
declaration changes, the result no longer belongs to it, and a test says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any

from optkit.data.by_name import NAMES
from optkit.studies.engine.names import resolve

__all__ = ["SCORES", "Arm", "Budget", "Choice", "Data", "Span", "Study", "as_json", "digest"]

SCORES = ("train_loss", "validation_loss", "validation_error", "steps_to_target")
"""What a trial is judged by; the lowest is chosen. None of them sees a test image."""


@dataclass(frozen=True)
class Span:
    """A declared range of numbers: low ≤ x ≤ high, on the logarithmic scale unless ``log=False``.

    Raises:
        ValueError: low ≥ high, or a logarithmic span from 0 or below.

    Example:
        >>> Span(1e-3, 1.0).at(0.5)
        0.0316227766
    """

    low: float
    high: float
    log: bool = True

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low must be < high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be > 0 on a logarithmic scale, got {self.low}; or pass log=False")

    def at(self, place: float) -> float:
        """The value at a place 0 … 1 of the range, to nine digits: the same on every machine."""
        if self.log:
            value = self.low * (self.high / self.low) ** place
        else:
            value = self.low + (self.high - self.low) * place
        return float(f"{value:.9g}")


@dataclass(frozen=True)
class Choice:
    """A declared list of values to choose from."""

    values: tuple[Any, ...]

    def at(self, place: float) -> Any:
        """The value at a place 0 … 1 of the list."""
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Data:
    """Which images. The validation part is held out of the TRAINING images, each class alike.

    Attributes:
        name: One of ``optkit.data.by_name.NAMES``.
        validation: How many training images are held out for tuning; a multiple of the number of classes.
        train: How many of the others to train on; None for all of them.
    """

    name: str
    validation: int
    train: int | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"data must be one of {', '.join(NAMES)}, got {self.name!r}")


@dataclass(frozen=True)
class Budget:
    """What every run of an arm may spend: steps, images in a mini-batch, steps between two evaluations."""

    steps: int
    batch_size: int
    evaluate_every: int

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be >= 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Arm:
    """One contender: an optimizer with what is fixed, and what is tuned over which ranges.

    Attributes:
        optimizer: Dotted path of a callable ``(parameters, **options) → optimizer``: ``torch.optim.SGD``.
        fixed: Options of every run.
        space: Option → `Span` or `Choice`: tuned with as many trials as every other arm.
        schedule: Names of families in `optkit.schedules` with their hyper-parameters, multiplied.
        defaults: Options of the untuned row, ``{}`` for the library's own, without schedule; None: no such
            row.
        follow: Another arm whose chosen point this one takes instead of being tuned.
        scale: Option → factor on the point taken over by ``follow``.
        budget: Of this arm, if it differs from the study's.
        model_options: Added to those of the study's net.
        convert: Dotted path of a function ``net → net``, applied after the net is made, with its options.
    """

    optimizer: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Span | Choice] = field(default_factory=dict)
    schedule: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    defaults: Mapping[str, Any] | None = None
    follow: str | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    budget: Budget | None = None
    model_options: Mapping[str, Any] = field(default_factory=dict)
    convert: tuple[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Study:
    """An experiment with many seeded runs under a fair protocol.

    Every tuned arm gets the same number of trials over its declared ranges; a trial is judged by ``score``,
    the mean over the tuning seeds, on training and validation images alone. The best point of each arm is
    then run with fresh seeds and tested on the test images.

    Attributes:
        name: Of the result, ``results/NAME.json``.
        question: What is asked, in a sentence. Not part of the hash, as is ``plan``.
        data: The images.
        model: Name of a net in `optkit.models`, or a dotted path.
        model_options: Of the net.
        budget: Of every run.
        tuning_budget: Of the runs for tuning, if it differs.
        arms: Name → `Arm`.
        trials: Points tried for each tuned arm.
        tuning_seeds: Of first weights and of the order of images, while settings are compared.
        fresh_seeds: The same for the runs at the chosen setting; no seed in both.
        score: One of `SCORES`; the lowest wins.
        target: Training loss whose first reaching is noted; needed by ``steps_to_target``.
        measures: Name → dotted path of a function ``(net, tensors, seed) → {name: number}``, called at the
            end of every run with a fresh seed.
        plan: How long it takes, measured beforehand, and on what.
        checkpoint_every: Steps between checkpoints within a run, for runs of hours; None for short ones.
        gpu: Whether it is made for a GPU, and left out where all studies are run. Not part of the hash.

    Raises:
        ValueError: An argument is outside its range, or the arms do not fit together.

    Example:
        >>> sgd = Arm("torch.optim.SGD", space={"lr": Span(0.01, 1.0)}, defaults={})
        >>> study = Study("demo", "Does it run?", data=Data("digits", validation=100), model="mlp",
        ...               budget=Budget(20, 64, 10), arms={"sgd": sgd}, trials=3, tuning_seeds=(0,),
        ...               fresh_seeds=(1, 2, 3, 4, 5), score="validation_loss")
        >>> len(digest(study))
        64
    """

    name: str
    question: str = field(compare=False)
    data: Data = field(kw_only=True)
    model: str = field(kw_only=True)
    model_options: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    budget: Budget = field(kw_only=True)
    tuning_budget: Budget | None = field(default=None, kw_only=True)
    arms: Mapping[str, Arm] = field(kw_only=True)
    trials: int = field(kw_only=True)
    tuning_seeds: tuple[int, ...] = field(kw_only=True)
    fresh_seeds: tuple[int, ...] = field(kw_only=True)
    score: str = field(kw_only=True)
    target: float | None = field(default=None, kw_only=True)
    measures: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    plan: str = field(default="", compare=False, kw_only=True)
    checkpoint_every: int | None = field(default=None, compare=False, kw_only=True)
    gpu: bool = field(default=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        if not self.name.replace("_", "").isalnum():
            raise ValueError(f"name must be letters, digits and _, got {self.name!r}")
        if self.score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, got {self.score!r}")
        if self.score == "steps_to_target" and self.target is None:
            raise ValueError("target must be given for the score steps_to_target, got None")
        if self.trials < 1 or not self.arms:
            raise ValueError(f"trials and arms must be >= 1, got {self.trials} and {len(self.arms)}")
        if not self.fresh_seeds or not self.tuning_seeds:
            raise ValueError("tuning_seeds and fresh_seeds must name at least one seed each, got none")
        if both := set(self.tuning_seeds) & set(self.fresh_seeds):
            raise ValueError(f"fresh_seeds must differ from tuning_seeds, got {sorted(both)} in both")
        for name, arm in self.arms.items():
            if "/" in name:
                raise ValueError(f"the name of an arm must hold no /, got {name!r}")
            if arm.follow is not None and (
                arm.space or arm.follow not in self.arms or self.arms[arm.follow].follow
            ):
                raise ValueError(
                    f"{name} must follow a tuned arm and have no space of its own, got follow={arm.follow!r}"
                )

    def budget_of(self, arm: str, stage: str) -> Budget:
        """The budget of an arm's runs, for ``"tuning"`` or afterwards."""
        own = self.arms[arm].budget
        return own or (self.tuning_budget if stage == "tuning" else None) or self.budget

    def check(self) -> None:
        """Find every name that the declaration uses, before the first run.

        Raises:
            ValueError: There is no such optimizer, net, schedule, function or option.
        """
        resolve(self.model, "optkit.models")
        for arm in self.arms.values():
            resolve(arm.optimizer)
            for family, hyper in arm.schedule:
                resolve(family, "optkit.schedules")(**hyper)
            if arm.convert:
                resolve(arm.convert[0])
        for path in self.measures.values():
            resolve(path)

    def smaller(self, **changes: Any) -> Study:
        """The same study on a smaller scale, under a name of its own, to see that it runs.

        Args:
            **changes: Fields to change. ``budget`` also takes the place of every other budget.
        """
        arms = dict(changes.pop("arms", self.arms))
        if "budget" in changes:
            arms = {name: replace(arm, budget=None) for name, arm in arms.items()}
            changes = {"tuning_budget": None} | changes
        return replace(self, **({"name": f"{self.name}_small", "arms": arms} | changes))


def as_json(part: Any) -> Any:
    """A declaration as JSON: fields at their defaults are left out, so that a new field changes no hash."""
    if is_dataclass(part):
        found = {}
        for one in fields(part):
            value = getattr(part, one.name)
            default = one.default if one.default_factory is MISSING else one.default_factory()
            if one.compare and (default is MISSING or value != default):
                found[one.name] = as_json(value)
        return found
    if isinstance(part, Mapping):
        return {str(key): as_json(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [as_json(value) for value in part]
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    raise TypeError(f"a declaration must consist of numbers, texts, lists and mappings, got {part!r}")


def digest(declaration: Any) -> str:
    """SHA-256 of a declaration, whatever order its mappings were typed in.

    Example:
        >>> digest({"b": 1, "a": (2, 3)}) == digest({"a": [2, 3], "b": 1})
        True
    """
    text = json.dumps(as_json(declaration), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
