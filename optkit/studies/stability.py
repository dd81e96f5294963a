"""Where gradient descent leaves a quadratic, and how fast it and momentum reach its minimum (C01, C02).

Nothing is read off a formula here: boundary and speeds come from runs of the rules on quadratics of ten
parameters, turned and started at random. `PROTOCOL` was fixed, and committed, before the first of these runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from optkit.dynamics import best_gradient_descent, best_momentum
from optkit.rules import RULES
from optkit.studies.ledger import Claim, verdict

__all__ = ["CLAIMS", "PROTOCOL", "SEEDS", "boundary", "bowls", "speeds"]

Array = np.ndarray
SEEDS = tuple(range(5))
PROTOCOL: Mapping[str, Any] = {
    "problem": "½θᵀHθ; eigenvalues of H evenly spaced on the logarithmic scale from μ = 1 to L = κ",
    "parameters": 10,
    "conditions": (10.0, 100.0, 1000.0),
    "seeds": SEEDS,  # of the eigenvectors and the start
    "boundary": {
        "steps": 1000,
        "stable": "the loss after all steps is below the loss half-way",
        "halvings": 14,  # of the interval of ε, which is 0 to 4/L at first
        "tolerance": 0.01,  # relative, of the boundary, for C01
    },
    "speeds": {
        "speed": "−ln of the factor by which the error shrinks in a step: a bound on the rate itself would "
        "say nothing near 1",
        "steps": {"gradient_descent": "10 κ", "momentum_standard": "100 √κ"},
        "measured": "over the second half of the steps",
        "tolerance": 0.05,  # relative, of the speed, for C02; no neighbour is faster by more
        "neighbours": (0.8, 0.9, 1.0, 1.1, 1.2),  # times ε, and times 1 − α
    },
}


def bowls(condition: float) -> tuple[Array, Array]:
    """Hessian and start of the quadratic of each seed, (seeds, n, n) and (seeds, n).

    Example:
        >>> hessians, starts = bowls(10.0)
        >>> np.linalg.eigvalsh(hessians)[:, [0, -1]].round(6).tolist()[0], starts.shape
        ([1.0, 10.0], (5, 10))
    """
    n = PROTOCOL["parameters"]
    curvatures = np.geomspace(1.0, condition, n)
    hessians, starts = [], []
    for seed in SEEDS:
        random = np.random.RandomState(seed)
        axes, _ = np.linalg.qr(random.standard_normal((n, n)))
        hessians.append(axes * curvatures @ axes.T)
        starts.append(random.standard_normal(n))
    return np.array(hessians), np.array(starts)


def boundary(condition: float) -> Array:
    """The largest learning rate at which gradient descent stays, by halving an interval: (seeds,).

    Args:
        condition: κ, which is also L.

    Example:
        >>> bool(abs(boundary(10.0) * 10 / 2 - 1).max() < 0.01)
        True
    """
    hessians, theta = bowls(condition)
    low, high = np.zeros(len(SEEDS)), np.full(len(SEEDS), 4.0 / condition)
    for _ in range(PROTOCOL["boundary"]["halvings"]):
        middle = (low + high) / 2
        stays = _stays(hessians, theta, middle)
        low, high = np.where(stays, middle, low), np.where(stays, high, middle)
    return (low + high) / 2


def _stays(hessians: Array, theta: Array, lr: Array) -> Array:
    steps = PROTOCOL["boundary"]["steps"]
    rule, losses = RULES["gradient_descent"], []
    with np.errstate(all="ignore"):  # a run that leaves may overflow; it then is not below anything
        for t in range(1, steps + 1):
            theta = rule(theta, _slope(hessians, theta), t, lr=lr[:, None])[0]
            if t in (steps // 2, steps):
                losses.append((theta * _slope(hessians, theta)).sum(axis=-1) / 2)
        return losses[1] < losses[0]


def speeds(condition: float) -> dict[str, dict[str, Array]]:
    """How fast each rule is at its best setting, and at settings around it.

    Returns:
        Rule → ``formula`` (float), ``best`` (seeds,) and ``neighbours`` (settings, seeds), all speeds: −ln of
        the factor by which the error shrinks in a step.

    Example:
        >>> found = speeds(10.0)["gradient_descent"]
        >>> found["neighbours"].shape, np.exp(-found["best"]).round(2)
        ((5, 5), array([0.82, 0.82, 0.82, 0.82, 0.82]))
    """
    factors = PROTOCOL["speeds"]["neighbours"]
    found = {}
    for name, best, steps in (
        ("gradient_descent", best_gradient_descent(1.0, condition), round(10 * condition)),
        ("momentum_standard", best_momentum(1.0, condition), round(100 * condition**0.5)),
    ):
        shares = factors if best.momentum else (1.0,)
        settings = [(best.lr * a, 1 - (1 - best.momentum) * b) for a in factors for b in shares]
        measured = _speed(name, condition, np.array(settings), steps)
        own = settings.index((best.lr, 1 - (1 - best.momentum)))
        found[name] = {
            "formula": -np.log(best.rate),
            "best": measured[own],
            "neighbours": measured,
        }
    return found


def _speed(name: str, condition: float, settings: Array, steps: int) -> Array:
    hessians, start = bowls(condition)
    theta = np.tile(start, (len(settings), 1, 1))
    state = tuple(np.zeros_like(theta) for _ in RULES[name].state)
    lr, momentum = settings.T[:, :, None, None]
    hyper = {"lr": lr} | ({"momentum": momentum} if state else {})
    away = []
    with np.errstate(all="ignore"):  # a setting that diverges has a speed below zero, or none
        for t in range(1, steps + 1):
            theta, *state = RULES[name](theta, _slope(hessians, theta), *state, t, **hyper)
            if t in (steps // 2, steps):
                away.append(np.linalg.norm(theta, axis=-1))
        found = np.log(away[0] / away[1]) / (steps - steps // 2)
    return np.where(np.isfinite(found), found, -np.inf)


def _slope(hessians: Array, theta: Array) -> Array:
    return (hessians @ theta[..., None])[..., 0]


def _c01() -> Claim:
    conditions = PROTOCOL["conditions"]
    ratio = np.array([boundary(kappa) * kappa / 2 for kappa in conditions])
    close = np.abs(ratio - 1) < PROTOCOL["boundary"]["tolerance"]
    return Claim(
        "C01",
        "On a quadratic gradient descent is stable if, and only if, $\\epsilon < 2/L$.",
        f"boundary at {np.median(ratio):.4f} times $2/L$ (κ = {_listed(conditions)})",
        f"{ratio.min():.4f} to {ratio.max():.4f} over {len(SEEDS)} seeds and all κ",
        verdict(bool(close.all()), under_conditions=bool(close.all(axis=1).any())),
        "optkit claims C01",
        SEEDS,
    )


def _c02() -> Claim:
    tolerance = PROTOCOL["speeds"]["tolerance"]
    texts, off, good = [], [], []
    for kappa in PROTOCOL["conditions"]:
        found = speeds(kappa)
        rates = [f"{np.exp(-np.median(one['best'])):.4f}" for one in found.values()]
        texts.append(f"κ = {kappa:g}: {rates[1]} against {rates[0]}")
        off.append([np.abs(one["best"] / one["formula"] - 1).max() for one in found.values()])
        # No setting around it may beat the best one.
        beaten = [one["neighbours"].max() / one["formula"] > 1 + tolerance for one in found.values()]
        good.append(max(off[-1]) < tolerance and not any(beaten))
    return Claim(
        "C02",
        "The best rate of momentum on a quadratic is $(\\sqrt\\kappa-1)/(\\sqrt\\kappa+1)$, that of gradient "
        "descent $(\\kappa-1)/(\\kappa+1)$.",
        "; ".join(texts),
        f"speed $-\\ln(\\text{{rate}})$ off by at most {100 * np.max(off):.1f} % over {len(SEEDS)} seeds",
        verdict(all(good), under_conditions=any(good)),
        "optkit claims C02",
        SEEDS,
    )


def _listed(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C01": _c01, "C02": _c02}
