"""What the engine of studies adds to the training it conducts.

    python benchmarks/study_overhead.py

Each round trains the same runs twice: once one after the other without storage, once by a worker of a study
with its storage and its records. The order changes from round to round. Printed: the median of the ratios,
and the extra time of a run. Importing and opening the storage, once a study, are printed apart.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from optkit.studies.engine import Arm, Budget, Data, Span, Study
from optkit.studies.engine.carry_out import carry_out, prepare
from optkit.studies.engine.plan import options, planned
from optkit.studies.engine.storage import Storage
from optkit.studies.engine.worker import work

ROUNDS, RUNS, STEPS = 5, 3, 500


def study(round: int) -> Study:
    """Three short runs of a LeNet-like net: longer ones have the same overhead, and so a smaller share."""
    return Study(
        f"overhead_{round}",
        "What does the engine cost?",
        data=Data("fashion_mnist", validation=2000),
        model="lenet",
        budget=Budget(STEPS, 64, 125),
        arms={"sgd": Arm("torch.optim.SGD", space={"lr": Span(0.01, 0.1)})},
        trials=RUNS,
        tuning_seeds=(0,),
        fresh_seeds=(1,),
        score="train_loss",
    )


def alone(declared: Study, prepared: object) -> float:
    """Seconds of training the runs for tuning, without storage and records."""
    start = time.perf_counter()
    for run in planned(declared)[:RUNS]:
        carry_out(declared, run, options(declared, run, {}), prepared)
    return time.perf_counter() - start


def conducted(declared: Study) -> float:
    """Seconds between handing in the first run and handing in the last, by a worker of the study."""
    times = []
    left = [True] * (RUNS + 1) + [False]
    work(declared, watch=lambda *_: times.append(time.perf_counter()), go_on=lambda: left.pop(0))
    return (times[-1] - times[0]) * RUNS / (len(times) - 1)


def main() -> None:
    """Print the table."""
    prepared = prepare(study(0).data)
    alone(study(0), prepared)  # the first run of a process loads code and warms caches
    ratios, extra, opening = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["OPTKIT_RESULTS"] = folder
        for round in range(ROUNDS):
            declared = study(round)
            start = time.perf_counter()
            Storage(declared).close()
            opening.append(time.perf_counter() - start)
            if round % 2:
                whole, bare = conducted(declared), alone(declared, prepared)
            else:
                bare, whole = alone(declared, prepared), conducted(declared)
            ratios.append(whole / bare)
            extra.append((whole - bare) / RUNS)
            print(f"round {round + 1}: {bare / RUNS:.2f} s a run alone, {whole / RUNS:.2f} s in a study")
        records = list(Path(folder).rglob("*.parquet"))
        size = statistics.median(path.stat().st_size for path in records) / 1024
    print(
        f"overhead {100 * (statistics.median(ratios) - 1):+.2f} % "
        f"({100 * (min(ratios) - 1):+.2f} to {100 * (max(ratios) - 1):+.2f}); "
        f"{1000 * statistics.median(extra):.0f} ms a run; "
        f"opening a storage {statistics.median(opening):.2f} s; "
        f"a record of {STEPS} steps {size:.0f} KiB"
    )


if __name__ == "__main__":
    main()
