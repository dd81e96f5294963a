"""What a Newton step costs: the solve for n parameters, and a product that needs no Hessian (C01a, C01b).

``python -m optkit.studies newton_cost`` repeats it within minutes and stores ``results/newton_cost.json``.
The protocol stands in `PROTOCOL` and was fixed, and committed, before the first of these measurements. Times
depend on the machine; the exponent and the ratio much less.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from optkit.studies.ledger import Claim, load, save, verdict

__all__ = ["CLAIMS", "PROTOCOL", "exponent", "measure", "ratios", "repeat", "stored"]

COMMAND = "python -m optkit.studies newton_cost"
NAME = "newton_cost"

PROTOCOL: Mapping[str, Any] = {
    "threads": 1,
    "dtype": "float64 for the solve, float32 for the nets",
    "solve": {
        "what": "torch.linalg.solve of one right side (LU); a random symmetric positive definite matrix",
        "parameters": [250, 500, 1000, 2000, 4000],
        "repeats": 7,
        "fit": "straight line through the medians on logarithmic scales, from 1000 parameters on",
        "fit_from": 1000,
        "tolerance": 0.3,  # of the exponent 3, for C01a
    },
    "product": {
        "what": "gradient of the loss of one batch; Hessian times a random vector by differentiating twice",
        "hidden": [[16], [64], [256], [1024], [1024, 1024]],
        "images": 256,
        "repeats": 15,
        "bound": 4.0,  # gradients that a product may cost, median at every size, for C01b
    },
    "seeds": [0],
}


def measure() -> dict[str, Any]:
    """Measure everything that the protocol names; seconds.

    Returns:
        ``protocol``, ``solve`` (for each size ``parameters`` and ``seconds``) and ``product`` (for each net
        ``parameters``, ``gradient`` and ``product``, lists of seconds, taken in turns).
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(PROTOCOL["threads"])
    try:
        return {"protocol": dict(PROTOCOL), "solve": _solves(), "product": _products()}
    finally:
        torch.set_num_threads(before)


def _solves() -> list[dict[str, Any]]:
    import torch

    rows = []
    for n in PROTOCOL["solve"]["parameters"]:
        random = torch.Generator().manual_seed(PROTOCOL["seeds"][0])
        factor = torch.randn(n, n, generator=random, dtype=torch.float64)
        matrix = factor @ factor.T / n + torch.eye(n, dtype=torch.float64)
        right = torch.randn(n, generator=random, dtype=torch.float64)
        solve = _timer(lambda matrix=matrix, right=right: torch.linalg.solve(matrix, right))
        solve()  # the first call also sets up
        rows.append({"parameters": n, "seconds": [solve() for _ in range(PROTOCOL["solve"]["repeats"])]})
    return rows


def _products() -> list[dict[str, Any]]:
    import torch

    from optkit.data import fashion_mnist
    from optkit.models import mlp

    images, labels, *_ = fashion_mnist().tensors()
    part = slice(PROTOCOL["product"]["images"])
    rows = []
    for hidden in PROTOCOL["product"]["hidden"]:
        model = mlp(hidden=hidden, seed=PROTOCOL["seeds"][0])
        weights = list(model.parameters())
        random = torch.Generator().manual_seed(PROTOCOL["seeds"][0])
        vector = [torch.randn(weight.shape, generator=random) for weight in weights]

        def gradient(keep: bool = False, model: Any = model, weights: Any = weights) -> Any:
            loss = torch.nn.functional.cross_entropy(model(images[part]), labels[part])
            return torch.autograd.grad(loss, weights, create_graph=keep)

        def product(weights: Any = weights, vector: Any = vector, gradient: Any = gradient) -> Any:
            return torch.autograd.grad(gradient(keep=True), weights, grad_outputs=vector)

        timers = {"gradient": _timer(gradient), "product": _timer(product)}
        row: dict[str, Any] = {"parameters": sum(weight.numel() for weight in weights)}
        row |= {name: [] for name in timers}
        for turn in range(PROTOCOL["product"]["repeats"] + 1):
            for name, timer in timers.items():
                seconds = timer()
                if turn:  # the first turn also sets up
                    row[name].append(seconds)
        rows.append(row)
    return rows


def _timer(work: Callable[[], Any]) -> Callable[[], float]:
    def timed() -> float:
        gc.disable()  # a collection in the midst would be counted
        try:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start
        finally:
            gc.enable()

    return timed


def exponent(result: Mapping[str, Any]) -> tuple[float, float]:
    """Exponent p and factor c of the fit: seconds ≈ c·nᵖ.

    Example:
        >>> rows = [{"parameters": n, "seconds": [2e-9 * n**3]} for n in (500, 1000, 2000, 4000)]
        >>> p, c = exponent({"solve": rows, "protocol": PROTOCOL})
        >>> round(p, 6), float(f"{c:.3g}")
        (3.0, 2e-09)
    """
    rows = [row for row in result["solve"] if row["parameters"] >= result["protocol"]["solve"]["fit_from"]]
    sizes = np.log([row["parameters"] for row in rows])
    times = np.log([median(row["seconds"]) for row in rows])
    slope, height = np.polyfit(sizes, times, 1)
    return float(slope), float(np.exp(height))


def ratios(result: Mapping[str, Any]) -> dict[int, list[float]]:
    """Parameters → time of a product over that of a gradient, turn by turn.

    Example:
        >>> ratios({"product": [{"parameters": 10, "gradient": [1.0, 2.0], "product": [3.0, 4.0]}]})
        {10: [3.0, 2.0]}
    """
    return {
        row["parameters"]: [b / a for a, b in zip(row["gradient"], row["product"], strict=True)]
        for row in result["product"]
    }


def repeat() -> Path:
    """Measure anew and store the result; returns the file's path."""
    return save(NAME, measure(), command=COMMAND, seeds=PROTOCOL["seeds"])


def stored() -> dict[str, Any]:
    """The stored measurement, as `optkit.studies.ledger.load` returns it."""
    return load(NAME, command=COMMAND)


def _c01a() -> Claim:
    result = stored()["data"]
    slope, _ = exponent(result)
    rows = [row for row in result["solve"] if row["parameters"] >= PROTOCOL["solve"]["fit_from"]]
    widest = max(max(row["seconds"]) / min(row["seconds"]) for row in rows)
    largest = rows[-1]
    return Claim(
        "C01a",
        "The solve of a Newton step takes a time that grows as $n^3$ with the number $n$ of parameters.",
        f"fitted exponent {slope:.2f} from n = {rows[0]['parameters']:,} to {largest['parameters']:,}, "
        f"where it takes {median(largest['seconds']):.2g} s",
        f"{len(largest['seconds'])} repeats at each size, slowest over fastest at most {widest:.2f}",
        verdict(abs(slope - 3) < PROTOCOL["solve"]["tolerance"]),
        COMMAND,
        tuple(PROTOCOL["seeds"]),
    )


def _c01b() -> Claim:
    found = ratios(stored()["data"])
    middle = {n: median(values) for n, values in found.items()}
    good = [value <= PROTOCOL["product"]["bound"] for value in middle.values()]
    return Claim(
        "C01b",
        "A product with the Hessian costs no more than four gradients, however many parameters there are.",
        f"{min(middle.values()):.1f} to {max(middle.values()):.1f} gradients, "
        f"for {min(found):,} to {max(found):,} parameters",
        f"single turns from {min(map(min, found.values())):.1f} to {max(map(max, found.values())):.1f}",
        verdict(all(good), under_conditions=any(good)),
        COMMAND,
        tuple(PROTOCOL["seeds"]),
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C01a": _c01a, "C01b": _c01b}
