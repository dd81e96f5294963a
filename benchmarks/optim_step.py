"""Time of one Adam step: optkit's against torch's default (one tensor after another) and torch's fused.

The contenders take turns in every round, and the ratio is taken within the round, because the speed of a
shared machine changes from second to second: printed are the median ratio and its quartiles. The weights lie
in ten tensors.

    python benchmarks/optim_step.py                 the table
    python benchmarks/optim_step.py --quick         fewer rounds, no 1e7
    python benchmarks/optim_step.py --chunks        how the size of a chunk matters
    python benchmarks/optim_step.py --json FILE     the numbers, also as JSON
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable

import numpy as np
import torch

import optkit
from optkit.optim import Adam, stepping

TENSORS = 10
CHUNKS = (16_384, 32_768, 65_536, 131_072, 262_144, 524_288)


def parameters(weights: int) -> list[torch.nn.Parameter]:
    """Ten parameters with gradients, ``weights`` elements in all."""
    generator = torch.Generator().manual_seed(0)
    params = []
    for _ in range(TENSORS):
        p = torch.nn.Parameter(torch.randn(weights // TENSORS, generator=generator))
        p.grad = torch.randn(weights // TENSORS, generator=generator)
        params.append(p)
    return params


def contenders(weights: int, chunks: bool) -> dict[str, Callable[[], object]]:
    """Name → one step. The first one is what the others are measured against."""
    found: dict[str, Callable[[], object]] = {
        "torch fused": torch.optim.Adam(parameters(weights), fused=True).step
    }
    if not chunks:
        found["torch default"] = torch.optim.Adam(parameters(weights), foreach=False).step
        found["optkit"] = Adam(parameters(weights)).step
        return found
    optimizer = Adam(parameters(weights))
    for size in CHUNKS:
        found[f"optkit, chunks of {size}"] = lambda size=size: _with_chunk(size, optimizer)
    return found


def _with_chunk(size: int, optimizer: Adam) -> None:
    if size != stepping.CHUNK:
        stepping.CHUNK = size
        vars(stepping._local).clear()  # buffers are made for one size
    optimizer.step()


def measure(weights: int, rounds: int, chunks: bool) -> dict[str, dict[str, float]]:
    """Median time of a step in ms, and quartiles of its ratio to the first contender's."""
    steps = {name: step for name, step in contenders(weights, chunks).items()}
    repeats = max(2, 2_000_000 // weights) if weights > 100_000 else 50
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_number in range(-1, rounds):
        for name, step in steps.items():
            step()
            start = time.perf_counter()
            for _ in range(repeats):
                step()
            if round_number >= 0:  # the first round warms up
                times[name].append((time.perf_counter() - start) / repeats)
    base = np.array(next(iter(times.values())))
    table = {}
    for name, values in times.items():
        low, middle, high = np.percentile(np.array(values) / base, [25, 50, 75])
        table[name] = {"ms": 1e3 * float(np.median(values)), "ratio": middle, "low": low, "high": high}
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="5 rounds, up to 1e6 weights")
    parser.add_argument("--chunks", action="store_true", help="compare sizes of a chunk")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default 2)")
    parser.add_argument("--rounds", type=int, help="rounds (default 25, quick 5)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers there as well")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rounds = arguments.rounds or (5 if arguments.quick else 25)
    sizes = [10_000, 1_000_000] if arguments.quick else [10_000, 1_000_000, 10_000_000]
    results = {}
    print(f"one Adam step, {TENSORS} float32 tensors, {arguments.threads} threads, {rounds} rounds")
    print(f"{'weights':>10}  {'':<26} {'ms':>9}  ratio to the first (quartiles)")
    for weights in sizes:
        results[str(weights)] = measure(weights, rounds, arguments.chunks)
        for name, row in results[str(weights)].items():
            spread = f"{row['ratio']:6.2f}  ({row['low']:.2f} to {row['high']:.2f})"
            print(f"{weights:>10}  {name:<26} {row['ms']:9.3f} {spread}")
    if arguments.json:
        record = {
            "what": "time of one Adam step",
            "optkit": optkit.__version__,
            "torch": torch.__version__,
            "machine": platform.machine(),
            "threads": arguments.threads,
            "rounds": rounds,
            "weights": results,
        }
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)


if __name__ == "__main__":
    main()
