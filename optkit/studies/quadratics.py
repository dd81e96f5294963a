"""Gradient descent and heavy ball on quadratics, measured by running them (C01, C02).

Protocol, committed before the first run:

- f = ½ θᵀHθ in 10 dimensions, H = Q diag(λ) Qᵀ with Q random and orthogonal, ten seeds; θ₀ normal.
- C01: λ logarithmically even from L/100 to L, L = 1, 10, 100. A learning rate counts as stable if ‖θ‖ after
  2,000 steps is below ‖θ₀‖. The boundary is found by bisection between 1/L and 4/L, to 1 in 10⁴. It holds
  if every boundary is within 1 % of 2/L.
- C02: κ = 10, 100, 1000, λ logarithmically even from 1 to κ. Each method with its best constants. The rate
  is measured over the second half of so many steps that ‖θ‖ falls by 10³⁰ by the formula. What is compared
  is −ln(rate), not the rate: near 1 any two rates are within 5 %. It holds if every one is within 5 % of
  the formula, and heavy ball is faster at every κ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from optkit.rules import RULES
from optkit.studies.ledger import Claim, verdict

__all__ = ["CLAIMS", "boundaries", "formulas", "quadratic", "rates"]

COMMAND = "optkit claims C01 C02"
SEEDS = tuple(range(10))
SIZES = (1.0, 10.0, 100.0)
CONDITIONS = (10, 100, 1000)
DIMENSIONS = 10
STEPS = 2000


def quadratic(eigenvalues: Sequence[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A symmetric matrix with these eigenvalues along random directions, and a random start.

    Returns:
        H, shape (n, n), and θ₀, shape (n,).

    Example:
        >>> H, start = quadratic([1.0, 2.0], seed=0)
        >>> np.linalg.eigvalsh(H).round(9).tolist()
        [1.0, 2.0]
    """
    draw = np.random.default_rng(seed)
    q, _ = np.linalg.qr(draw.standard_normal((len(eigenvalues), len(eigenvalues))))
    H = (q * np.asarray(eigenvalues)) @ q.T
    return (H + H.T) / 2, draw.standard_normal(len(eigenvalues))


def boundaries(largest: float, seeds: Sequence[int] = SEEDS) -> np.ndarray:
    """The largest stable learning rate of gradient descent for a largest eigenvalue L, by bisection.

    Args:
        largest: L > 0.
        seeds: One quadratic for each, all searched side by side.

    Returns:
        Learning rates, shape (seeds,).
    """
    H, start = _stacked(np.geomspace(largest / 100, largest, DIMENSIONS), seeds)
    low, high = np.full(len(seeds), 1 / largest), np.full(len(seeds), 4 / largest)
    while (high / low).max() > 1 + 1e-4:
        middle = np.sqrt(low * high)
        with np.errstate(over="ignore", invalid="ignore"):  # far beyond the boundary
            last = _last(H, start, "gradient_descent", STEPS, lr=middle[:, None])
            stable = np.linalg.norm(last, axis=1) < np.linalg.norm(start, axis=1)
        low, high = np.where(stable, middle, low), np.where(stable, high, middle)
    return np.sqrt(low * high)


def formulas(condition: float) -> dict[str, dict[str, float]]:
    """Best constants and rate of both methods for eigenvalues from 1 to κ.

    Example:
        >>> {name: round(found["rate"], 3) for name, found in formulas(100).items()}
        {'gradient_descent': 0.98, 'momentum_common': 0.818}
    """
    root = math.sqrt(condition)
    fast = (root - 1) / (root + 1)
    return {
        "gradient_descent": {"lr": 2 / (condition + 1), "rate": (condition - 1) / (condition + 1)},
        "momentum_common": {"lr": 4 / (root + 1) ** 2, "momentum": fast**2, "rate": fast},
    }


def rates(condition: float, name: str, seeds: Sequence[int] = SEEDS) -> np.ndarray:
    """The factor by which one step shrinks ‖θ‖ in the long run, at the best constants, shape (seeds,)."""
    constants = formulas(condition)[name]
    steps = 2 * math.ceil(-15 * math.log(10) / math.log(constants["rate"]))
    H, start = _stacked(np.geomspace(1, condition, DIMENSIONS), seeds)
    hyper = {key: value for key, value in constants.items() if key != "rate"}
    half, whole = (
        np.linalg.norm(_last(H, start, name, count, **hyper), axis=1) for count in (steps // 2, steps)
    )
    return (whole / half) ** (1 / (steps - steps // 2))


def _stacked(eigenvalues: np.ndarray, seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [quadratic(eigenvalues, seed) for seed in seeds]
    return np.stack([H for H, _ in pairs]), np.stack([start for _, start in pairs])


def _last(H: np.ndarray, start: np.ndarray, name: str, steps: int, **hyper: Any) -> np.ndarray:
    rule = RULES[name]
    theta, state = start, [np.zeros_like(start) for _ in rule.state]
    for t in range(1, steps + 1):
        g = (H @ theta[:, :, None])[:, :, 0]
        made = rule.function(theta, g, *state, t, **hyper)  # the text itself: ε may differ by quadratic
        theta, *state = made if state else (made,)
    return theta


def _c01() -> Claim:
    off = np.array([boundaries(size) * size / 2 - 1 for size in SIZES])
    return Claim(
        "C01",
        "Gradient descent on a quadratic with largest eigenvalue $L$ is stable exactly for ε < 2/$L$: the "
        "measured boundary is within 1 % ($L$ = 1, 10, 100).",
        f"{100 * np.median(off):+.3f} % off 2/L: median over seeds and L",
        f"{100 * off.min():+.3f} to {100 * off.max():+.3f} % with {len(SEEDS)} seeds",
        verdict(bool(np.abs(off).max() < 0.01), under_conditions=bool(np.median(np.abs(off)) < 0.01)),
        COMMAND,
        SEEDS,
    )


def _c02() -> Claim:
    off: dict[str, list[list[float]]] = {}
    measured: dict[str, list[float]] = {}
    for name in formulas(10):
        found = [rates(condition, name).tolist() for condition in CONDITIONS]
        expected = [math.log(formulas(condition)[name]["rate"]) for condition in CONDITIONS]
        off[name] = [
            [math.log(one) / log - 1 for one in row] for row, log in zip(found, expected, strict=True)
        ]
        measured[name] = [float(np.median(row)) for row in found]
    worst = max(abs(one) for rows in off.values() for row in rows for one in row)
    middle = max(abs(float(np.median(row))) for rows in off.values() for row in rows)
    slow, fast = measured["gradient_descent"], measured["momentum_common"]
    faster = all(b < a for a, b in zip(slow, fast, strict=True))
    pairs = "; ".join(
        f"κ = {condition}: {a:.4f} and {b:.4f}"
        for condition, a, b in zip(CONDITIONS, slow, fast, strict=True)
    )
    return Claim(
        "C02",
        "At their best constants gradient descent shrinks the error by $(κ-1)/(κ+1)$ a step and heavy ball "
        "by $(\\sqrt{κ}-1)/(\\sqrt{κ}+1)$: −ln(rate) is within 5 % of both for κ = 10, 100, 1000.",
        f"rates of gradient descent and heavy ball, medians: {pairs}",
        f"−ln(rate) at most {100 * worst:.1f} % off with any of {len(SEEDS)} seeds",
        verdict(faster and worst < 0.05, under_conditions=faster and middle < 0.05),
        COMMAND,
        SEEDS,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C01": _c01, "C02": _c02}
