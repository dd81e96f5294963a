"""Whether momentum needs fewer steps than SGD to a target loss on real data (C06).

A study of 348 short runs: ``python -m optkit.studies momentum`` repeats it and stores
``results/c06_momentum.json``. The protocol stands in `PROTOCOL` and was fixed before any of these runs. It
was not written blind: the target and the step counts come from a pilot of SGD alone with another seed, and
before that a handful of runs, some with momentum, had been timed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.studies.engine.declaration import digest
from optkit.studies.ledger import Claim, Journal, load, save, verdict

if TYPE_CHECKING:
    import pandas

    from optkit.data import Tensors
    from optkit.training import History

__all__ = ["CLAIMS", "PROTOCOL", "compare", "lost_ground", "repeat", "stored", "table", "trials"]

COMMAND = "python -m optkit.studies momentum"
NAME = "c06_momentum"

PROTOCOL: Mapping[str, Any] = {
    "data": "Fashion-MNIST as shipped: 8,000 images to train on, 2,000 held out of the training images",
    "model": "MLP 784-64-64-10",
    "optimizer": "torch.optim.SGD, momentum in the common form",
    "target": 0.40,  # loss over all 8,000 training images
    "batches": [
        {"batch_size": 32, "steps": 1500, "evaluate_every": 20},
        {"batch_size": 256, "steps": 600, "evaluate_every": 10},
        {"batch_size": 2048, "steps": 400, "evaluate_every": 5},
    ],
    "lr": [0.003, 3.0],  # common form, spaced evenly on the logarithmic scale
    "trials": 24,  # of each optimizer: 24 lr, or 8 lr with 3 momenta
    "momenta": [0.8, 0.9, 0.95],
    "tuning_seeds": [0, 1],
    "fresh_seeds": [100, 101, 102, 103, 104],
    "selection": "fewest steps to the target, mean over the tuning seeds; a run that misses it counts double",
    "defaults": {"lr": 0.001, "momentum": 0.0},  # of torch.optim.SGD
}


DECLARED = {NAME: PROTOCOL}
"""What the stored result was measured under: its hash stands in it (see `optkit.studies.ledger`)."""


def compare(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each batch size: steps to the target of both tuned optimizers over the fresh seeds.

    Args:
        result: The ``data`` of the stored result.

    Returns:
        Rows with ``batch_size``, ``sgd`` and ``momentum`` (median, lowest, highest steps; None for a run that
        misses the target), ``ratio`` of the medians, and ``every`` (all runs of momentum are faster than
        all of SGD).
    """
    rows = []
    for part in result["batches"]:
        row: dict[str, Any] = {"batch_size": part["batch_size"]}
        counts = {}
        for name in ("sgd", "momentum"):
            # A miss takes more steps than any hit, so that medians and ranges stay defined.
            counts[name] = sorted(
                float("inf") if run["steps_to_target"] is None else run["steps_to_target"]
                for run in part["fresh"][name]["runs"]
            )
            found = median(counts[name]), counts[name][0], counts[name][-1]
            row[name] = tuple(None if value == float("inf") else int(value) for value in found)
        middle = row["sgd"][0], row["momentum"][0]
        row["ratio"] = None if None in middle else middle[0] / middle[1]
        row["every"] = counts["momentum"][-1] < counts["sgd"][0]
        rows.append(row)
    return rows


def table(result: Mapping[str, Any]) -> pandas.DataFrame:
    """The fresh runs of every setting, steps to the target, lost ground and accuracy, and how tuning went.

    Args:
        result: The ``data`` of the stored result.

    Returns:
        One row for each batch size and setting; medians over the fresh seeds, with the range in brackets, and
        how many of the runs diverged in which the setting was searched for.
    """
    import pandas

    rows = []
    for part in result["batches"]:
        for name, setting in part["fresh"].items():
            runs = setting["runs"]
            rows.append(
                {
                    "batch": part["batch_size"],
                    "setting": name,
                    "ε": f"{setting['lr']:.3g}",
                    "α": f"{setting['momentum']:g}",
                    "steps to target": _middle_and_range([run["steps_to_target"] for run in runs], "{:.0f}"),
                    "lost ground": _middle_and_range([run["lost_ground"] for run in runs], "{:.2f}"),
                    "test accuracy, %": _middle_and_range(
                        [100 * run["held_out_accuracy"] for run in runs], "{:.1f}"
                    ),
                    "tuning diverged": _diverged(
                        part["tuning"].get(name, []), len(result["protocol"]["tuning_seeds"])
                    ),
                }
            )
    return pandas.DataFrame(rows)


