"""Time of one optimizer step on the CPU: optkit's compiled C and its torch chunks against the others.

    python benchmarks/step.py                    all cases; cases that FILE holds already are not run again
    python benchmarks/step.py --quick            fewer cases, contenders and rounds, under a minute
    python benchmarks/step.py --only RAdam       cases whose title holds a word
    python benchmarks/step.py --chunks           how the size of a torch chunk matters
    python benchmarks/step.py --json FILE        the numbers, written after every case
    python benchmarks/step.py --minutes 7        begin no new case after 7 minutes (with --json: go on later)

The protocol, fixed before the run whose numbers are in ``step.json``:

- *Contenders*: torch's optimizer by its plain loop (``foreach=False``), by foreach, and fused where it has
  that; torch.compile of the same rule, all tensors in one graph, its scalars folded in as they are at t =
  100, which favours it; HeavyBall (AdamW without decay, SGD, RMSprop; it clears the gradients, which are
  set again outside the time) and pytorch_optimizer (its RAdam; its Adam, SGD and RMSprop are torch's
  classes) where they are installed; optkit's C; optkit's torch chunks; and the plain loop, C that reads θ,
  g and the state, and writes θ and the state, with one addition each: the machine's limit for the rule.
  Where a rule is held against the plain loop, both work on the same memory, the optimizer's own: where
  tensors happen to lie changes the time of one and the same loop by a tenth and more.
  HeavyBall's and pytorch_optimizer's formulas, and their ways through memory, are their own. For Adam on
  three models also two earlier rungs of the ladder: the rule as it is written, on torch, each operation a
  new tensor; and the C called for one tensor after the other, with no optimizer around it.
- *Models*: lists of float32 tensors, see ``shapes.py``; every contender has tensors of its own, normal
  numbers from one seed. Gradients stay the same. One process holds all contenders of a case, and each
  case has a process of its own: nothing that one leaves behind reaches the next.
- *Steps* are counted on through a case. From the 165th on optkit's C of Adam and RAdam leaves out the
  division by 1 − ρ₁ᵗ, which is 1 in float32 by then. For the perceptron that is in the fourth round, so that
  most rounds of a whole run come after it, and half of a quick one's before.
- *Round*: all contenders one after the other, the order turned by one from round to round. Each makes one
  step untimed, then as many as take 50 ms (by the fastest of its three warm-up steps), at least 2 and at
  most 50; the round's number is the mean of these. 25 rounds a case (quick: 7); 101 where a rule is held
  against the plain loop, since there a twentieth must be told from the memory's own ups and downs.
- *Statistic*: the ratio of two contenders within one round, because the speed of a shared machine changes
  from second to second; reported are its median over ALL rounds and its quartiles. Nothing is left out. A
  target is reached if the median is no larger than the target. “torch fastest” is, in every round, the
  fastest of torch's not compiled ways.
- *Quiet rounds*: those in which optkit's C, torch's ways and the plain loop together took at most 1.15
  times what they took in their fastest round. How many there are is reported, and their median as a second
  number, so that the reader sees what the machine's other work did; it decides nothing.
- *First use*: the first step of Adam in a new process with an empty cache, compilation included, without
  what torch loads when any optimizer is first made; median of five.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contenders import Case, Step, contenders

import optkit
from optkit.kernels import compiler
from optkit.optim import stepping
from optkit.rules import RULES

ROUNDS, ROUNDS_PLAIN, ROUNDS_QUICK = 25, 101, 7
SECONDS, FEWEST, MOST = 0.05, 2, 50
WARM_UP = 3
QUIET = 1.15
COMPILED = ("torch.compile", "heavyball")


SUITABLE = [r.name for r in RULES.values() if r.gradient_at is None and not r.inputs]
CASES = [
    Case("Adam", "ResNet-50", target=0.90, others=True),
    Case("Adam", "MLP 670k", 1, target=0.55, others=True),
    Case("Adam", "100 x 1,000", 1, target=0.25, others=True),
    Case("SGD momentum", "ResNet-50", target=0.90, others=True),
    Case("RAdam", "ResNet-50", reference="torch fastest", target=0.15, others=True),
    Case("RMSprop", "ResNet-50", reference="torch fastest", target=0.15, others=True),
    Case("INNA", "ResNet-50", target=0.95, others=True),
    *(Case("Adam", model) for model in ("1e4", "1e6", "1e7", "2.5e7", "100 x 1,000", "MLP 670k")),
    *(Case(name, "1e7", reference="plain loop", target=1.05) for name in SUITABLE),
]
QUICK = [
    *(replace(case, others=False) for case in CASES[:3]),
    Case("Adam", "1e6"),
    Case("adam", "1e7", reference="plain loop", target=1.05),
]

CHUNKED = [
    Case("Adam", model, reference=f"chunks of {stepping.CHUNK:,}") for model in ("1e6", "1e7", "2.5e7")
]


def measure(case: Case, rounds: int) -> dict[str, np.ndarray]:
    """Name → seconds a step in each round."""
    torch.set_num_threads(case.threads)
    steps = contenders(case)
    repeats = {}
    for name, (backend, step) in steps.items():
        os.environ["OPTKIT_BACKEND"] = backend
        step()  # compiles, where it does
        fastest = min(timed(step, 1) for _ in range(WARM_UP))
        repeats[name] = int(min(MOST, max(FEWEST, SECONDS / fastest)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    order = list(steps)
    for _ in range(rounds):
        order = order[1:] + order[:1]
        for name in order:
            os.environ["OPTKIT_BACKEND"], step = steps[name]
            timed(step, 1)
            times[name].append(timed(step, repeats[name]))
    found = {name: np.array(values) for name, values in times.items()}
    own = [found[name] for name in found if name in ("torch default", "torch foreach", "torch fused")]
    return found | ({"torch fastest": np.min(own, axis=0)} if own else {})


def timed(step: Step, repeats: int) -> float:
    """Seconds a step; gradients that it clears are set again outside the time."""
    if not hasattr(step, "prepare"):
        start = time.perf_counter()
        for _ in range(repeats):
            step()
        return (time.perf_counter() - start) / repeats
    total = 0.0
    for _ in range(repeats):
        step.prepare()
        start = time.perf_counter()
        step()
        total += time.perf_counter() - start
    return total / repeats


def summary(times: dict[str, np.ndarray], reference: str) -> dict[str, Any]:
    """For each contender its milliseconds, and its ratio to the reference: median and quartiles."""
    base = times[reference]
    steady = [times[name] for name in times if name not in (*COMPILED, "torch fastest", "pytorch_optimizer")]
    total = np.sum(steady, axis=0)
    quiet = total <= QUIET * total.min()
    rows = {}
    for name, values in times.items():
        low, middle, high = np.percentile(values / base, [25, 50, 75])
        rows[name] = {
            "ms": 1e3 * float(np.median(values)),
            "ratio": float(middle),
            "low": float(low),
            "high": float(high),
            "quiet ratio": float(np.median(values[quiet] / base[quiet])),
        }
    return {"rounds": len(base), "quiet": int(quiet.sum()), "reference": reference, "contenders": rows}


def first_use() -> Iterator[float]:
    """Seconds of the first step of an optimizer, compilation included, each in a new process.

    Not counted is what torch loads when any optimizer is made for the first time.
    """
    script = """
