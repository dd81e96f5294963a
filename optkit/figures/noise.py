"""Gradient noise in pictures: against the batch size, and as the error that it leaves after training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.noise import (
    mini_batch_noise,
    one_example_noise,
    sampled_with_replacement,
    sampled_without_replacement,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["noise_against_batch_size", "noise_of_nets", "noise_slope"]


def noise_against_batch_size(gram: np.ndarray, *, seed: int = 0, draws: int = 500) -> tuple[Figure, str]:
    """Draw the measured noise of a mini-batch gradient against its size, with the two formulas.

    Args:
        gram: What `optkit.noise.gradient_gram` returns, for N examples.
        seed: Of the mini-batches drawn.
        draws: Mini-batches for each size.

    Returns:
        The figure, and its alternative text with the fitted slope.

    Raises:
        ValueError: As for `optkit.noise.mini_batch_noise`.

    Example:
        >>> figure, alt = noise_against_batch_size(np.diag(np.ones(64)), seed=0)
        >>> alt.split(". ")[0]
        'Gradient noise against batch size m, both axes logarithmic, for N = 64 examples'
    """
    count = len(gram)
    sigma = one_example_noise(gram)
    sizes = _sizes(count)
    # A whole pass has no noise at all, and a logarithmic axis has no zero.
    parts = sizes[sizes < count]
    again = np.array([mini_batch_noise(gram, m, seed=seed, draws=draws) for m in sizes])
    once = np.array([mini_batch_noise(gram, m, seed=seed, draws=draws, replacement=False) for m in parts])
    fine = np.geomspace(1, count, 400)
    with style():
        figure, axes = canvas()
        looks = series(0), series(1)
        axes.plot(fine, [sampled_with_replacement(sigma=sigma, m=m) for m in fine],
                  **looks[0].line(label=r"formula $\sigma/\sqrt{m}$", markers=False))  # fmt: skip
        axes.plot(fine[:-1], [sampled_without_replacement(sigma=sigma, m=m, N=count) for m in fine[:-1]],
                  **looks[1].line(label="formula, no example twice", markers=False))  # fmt: skip
        for look, x, y, words in zip(looks, (sizes, parts), (again, once), ("with", "without"), strict=True):
            axes.plot(x, y, look.marker, color=look.colour, label=f"measured, {words} replacement")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_ylim(bottom=once.min() / 2)
        axes.set_xlabel("batch size $m$")
        axes.set_ylabel("noise: root mean square of $\\Vert\\hat{g} - g\\Vert$")
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.legend()
    factor = np.sqrt((count - parts) / (count - 1))
    alt = (
        f"Gradient noise against batch size m, both axes logarithmic, for N = {count} examples. With "
        f"replacement the noise falls from {again[0]:.3g} at m = 1 to {again[-1]:.3g} at m = {sizes[-1]} "
        f"along a straight line of fitted slope {noise_slope(sizes, again):.2f}; the formula says -0.50. "
        f"Without replacement it falls faster, to {once[-1]:.3g} at m = {parts[-1]} and to 0 at m = N; "
        "divided by the formula's factor for a finite set its slope is "
        f"{noise_slope(parts, once / factor):.2f}."
    )
    return figure, alt


def noise_of_nets(
    found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]], labels: Mapping[str, str]
) -> tuple[Figure, str]:
    """Draw the noise of several nets against the batch size, drawn with and without replacement.

    Args:
        found: Net → ``with`` and ``without`` → a row for each seed with ``sizes``, ``noise`` and ``slope``:
            what the study ``gradient_noise`` stores.
        labels: Net → its name in print.

    Returns:
        The figure, and its alternative text with the fitted slopes.

    Raises:
        KeyError: A net without a label.

    Example:
        >>> row = {"sizes": [1, 4], "noise": [2.0, 1.0], "slope": -0.5}
        >>> figure, alt = noise_of_nets({"mine": {"with": [row], "without": [row]}}, {"mine": "My net"})
        >>> "My net: from 2 at m = 1 to 1 at m = 4; slopes -0.500 to -0.500 with replacement" in alt
        True
    """
    sentences = []
    with style():
        figure, axes = canvas()
        for index, (net, ways) in enumerate(found.items()):
            look = series(index)
            sizes = np.array(ways["with"][0]["sizes"])
            for way, rows in ways.items():
                noise = np.array([row["noise"] for row in rows])
                filled = {} if way == "with" else {"markerfacecolor": "none", "markersize": 9}
                for one in noise:
                    axes.plot(sizes, one, look.marker, color=look.colour, **filled)
            drawn = np.median([row["noise"] for row in ways["with"]], axis=0)
            sigma = float(np.exp(np.mean(np.log(drawn * np.sqrt(sizes)))))
            line = [sampled_with_replacement(sigma=sigma, m=m) for m in sizes]
            axes.plot(sizes, line, **look.line(label=labels[net]))
            slopes = "; ".join(
                f"{min(values):.3f} to {max(values):.3f} {way} replacement"
                for way, values in ((way, [row["slope"] for row in rows]) for way, rows in ways.items())
            )
            sentences.append(
                f"{labels[net]}: from {drawn[0]:.3g} at m = {sizes[0]} to {drawn[-1]:.3g} at "
                f"m = {sizes[-1]}; slopes {slopes}."
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlabel("batch size $m$")
        axes.set_ylabel("noise of the gradient")
        axes.legend()
    what = "Gradient noise of nets against the batch size, both axes logarithmic, with lines of slope -0.5"
    return figure, f"{what}. " + " ".join(sentences)


def noise_slope(sizes: np.ndarray, noise: np.ndarray) -> float:
    """The slope of the straight line through log noise against log m, by least squares.

    Example:
        >>> noise_slope(np.array([1, 4, 16]), np.array([1.0, 0.5, 0.25])).__round__(6)
        -0.5
    """
    return float(np.polyfit(np.log(sizes), np.log(noise), 1)[0])


def _sizes(count: int) -> np.ndarray:
    powers = 2 ** np.arange(int(np.log2(count)) + 1)
    return powers if powers[-1] == count else np.append(powers, count)
