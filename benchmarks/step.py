"""Time of one optimizer step: optkit's compiled C and its torch chunks against torch's own ways.

The contenders take turns in every round, and ratios are taken within the round, because the speed of a shared
machine changes from second to second: printed are the median ratio and its quartiles. A round is quiet if all
contenders together took no longer than 1.15 times their fastest round; where five are, only these count.
The plain loop is the machine's limit: it reads and writes the same arrays, and hardly computes.

    python benchmarks/step.py                 all cases, then the targets
    python benchmarks/step.py --quick         fewer cases and rounds, under a minute
    python benchmarks/step.py --only RAdam    cases whose title holds a word
    python benchmarks/step.py --chunks        how the size of a torch chunk matters
    python benchmarks/step.py --json FILE     the numbers, also as JSON
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from shapes import MODELS, Shapes

import optkit
from optkit import optim
from optkit.kernels import Table, compiler
from optkit.optim import stepping
from optkit.rules import RULES

Step = Callable[[], Any]
WARM_UP = 2
QUIET = 1.15
OURS = {
    "Adam": optim.Adam,
    "SGD momentum": partial(optim.SGD, lr=1e-3, momentum=0.9),
    "RMSprop": optim.RMSprop,
    "RAdam": optim.RAdam,
    "INNA": optim.INNA,
}
THEIRS = {
    "Adam": torch.optim.Adam,
    "SGD momentum": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),
    "RMSprop": torch.optim.RMSprop,
    "RAdam": torch.optim.RAdam,
    "INNA": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),  # torch has none: this moves as much memory
}
FUSED = ("Adam", "SGD momentum", "INNA")


@dataclass(frozen=True)
class Case:
    """One optimizer on one model; what its C is held against, and the ratio that is wanted."""

    optimizer: str
    model: str
    threads: int = 2
    reference: str = "torch fused"
    target: float | None = None

    @property
    def title(self) -> str:
        """Optimizer, model and threads."""
        return f"{self.optimizer}, {self.model}, {self.threads} thread{'s' * (self.threads > 1)}"


CHUNKS = (16_384, 32_768, 65_536, 131_072, 262_144, 524_288)
SUITABLE = [r.name for r in RULES.values() if r.gradient_at is None and not r.inputs]
CASES = [
    Case("Adam", "ResNet-50", target=0.90),
    Case("Adam", "MLP 670k", 1, target=0.55),
    Case("Adam", "100 x 1,000", 1, target=0.25),
    Case("SGD momentum", "ResNet-50", target=0.90),
    Case("RAdam", "ResNet-50", reference="torch fastest", target=0.15),
    Case("RMSprop", "ResNet-50", reference="torch fastest", target=0.15),
    Case("INNA", "ResNet-50", target=0.95),
    *(Case("Adam", model) for model in ("1e4", "1e6", "1e7", "2.5e7", "100 x 1,000", "MLP 670k")),
    *(Case(name, "1e7", reference="plain loop", target=1.05) for name in SUITABLE),
]
QUICK = [CASES[1], CASES[2], CASES[0], Case("Adam", "1e6"), Case("adam", "1e6", reference="plain loop")]

CHUNKED = [
    Case("Adam", model, reference=f"chunks of {stepping.CHUNK:,}") for model in ("1e6", "1e7", "2.5e7")
]


def parameters(shapes: Shapes) -> list[torch.nn.Parameter]:
    """Random parameters with gradients."""
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator)
    return params


def contenders(case: Case) -> dict[str, tuple[str, Step]]:
    """Name → the value of OPTKIT_BACKEND while it runs, and one step."""
    shapes = MODELS[case.model]
    if case.reference == "plain loop":
        rule = RULES[case.optimizer]
        made = optim.from_rule(rule)(parameters(shapes))
        return {"plain loop": ("", plain_loop(shapes, len(rule.state))), "C": ("c", made.step)}
    ours, theirs = OURS[case.optimizer], THEIRS[case.optimizer]
    if case.reference.startswith("chunks"):
        step = ours(parameters(shapes)).step
        return {f"chunks of {size:,}": ("torch", partial(in_chunks, size, step)) for size in CHUNKS}
    found = {
        "torch default": ("", theirs(parameters(shapes), foreach=False).step),
        "torch foreach": ("", theirs(parameters(shapes), foreach=True).step),
    }
    if case.optimizer in FUSED:
        found["torch fused"] = ("", theirs(parameters(shapes), fused=True).step)
    compiled = ours(parameters(shapes))
    found["C"] = ("c", compiled.step)
    found["torch chunks"] = ("torch", ours(parameters(shapes)).step)
    found["plain loop"] = ("", plain_loop(shapes, len(compiled.rules[0].state)))
    return found


def in_chunks(size: int, step: Step) -> None:
    """One step by torch in chunks of a size."""
    if size != stepping.CHUNK:
        stepping.CHUNK = size
        vars(stepping._local).clear()  # its buffers are of one size
    step()


def plain_loop(shapes: Shapes, states: int) -> Step:
    """The least that a rule with so many states can do: read θ, g and the states, write θ and the states."""
    written = [k for k in range(2 + states) if k != 1]
    arrays = "\n".join(
        f"        float* __restrict__ a{k} = pointers[{k} * tensors + chunk[0]] + chunk[1];" for k in written
    )
    source = f"""
