"""Window, lag and noise of the EWMA, measured on made-up series whose truth is known (C04)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from optkit.averages import effective_window, ewma, lag, variance_factor
from optkit.studies.ledger import Claim, verdict

__all__ = ["ALPHAS", "CLAIMS", "SEED", "SEEDS", "formulas", "measured", "noisy_jump"]

SEEDS = tuple(range(10))
SEED = SEEDS[0]
"""The seed of what the chapter draws; the spread over all of `SEEDS` stands beside it."""

ALPHAS = (0.5, 0.8, 0.9, 0.95)
POINTS = 200_000  # with these, chance moves the variance for α = 0.95 by about 1.4 %
SLOPE = 0.5  # of the ramp, in standard deviations of the noise a step


def noisy_jump(seed: int = SEED, steps: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A level that jumps from 0 to 1 half-way, under noise of standard deviation 0.4.

    Returns:
        The noisy values and the true ones, each of shape (steps,).

    Example:
        >>> values, truth = noisy_jump()
        >>> truth[[79, 80]].tolist()
        [0.0, 1.0]
    """
    truth = (np.arange(steps) >= steps // 2).astype(float)
    return truth + 0.4 * np.random.default_rng(seed).standard_normal(steps), truth


def measured(seeds: Sequence[int] = SEEDS, alphas: Sequence[float] = ALPHAS) -> dict[str, np.ndarray]:
    """Window, lag and share of variance of the EWMA, measured on 200,000 points for each seed.

    The window is one over the weight of the newest value, read off the covariance of noise and average.
    The lag is the delay behind a noisy ramp. The variance is that of averaged independent noise. No formula
    is used.

    Returns:
        ``window``, ``lag`` and ``variance``, each of shape (seeds, alphas).

    Example:
        >>> measured(seeds=[0], alphas=[0.9])["lag"].round(0).tolist()
        [[9.0]]
    """
    noise = np.stack([np.random.default_rng(seed).standard_normal(POINTS) for seed in seeds], axis=1)
    ramp = SLOPE * np.arange(POINTS, dtype=float)
    found: dict[str, list[np.ndarray]] = {"window": [], "lag": [], "variance": []}
    for alpha in alphas:
        settled = slice(int(20 / (1 - alpha)), None)
        averaged = ewma(noise, alpha)[settled]
        past = noise[settled]
        found["window"].append((past**2).mean(axis=0) / (past * averaged).mean(axis=0))
        found["variance"].append(averaged.var(axis=0) / past.var(axis=0))
        # The average is linear: average of (ramp + noise) = average of ramp + average of noise.
        behind = ramp[settled] - (ewma(ramp, alpha)[settled])
        found["lag"].append((behind.mean() - averaged.mean(axis=0)) / SLOPE)
    return {name: np.stack(columns, axis=1) for name, columns in found.items()}


def formulas(alphas: Sequence[float] = ALPHAS) -> dict[str, np.ndarray]:
    """What the formulas give for the three quantities of `measured`, each of shape (alphas,)."""
    return {
        "window": np.array([effective_window(alpha) for alpha in alphas]),
        "lag": np.array([lag(alpha) for alpha in alphas]),
        "variance": np.array([variance_factor(alpha) for alpha in alphas]),
    }


def _c04() -> Claim:
    found, expected = measured(), formulas()
    off = {name: np.abs(found[name] / expected[name] - 1) for name in expected}
    worst = {name: float(values.max()) for name, values in off.items()}
    median = {name: float(np.median(values, axis=0).max()) for name, values in off.items()}
    return Claim(
        "C04",
        "Under noise that is independent from step to step, the EWMA's window $1/(1-\\alpha)$, lag "
        "$\\alpha/(1-\\alpha)$ and share of variance $(1-\\alpha)/(1+\\alpha)$ are within 5 % of what is "
        f"measured ($\\alpha$ = {', '.join(map(str, ALPHAS))}).",
        "off by "
        + ", ".join(f"{100 * value:.1f} % ({name})" for name, value in median.items())
        + ": median over seeds, worst $\\alpha$",
        "at most "
        + ", ".join(f"{100 * value:.1f} % ({name})" for name, value in worst.items())
        + f" with any of {len(SEEDS)} seeds",
        verdict(max(worst.values()) < 0.05, under_conditions=max(median.values()) < 0.05),
        "python -m optkit.studies claims",
        SEEDS,
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C04": _c04}
