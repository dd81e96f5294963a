"""Sine and cosine out of + − × ÷ and floor alone: the same bits in NumPy and in every browser.

Libraries differ in the last bit of sin and cos, and a path on a wavy surface magnifies that bit until two
screens show two different paths. So both are written here, in the grammar itself, and translated like any
formula.

The angle is brought into ±π/4 by a multiple n of π/2, taken as a sum of four parts of which n times the first
three is exact (Cody and Waite); what rounding loses is carried along. Then follow Taylor's polynomials, whose
next terms are below 10⁻¹⁸. Results are within 1 ulp up to `FARTHEST`. Beyond it the library's own function is
taken, with its own last bit.
"""

from __future__ import annotations

from typing import Any

from optkit.language.functions import floor

FARTHEST = 1e6


def wave(x: Any, *, quarter: float = 0.0) -> Any:
    """sin(x + quarter · π/2): the sine for quarter 0, the cosine for quarter 1.

    Args:
        x: float64, at most `FARTHEST` in size.
        quarter: A whole number.

    Example:
        >>> wave(0.0), wave(0.0, quarter=1)
        (0.0, 1.0)
    """
    n = floor(x * 0.6366197723675814 + 0.5)
    a = x - n * 1.5707963267341256
    b = a - n * 6.077100506303966e-11
    c = b - n * 2.0222662487111665e-21
    lost = (b - a + n * 6.077100506303966e-11) + (c - b + n * 2.0222662487111665e-21)
    rest = n * 8.4784276603689e-32 + lost
    r = c - rest
    tail = c - r - rest
    z = r * r
    p = 1.6059043836821613e-10 + z * (-7.647163731819816e-13 + z * 2.8114572543455206e-15)
    p = -0.0001984126984126984 + z * (2.7557319223985893e-06 + z * (-2.505210838544172e-08 + z * p))
    p = 0.008333333333333333 + z * p
    s = r - (z * (0.5 * tail - z * r * p) - tail + z * r * 0.16666666666666666)
    q = 2.08767569878681e-09 + z * (-1.1470745597729725e-11 + z * 4.779477332387385e-14)
    q = -0.001388888888888889 + z * (2.48015873015873e-05 + z * (-2.755731922398589e-07 + z * q))
    q = 0.041666666666666664 + z * q
    half = 0.5 * z
    w = 1 - half
    k = w + (1 - w - half + (z * z * q - r * tail))
    m = n + quarter
    odd = m - 2 * floor(m / 2)
    turn = 1 - 2 * (floor(m / 2) - 2 * floor(m / 4))
    return turn * ((1 - odd) * s + odd * k)
