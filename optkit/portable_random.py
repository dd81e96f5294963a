"""Random numbers that any language repeats bit for bit: a hash of (seed, step, index), without a state.

Every operation is one on 32-bit unsigned integers, but for the last, whose doubles are exact. In JavaScript::

    const mix = x => {
      x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
      x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
      return (x ^ (x >>> 16)) >>> 0;
    };
    const key = (seed, step, index) => mix(mix(mix(seed >>> 0) + step >>> 0) + index >>> 0);
    const noise = (seed, step, index) => {
      const k = key(seed, step, index);
      let sum = 0;
      for (let j = 1; j <= 12; j++) sum += mix(k + Math.imul(j, 0x9e3779b9) >>> 0);
      return (sum + 6) / 4294967296 - 6;
    };

Twelve uniform numbers minus six (Irwin–Hall) have mean 0 and variance 1, are symmetric and lie within ±6;
only their excess kurtosis, −0.1, tells them from normal ones. Good for noise to watch, not for secrets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

GOLDEN = 0x9E3779B9
DRAWS = 12
WORD = 1 << 32


def mix(x: ArrayLike) -> NDArray[np.uint32]:
    """A bijection of 32-bit integers in which every bit of the result depends on every bit of ``x``.

    Example:
        >>> int(mix(1))
        1753845952
    """
    # NumPy warns when a 0-d product wraps round, and is silent for arrays: the wrap is meant.
    word = np.atleast_1d(np.asarray(x, dtype=np.uint32))
    word = (word ^ (word >> 16)) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> 15)) * np.uint32(0x846CA68B)
    word = word ^ (word >> 16)
    return word.reshape(np.shape(x))


def key(seed: int, step: ArrayLike, index: ArrayLike) -> NDArray[np.uint32]:
    """The 32-bit key of one number: hash of seed, step and index, each taken modulo 2³²."""
    first = int(mix(_wrap(_whole(seed, "seed"))))
    second = mix(_wrap(first + np.asarray(step, dtype=np.int64))).astype(np.int64)
    return mix(_wrap(second + np.asarray(index, dtype=np.int64)))


def uniform(seed: int, step: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    """Uniform on (0, 1): the key's own hash, on the centres of 2³² cells.

    Args:
        seed: Whole number; taken modulo 2³².
        step: Whole numbers, such as the step t.
        index: Whole numbers, such as the places of an array's elements; broadcast with ``step``.

    Returns:
        float64 of their common shape.

    Example:
        >>> float(uniform(0, 1, 0))
        0.6921572327846661
    """
    return (mix(_wrap(key(seed, step, index).astype(np.int64) + GOLDEN)) + 0.5) / WORD


def noise(seed: int, step: ArrayLike, index: ArrayLike) -> NDArray[np.float64]:
    """Nearly normal, with mean 0 and variance 1: twelve uniform numbers minus six.

    Args:
        seed: Whole number; taken modulo 2³².
        step: Whole numbers, such as the step t.
        index: Whole numbers, such as the places of an array's elements; broadcast with ``step``.

    Returns:
        float64 of their common shape.

    Example:
        >>> noise(0, 1, [0, 1])
        array([ 0.67353324, -0.42597936])
    """
    start = key(seed, step, index).astype(np.int64)[..., None]
    total = mix(_wrap(start + np.arange(1, DRAWS + 1) * GOLDEN)).sum(axis=-1, dtype=np.int64)
    # Sums of twelve 32-bit integers are exact in double: the order of adding does not matter.
    return (total + DRAWS / 2) / WORD - DRAWS / 2


def _wrap(x: Any) -> Any:
    return x % WORD


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    return int(value)
