"""What a falling learning rate does, and how far the linear scaling rule holds (C09, C10).

Protocol, committed before the first run. Both: a LeNet-like net on 8,000 images of Fashion-MNIST as
shipped, 2,000 more held out of the training images for tuning, SGD with momentum 0.9, the learning rate
tuned with 8 trials and one seed by the training loss of the last evaluation, then five fresh seeds.

- C09: batch 64, 12 epochs of 125 steps, a factor 0.1 after epochs 4 and 8 (step decay), tuned with it.
  Beside it, without being tuned, the same learning rate held. It holds if with every seed, at both drops,
  the training loss falls in the epoch after the drop, and by more than at the held rate in the same epoch.
  It holds under conditions if that is so at the first drop alone.
- C10: 6 epochs at batch 32·k, k = 1, 2, …, 64. The rate is tuned at k = 1 alone and multiplied by k; once
  as it is, once with a warm-up on a straight line over the first epoch. The rule holds at k if no run
  diverges or fails and the median test accuracy is at most 1 point below that of k = 1. The limit is the
  last k up to which it holds. The claim (there is a limit, and warm-up moves it) holds if the limit is
  below 64 without warm-up, and higher with it; under conditions if warm-up leaves it where it is.

The margin of one point and the factor 0.1 were chosen beforehand, after no run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from optkit.studies.engine import Arm, Budget, Data, Span, Study, arms
from optkit.studies.engine.result import command, middle_and_range
from optkit.studies.ledger import Claim, verdict

__all__ = ["CLAIMS", "SCALING", "STEP_DECAY", "STUDIES", "limits"]

DATA = Data("fashion_mnist", validation=2000)
IMAGES = 8000
FRESH = (100, 101, 102, 103, 104)
MOMENTUM = {"momentum": 0.9}
SGD = "optkit.optim.SGD"
EPOCH = IMAGES // 64
FACTORS = (1, 2, 4, 8, 16, 32, 64)
MARGIN = 0.01

STEP_DECAY = Study(
    "c09_step_decay",
    "Does the training loss drop within one epoch of each drop of the learning rate?",
    data=DATA,
    model="lenet",
    budget=Budget(12 * EPOCH, 64, EPOCH),
    arms={
        "step decay": Arm(
            SGD,
            fixed=MOMENTUM,
            space={"lr": Span(0.001, 0.3)},
            schedule=(("step_decay", {"every": 4 * EPOCH, "decay": 0.1}),),
            defaults={},
        ),
        "held": Arm(SGD, follow="step decay"),
    },
    trials=8,
    tuning_seeds=(0,),
    fresh_seeds=FRESH,
    score="train_loss",
    plan="About 7 minutes on one quiet core: 23 runs of 1,500 steps of 4.6 ms and 13 evaluations of 0.6 s.",
)


def _scaled(k: int, warm: bool) -> Arm:
    steps = -(-IMAGES // (32 * k))  # the last mini-batch of an epoch may be smaller
    return Arm(
        SGD,
        follow="k = 1",
        scale={"lr": float(k)},
        schedule=(("warmup", {"steps": steps}),) if warm else (),
        budget=Budget(6 * steps, 32 * k, steps),
    )


SCALING = Study(
    "c10_linear_scaling",
    "Up to which batch may the learning rate grow with it, and does warm-up move the limit?",
    data=DATA,
    model="lenet",
    budget=Budget(6 * IMAGES // 32, 32, IMAGES // 32),
    arms={
        "k = 1": Arm(SGD, fixed=MOMENTUM, space={"lr": Span(0.0005, 0.15)}, defaults={}),
        **{f"k = {k}": _scaled(k, warm=False) for k in FACTORS[1:]},
        **{f"k = {k}, warm-up": _scaled(k, warm=True) for k in FACTORS[1:]},
    },
    trials=8,
    tuning_seeds=(0,),
    fresh_seeds=FRESH,
    score="train_loss",
    plan="About 12 minutes on one quiet core: 78 runs of 4 to 7 s, with 7 evaluations of 0.6 s each.",
)

STUDIES = (STEP_DECAY, SCALING)


def drops(found: Mapping[str, Any]) -> list[dict[int, tuple[float, float]]]:
    """For each seed: epoch after a drop → fall of the training loss in it, with step decay and held.

    A run that diverged falls by minus infinity.
    """
    rows = []
    for decayed, held in zip(found["step decay"]["fresh"], found["held"]["fresh"], strict=True):
        rows.append({epoch: (_fall(decayed, epoch), _fall(held, epoch)) for epoch in (5, 9)})
    return rows


def _fall(run: Mapping[str, Any], epoch: int) -> float:
    curve = run.get("curve", {"step": [], "train_loss": []})
    losses = dict(zip(curve["step"], curve["train_loss"], strict=True))
    before, after = losses.get((epoch - 1) * EPOCH), losses.get(epoch * EPOCH)
    return float("-inf") if before is None or after is None else before - after


def _c09() -> Claim:
    rows = drops(arms(STEP_DECAY))
    seen = {epoch: [row[epoch][0] > max(row[epoch][1], 0) for row in rows] for epoch in (5, 9)}
    falls = {epoch: [row[epoch][0] for row in rows] for epoch in (5, 9)}
    held = {epoch: [row[epoch][1] for row in rows] for epoch in (5, 9)}
    return Claim(
        "C09",
        "Step decay drops the training loss within one epoch of each drop of the rate, and by more than the "
        "same epoch at a held rate.",
        "; ".join(
            f"epoch {epoch}: by {median(falls[epoch]):.3f}, held {median(held[epoch]):.3f}"
            for epoch in (5, 9)
        )
        + ": medians over seeds",
        "; ".join(
            f"epoch {epoch}: {min(falls[epoch]):.3f} to {max(falls[epoch]):.3f}, true with "
            f"{sum(seen[epoch])} of {len(rows)} seeds"
            for epoch in (5, 9)
        ),
        verdict(all(seen[5] + seen[9]), under_conditions=all(seen[5])),
        command(STEP_DECAY),
        STEP_DECAY.fresh_seeds,
    )


def limits(found: Mapping[str, Any]) -> dict[str, int]:
    """The last k up to which the linear scaling rule holds, without and with warm-up."""
    base = _accuracies(found["k = 1"])
    if None in base:
        return {"without": 0, "with": 0}
    reached = {}
    for name, ending in (("without", ""), ("with", ", warm-up")):
        limit = 1
        for k in FACTORS[1:]:
            made = _accuracies(found[f"k = {k}{ending}"])
            if None in made or median(made) < median(base) - MARGIN:
                break
            limit = k
        reached[name] = limit
    return reached


def _accuracies(arm: Mapping[str, Any]) -> list[float | None]:
    return [run["test_accuracy"] if run["outcome"] == "finished" else None for run in arm["fresh"]]


def _c10() -> Claim:
    found = arms(SCALING)
    limit = limits(found)
    ends = [name for name in ("k = 1", "k = 64", "k = 64, warm-up")]
    percent = {name: [None if a is None else 100 * a for a in _accuracies(found[name])] for name in ends}
    spread = "; ".join(
        f"{name}: {middle_and_range(row, '{:.1f}')} %" if any(row) else f"{name}: no run trained"
        for name, row in percent.items()
    )
    return Claim(
        "C10",
        "The linear scaling rule holds up to a batch that is reported (test accuracy within 1 point of batch "
        "32, 6 epochs), and a warm-up of one epoch moves that limit up.",
        f"it holds up to batch {32 * limit['without']} without and {32 * limit['with']} with warm-up",
        f"test accuracy, {len(SCALING.fresh_seeds)} seeds: {spread}",
        verdict(
            0 < limit["without"] < FACTORS[-1] and limit["with"] > limit["without"],
            under_conditions=0 < limit["without"] <= limit["with"],
        ),
        command(SCALING),
        SCALING.fresh_seeds,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C09": _c09, "C10": _c10}
