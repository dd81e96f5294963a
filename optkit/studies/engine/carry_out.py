"""One run of a study: train, evaluate, summarise. The same run gives the same bits on the same machine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.studies.engine.declaration import Data, Study
from optkit.studies.engine.names import resolve
from optkit.studies.engine.plan import Planned

if TYPE_CHECKING:
    from optkit.data import Tensors
    from optkit.training import History

__all__ = ["Prepared", "carry_out", "prepare", "score"]

COUNTED = (ValueError, RuntimeError, ArithmeticError)
"""Errors of a run that are its result. A full disk, no memory, an interrupt stop the study instead."""


@dataclass(frozen=True)
class Prepared:
    """The images of a study: tested on validation images in tuning, on test images with fresh seeds."""

    tuning: Tensors
    fresh: Tensors
    shape: tuple[int, int, int]
    classes: int


def prepare(data: Data, device: str = "cpu") -> Prepared:
    """Load and split the data. The split depends on the declaration alone, not on a run's seed.

    Raises:
        DataError: The set is not on this machine, or damaged.
        ValueError: More images are asked for than there are, or not the same number of each class.
    """
    from optkit.data import Tensors, stratified
    from optkit.data.by_name import by_name

    found = by_name(data.name)
    images, labels, test_images, test_labels = found.tensors(device=device)
    classes = len(found.classes)
    for name in ("validation", "train"):
        if (getattr(data, name) or 0) % classes:
            raise ValueError(
                f"{name} must be a multiple of {classes}, the classes, got {getattr(data, name)}"
            )
    held = stratified(found.train_labels, data.validation // classes, seed=0)
    kept = np.setdiff1d(np.arange(len(labels)), held)
    if data.train is not None:
        kept = kept[stratified(found.train_labels[kept], data.train // classes, seed=1)]
    train = images[kept], labels[kept]
    return Prepared(
        tuning=Tensors(*train, images[held], labels[held]),
        fresh=Tensors(*train, test_images, test_labels),
        shape=found.image_shape,
        classes=classes,
    )


def carry_out(
    study: Study,
    run: Planned,
    options: Mapping[str, Any],
    prepared: Prepared,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
) -> tuple[History, dict[str, Any]]:
    """Train once, on one thread, and return the steps and the summary.

    Args:
        study: The declaration.
        run: Which run.
        options: Of the optimizer.
        prepared: What `prepare` returned.
        device: Where to train.
        checkpoint: Where a run that takes hours keeps itself; gone on from if it exists.

    Returns:
        The history, and a summary without NaN: ``outcome`` (finished, diverged or failed), costs, last
            values.
    """
    from optkit.training import History

    start = time.perf_counter()
    with _one_thread():
        try:
            history, measured = _train(study, run, options, prepared, device, checkpoint)
            error = None
        except COUNTED as caught:
            if _out_of_memory(caught):
                raise
            history, measured, error = History(), {}, f"{type(caught).__name__}: {caught}"
    summary = _summary(study, run, options, history, error)
    return history, summary | {
        "measures": {name: _finite(value) for name, value in measured.items()},
        "wall_seconds": round(time.perf_counter() - start, 3),
    }


def score(study: Study, summary: Mapping[str, Any]) -> float:
    """What a run is judged by in tuning: the lower the better, infinite where it was lost."""
    if summary["outcome"] != "finished":
        return math.inf
    if study.score == "steps_to_target":
        steps = summary["steps_to_target"]
        return float(2 * summary["steps"] if steps is None else steps)
    if study.score == "validation_error":
        return 1 - summary["validation_accuracy"]
    return float(summary[study.score])


def _train(
    study: Study,
    run: Planned,
    options: Mapping[str, Any],
    prepared: Prepared,
    device: str,
    checkpoint: Path | None,
) -> tuple[History, dict[str, float]]:
    from optkit.training import train

    arm, budget = study.arms[run.arm], study.budget_of(run.arm, run.stage)
    tensors = prepared.tuning if run.stage == "tuning" else prepared.fresh
    net = resolve(study.model, "optkit.models")(
        input_shape=prepared.shape,
        classes=prepared.classes,
        seed=run.seed,
        **{**study.model_options, **arm.model_options},
    )
    if arm.convert:
        path, given = arm.convert
        net = resolve(path)(net, **given)
    net = net.to(device)
    schedule = None if run.stage == "defaults" else _schedule(arm.schedule)
    history = train(
        net,
        tensors,
        resolve(arm.optimizer)(net.parameters(), **options),
        steps=budget.steps,
        batch_size=budget.batch_size,
        evaluate_every=budget.evaluate_every,
        schedule=schedule,
        seed=run.seed,
        progress=False,
        checkpoint=checkpoint if study.checkpoint_every else None,
        checkpoint_every=study.checkpoint_every or "epoch",
        resume=checkpoint is not None and bool(study.checkpoint_every),
    )
    measured: dict[str, float] = {}
    if run.stage != "tuning" and not history.diverged:
        for path in study.measures.values():
            measured |= resolve(path)(net, tensors, run.seed)
    return history, measured


def _schedule(factors: tuple[tuple[str, Mapping[str, Any]], ...]) -> Any:
    made = None
    for family, hyper in factors:
        factor = resolve(family, "optkit.schedules")(**hyper)
        made = factor if made is None else made * factor
    return made


def _summary(
    study: Study, run: Planned, options: Mapping[str, Any], history: History, error: str | None
) -> dict[str, Any]:
    held = "validation" if run.stage == "tuning" else "test"
    found: dict[str, Any] = {"seed": run.seed, "options": dict(options), "outcome": "failed", "error": error}
    if error is not None:
        return found | {"steps": 0, "gradients": 0, "seconds": 0.0}
    steps, losses = history.curve("train_loss")
    diverged = history.diverged or not losses[-1] < losses[0]
    hits = steps[losses <= study.target] if study.target is not None else []
    found |= {
        "outcome": "diverged" if diverged else "finished",
        "steps": int(history["step"][-1]),
        "gradients": int(history.final("gradients")),
        "seconds": round(history.final("seconds"), 4),
        "steps_to_target": int(hits[0]) if len(hits) else None,
        "train_loss": _finite(losses[-1]),
        "train_accuracy": _finite(history.final("train_accuracy")),
        f"{held}_loss": _finite(history.final("test_loss")),
        f"{held}_accuracy": _finite(history.final("test_accuracy")),
    }
    if run.stage != "tuning":
        found["curve"] = {
            "step": steps.tolist(),
            **{
                name: [_finite(value, 5) for value in history.curve(name)[1]]
                for name in ("train_loss", "test_loss", "test_accuracy")
            },
        }
    return found


def _finite(value: float, digits: int = 9) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError)


@contextmanager
def _one_thread() -> Any:
    """Sums come out in one order whatever the number of cores, and workers do not crowd each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
