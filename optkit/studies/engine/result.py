"""The result of a study: what was tried, what was chosen, and what came out with the fresh seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from optkit.studies import results
from optkit.studies.engine.declaration import Study, as_json, digest
from optkit.studies.engine.plan import Planned, at_the_edge, choose, planned
from optkit.studies.engine.points import points

__all__ = ["arms", "command", "data", "load", "middle_and_range", "rows", "store"]


def command(study: Study) -> str:
    """What repeats a study."""
    return f"optkit study run {study.name}"


def data(study: Study, finished: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The ``data`` of the stored result, from the summaries of the finished runs; some may be missing.

    Args:
        study: The declaration.
        finished: Run key → summary.

    Returns:
        ``declaration``; ``arms``: name → ``trials`` (point, scores, how many diverged or failed),
        ``chosen`` (number of the trial; None where all failed, or tuning goes on), ``at_edge`` (options
        chosen at an end of their range), ``fresh`` and ``defaults`` (summaries); ``cost`` of all runs.
    """
    found = {name: _arm(study, name, finished) for name in study.arms}
    made = list(finished.values())
    cost = {
        "runs": len(made),
        "diverged": sum(one["outcome"] == "diverged" for one in made),
        "failed": sum(one["outcome"] == "failed" for one in made),
        **{name: sum(one.get(name, 0) for one in made) for name in ("steps", "gradients")},
        **{name: round(sum(one.get(name, 0.0) for one in made), 1) for name in ("seconds", "wall_seconds")},
    }
    return {"declaration": as_json(study), "arms": found, "cost": cost}


def _arm(study: Study, name: str, finished: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    arm = study.arms[name]
    trials = []
    for number, point in enumerate(points(arm.space, study.trials) if arm.space else []):
        keys = [Planned("tuning", name, number, seed).key for seed in study.tuning_seeds]
        made = [finished[key] for key in keys if key in finished]
        trials.append(
            {
                "point": point,
                "scores": [one.get("score") for one in made],
                "diverged": sum(one["outcome"] == "diverged" for one in made),
                "failed": sum(one["outcome"] == "failed" for one in made),
                "seconds": round(sum(one.get("seconds", 0.0) for one in made), 3),
            }
        )
    leader = arm.follow or name
    tuned = [run.key for run in planned(study) if (run.stage, run.arm) == ("tuning", leader)]
    chosen = None
    if all(key in finished for key in tuned):
        scores = {key: finished[key].get("score") for key in tuned}
        chosen = choose(
            study, leader, {key: float("inf") if value is None else value for key, value in scores.items()}
        )
    edge = at_the_edge(study, leader, chosen) if chosen is not None else []
    parts = {
        stage: [
            dict(finished[run.key])
            for run in planned(study)
            if (run.stage, run.arm) == (stage, name) and run.key in finished
        ]
        for stage in ("fresh", "defaults")
    }
    return {"trials": trials, "chosen": chosen, "at_edge": edge, **parts}


def store(study: Study, finished: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write ``results/NAME.json``, whole or not at all, with all that is needed to repeat it.

    Raises:
        ResultError: Runs are missing.
    """
    missing = [run.key for run in planned(study) if run.key not in finished]
    if missing:
        raise results.ResultError(
            f"{len(missing)} of {len(planned(study))} runs of {study.name} are missing, first {missing[0]}: "
            f"go on with `{command(study)}`"
        )
    path = results.results_folder() / f"{study.name}.json"
    found = data(study, finished)
    commits = sorted({str(one["commit"]) for one in finished.values() if one.get("commit")})
    measured = {**found, "commits": commits}
    try:
        if load(study)["data"] == json.loads(json.dumps(measured)):
            return path  # measured before: when and at which commit it was stored stays true
    except results.ResultError:
        pass  # missing, damaged or of another declaration: written now
    return results.save(
        study.name,
        measured,
        command=command(study),
        seeds=[*study.tuning_seeds, *study.fresh_seeds],
        declaration=digest(study),
    )


def load(study: Study) -> dict[str, Any]:
    """Read the stored result of a study, if it still belongs to the declaration.

    Raises:
        ResultError: It is missing, damaged, or of another declaration.
    """
    return results.load(study.name, command=command(study), declaration=digest(study))


def arms(study: Study) -> dict[str, dict[str, Any]]:
    """The arms of the stored result: what a claim computes its verdict from.

    Raises:
        ResultError: As `load`.
    """
    return load(study)["data"]["arms"]


def middle_and_range(values: Sequence[float | None], form: str = "{:.3g}") -> str:
    """Median (lowest–highest) of the runs that have a value, and how many of all have none.

    Example:
        >>> middle_and_range([1.0, 2.0, 3.0, None])
        '2 (1–3, 1 of 4 without)'
    """
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    low, middle, high = (form.format(value) for value in (min(known), median(known), max(known)))
    missing = "" if len(known) == len(values) else f", {len(values) - len(known)} of {len(values)} without"
    return f"{middle} ({low}–{high}{missing})"


def rows(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """A table of a result's ``data``: a row for each arm at its chosen point, and at the defaults.

    Medians over the fresh seeds, with the range in brackets. Cost in steps, gradients and time.
    """
    table = []
    for name, arm in found["arms"].items():
        for stage, label in (("fresh", name), ("defaults", f"{name}, library defaults")):
            made = arm[stage]
            if not made:
                continue
            trials = arm["trials"] if stage == "fresh" else []
            runs = sum(len(trial["scores"]) for trial in trials)
            lost = sum(trial["diverged"] + trial["failed"] for trial in trials)
            steps = sum(one["steps"] for one in made if "steps" in one)
            seconds = sum(one.get("seconds", 0.0) for one in made)
            table.append(
                {
                    "arm": label,
                    "options": ", ".join(f"{key} {_text(v)}" for key, v in made[0]["options"].items())
                    + (f" (at the edge: {', '.join(arm['at_edge'])})" if arm["at_edge"] and trials else ""),
                    "training loss": middle_and_range([one.get("train_loss") for one in made]),
                    "test accuracy, %": middle_and_range(
                        [None if (a := one.get("test_accuracy")) is None else 100 * a for one in made],
                        "{:.1f}",
                    ),
                    "steps to target": middle_and_range(
                        [one.get("steps_to_target") for one in made], "{:.0f}"
                    ),
                    "gradients": middle_and_range([one.get("gradients") for one in made], "{:.0f}"),
                    "ms a step": f"{1000 * seconds / steps:.2f}" if steps else "none",
                    "lost": f"{sum(one['outcome'] != 'finished' for one in made)} of {len(made)}",
                    "lost in tuning": f"{lost} of {runs}" if trials else "–",
                }
            )
    return table


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