def _diverged(trials: Sequence[Mapping[str, Any]], seeds: int) -> str:
    """In how many of the runs made to tune a setting the loss diverged."""
    return f"{sum(trial['diverged'] for trial in trials)} of {seeds * len(trials)}" if trials else "–"


def _middle_and_range(values: Sequence[float | None], form: str) -> str:
    """Median (lowest–highest) of what was reached, and how many runs did not reach it."""
    reached = [value for value in values if value is not None]
    if not reached:
        return "none"
    low, middle, high = (form.format(value) for value in (min(reached), median(reached), max(reached)))
    missing = "" if len(reached) == len(values) else f", {len(values) - len(reached)} of {len(values)} missed"
    return f"{middle} ({low}–{high}{missing})"


def lost_ground(losses: Sequence[float]) -> float | None:
    """How much of its way down a loss curve goes up again: the sum of its rises over the sum of its falls.

    Args:
        losses: At least two values, evenly spaced over the steps.

    Returns:
        0 for a curve that only falls; None for one that never falls or is not finite.

    Example:
        >>> lost_ground([3.0, 1.0, 2.0, 1.0])
        0.3333333333333333
    """
    change = np.diff(np.asarray(losses, dtype=float))
    falls = -change[change < 0].sum()
    return float(change[change > 0].sum() / falls) if falls > 0 and np.isfinite(change).all() else None


def stored() -> dict[str, Any]:
    """The stored result of C06: ``data`` beside seeds, versions, commit and machine.

    Raises:
        ResultError: It is missing, damaged, or of another protocol.
    """
    return load(NAME, command=COMMAND, declaration=digest(PROTOCOL))


def _c06() -> Claim:
    result = stored()
    rows = compare(result["data"])
    better = [row for row in rows if row["every"]]
    measured = "; ".join(
        f"batch {row['batch_size']}: {_count(row['sgd'][0])} steps of SGD, "
        f"{_count(row['momentum'][0])} with momentum"
        for row in rows
    )
    spread = "; ".join(
        f"batch {row['batch_size']}: {_count(row['sgd'][1])} to {_count(row['sgd'][2])} and "
        f"{_count(row['momentum'][1])} to {_count(row['momentum'][2])}"
        for row in rows
    )
    return Claim(
        id="C06",
        statement=(
            "Momentum needs fewer steps than SGD to a training loss of "
            f"{result['data']['protocol']['target']:.2f} on Fashion-MNIST, both tuned with "
            f"{result['data']['protocol']['trials']} trials: every run of it, at every batch size."
        ),
        measured=f"medians: {measured}; all runs of momentum faster at {_batches(better)}",
        spread=f"{len(result['data']['protocol']['fresh_seeds'])} seeds: {spread}",
        verdict=verdict(len(better) == len(rows), under_conditions=bool(better)),
        command=result["command"],
        seeds=tuple(result["data"]["protocol"]["fresh_seeds"]),
    )


def _batches(rows: Sequence[Mapping[str, Any]]) -> str:
    return "batch " + " and ".join(str(row["batch_size"]) for row in rows) if rows else "no batch size"


def _count(steps: int | None) -> str:
    return "missed" if steps is None else str(steps)


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C06": _c06}


