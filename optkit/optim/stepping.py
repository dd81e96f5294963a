"""What computes a step of a rule: its compiled kernel, or torch, operation by operation.

On the CPU torch works in chunks of `CHUNK` elements, so that what one operation leaves is still in the cache
for the next.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from optkit.kernels import Kernel, backend, cuda
from optkit.optim.layout import flat_views
from optkit.optim.tape import Tape, record
from optkit.rules import Rule
from optkit.translation import Program, program
from optkit.translation.path import ones_of, path

CHUNK = 131_072
"""Elements a chunk on the CPU: within a sixth of the fastest size, see ``benchmarks/step.py --chunks``."""

ARITHMETIC = {
    torch.float64: torch.float64,
    torch.float32: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float16: torch.float32,
    torch.complex128: torch.complex128,
    torch.complex64: torch.complex64,
}
"""dtype of a parameter → dtype of its state and of the arithmetic. Other parameters are refused."""


@dataclass(frozen=True)
class Made:
    """What is made of a rule once.

    Attributes:
        program: The hoisted program.
        tapes: Branches, sign and decay → tape.
        kernels: The same, path, dtype and GPU → kernel, or None where torch must compute.
    """

    program: Program
    tapes: dict[Any, Tape] = field(default_factory=dict, repr=False)
    kernels: dict[Any, Kernel | cuda.Kernel | None] = field(default_factory=dict, repr=False)

    def kernel(
        self, scalars: Mapping[str, Any], maximize: bool, decay: str, dtype: str, device: torch.device
    ) -> Kernel | cuda.Kernel | None:
        """The compiled kernel for a step with these scalars; None where torch must compute it.

        Args:
            scalars: The hoisted scalars of the step: they decide the rule's branches.
            maximize: Climb instead of descending.
            decay: One of `optkit.translation.path.DECAYS`.
            dtype: One of ``optkit.translation.c.DTYPES``.
            device: Where the parameters are.

        Raises:
            RuntimeError: The environment asks for C, and it cannot be had.
        """
        gpu = backend.gpu(device)
        if gpu is None and device.type != "cpu":
            return None
        # On a GPU a division costs nothing beside the memory, and another kernel would have to be loaded.
        exact = dtype if gpu is None else ""
        key = (backend.wanted(), gpu, dtype, maximize, decay, *self.turns(scalars, exact))
        if key not in self.kernels:
            way = path(self.program, scalars, maximize=maximize, decay=decay, dtype=exact)
            self.kernels[key] = backend.compiled(way, dtype, gpu)
        return self.kernels[key]

    def turns(self, scalars: Mapping[str, Any], dtype: str) -> list[bool]:
        """What decides the way through the rule; see `path`: its conditions, and which divisors are 1."""
        turns = [*map(bool, map(scalars.__getitem__, self.program.conditions))]
        return turns + ones_of(self.program, scalars, dtype) if dtype else turns

    def tape(self, scalars: Mapping[str, Any], maximize: bool, decay: str) -> Tape:
        """The tape for a step with these scalars."""
        key = (maximize, decay, *[bool(scalars[name]) for name in self.program.conditions])
        if key not in self.tapes:
            self.tapes[key] = record(path(self.program, scalars, maximize=maximize, decay=decay))
        return self.tapes[key]


_MADE: weakref.WeakKeyDictionary[Callable[..., Any], Made] = weakref.WeakKeyDictionary()


def made(rule: Rule) -> Made:
    """What was made of a rule before, or is made now."""
    found = _MADE.get(rule.function)
    if found is None:
        found = _MADE[rule.function] = Made(program(rule))
    return found


def step_tensors(
    rule: Rule,
    thetas: Sequence[Tensor],
    gradients: Sequence[Tensor],
    states: Sequence[Sequence[Tensor]],
    scalars: Sequence[Mapping[str, Any]],
    *,
    decay: str = "",
    maximize: bool = False,
) -> None:
    """Make one step of ``rule`` on every tensor of a list, in place, with torch.

    With ``maximize`` g ← −g; then g ← g + λθ (coupled) or θ ← (1 − ελ)θ (decoupled); then the rule.

    Args:
        rule: The update rule.
        thetas: Parameters of any strided layout, of the dtypes in `ARITHMETIC`.
        gradients: Their gradients, of the same shapes and dtypes. Not changed.
        states: For each parameter its state tensors, in the rule's order, of the dtype that `ARITHMETIC`
            gives.
        scalars: For each parameter the hoisted scalars of its step, from ``made(rule).program.scalars``.
        decay: Weight decay before the rule, one of `optkit.translation.path.DECAYS`; its scalars, from
            `decay_scalars`, are among the others.
        maximize: Climb instead of descending.

    Example:
        >>> from optkit.rules import RULES
        >>> theta, g = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
        >>> step_tensors(RULES["gradient_descent"], [theta], [g], [()], [{"lr": 0.5}])
        >>> theta
        tensor([0.5000, 2.5000])
    """
    # Tensors of the same step number share their scalars.
    bound: dict[Any, tuple[Tape, tuple[Tensor, ...]]] = {}
    with torch.no_grad():
        for theta, g, state, hoisted in zip(thetas, gradients, states, scalars, strict=True):
            key = (id(hoisted), theta.dtype, theta.device)
            if key not in bound:
                tape, dtype = made(rule).tape(hoisted, maximize, decay), ARITHMETIC[theta.dtype].to_real()
                bound[key] = tape, tape.numbers(hoisted, dtype, theta.device)
            if theta.numel():
                _step(*bound[key], theta, g, state)


def _step(tape: Tape, numbers: Sequence[Tensor], theta: Tensor, g: Tensor, state: Sequence[Tensor]) -> None:
    # conj and neg are lazy bits: a view of the raw memory would not see them.
    tensors = [theta.detach(), g.resolve_conj().resolve_neg(), *state]
    if theta.is_complex():
        tensors = [torch.view_as_real(tensor) for tensor in tensors]
    vectors, copied = flat_views(tensors)
    dtype = ARITHMETIC[vectors[0].dtype]
    half = vectors[0].dtype != dtype
    length = vectors[0].numel()
    size = min(CHUNK, length) if theta.device.type == "cpu" else length
    scratch = _scratch(tape.scratch + 2 * half, size, dtype, theta.device)
    if length == size and not half:
        tape.run([*vectors, *scratch, *numbers])
    else:
        for start in range(0, length, size):
            places = [vector[start : start + size] for vector in vectors]
            buffers = [buffer[: len(places[0])] for buffer in scratch] if length - start < size else scratch
            if half:
                wide = buffers[-2].copy_(places[0]), buffers[-1].copy_(places[1])
                tape.run([*wide, *places[2:], *buffers[:-2], *numbers])
                places[0].copy_(wide[0])
            else:
                tape.run([*places, *buffers, *numbers])
    for tensor, copy in copied:
        if tensor is not tensors[1]:
            tensor.copy_(copy)


_local = threading.local()


def _scratch(count: int, size: int, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    """Buffers of ``size`` elements. Each CPU thread keeps its own: fresh memory costs more than a step."""
    if device.type != "cpu":
        return [torch.empty(size, dtype=dtype, device=device) for _ in range(count)]
    kept = _local.__dict__.setdefault(dtype, [])
    while len(kept) < count:
        kept.append(torch.empty(CHUNK, dtype=dtype))
    return [buffer[:size] for buffer in kept[:count]] if size < CHUNK else kept[:count]
