"""The linear scaling rule in a picture: the loss after equally many examples, by batch size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.noise import expected_square, sampled_with_replacement
from optkit.rules import RULES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Experiment", "expected_loss", "linear_scaling", "measured_losses"]


class Experiment(NamedTuple):
    """Noisy gradient descent on ½Σλθ², with a budget of examples.

    Attributes:
        curvatures: λ of each direction, > 0.
        start: θ in each direction at the start.
        sigma: Noise of the gradient of one example, in each direction.
        lr: ε for the smallest batch.
        batch_size: Smallest batch.
        steps: Steps that the smallest batch gets; a batch k times as large gets steps / k.
    """

    curvatures: tuple[float, ...] = (1.0, 0.1)
    start: float = 3.0
    sigma: float = 10.0
    lr: float = 0.02
    batch_size: int = 32
    steps: int = 1024

    def scaled(self, factor: int, *, scale_rate: bool) -> Experiment:
        """The same budget in batches ``factor`` times as large, with ε or, by ``scale_rate``, factor · ε."""
        return self._replace(
            lr=self.lr * factor if scale_rate else self.lr,
            batch_size=self.batch_size * factor,
            steps=self.steps // factor,
        )


def expected_loss(experiment: Experiment) -> float:
    """The loss at the end, averaged over all noise, from the recursion of `optkit.noise.expected_square`.

    Example:
        >>> expected_loss(Experiment(curvatures=(1.0,), start=2.0, sigma=0.0, lr=0.5, steps=1))
        0.5
    """
    curvatures = np.array(experiment.curvatures)
    square = np.full(len(curvatures), experiment.start**2)
    for _ in range(experiment.steps):
        square = expected_square(
            square, curvatures, lr=experiment.lr, sigma=experiment.sigma, m=experiment.batch_size
        )
    return float(0.5 * (curvatures * square).sum())


def measured_losses(experiment: Experiment, *, seed: int, runs: int) -> np.ndarray:
    """The loss at the end of ``runs`` runs of the rule `gradient_descent` with normal gradient noise.

    Returns:
        Shape (runs,), float64.

    Example:
        >>> one_step = Experiment(curvatures=(1.0,), sigma=0.0, lr=1.0, steps=1)
        >>> measured_losses(one_step, seed=0, runs=3).tolist()
        [0.0, 0.0, 0.0]
    """
    curvatures = np.array(experiment.curvatures)
    noise = sampled_with_replacement(sigma=experiment.sigma, m=experiment.batch_size)
    random = np.random.RandomState(seed)
    theta = np.full((runs, len(curvatures)), experiment.start)
    for t in range(1, experiment.steps + 1):
        g = curvatures * theta + noise * random.standard_normal(theta.shape)
        (theta,) = RULES["gradient_descent"](theta, g, t, lr=experiment.lr)
    return 0.5 * (curvatures * theta * theta).sum(axis=1)


def linear_scaling(
    experiment: Experiment | None = None,
    *,
    seed: int = 0,
    factors: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128),
    runs: int = 200,
) -> tuple[Figure, str]:
    """Draw the loss after the same number of examples against k: batch k times as large, rate ε or kε.

    Args:
        experiment: The smallest batch; by default two directions of curvature 1 and 0.1.
        seed: Of the noise.
        factors: k, increasing, each a divisor of the steps.
        runs: Runs for each point.

    Returns:
        The figure, and its alternative text.

    Raises:
        ValueError: A factor that does not divide the steps.

    Example:
        >>> figure, alt = linear_scaling(seed=0, factors=(1, 4), runs=2)
        >>> alt.split(":")[0]
        'Loss after 32768 examples against k, for batches of 32 k, both axes logarithmic'
    """
    base = experiment or Experiment()
    for factor in factors:
        if factor < 1 or base.steps % factor:
            raise ValueError(f"factors must be divisors of steps = {base.steps}, got {factor}")
    limit = 2 / (base.lr * max(base.curvatures))
    with style():
        figure, axes = canvas()
        means = {}
        for scale_rate, words in ((True, r"rate $k\epsilon$"), (False, r"rate $\epsilon$")):
            look = series(0 if scale_rate else 1)
            cases = [base.scaled(k, scale_rate=scale_rate) for k in factors]
            expected = [expected_loss(case) for case in cases]
            measured = [measured_losses(case, seed=seed, runs=runs).mean() for case in cases]
            means[scale_rate] = np.array(measured)
            axes.plot(factors, expected, **look.line(label=f"{words}, formula", markers=False))
            axes.plot(
                factors, measured, look.marker, color=look.colour, label=f"{words}, mean of {runs} runs"
            )
        if limit < factors[-1]:
            axes.axvline(limit, color=series(5).colour, linestyle=series(5).dash, linewidth=1)
            axes.annotate(r"$k\epsilon = 2/L$", (limit, 0), (-6, 6), textcoords="offset points", ha="right",
                          xycoords=("data", "axes fraction"))  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlabel(f"$k$: batch of {base.batch_size} $k$ examples, {base.steps} / $k$ steps")
        axes.set_ylabel("loss at the end")
        axes.legend(loc="upper left")
    scaled, kept = means[True], means[False]
    good = [k for k, value in zip(factors, scaled, strict=True) if value < 1.5 * scaled[0]]
    alt = (
        f"Loss after {base.steps * base.batch_size} examples against k, for batches of {base.batch_size} "
        f"k, both axes logarithmic: at k = 1 it is {scaled[0]:.3g}. With the rate multiplied by k it stays "
        f"below 1.5 times that up to k = {good[-1]} and is {scaled[-1]:.3g} at k = {factors[-1]}; the "
        f"limit of stability is at k = {limit:.3g}. With the rate kept it grows steadily, to "
        f"{kept[-1]:.3g}. The formula's lines pass through the means of {runs} runs."
    )
    return figure, alt