def trials(optimizer: str, protocol: Mapping[str, Any] = PROTOCOL) -> list[dict[str, float]]:
    """The settings to try: as many for ``"sgd"`` as for ``"momentum"``, over the same range of ε.

    Example:
        >>> len(trials("sgd")), len(trials("momentum"))
        (24, 24)
    """
    momenta = [0.0] if optimizer == "sgd" else protocol["momenta"]
    rates = np.geomspace(*protocol["lr"], protocol["trials"] // len(momenta))
    return [{"lr": float(f"{lr:.6g}"), "momentum": momentum} for lr in rates for momentum in momenta]


def repeat(protocol: Mapping[str, Any] = PROTOCOL) -> Path:
    """Run the whole study, or what is left of it after a kill, and store its result.

    Shows a progress bar. Uses one thread, so that the result does not depend on the number of cores.

    Returns:
        The path of the stored result.
    """
    import torch
    from tqdm import tqdm

    journal = Journal(NAME, protocol)
    planned = len(protocol["batches"]) * (
        2 * protocol["trials"] * len(protocol["tuning_seeds"]) + 4 * len(protocol["fresh_seeds"])
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tqdm(total=planned, desc=NAME, unit="run") as bar:
            data = _data()
            parts = [_one_batch(batch, protocol, data, journal, bar) for batch in protocol["batches"]]
        path = save(
            NAME,
            {"protocol": protocol, "batches": parts},
            command=COMMAND,
            seeds=[*protocol["tuning_seeds"], *protocol["fresh_seeds"]],
            declaration=digest(protocol),
        )
    finally:
        torch.set_num_threads(threads)
    journal.close()
    return path


def _one_batch(
    batch: Mapping[str, int],
    protocol: Mapping[str, Any],
    data: dict[str, Tensors],
    journal: Journal,
    bar: Any,
) -> dict[str, Any]:
    """Tune both optimizers at one batch size, then run the chosen settings with fresh seeds."""

    def run(setting: Mapping[str, float], seed: int, part: str) -> dict[str, Any]:
        key = f"{part} {batch['batch_size']} {setting['lr']} {setting['momentum']} {seed}"
        if key not in journal:
            journal[key] = _run(batch, setting, seed, data[part], protocol["target"])
        bar.update()
        return journal[key]

    tuning, fresh = {}, {}
    for name in ("sgd", "momentum"):
        table = []
        for setting in trials(name, protocol):
            runs = [run(setting, seed, "tuning") for seed in protocol["tuning_seeds"]]
            scores = [found["steps_to_target"] or 2 * batch["steps"] for found in runs]
            diverged = sum(found["diverged"] for found in runs)
            table.append({**setting, "score": sum(scores) / len(scores), "diverged": diverged})
        tuning[name] = table
        best = min(table, key=lambda row: row["score"])
        fresh[name] = {"lr": best["lr"], "momentum": best["momentum"]}
    # Not tuned: SGD with the step that momentum has in the long run, and the library's defaults.
    chosen = fresh["momentum"]
    fresh["sgd at momentum's rate"] = {"lr": chosen["lr"] / (1 - chosen["momentum"]), "momentum": 0.0}
    fresh["defaults"] = dict(protocol["defaults"])
    for setting in fresh.values():
        setting["runs"] = [run(setting, seed, "fresh") for seed in protocol["fresh_seeds"]]
    return {**batch, "tuning": tuning, "fresh": fresh}


def _run(
    batch: Mapping[str, int], setting: Mapping[str, float], seed: int, data: Tensors, target: float
) -> dict[str, Any]:
    from torch.optim import SGD  # not optkit's own: what is claimed shall not rest on our code alone

    from optkit.models import mlp
    from optkit.training import train

    model = mlp(hidden=(64, 64), seed=seed)
    history = train(
        model,
        data,
        SGD(model.parameters(), lr=setting["lr"], momentum=setting["momentum"]),
        steps=batch["steps"],
        batch_size=batch["batch_size"],
        evaluate_every=batch["evaluate_every"],
        seed=seed,
        progress=False,
    )
    return _summary(history, target)


def _summary(history: History, target: float) -> dict[str, Any]:
    """What is kept of a run: JSON without NaN."""
    steps, losses = history.curve("train_loss")
    hits = steps[losses <= target]
    diverged = bool(history.diverged or not losses[-1] < losses[0])
    accuracy = history.curve("test_accuracy")[1]
    return {
        "steps_to_target": int(hits[0]) if hits.size else None,
        "diverged": diverged,
        "lost_ground": None if diverged else lost_ground(losses),
        "held_out_accuracy": None if diverged else float(accuracy[-1]),
        "seconds": round(history.final("seconds"), 3),
        "losses": [float(f"{loss:.4g}") if np.isfinite(loss) else None for loss in losses],
    }


def _data() -> dict[str, Tensors]:
    """Tuning looks at training images only; the fresh runs are tested on the test images."""
    from optkit.data import Tensors, fashion_mnist

    images, labels, test_images, test_labels = fashion_mnist().tensors()
    return {
        "tuning": Tensors(images[:8000], labels[:8000], images[8000:], labels[8000:]),
        "fresh": Tensors(images[:8000], labels[:8000], test_images, test_labels),
    }
