"""What a Newton step costs: the solve for n parameters, and a product that needs no Hessian (C01a, C01b).

``python -m optkit.studies newton_cost`` repeats it within minutes and stores ``results/newton_cost.json``.
The protocol stands in `PROTOCOL` and was fixed, and committed, before the first of these measurements. Times
depend on the machine; the exponent and the ratio much less.

The declared fit, from 1,000 to 4,000 parameters, gave the exponent 2.57, and C01a is not reproduced. Between
neighbouring sizes the exponent was still growing, so `LARGER` was declared afterwards, for C01d: the same
with larger matrices, in a run and a file of its own. The machine was not idle during the first run: 2,000
parameters took 0.19 s then, and 0.11 s in the second.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from optkit.studies.engine.declaration import digest
from optkit.studies.ledger import Claim, load, save, verdict

__all__ = [
    "CLAIMS",
    "LARGER",
    "PROTOCOL",
    "exponent",
    "measure",
    "ratios",
    "repeat",
    "repeat_larger",
    "stored",
    "stored_larger",
]

COMMAND = "python -m optkit.studies newton_cost"
NAME = "newton_cost"
LARGER_NAME = "newton_cost_larger"

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

LARGER: Mapping[str, Any] = {
    "threads": 1,
    "solve": {
        **PROTOCOL["solve"],
        "parameters": [2000, 4000, 8000],
        "repeats": 5,
        "fit": "straight line through the medians on logarithmic scales",
        "fit_from": 2000,
    },
    "seeds": [0],
}

DECLARED = {NAME: PROTOCOL, LARGER_NAME: LARGER}


def measure() -> dict[str, Any]:
    """Measure everything that the protocol names; seconds.

    Returns:
        ``protocol``, ``solve`` (for each size ``parameters`` and ``seconds``) and ``product`` (for each net
        ``parameters``, ``gradient`` and ``product``, lists of seconds, taken in turns).
    """
    return {"protocol": dict(PROTOCOL), "solve": _solves(PROTOCOL["solve"]), "product": _products()}


def _solves(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    import torch

    rows = []
    for n in plan["parameters"]:
        random = torch.Generator().manual_seed(PROTOCOL["seeds"][0])
        factor = torch.randn(n, n, generator=random, dtype=torch.float64)
        matrix = factor @ factor.T / n + torch.eye(n, dtype=torch.float64)
        right = torch.randn(n, generator=random, dtype=torch.float64)
        solve = _timer(lambda matrix=matrix, right=right: torch.linalg.solve(matrix, right))
        solve()  # the first call also sets up
        rows.append({"parameters": n, "seconds": [solve() for _ in range(plan["repeats"])]})
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
    """Measure anew and store both results; returns the path of the first."""
    path = _store(NAME, measure, PROTOCOL)
    repeat_larger()
    return path


def repeat_larger() -> Path:
    """Measure only the larger matrices anew, and store the result; needs about two gigabytes of memory."""
    return _store(LARGER_NAME, lambda: {"protocol": dict(LARGER), "solve": _solves(LARGER["solve"])}, LARGER)


def _store(name: str, work: Callable[[], Mapping[str, Any]], protocol: Mapping[str, Any]) -> Path:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(protocol["threads"])
    try:
        return save(
            name, work(), command=COMMAND, seeds=protocol["seeds"], declaration=digest(DECLARED[name])
        )
    finally:
        torch.set_num_threads(before)


def stored() -> dict[str, Any]:
    """The stored measurement, as `optkit.studies.ledger.load` returns it."""
    return load(NAME, command=COMMAND, declaration=digest(DECLARED[NAME]))


def stored_larger() -> dict[str, Any]:
    """The stored measurement of the larger matrices."""
    return load(LARGER_NAME, command=COMMAND, declaration=digest(DECLARED[LARGER_NAME]))


def _solve_claim(id: str, result: Mapping[str, Any]) -> Claim:
    slope, _ = exponent(result)
    plan = result["protocol"]["solve"]
    rows = [row for row in result["solve"] if row["parameters"] >= plan["fit_from"]]
    widest = max(max(row["seconds"]) / min(row["seconds"]) for row in rows)
    sizes = f"{rows[0]['parameters']:,} to {rows[-1]['parameters']:,}"
    return Claim(
        id,
        f"From {sizes} parameters the time of the solve in a Newton step grows as $n^3$: exponent "
        f"3 ± {plan['tolerance']:g}.",
        f"fitted exponent {slope:.2f}; {median(rows[-1]['seconds']):.2g} s at the last",
        f"{len(rows[-1]['seconds'])} repeats at each size, slowest over fastest at most {widest:.2f}",
        verdict(abs(slope - 3) < plan["tolerance"]),
        COMMAND,
        tuple(result["protocol"]["seeds"]),
    )


def _c01a() -> Claim:
    return _solve_claim("C01a", stored()["data"])


def _c01d() -> Claim:
    return _solve_claim("C01d", stored_larger()["data"])


def _c01b() -> Claim:
    found = ratios(stored()["data"])
    middle = {n: median(values) for n, values in found.items()}
    quarters = np.array([np.quantile(values, [0.25, 0.75]) for values in found.values()])
    low, high = quarters.min(), quarters.max()
    good = [value <= PROTOCOL["product"]["bound"] for value in middle.values()]
    return Claim(
        "C01b",
        "A product with the Hessian costs no more than four gradients, however many parameters there are.",
        f"{min(middle.values()):.1f} to {max(middle.values()):.1f} gradients, "
        f"for {min(found):,} to {max(found):,} parameters",
        f"middle half of {len(next(iter(found.values())))} turns within {low:.1f} to {high:.1f}",
        verdict(all(good), under_conditions=any(good)),
        COMMAND,
        tuple(PROTOCOL["seeds"]),
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C01a": _c01a, "C01b": _c01b, "C01d": _c01d}
