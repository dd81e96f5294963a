"""SAM against the same base optimizer: sharpness, top eigenvalue, test accuracy (C12).

Protocol, committed before the first run: a LeNet-like net on 4,000 images of Fashion-MNIST as shipped, 2,000
more held out, batch 64, 630 steps (10 epochs). The base is SGD with momentum 0.9; its learning rate is
tuned with 6 trials and one seed by the validation loss. Four arms, with five fresh seeds each:

- SGD, and SGD for twice the steps, which costs as many gradients as SAM does;
- SAM with ρ = 0.05, the base as tuned without SAM;
- SAM tuned by itself: learning rate and ρ (0.02, 0.05, 0.1 or 0.2), as many trials.

At the end of each run: the sharpness max L(θ + e) − L(θ), ‖e‖ ≤ 0.05, and the top eigenvalue of the Hessian,
both of the training loss over 500 images (`optkit.studies.measures`).

Trials of SAM with small multilayer perceptrons had been seen before this was declared; none with this net.

C12 holds if SAM with ρ = 0.05 ends with a lower sharpness and a lower top eigenvalue than SGD at the same
rate with every seed, pair by pair; under conditions if the medians are lower. Test accuracy is reported with
its spread and decides nothing. A Network-in-Network is left out: a step of one with 4,226 weights costs four
times that of the LeNet-like net here, and the study half an hour more.

What came out, said after the run: flatter with every seed, and no gain in the test at the same rate. Where
SGD may spend as many gradients as SAM it has the higher median test accuracy, at the larger sharpness. So
short a training on 4,000 images says little of long ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from optkit.studies.engine import Arm, Budget, Choice, Data, Span, Study, arms
from optkit.studies.engine.result import command, middle_and_range
from optkit.studies.ledger import Claim, verdict

if TYPE_CHECKING:
    import torch

    from optkit.optim import SAM

__all__ = ["CLAIMS", "SAM_AGAINST_SGD", "STUDIES", "lower", "sam_sgd"]

HERE = "optkit.studies.sharpness_aware.sam_sgd"
MEASURES = {"sharpness": "optkit.studies.measures.sharpness"}
STEPS = 630


def sam_sgd(
    parameters: Iterable[torch.nn.Parameter], *, lr: float = 0.01, momentum: float = 0.0, rho: float = 0.05
) -> SAM:
    """SAM around SGD, for nets without batch normalisation.

    Example:
        >>> import torch
        >>> sam_sgd([torch.nn.Parameter(torch.ones(2))], lr=0.1, rho=0.2).rho
        0.2
    """
    from optkit.optim import SAM, SGD

    return SAM(SGD(parameters, lr=lr, momentum=momentum), None, rho=rho)


SAM_AGAINST_SGD = Study(
    "c12_sam",
    "Does SAM end in flatter places than the same base optimizer, and what does it gain in the test?",
    data=Data("fashion_mnist", validation=2000, train=4000),
    model="lenet",
    budget=Budget(STEPS, 64, STEPS // 2),
    arms={
        "SGD": Arm("optkit.optim.SGD", fixed={"momentum": 0.9}, space={"lr": Span(0.001, 0.3)}, defaults={}),
        "SGD, twice the steps": Arm("optkit.optim.SGD", follow="SGD", budget=Budget(2 * STEPS, 64, STEPS)),
        "SAM": Arm(HERE, follow="SGD", fixed={"rho": 0.05}),
        "SAM, tuned": Arm(
            HERE,
            fixed={"momentum": 0.9},
            space={"lr": Span(0.001, 0.3), "rho": Choice((0.02, 0.05, 0.1, 0.2))},
        ),
    },
    trials=6,
    tuning_seeds=(0,),
    fresh_seeds=(100, 101, 102, 103, 104),
    score="validation_loss",
    measures=MEASURES,
    plan="About 5 minutes on one quiet core: 37 runs of 630 steps of 4.6 ms (SAM twice that), 25 measures of "
    "2.6 s.",
)

STUDIES = (SAM_AGAINST_SGD,)


def lower(some: Mapping[str, Any], others: Mapping[str, Any], name: str) -> list[bool]:
    """For each seed, whether a measure of one arm is below that of another; a lost run is not."""
    pairs = zip(some["fresh"], others["fresh"], strict=True)
    found = []
    for one, other in pairs:
        both = [run.get("measures", {}).get(name) for run in (one, other)]
        found.append(None not in both and both[0] < both[1])
    return found


def _measured(arm: Mapping[str, Any], name: str) -> list[float | None]:
    return [run.get("measures", {}).get(name) for run in arm["fresh"]]


def _accuracy(arm: Mapping[str, Any]) -> list[float | None]:
    return [None if (a := run.get("test_accuracy")) is None else 100 * a for run in arm["fresh"]]


def _median(values: list[float | None]) -> float:
    """A lost run counts as infinitely sharp."""
    return median(float("inf") if value is None else value for value in values)


def _c12() -> Claim:
    found = arms(SAM_AGAINST_SGD)
    names = ("sharpness", "top_eigenvalue")
    pairs = {name: lower(found["SAM"], found["SGD"], name) for name in names}
    middle = {
        name: {arm: _median(_measured(found[arm], name)) for arm in SAM_AGAINST_SGD.arms} for name in names
    }
    flatter = all(middle[name]["SAM"] < middle[name]["SGD"] for name in names)
    return Claim(
        "C12",
        "SAM (ρ = 0.05) ends with a lower sharpness and a lower top eigenvalue than the same base optimizer "
        "at the same learning rate (LeNet-like net, Fashion-MNIST).",
        "; ".join(
            f"{label} " + ", ".join(f"{arm} {value:.3g}" for arm, value in middle[name].items())
            for name, label in zip(names, ("sharpness:", "top eigenvalue:"), strict=True)
        )
        + "; medians over seeds",
        f"SAM below SGD with {sum(pairs['sharpness'])} and {sum(pairs['top_eigenvalue'])} of "
        f"{len(pairs['sharpness'])} seeds; test accuracy, %: "
        + "; ".join(f"{arm} {middle_and_range(_accuracy(found[arm]), '{:.1f}')}" for arm in found),
        verdict(all(pairs["sharpness"] + pairs["top_eigenvalue"]), under_conditions=flatter),
        command(SAM_AGAINST_SGD),
        SAM_AGAINST_SGD.fresh_seeds,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C12": _c12}
