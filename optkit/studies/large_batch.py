"""What a large batch does to sharpness and test accuracy, and what ghost batches mend (C13, C14).

Protocol, committed before the first run. Both: a LeNet-like net on 4,000 images of Fashion-MNIST as shipped,
2,000 more held out, SGD with momentum 0.9, the learning rate tuned with 5 trials over one range and one seed
by the validation loss, then five fresh seeds.

- C13: batch 16, 64, 256 and 1,024 for 6 epochs, each with a rate tuned at its own batch; and batch 64 and 256
  for the 1,500 steps of batch 16, at the rate of batch 16, so that nothing but the noise differs. At the end
  the sharpness and the top eigenvalue (`optkit.studies.measures`). "A larger batch ends sharper and tests
  worse" holds if, at equal epochs and at equal steps, the largest batch has the higher median sharpness, the
  higher median top eigenvalue and the lower median test accuracy than batch 16; under conditions if that is
  so at equal epochs or at equal steps. Batch 1,024 for 1,500 steps was left out for its cost.
- C14: the same net with a batch normalisation after each layer but the last. Batch 64, batch 512, and batch
  512 in ghosts of 64, each tuned, for 6 epochs; the last two also for the steps of batch 64. The gap is the
  median test accuracy of batch 64 less that of batch 512. Ghosts narrow it if there is a gap, and the median
  over seeds of what they add is above 0, and four of five seeds gain. It holds if they narrow it at equal
  epochs and at equal steps; under conditions if at one of the two.

A Network-in-Network is left out of both: by the time of its steps, four times that of the LeNet-like net at
4,226 weights, each study would take half an hour more.

What came out of C13, said after the run: at equal steps and the same rate the net ends the sharper the larger
the batch, by both measures, but tests better, for it has seen the images more often and fits them better. At
equal epochs batch 1,024 has made 24 steps, and where hardly anything is learnt the loss is flat. So the claim
as declared fails both ways, and sharpness here goes with how far the training got.

What came out of C14: at equal epochs ghosts made up for the gap; at equal steps batch 512 leaves none, for it
sees each image eight times as often, and there is nothing to narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from optkit.studies.engine import Arm, Budget, Data, Span, Study, arms
from optkit.studies.engine.result import command, middle_and_range
from optkit.studies.ledger import Claim, verdict

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BATCH_SIZE", "CLAIMS", "GHOSTS", "STUDIES", "gains", "normalised"]

DATA = Data("fashion_mnist", validation=2000, train=4000)
IMAGES = 4000
EPOCHS = 6
FRESH = (100, 101, 102, 103, 104)
SGD = "optkit.optim.SGD"
MOMENTUM = {"momentum": 0.9}
RATE = {"lr": Span(0.002, 0.5)}
SIZES = (16, 64, 256, 1024)
SAME_STEPS = (64, 256)


def _epochs(batch: int) -> Budget:
    steps = EPOCHS * -(-IMAGES // batch)
    return Budget(steps, batch, steps)


def _steps(batch: int, of: int) -> Budget:
    steps = _epochs(of).steps
    return Budget(steps, batch, steps)


BATCH_SIZE = Study(
    "c13_batch_size",
    "Does a larger batch end sharper and test worse, at equal epochs and at equal steps?",
    data=DATA,
    model="lenet",
    budget=_epochs(SIZES[0]),
    arms={
        **{
            f"batch {size}": Arm(
                SGD,
                fixed=MOMENTUM,
                space=RATE,
                budget=_epochs(size),
                defaults={} if size == SIZES[0] else None,
            )
            for size in SIZES
        },
        **{
            f"batch {size}, equal steps": Arm(SGD, follow=f"batch {SIZES[0]}", budget=_steps(size, SIZES[0]))
            for size in SAME_STEPS
        },
    },
    trials=5,
    tuning_seeds=(0,),
    fresh_seeds=FRESH,
    score="validation_loss",
    measures={"sharpness": "optkit.studies.measures.sharpness"},
    plan="About 7 minutes on one quiet core: 45 runs of 3 s, 5 of 7 s, 5 of 28 s; 35 measures of 2.6 s.",
)


def normalised(net: nn.Sequential, *, ghost_size: int | None = None) -> nn.Sequential:
    """A net with a batch normalisation after each convolution and each linear layer but the last.

    Args:
        net: Layers one after another.
        ghost_size: Of the ghosts; None for plain batch normalisation.

    Example:
        >>> from optkit.models import mlp
        >>> normalised(mlp(hidden=(4,)), ghost_size=8)[2]
        GhostBatchNorm1d(4, ..., ghost_size=8, running=sequential, partial=own)
    """
    from torch import nn

    from optkit.ghost import convert

    weighted = [place for place, layer in enumerate(net) if isinstance(layer, (nn.Conv2d, nn.Linear))]
    layers: list[nn.Module] = []
    for place, layer in enumerate(net):
        layers.append(layer)
        if place in weighted[:-1]:
            norm: nn.Module = (
                nn.BatchNorm2d(layer.out_channels)
                if isinstance(layer, nn.Conv2d)
                else nn.BatchNorm1d(layer.out_features)
            )
            layers.append(norm)
    made = nn.Sequential(*layers)
    return made if ghost_size is None else convert(made, ghost_size)


SMALL, LARGE = 64, 512
PLAIN = ("optkit.studies.large_batch.normalised", {})
IN_GHOSTS = ("optkit.studies.large_batch.normalised", {"ghost_size": SMALL})

GHOSTS = Study(
    "c14_ghosts",
    "Do ghost batches narrow the gap that a large batch leaves?",
    data=DATA,
    model="lenet",
    budget=_epochs(SMALL),
    arms={
        "batch 64": Arm(SGD, fixed=MOMENTUM, space=RATE, convert=PLAIN, defaults={}),
        "batch 512": Arm(SGD, fixed=MOMENTUM, space=RATE, convert=PLAIN, budget=_epochs(LARGE)),
        "ghosts": Arm(SGD, fixed=MOMENTUM, space=RATE, convert=IN_GHOSTS, budget=_epochs(LARGE)),
        "batch 512, equal steps": Arm(SGD, follow="batch 512", convert=PLAIN, budget=_steps(LARGE, SMALL)),
        "ghosts, equal steps": Arm(SGD, follow="ghosts", convert=IN_GHOSTS, budget=_steps(LARGE, SMALL)),
    },
    trials=5,
    tuning_seeds=(0,),
    fresh_seeds=FRESH,
    score="validation_loss",
    plan="About 6 minutes on one quiet core: 35 runs of 3 s, 10 of 20 s.",
)

STUDIES = (BATCH_SIZE, GHOSTS)


def _accuracies(arm: Mapping[str, Any]) -> list[float]:
    """In per cent; a lost run counts as 0."""
    return [100 * run["test_accuracy"] if run["outcome"] == "finished" else 0.0 for run in arm["fresh"]]


def _sharp(arm: Mapping[str, Any], name: str) -> float:
    """The median of a measure; a lost run counts as infinite."""
    values = [run.get("measures", {}).get(name) for run in arm["fresh"]]
    return median(float("inf") if value is None else value for value in values)


def _worse(large: Mapping[str, Any], small: Mapping[str, Any]) -> bool:
    sharper = all(_sharp(large, name) > _sharp(small, name) for name in ("sharpness", "top_eigenvalue"))
    return sharper and median(_accuracies(large)) < median(_accuracies(small))


def _c13() -> Claim:
    found = arms(BATCH_SIZE)
    small = found[f"batch {SIZES[0]}"]
    epochs = _worse(found[f"batch {SIZES[-1]}"], small)
    steps = _worse(found[f"batch {SAME_STEPS[-1]}, equal steps"], small)

    def row(name: str, form: str) -> str:
        return ", ".join(f"{arm} {form.format(_sharp(one, name))}" for arm, one in found.items())

    return Claim(
        "C13",
        f"A larger batch ends sharper and tests worse than batch {SIZES[0]}: batch {SIZES[-1]} at equal "
        f"epochs with tuned rates, batch {SAME_STEPS[-1]} at equal steps with the same rate.",
        f"sharpness: {row('sharpness', '{:.3g}')}; top eigenvalue: {row('top_eigenvalue', '{:.3g}')}; "
        f"medians over seeds; true at equal epochs: {'yes' if epochs else 'no'}, at equal steps: "
        f"{'yes' if steps else 'no'}",
        f"{len(FRESH)} seeds; test accuracy, %: "
        + "; ".join(f"{arm} {middle_and_range(_accuracies(one), '{:.1f}')}" for arm, one in found.items()),
        verdict(epochs and steps, under_conditions=epochs or steps),
        command(BATCH_SIZE),
        FRESH,
    )


def gains(found: Mapping[str, Any], ending: str = "") -> list[float]:
    """What ghosts add to the test accuracy of the large batch with each seed, in points."""
    pairs = zip(_accuracies(found[f"ghosts{ending}"]), _accuracies(found[f"batch 512{ending}"]), strict=True)
    return [ghosts - plain for ghosts, plain in pairs]


def _c14() -> Claim:
    found = arms(GHOSTS)
    said, narrowed, spread = [], [], []
    for label, ending in (("equal epochs", ""), ("equal steps", ", equal steps")):
        gap = median(_accuracies(found["batch 64"])) - median(_accuracies(found[f"batch 512{ending}"]))
        added = gains(found, ending)
        more = sum(one > 0 for one in added)
        narrowed.append(gap > 0 and median(added) > 0 and more >= 0.8 * len(added))
        said.append(f"{label}: gap {gap:.1f} points, ghosts add {median(added):+.1f}".replace("-", "−"))
        spread.append(
            f"{label}: {min(added):+.1f} to {max(added):+.1f}, above 0 with {more} of {len(added)}".replace(
                "-", "−"
            )
        )
    return Claim(
        "C14",
        "Ghost batch normalisation (ghosts of 64) narrows the gap in test accuracy that batch 512 leaves to "
        "batch 64, at equal epochs and at equal steps.",
        "; ".join(said) + "; medians over seeds",
        "; ".join(spread)
        + " seeds; test accuracy, %: "
        + "; ".join(f"{arm} {middle_and_range(_accuracies(one), '{:.1f}')}" for arm, one in found.items()),
        verdict(all(narrowed), under_conditions=any(narrowed)),
        command(GHOSTS),
        FRESH,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C13": _c13, "C14": _c14}
