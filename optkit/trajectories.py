"""The path of a rule on a problem: any rule, any problem, any schedule, with repeatable gradient noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optkit.language.hyperparameter import Hyperparameter
from optkit.portable_random import noise as portable_noise
from optkit.problems.problem import Problem
from optkit.rules.rule import Rule

Array = NDArray[np.float64]
LIMIT = 1e12
"""An iterate with a coordinate beyond this counts as diverged."""
BLOCK = 1 << 15
"""Random numbers that are made at a time."""


@dataclass(frozen=True)
class Trajectory:
    """What happened, step by step. Row k of an array is what stood after k steps; row 0 is the start.

    ``...`` stands for the axes of several starts; for one start there are none.

    Attributes:
        theta: (steps + 1, ..., dim) iterates. After the first one that is not finite or exceeds `LIMIT`
            everything is NaN: shapes never depend on what happens.
        loss: (steps + 1, ...) the problem's loss there, without noise.
        gradient: (steps, ..., dim) gradients that the rule received, with noise: row k led from k to k + 1.
        lr: (steps,) learning rates in use, the schedule's factor included.
        state: Name → (steps + 1, ..., dim), the rule's state.
        rule: Name of the rule.
        problem: Name of the problem.
        hyper: All hyper-parameters of the rule.
    """

    theta: Array
    loss: Array
    gradient: Array
    lr: Array
    state: Mapping[str, Array] = field(repr=False)
    rule: str
    problem: str
    hyper: Mapping[str, Any]

    @property
    def steps(self) -> int:
        """Number of steps asked for."""
        return len(self.lr)

    @property
    def diverged(self) -> Any:
        """Whether the path left the finite world: a bool, or for several starts an array of them."""
        outside = ~(np.abs(self.theta).max(axis=-1) <= LIMIT)
        return _plain(outside.any(axis=0))

    def steps_to(self, target: float) -> Any:
        """Steps until the loss is first ``target`` or less; None where it never is.

        For several starts an array of whole numbers, −1 where it never is.

        Example:
            >>> from optkit.problems import PROBLEMS
            >>> from optkit.rules import RULES
            >>> path = run(RULES["gradient_descent"], PROBLEMS["quadratic"], steps=100, lr=0.1)
            >>> path.steps_to(0.01), path.steps_to(-1.0)
            (32, None)
        """
        there = self.loss <= target
        first = np.where(there.any(axis=0), there.argmax(axis=0), -1)
        if first.ndim:
            return first
        return None if first < 0 else int(first)


def run(
    rule: Rule,
    problem: Problem,
    *,
    steps: int,
    start: ArrayLike | None = None,
    schedule: Callable[[int], float] | None = None,
    noise: float | None = None,
    batch_size: int = 1,
    seed: int = 0,
    sam: float = 0.0,
    **hyper: Any,
) -> Trajectory:
    """Follow ``rule`` on ``problem`` for ``steps`` steps, in float64.

    Args:
        rule: Any rule of `RULES` or of your own. Where it has a ``gradient_at``, the gradient is taken there.
        problem: Any problem.
        steps: Number of steps, >= 0.
        start: (dim,), or (..., dim) for several starts side by side; by default the problem's own.
        schedule: t → factor on ``lr``, with t = 1 for the first step: a `Schedule`, or any such function.
        noise: Standard deviation of the gradient noise of one example, in each coordinate, >= 0; by default
            the problem's own.
        batch_size: Examples a gradient averages, >= 1: the noise is divided by √batch_size.
        seed: Whole number. The noise is `optkit.portable_random.noise` of (seed, t, place in the start
            array): the same in every language, and at every number of steps.
        sam: Radius ρ of sharpness-aware minimisation, >= 0: the gradient is taken at θ + ρ g/‖g‖. Each start
            has a norm of its own, and both gradients the same noise, as from one batch.
        **hyper: Hyper-parameters of the rule; those not named keep the rule's defaults.

    Raises:
        TypeError: No rule or problem, a hyper-parameter that the rule has not, a value that is no number, or
            a schedule for a rule without ``lr``.
        ValueError: Something is out of range, or ``rule`` is no rule of descent.

    Example:
        >>> from optkit.problems import PROBLEMS
        >>> from optkit.rules import RULES
        >>> path = run(RULES["adam"], PROBLEMS["rosenbrock"], steps=3, lr=0.1)
        >>> path.theta.shape, path.loss.round(2).tolist(), path.diverged
        ((4, 2), [24.2, 5.62, 6.27, 11.8], False)
    """
    _check(rule, problem, steps, schedule, batch_size, seed)
    theta = _start(problem, start)
    scale = problem.noise if noise is None else noise
    for name, value in (("noise", scale), ("sam", sam)):
        Hyperparameter(name, low=0.0).check(value)
    rule.check(**hyper)
    numbers = {name: value if isinstance(value, bool) else float(value) for name, value in hyper.items()}
    hyper = {**rule.defaults(), **numbers}
    look = rule.gradient_at
    at = {} if look is None else {name: hyper[name] for name in look.scalars}

    state = tuple(np.zeros_like(theta) for _ in rule.state)
    thetas = np.full((steps + 1, *theta.shape), np.nan)
    states = {name: np.full_like(thetas, np.nan) for name in rule.state}
    gradients, rates = np.full((steps, *theta.shape), np.nan), np.full(steps, np.nan)
    draws = _noise(scale / math.sqrt(batch_size), seed, steps, theta.shape)
    thetas[0] = theta
    for name, value in zip(rule.state, state, strict=True):
        states[name][0] = value

    with np.errstate(all="ignore"):  # a diverging path may overflow; its flag says so
        for t in range(1, steps + 1):
            gone = ~(np.abs(theta).max(axis=-1) <= LIMIT)
            if gone.all():
                break
            theta = np.where(gone[..., None], np.nan, theta)
            now = dict(hyper)
            if "lr" in now:
                now["lr"] = rates[t - 1] = hyper["lr"] * _factor(schedule, t)
            point = theta if look is None else look(theta, *state, **at)
            error = next(draws)
            g = problem.gradient(point) + error
            if sam:
                norm = np.sqrt((g * g).sum(axis=-1, keepdims=True))
                g = problem.gradient(point + sam * g / (norm + 1e-12)) + error
            theta, *state = rule(theta, g, *state, t, **now)
            thetas[t], gradients[t - 1] = theta, g
            for name, value in zip(rule.state, state, strict=True):
                states[name][t] = value
        loss = np.asarray(problem.loss(thetas))
    return Trajectory(thetas, loss, gradients, rates, states, rule.name, problem.name, hyper)


def _noise(scale: float, seed: int, steps: int, shape: tuple[int, ...]) -> Any:
    """Yield the noise of each step; made in blocks, because many small calls are slow."""
    size = math.prod(shape)
    if scale == 0 or size == 0:
        for _ in range(steps):
            yield 0.0
        return
    block = max(1, BLOCK // size)
    for first in range(1, steps + 1, block):
        t = np.arange(first, min(first + block, steps + 1))
        yield from scale * portable_noise(seed, t[:, None], np.arange(size)).reshape(-1, *shape)


def _factor(schedule: Callable[[int], float] | None, t: int) -> float:
    factor = 1.0 if schedule is None else schedule(t)
    if not (hasattr(factor, "__float__") and 0 <= float(factor) < math.inf):
        raise ValueError(f"schedule must return a finite factor >= 0, got {factor!r} at t = {t}")
    return float(factor)


def _start(problem: Problem, start: ArrayLike | None) -> Array:
    theta = np.array(problem.start if start is None else start, dtype=np.float64)
    if not theta.shape or theta.shape[-1] != problem.dim:
        raise ValueError(f"start must have shape (..., {problem.dim}) for {problem.name}, got {theta.shape}")
    if not np.isfinite(theta).all():
        raise ValueError(f"start must be finite, got {theta.tolist()}")
    return theta


def _check(rule: Rule, problem: Problem, steps: int, schedule: Any, batch_size: int, seed: int) -> None:
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a rule, got {rule!r}; take one of RULES, or make one with @rule")
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a problem, got {problem!r}; take one of PROBLEMS")
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule must be a function of t or None, got {schedule!r}")
    if rule.inputs:
        raise ValueError(
            f"rule must be a rule of descent, got {rule.name}, which needs {', '.join(rule.inputs)}; for "
            "sharpness-aware minimisation run the base rule with sam=0.05"
        )
    for name, value, low in (("steps", steps, 0), ("batch_size", batch_size, 1)):
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < low:
            raise ValueError(f"{name} must be a whole number >= {low}, got {value!r}")
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise TypeError(f"seed must be a whole number, got {seed!r}")
    if schedule is not None and "lr" not in rule.hyperparameters:
        raise TypeError(f"schedule multiplies lr, and {rule.name} has none; leave it out")


def _plain(value: Any) -> Any:
    return value if np.ndim(value) else bool(value)
