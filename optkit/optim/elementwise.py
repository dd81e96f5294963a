"""A rule applied once to a list of tensors, by the same kernels that optimizers use: SAM's climb, for one."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from optkit.kernels import Kernel, Table, backend, cuda
from optkit.optim.bound import NAMES, is_plain, lie_alike, overlap, step_packed
from optkit.optim.stepping import ARITHMETIC, made, step_tensors
from optkit.rules import Rule


def apply_rule(
    rule: Rule,
    thetas: Sequence[Tensor],
    gradients: Sequence[Tensor],
    states: Sequence[Sequence[Tensor]] | None = None,
    *,
    t: int = 1,
    **values: Any,
) -> None:
    """Apply a rule once to every tensor of a list, in place.

    All that a kernel can take goes into one call of it; the rest is done by torch, as in an optimizer.

    Args:
        rule: Any rule, also one that needs inputs.
        thetas: What is changed: float64, float32, bfloat16, float16 or complex, strided, of any shape.
        gradients: One for each, of the same shape and dtype. Not changed.
        states: For each its state tensors in the rule's order, float32 for the half types, else of θ's dtype;
            changed in place. None for a rule without state.
        t: Step, counted from 1.
        **values: Inputs and hyper-parameters that differ from their defaults, as numbers.

    Raises:
        TypeError: A value has no name in the rule, an input is missing, or a dtype is none of these.
        ValueError: A hyper-parameter is out of range, or the lists do not fit each other.
        RuntimeError: The environment asks for C, and it cannot be had.

    Example:
        >>> from optkit.rules import RULES
        >>> theta, g = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
        >>> apply_rule(RULES["sam_perturbation"], [theta], [g], grad_norm=5.0, rho=1.0, eps=0.0)
        >>> theta
        tensor([1.6000, 2.8000])
    """
    states = [()] * len(thetas) if states is None else states
    scalars = made(rule).program.scalars(t, **_checked(rule, thetas, gradients, states, values))
    by_kernel: dict[Any, list[int]] = defaultdict(list)
    packed, loose, written, read = [], [], [], []
    kernels: dict[Any, Any] = {}
    for k, (theta, g, state) in enumerate(zip(thetas, gradients, states, strict=True)):
        key = theta.dtype, theta.device
        if key not in kernels:
            kernels[key] = made(rule).kernel(scalars, False, "", NAMES[theta.dtype], theta.device)
        ordinary = kernels[key] is not None and is_plain(theta, g, state) and not (g.is_conj() or g.is_neg())
        if ordinary and lie_alike(theta, g, state):
            by_kernel[key].append(k)
        else:
            (packed if ordinary and isinstance(kernels[key], Kernel) else loose).append(k)
        written += [theta, *state]
        read.append(g)
    if overlap(written, read):  # one after another, as torch does it
        by_kernel, packed, loose = defaultdict(list), [], list(range(len(thetas)))
    for key, places in by_kernel.items():
        _run(kernels[key], key[1], *[[x[k] for k in places] for x in (thetas, gradients, states)], scalars)
    for k in packed:
        step_packed(kernels[thetas[k].dtype, thetas[k].device], thetas[k], gradients[k], states[k], scalars)
    if loose:
        columns = [[x[k] for k in loose] for x in (thetas, gradients, states)]
        step_tensors(rule, *columns, [scalars] * len(loose))


def _checked(rule: Rule, thetas: Any, gradients: Any, states: Any, values: dict[str, Any]) -> dict[str, Any]:
    if not len(thetas) == len(gradients) == len(states):
        raise ValueError(
            f"thetas, gradients and states must be of one length, got {len(thetas)}, {len(gradients)} and "
            f"{len(states)}"
        )
    missing = [name for name in rule.inputs if name not in values]
    if missing:
        raise TypeError(f"{rule.name} needs {', '.join(missing)}; give it as a keyword")
    for name, value in values.items():
        if name in rule.hyperparameters:
            rule.hyperparameters[name].check(value)
        elif name not in rule.inputs:
            allowed = ", ".join([*rule.inputs, *rule.hyperparameters])
            raise TypeError(f"{rule.name} has no {name}; it takes {allowed}")
    for theta, g, state in zip(thetas, gradients, states, strict=True):
        if theta.dtype not in ARITHMETIC:
            raise TypeError(f"thetas must be floating point or complex, got {theta.dtype}")
        wanted = [(theta.dtype, g), *((ARITHMETIC[theta.dtype], tensor) for tensor in state)]
        misfit = any(x.shape != theta.shape or x.dtype != dtype for dtype, x in wanted)
        if misfit or len(state) != len(rule.state):
            raise ValueError(
                f"gradients and states must fit θ of shape {tuple(theta.shape)} and {theta.dtype}, with "
                f"{len(rule.state)} states of {ARITHMETIC[theta.dtype]} for {rule.name}"
            )
    return {**rule.defaults(), **values}


def _run(kernel: Any, device: Any, thetas: Any, gradients: Any, states: Any, scalars: Any) -> None:
    columns = [thetas, gradients, *zip(*states, strict=True)]
    parts = 2 if thetas[0].is_complex() else 1
    lengths = tuple(parts * theta.numel() for theta in thetas)
    addresses = [[tensor.data_ptr() for tensor in column] for column in columns]
    row = [scalars[name] for name in kernel.scalars]
    if isinstance(kernel, cuda.Kernel):
        kernel.step(cuda.Table(backend.gpu(device), addresses, lengths), row)
    else:
        present = (ctypes.c_uint64 * (len(columns) * len(thetas)))(*chain(*addresses))
        kernel.step(_table(lengths), row, torch.get_num_threads(), present)
    increment_version(thetas)


@lru_cache(maxsize=4)
def _table(lengths: tuple[int, ...]) -> Table:
    """How arrays of these lengths are cut into chunks."""
    return Table([], lengths)
