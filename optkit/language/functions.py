"""The functions a formula may call, each for Python floats, NumPy arrays and torch tensors.

Every name is the field's own. ``abs`` is Python's. Neither NumPy nor torch is imported here:
an argument brings its own library.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

pi = math.pi


def _library(x: Any) -> ModuleType | None:
    """The array library that ``x`` belongs to; None for a Python number."""
    if type(x) in (float, int, bool):
        return None
    namespace = getattr(x, "__array_namespace__", None)
    if namespace is not None:
        return namespace()
    if type(x).__module__ == "numpy":
        import numpy

        return numpy
    if type(x).__module__ != "builtins":
        import torch

        if isinstance(x, torch.Tensor):
            return torch
    raise TypeError(
        f"x must be a Python number, a NumPy array or a torch tensor, got {type(x).__name__}; "
        "convert it first"
    )


def _elementwise(name: str, x: Any) -> Any:
    library = _library(x)
    return getattr(math if library is None else library, name)(x)


def _wave(name: str, x: Any, quarter: float) -> Any:
    from optkit.language.portable import FARTHEST, wave

    library = _library(x)
    if library is None:
        return wave(x, quarter=quarter) if abs(x) <= FARTHEST else getattr(math, name)(x)
    if library.__name__ != "numpy" or x.dtype != "float64":
        return getattr(library, name)(x)
    near = abs(x) <= FARTHEST
    if near.all():
        return wave(x, quarter=quarter)
    return library.where(near, wave(library.where(near, x, 0.0), quarter=quarter), getattr(library, name)(x))


def sqrt(x: Any) -> Any:
    """Square root, element by element.

    Example:
        >>> sqrt(9.0)
        3.0
    """
    return _elementwise("sqrt", x)


def sin(x: Any) -> Any:
    """Sine of ``x`` in radians; floats and float64 arrays with the bits of ``optkit.language.portable``.

    Example:
        >>> sin(0.0)
        0.0
    """
    return _wave("sin", x, 0.0)


def cos(x: Any) -> Any:
    """Cosine of ``x`` in radians; floats and float64 arrays with the bits of ``optkit.language.portable``.

    Example:
        >>> cos(0.0)
        1.0
    """
    return _wave("cos", x, 1.0)


def exp(x: Any) -> Any:
    """Exponential function.

    Example:
        >>> exp(0.0)
        1.0
    """
    return _elementwise("exp", x)


def log(x: Any) -> Any:
    """Natural logarithm, for ``x`` > 0.

    Example:
        >>> log(1.0)
        0.0
    """
    return _elementwise("log", x)


def sign(x: Any) -> Any:
    """−1, 0 or +1; both zeros give +0 and NaN stays NaN, as in NumPy.

    Example:
        >>> sign(-2.5), sign(-0.0)
        (-1.0, 0.0)
    """
    library = _library(x)
    if library is not None:
        return library.sign(x)
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else x


def maximum(a: Any, b: Any) -> Any:
    """The larger of two values, element by element; NaN if either is NaN.

    Example:
        >>> maximum(1.0, 2.0)
        2.0
    """
    return _larger(a, b, "maximum", "clamp_min")


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two values, element by element; NaN if either is NaN.

    Example:
        >>> minimum(1.0, 2.0)
        1.0
    """
    return _larger(a, b, "minimum", "clamp_max")


def _larger(a: Any, b: Any, name: str, clamp: str) -> Any:
    in_a, in_b = _library(a), _library(b)
    if in_a is None and in_b is None:
        if math.isnan(a) or math.isnan(b):
            return math.nan
        return float(max(a, b) if name == "maximum" else min(a, b))
    library = in_a or in_b
    if library.__name__ == "torch" and (in_a is None or in_b is None):
        # torch.maximum takes no Python number; clamp does, and keeps the dtype.
        return getattr(library, clamp)(*((a, b) if in_b is None else (b, a)))
    return getattr(library, name)(a, b)


def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0 as in torch.

    Example:
        >>> relu(-1.0), relu(2.0)
        (0.0, 2.0)
    """
    library = _library(x)
    if library is not None and library.__name__ == "torch":
        return library.relu(x)
    return maximum(x, 0.0)


def step(x: Any) -> Any:
    """1 where ``x`` > 0, else 0: the derivative of ``relu``, with 0 at 0.

    Example:
        >>> step(0.0), step(0.1)
        (0.0, 1.0)
    """
    return relu(sign(x))


def floor(x: Any) -> Any:
    """The largest whole number that is not above ``x``, as a float.

    Example:
        >>> floor(2.7), floor(-0.5)
        (2.0, -1.0)
    """
    library = _library(x)
    if library is not None:
        return library.floor(x)
    # math.floor refuses infinity and NaN, and loses the sign of −0.
    return float(x) if x == 0 or not math.isfinite(x) else float(math.floor(x))


ELEMENTWISE = {"sqrt": sqrt, "abs": abs, "sign": sign, "minimum": minimum, "maximum": maximum}
"""The functions of update rules: each gives the same bits in Python, C, CUDA and JavaScript."""

MATHEMATICS = {
    **ELEMENTWISE, "relu": relu, "step": step, "floor": floor, "sin": sin, "cos": cos, "exp": exp, "log": log,
}  # fmt: skip
"""The functions of problems and schedules. Libraries may differ in the last bit of exp and log."""

ARITY = {name: 2 if name in ("minimum", "maximum") else 1 for name in MATHEMATICS}