void plain(long long chunks, const long long* table, long long tensors, float* const* pointers, int threads)
{{
#pragma omp parallel for schedule(guided) num_threads(threads) if (threads > 1)
    for (long long k = 0; k < chunks; k++) {{
        const long long* chunk = table + 3 * k;
        const float* __restrict__ g = pointers[tensors + chunk[0]] + chunk[1];
{arrays}
        for (long long i = 0; i < chunk[2]; i++) {{ {" ".join(f"a{k}[i] += g[i];" for k in written)} }}
    }}
}}
"""
    plain = compiler.build(source).library.plain
    plain.restype = None
    columns = [[torch.randn(shape) for shape in shapes] for _ in range(2 + states)]
    table = Table([[t.data_ptr() for t in column] for column in columns], [t.numel() for t in columns[0]])
    whole = ctypes.c_longlong
    plain.argtypes = [whole, ctypes.c_void_p, whole, ctypes.c_void_p, ctypes.c_int]

    def step(kept: Any = columns) -> None:
        plain(table.chunks, table.starts, table.tensors, table.addresses, torch.get_num_threads())

    return step


def measure(case: Case, rounds: int) -> dict[str, np.ndarray]:
    """Name → seconds a step in each round."""
    torch.set_num_threads(case.threads)
    steps = contenders(case)
    weights = sum(math.prod(shape) for shape in MODELS[case.model])
    repeats = max(2, min(20, 20_000_000 // weights))
    times: dict[str, list[float]] = {name: [] for name in steps}
    order = list(steps)
    for round_number in range(-WARM_UP, rounds):
        order = order[1:] + order[:1]
        for name in order:
            os.environ["OPTKIT_BACKEND"], step = steps[name]
            step()
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            if round_number >= 0:
                times[name].append((time.perf_counter() - start) / repeats)
    found = {name: np.array(values) for name, values in times.items()}
    own = [found[name] for name in found if name.startswith("torch") and name != "torch chunks"]
    return found | ({"torch fastest": np.min(own, axis=0)} if own else {})


def summary(times: dict[str, np.ndarray], reference: str) -> dict[str, Any]:
    """For each contender its milliseconds, and its ratio to the reference: median and quartiles."""
    base = times[reference]
    # Not by the reference alone: that would choose the rounds in which it was lucky.
    total = np.sum([values for name, values in times.items() if name != "torch fastest"], axis=0)
    quiet = total <= QUIET * total.min()
    kept = quiet if quiet.sum() >= 5 else np.ones_like(quiet)
    rows = {}
    for name, values in times.items():
        low, middle, high = np.percentile(values[kept] / base[kept], [25, 50, 75])
        rows[name] = {"ms": 1e3 * np.median(values[kept]), "ratio": middle, "low": low, "high": high}
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
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "XDG_CACHE_HOME": folder, "OPTKIT_BACKEND": "c"}
            done = subprocess.run(
                [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
            )
            yield float(done.stdout)


def print_targets(targets: list[tuple[Case, dict[str, float]]], seconds: float) -> None:
    """What was to be reached, and what is."""
    print("\ntargets: C against the reference, median (quartiles)")
    for case, row in targets:
        verdict = "reached" if row["ratio"] <= case.target else "missed"
        text = f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}), at most {case.target:.2f}"
        print(f"  {case.title:<34} {case.reference:<14} {text}: {verdict}")
    print(f"  first use, compilation included: {seconds:.2f} s, at most 1 s")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="5 cases, 7 rounds")
    parser.add_argument("--rounds", type=int, help="rounds (default 25, quick 7)")
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose title holds it")
    parser.add_argument("--chunks", action="store_true", help="compare sizes of a torch chunk")
    parser.add_argument("--json", metavar="FILE", help="write the numbers there as well")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (7 if arguments.quick else 25)
    chosen = CHUNKED if arguments.chunks else QUICK if arguments.quick else CASES
    cases = [case for case in chosen if arguments.only in case.title]
    model = [line for line in compiler.processor().splitlines() if line.startswith("model name")]
    record: dict[str, Any] = {
        "what": "time of one optimizer step, float32, on the CPU",
        "command": " ".join(["python benchmarks/step.py", *sys.argv[1:]]),
        "optkit": optkit.__version__,
        "torch": torch.__version__,
        "machine": model[0].split(":")[1].strip() if model else platform.machine(),
        "processors": os.cpu_count(),
        "compiler": next(compiler.compilers()).version,
        "cases": {},
    }
    targets = []
    for case in cases:
        found = summary(measure(case, rounds), case.reference)
        record["cases"][f"{case.title}, against {case.reference}"] = found | {"target": case.target}
        print(f"{case.title}: {found['quiet']} of {found['rounds']} rounds quiet; ratio to {case.reference}")
        for name, row in found["contenders"].items():
            spread = f"{row['ratio']:6.2f}  ({row['low']:.2f} to {row['high']:.2f})"
            print(f"  {name:<15} {row['ms']:9.3f} ms {spread}", flush=True)
        if case.target is not None:
            targets.append((case, found["contenders"]["C"]))
    if not arguments.chunks:
        record["first use in s"] = seconds = list(first_use())
        print_targets(targets, float(np.median(seconds)))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
