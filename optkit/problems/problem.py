"""What a problem is, and the decorator that makes one from a pure function of coordinates."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optkit.language.declared import check_values, declared
from optkit.language.grammar import Formula, formula
from optkit.language.hyperparameter import Hyperparameter
from optkit.translation.derivative import gradient, hessian

Point = tuple[float, ...]


@dataclass(frozen=True)
class Problem:
    """A loss function of a few coordinates, with what is known about it.

    Attributes:
        name: Its name.
        formula: The function, of one array for each coordinate; its scalars are hyper-parameters.
        hyper: The chosen values of these.
        start: A good place to start.
        window: The part worth looking at: (low, high) for each coordinate.
        minima: Known local minima, the global one first.
        saddles: Known saddles.
        spurious: Points that are not critical although the derived gradient is zero there.
        noise: Standard deviation of the gradient noise that belongs to the problem, in each coordinate.
        description: One sentence.
        citation: Key in ``references.bib``, or None.
        hyperparameters: Name → `Hyperparameter`, for ranges and sliders.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> ravine = PROBLEMS["nonsmooth_ravine"]
        >>> ravine.loss(ravine.start)
        27.0
        >>> ravine.gradient(ravine.start)
        array([ 99., 100.])
    """

    name: str
    formula: Formula = field(repr=False)
    hyper: Mapping[str, Any]
    start: Point
    window: tuple[tuple[float, float], ...]
    minima: tuple[Point, ...] = ()
    saddles: tuple[Point, ...] = ()
    spurious: tuple[Point, ...] = ()
    noise: float = 0.0
    description: str = ""
    citation: str | None = None
    hyperparameters: Mapping[str, Hyperparameter] = field(default_factory=dict, repr=False)

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.formula.arrays)

    @property
    def source(self) -> str:
        """The function's own text, as it stands in the file."""
        return self.formula.source

    @cached_property
    def gradient_formula(self) -> Formula:
        """The gradient as a formula of its own, for other languages."""
        return gradient(self.formula)

    @cached_property
    def hessian_formula(self) -> Formula:
        """The upper triangle of the Hessian, row by row, as a formula of its own."""
        return hessian(self.formula)

    def loss(self, theta: Any) -> Any:
        """The loss at each point.

        Args:
            theta: (..., dim), an array or a torch tensor; the float dtype is kept.

        Returns:
            (...), of the same kind; a Python float for a single point of an array.

        Raises:
            ValueError: The last axis has not ``dim`` entries.
        """
        if hasattr(theta, "unbind"):  # a torch tensor: stay differentiable
            self._check(theta.shape)
            return self.formula(*theta.unbind(-1), **self.hyper)
        points = self._points(theta)
        value = self.formula(*np.moveaxis(points, -1, 0), **self.hyper)
        values = np.array(np.broadcast_to(value, points.shape[:-1]), dtype=points.dtype)
        return values.item() if values.ndim == 0 else values

    def gradient(self, theta: ArrayLike) -> np.ndarray:
        """The derived gradient at each point, (..., dim) → (..., dim)."""
        points = self._points(theta)
        return self._stack(self.gradient_formula, points, np.empty_like(points))

    def hessian(self, theta: ArrayLike) -> np.ndarray:
        """The derived Hessian at each point, (..., dim) → (..., dim, dim)."""
        points, n = self._points(theta), self.dim
        triangle = np.empty((*points.shape[:-1], n * (n + 1) // 2), points.dtype)
        self._stack(self.hessian_formula, points, triangle)
        rows, columns = np.triu_indices(n)
        full = np.empty((*points.shape, n), points.dtype)
        full[..., rows, columns] = triangle
        full[..., columns, rows] = triangle
        return full

    def replace(self, **hyper: Any) -> Problem:
        """The same problem with other hyper-parameters.

        Raises:
            TypeError: Unknown name, or no number.
            ValueError: Out of range.

        Example:
            >>> from optkit.problems import PROBLEMS
            >>> PROBLEMS["quadratic"].replace(condition=0.5)
            Traceback (most recent call last):
            ValueError: condition must be >= 1, got 0.5
        """
        check_values(self.name, self.hyperparameters, hyper)
        numbers = {name: value if isinstance(value, bool) else float(value) for name, value in hyper.items()}
        return replace(self, hyper={**self.hyper, **numbers})

    def _points(self, theta: ArrayLike) -> np.ndarray:
        points = np.asarray(theta)
        if not np.issubdtype(points.dtype, np.floating):
            points = points.astype(np.float64)
        self._check(points.shape)
        return points

    def _check(self, shape: tuple[int, ...]) -> None:
        if not shape or shape[-1] != self.dim:
            raise ValueError(
                f"theta must have shape (..., {self.dim}) for {self.name}, got {tuple(shape)}; "
                "the last axis holds the coordinates"
            )

    def _stack(self, derivative: Formula, points: np.ndarray, out: np.ndarray) -> np.ndarray:
        values = derivative(*np.moveaxis(points, -1, 0), **self.hyper)
        for index, value in enumerate(values if isinstance(values, tuple) else (values,)):
            out[..., index] = value
        return out

    def __reduce__(self) -> Any:
        # Travels by name, never as code.
        function = self.formula.function
        return _restore, (self.name, function.__module__, function.__qualname__, dict(self.hyper))


def problem(
    function: Callable[..., Any] | Formula | None = None,
    /,
    *,
    start: Sequence[float],
    window: Sequence[tuple[float, float]],
    minima: Sequence[Sequence[float]] = (),
    saddles: Sequence[Sequence[float]] = (),
    spurious: Sequence[Sequence[float]] = (),
    noise: float = 0.0,
    name: str | None = None,
    description: str | None = None,
    citation: str | None = None,
    **changes: Mapping[str, Any],
) -> Any:
    """Make a `Problem` from a pure function ``(x, y, …, *, scalars…)`` of coordinates that returns the loss.

    Args:
        function: The function, or a formula; left out when the decorator stands with arguments.
        start: Where to start, one number for each coordinate.
        window: (low, high) of each coordinate, for figures.
        minima: Known minima, the global one first.
        saddles: Known saddles.
        spurious: Points that only look critical.
        noise: Standard deviation of the gradient noise, >= 0.
        name: Its name; by default the function's.
        description: One sentence; by default the docstring's first paragraph.
        citation: Key in ``references.bib``.
        **changes: For a scalar of the function: symbol, range and description, as fields of `Hyperparameter`.

    Raises:
        LanguageError: The function is outside the grammar, or not of this shape.
        ValueError: start, window or a point does not fit the function's coordinates.

    Example:
        >>> from optkit.problems import problem
        >>> def tilted(x, y, *, tilt=0.5):
        ...     return x * x + y * y + tilt * x * y
        >>> mine = problem(tilted, start=(1, 1), window=((-2, 2), (-2, 2)))
        >>> mine.gradient([1.0, 1.0])
        array([2.5, 2.5])
    """
    if function is None:
        return lambda f: problem(
            f, start=start, window=window, minima=minima, saddles=saddles, spurious=spurious, noise=noise,
            name=name, description=description, citation=citation, **changes,
        )  # fmt: skip
    checked = function if isinstance(function, Formula) else formula(function)
    if not checked.arrays or checked.has_step or len(checked.results) != 1:
        raise checked.refusal(
            "a problem is a function of coordinates with one result", "write (x, y, *, …) and return the loss"
        )
    hyperparameters = declared(checked, changes)
    dim = len(checked.arrays)
    if len(window) != dim or not all(len(pair) == 2 and pair[0] < pair[1] for pair in window):
        raise ValueError(f"window must be {dim} pair(s) low < high, got {window}")
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be >= 0 and finite, got {noise}")
    return Problem(
        name=name or checked.name,
        formula=checked,
        hyper=dict(checked.scalars),
        start=_point(start, dim, "start"),
        window=tuple((float(low), float(high)) for low, high in window),
        minima=tuple(_point(p, dim, "each of minima") for p in minima),
        saddles=tuple(_point(p, dim, "each of saddles") for p in saddles),
        spurious=tuple(_point(p, dim, "each of spurious") for p in spurious),
        noise=float(noise),
        description=checked.description if description is None else description,
        citation=citation,
        hyperparameters=hyperparameters,
    )


def _point(point: Sequence[float], dim: int, name: str) -> Point:
    values = tuple(float(value) for value in point)
    if len(values) != dim or not np.isfinite(values).all():
        raise ValueError(f"{name} must be {dim} finite number(s), got {tuple(point)}")
    return values


def _restore(name: str, module: str, qualname: str, hyper: dict[str, Any]) -> Problem:
    from optkit.problems import PROBLEMS

    holder: Any = PROBLEMS.get(name)
    there = None if holder is None else holder.formula.function
    if there is None or (there.__module__, there.__qualname__) != (module, qualname):
        holder = importlib.import_module(module)
        for part in qualname.split("."):
            holder = getattr(holder, part)
    if not isinstance(holder, Problem):
        raise TypeError(f"{module}.{qualname} must be a problem, got {type(holder).__name__}")
    return replace(holder, hyper=hyper)
