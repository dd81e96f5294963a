"""What a step costs against the number of parameters, from a stored measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import series
from optkit.studies.newton_cost import exponent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["newton_costs"]


def newton_costs(solves: Sequence[Mapping[str, Any]], products: Mapping[str, Any]) -> tuple[Figure, str]:
    """Draw the time of the solve, of a gradient and of a Hessian product, and the memory of a Hessian.

    Args:
        solves: Results with ``solve``, as ``optkit.studies.newton_cost`` stores them; the last one's fit is
            drawn, and drawn on to the largest net.
        products: A result with ``product``.

    Returns:
        The figure, and its alternative text with the fitted exponent.

    Raises:
        ValueError: No result with a solve.

    Example:
        >>> rows = [{"parameters": n, "seconds": [1e-9 * n**3]} for n in (1000, 2000)]
        >>> plan = {"solve": {"fit_from": 1000}}
        >>> nets = [{"parameters": n, "gradient": [1e-7 * n], "product": [3e-7 * n]} for n in (10**4, 10**5)]
        >>> figure, alt = newton_costs([{"solve": rows, "protocol": plan}], {"product": nets})
        >>> "n to the power 3.00" in alt
        True
    """
    if not solves:
        raise ValueError("solves must hold at least 1 result, got none")
    p, c = exponent(solves[-1])
    nets = products["product"]
    sizes = np.array([row["parameters"] for row in nets], dtype=float)
    taken = {key: np.array([median(row[key]) for row in nets]) for key in ("gradient", "product")}
    measured = sorted((row["parameters"], median(row["seconds"])) for one in solves for row in one["solve"])
    along = np.array([measured[0][0], sizes.max()])
    with style():
        figure, (top, bottom) = canvas(2, 1, height=0.9, sharex=True)
        top.plot(*np.array(measured).T, series(1).marker, color=series(1).colour, label="solve, measured")
        top.plot(along, c * along**p, color=series(1).colour, linestyle=series(1).dash,
                 label=rf"fit, $n^{{{p:.2f}}}$")  # fmt: skip
        top.plot(sizes, taken["product"], **series(0).line(label="Hessian product"))
        top.plot(sizes, taken["gradient"], **series(5).line(label="gradient"))
        bottom.plot(along, 8 * along**2 / 1e9, **series(1).line(label="Hessian", markers=False))
        bottom.plot(along, 8 * along / 1e9, **series(5).line(label="gradient", markers=False))
        top.set_ylabel("seconds")
        bottom.set(ylabel="gigabytes, float64", xlabel="parameters $n$")
        for axes in (top, bottom):
            axes.set(xscale="log", yscale="log")
            axes.legend(loc="upper left")
    largest = max(row["parameters"] for one in solves for row in one["solve"])
    ratio = taken["product"] / taken["gradient"]
    alt = (
        "Two panels against the number of parameters n, logarithmic. Time: a solve takes "
        f"{measured[-1][1]:.2g} s at n = {largest:,} and grows as n to the power {p:.2f}, which would be "
        f"{_duration(c * sizes.max() ** p)} at {int(sizes.max()):,}; there a gradient takes "
        f"{taken['gradient'][-1]:.2g} s and a product with the Hessian {ratio[-1]:.1f} times that. Memory: "
        f"the Hessian grows as n squared, to {8 * sizes.max() ** 2 / 1e12:.0f} terabytes."
    )
    return figure, alt


def _duration(seconds: float) -> str:
    for size, unit in ((86400 * 365.25, "years"), (86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} seconds"
