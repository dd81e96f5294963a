"""The runs of a study, in the order in which they are taken up, and what each of them needs to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optkit.studies.engine.declaration import Choice, Study, as_json
from optkit.studies.engine.points import points

__all__ = ["STAGES", "Planned", "at_the_edge", "choose", "options", "planned", "ready"]

STAGES = ("tuning", "fresh", "defaults")


@dataclass(frozen=True, order=True)
class Planned:
    """One run: for tuning, with a fresh seed, or at the library's defaults; its arm, point and seed."""

    stage: str
    arm: str
    trial: int
    seed: int

    @property
    def key(self) -> str:
        """Its name in the storage."""
        return f"{self.stage}/{self.arm}/{self.trial}/{self.seed}"


def planned(study: Study) -> list[Planned]:
    """Every run of a study: first all of tuning, then the fresh seeds of each arm, then the default rows.

    Example:
        >>> from optkit.studies.engine import Arm, Budget, Data, Span
        >>> study = Study("demo", "?", data=Data("digits", validation=100), model="mlp",
        ...               budget=Budget(9, 9, 9),
        ...               arms={"sgd": Arm("torch.optim.SGD", space={"lr": Span(0.01, 1.0)}, defaults={})},
        ...               trials=2, tuning_seeds=(0,), fresh_seeds=(1,), score="train_loss")
        >>> [run.key for run in planned(study)]
        ['tuning/sgd/0/0', 'tuning/sgd/1/0', 'fresh/sgd/0/1', 'defaults/sgd/0/1']
    """
    return list(_planned(study))


def _planned(study: Study) -> Iterator[Planned]:
    for name, arm in study.arms.items():
        for trial in range(study.trials if arm.space else 0):
            for seed in study.tuning_seeds:
                yield Planned("tuning", name, trial, seed)
    for name in study.arms:
        for seed in study.fresh_seeds:
            yield Planned("fresh", name, 0, seed)
    for name, arm in study.arms.items():
        if arm.defaults is not None:
            for seed in study.fresh_seeds:
                yield Planned("defaults", name, 0, seed)


def ready(study: Study, run: Planned, finished: Mapping[str, Any]) -> bool:
    """Whether all that decides a run's options is known: the fresh runs wait for the tuning of their arm."""
    if run.stage != "fresh":
        return True
    leader = study.arms[run.arm].follow or run.arm
    return all(
        other.key in finished for other in planned(study) if other.stage == "tuning" and other.arm == leader
    )


def options(study: Study, run: Planned, scores: Mapping[str, float]) -> dict[str, Any] | None:
    """The optimizer's options in a run; None where every trial of its arm diverged or failed.

    Args:
        study: The declaration.
        run: One of `planned`, and `ready`.
        scores: Key → score, of the finished runs for tuning at least.
    """
    arm = study.arms[run.arm]
    if run.stage == "defaults":
        return as_json(arm.defaults or {})
    if run.stage == "tuning":
        return as_json({**arm.fixed, **points(arm.space, study.trials)[run.trial]})
    leader = arm.follow or run.arm
    chosen = choose(study, leader, scores)
    if chosen is None:
        return None
    found = {**study.arms[leader].fixed, **points(study.arms[leader].space, study.trials)[chosen]}
    found |= {name: found[name] * factor for name, factor in arm.scale.items()}
    return as_json({**found, **arm.fixed})  # as the storage and the records give it back


def choose(study: Study, arm: str, scores: Mapping[str, float]) -> int | None:
    """The trial with the lowest mean score over the tuning seeds; None if all are infinite."""
    if not study.arms[arm].space:
        return 0
    means = []
    for trial in range(study.trials):
        keys = [Planned("tuning", arm, trial, seed).key for seed in study.tuning_seeds]
        means.append(sum(scores[key] for key in keys) / len(keys))
    best = min(means)
    return means.index(best) if best < float("inf") else None


def at_the_edge(study: Study, arm: str, trial: int) -> list[str]:
    """Which tuned options lie at the outermost points tried of a range: the best may lie beyond it."""
    space = study.arms[arm].space
    tried = points(space, study.trials)
    found = []
    for name, span in space.items():
        if isinstance(span, Choice):
            continue
        values = sorted({point[name] for point in tried})
        if len(values) > 2 and tried[trial][name] in (values[0], values[-1]):
            found.append(name)
    return found