import time, torch, optkit.optim as optim
p = torch.nn.Parameter(torch.ones(10)); p.grad = torch.ones(10)
torch.optim.Adam([p])
start = time.perf_counter()
optim.Adam([p]).step()
print(time.perf_counter() - start)
"""
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "XDG_CACHE_HOME": folder, "OPTKIT_BACKEND": "c"}
            done = subprocess.run(
                [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
            )
            yield float(done.stdout)


def print_case(case: Case, found: dict[str, Any]) -> None:
    """One case, contender by contender."""
    print(f"{case.title}: {found['quiet']} of {found['rounds']} rounds quiet; ratio to {case.reference}")
    for name, row in found["contenders"].items():
        spread = f"{row['ratio']:6.3f}  ({row['low']:.3f} to {row['high']:.3f})"
        print(f"  {name:<17} {row['ms']:9.3f} ms {spread}, quiet {row['quiet ratio']:.3f}", flush=True)


def print_targets(record: dict[str, Any]) -> None:
    """What was to be reached, and what is."""
    print("\ntargets: C against the reference, median (quartiles)")
    for title, found in record["cases"].items():
        if found["target"] is not None:
            row = found["contenders"]["C"]
            verdict = "reached" if row["ratio"] <= found["target"] else "missed"
            limit = found["contenders"]["plain loop"]["ratio"]
            text = (
                f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}), at most {found['target']:.2f}"
            )
            print(f"  {title:<62} {text}: {verdict}; the limit {limit:.3f}")
    if "first use in s" in record:
        seconds = float(np.median(record["first use in s"]))
        print(f"  first use, compilation included: {seconds:.2f} s, at most 1 s")


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    lines = compiler.processor().splitlines()
    model = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    versions = {"torch": torch.__version__, "python": platform.python_version(), "optkit": optkit.__version__}
    for module in ("heavyball", "pytorch_optimizer"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[module] = metadata.version(module)
    return {
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "512-bit vectors": "avx512f" in compiler.processor(),
        "memory in GiB": round(pages / 2**30),
        "system": platform.system(),
        "compiler": next(compiler.compilers()).version,
        "versions": versions,
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"5 cases, {ROUNDS_QUICK} rounds")
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"rounds (default {ROUNDS}, against the plain loop {ROUNDS_PLAIN}, quick {ROUNDS_QUICK})",
    )
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose title holds it")
    parser.add_argument("--chunks", action="store_true", help="compare sizes of a torch chunk")
    parser.add_argument("--json", metavar="FILE", help="write the numbers there as well")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no case after that time")
    arguments = parser.parse_args()
    begin = time.monotonic()
    rounds = arguments.rounds or (ROUNDS_QUICK if arguments.quick else ROUNDS)
    chosen = CHUNKED if arguments.chunks else QUICK if arguments.quick else CASES
    cases = [case for case in chosen if arguments.only in case.title]
    record: dict[str, Any] = {
        "what": "time of one optimizer step, float32, on the CPU; protocol in benchmarks/step.py",
        "rounds": rounds,
        "machine": machine(),
        "cases": {},
    }
    file = None if arguments.json is None else Path(arguments.json)
    if file is not None and file.exists():
        old = json.loads(file.read_text(encoding="utf-8"))
        if {**old, "cases": {}, "first use in s": 0} != {**record, "first use in s": 0}:
            sys.exit(f"{file} holds a run of another kind or machine: name another file, or remove it")
        record = old
    for case in cases:
        title = f"{case.title}, against {case.reference}"
        if title in record["cases"] or time.monotonic() - begin > 60 * arguments.minutes:
            continue
        fixed = arguments.rounds or arguments.quick
        many = ROUNDS_PLAIN if case.reference == "plain loop" and not fixed else rounds
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            found = summary(fresh.submit(measure, case, many).result(), case.reference)
        record["cases"][title] = found | {"target": case.target}
        print_case(case, found)
        write(record, file)
    if not arguments.chunks and "first use in s" not in record:
        record["first use in s"] = list(first_use())
        write(record, file)
    print_targets(record)


def write(record: dict[str, Any], file: Path | None) -> None:
    """Keep what has been measured so far."""
    if file is not None:
        file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
