"""SAM's climb: from θ to the worst point of a ball around it, and back to the very same bits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import attrgetter, is_
from typing import Any

import torch
from torch import Tensor

from optkit.kernels import Kernel, wanted
from optkit.optim.choice import Choice
from optkit.optim.footing import Footing, new_footing
from optkit.optim.plan import Binding, Order, Plan
from optkit.optim.stepping import ARITHMETIC, made
from optkit.optim.variants import asam_perturbation
from optkit.rules import Rule, sam_perturbation

_gradient = attrgetter("grad")
_CPU = torch.device("cpu")

_Moving = tuple[list[Tensor], list[Tensor], bool, Footing | None]
"""Parameters of a group that have a gradient; the gradients; whether they go down; and their footing, or None
where torch must do what C cannot."""


class Climb:
    """Parameters that were moved to θ + e, with the θ they came from.

    Args:
        adaptive: Measure the ball in units of each parameter's own size, as ASAM does.
    """

    def __init__(self, *, adaptive: bool) -> None:
        self.adaptive = adaptive
        self.is_up = False
        self._made = made(self.rule)
        self._kernels: dict[tuple[bool, str], Kernel] = {}
        self._footings: dict[int, Footing] = {}  # of each group, from one step to the next
        self._climbed: list[Footing] = []
        self._moved: list[Tensor] = []  # the others, by torch
        self._origins: list[Tensor] = []
        self._kept: dict[Tensor, Tensor] = {}  # memory of the copies, from one step to the next
        self._counts: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._bindings: dict[int, Binding] = {}

    @property
    def rule(self) -> Rule:
        """The rule by which each parameter moves."""
        return asam_perturbation if self.adaptive else sam_perturbation

    def up(self, groups: Sequence[Mapping[str, Any]], hyper: Mapping[str, float]) -> float:
        """Move every parameter that has a gradient, and return the norm that the rule divides by.

        Where that norm is not finite nothing moves.

        Args:
            groups: Parameter groups; those with ``maximize`` go down instead of up.
            hyper: Hyper-parameters of `rule`.

        Raises:
            ValueError: A gradient is sparse.
        """
        moving = [self._moving(index, group) for index, group in enumerate(groups)]
        norm = _norm(moving, hyper.get("eta"))
        climbing, plans = [], {}
        if math.isfinite(norm):
            hyper = {**hyper, "grad_norm": norm}
            scalars = self._made.program.scalars(1, **hyper)
            for index, (params, gradients, maximize, footing) in enumerate(moving):
                kernel = None if footing is None else self._kernel(scalars, maximize, footing.dtype)
                if kernel is not None:
                    climbing.append((footing, kernel))
                    continue
                order = Order(Choice(self.rule, {}), hyper, 0.0, 0.0, "", maximize)
                plans[index] = Plan(order, params, gradients, self._counts, self._bindings.get(index))
        self._keep([p for plan in plans.values() for p in plan.params])
        self.is_up = True
        for footing, kernel in climbing:
            self._climbed.append(footing)
            footing.climb(kernel, scalars)
        for index, plan in plans.items():
            self._bindings[index] = plan.perform()
        return norm

    def down(self) -> None:
        """Put θ back, bit for bit, also where there is no gradient any more."""
        for footing in self._climbed:
            footing.down()
        if self._moved:
            with torch.no_grad():
                torch._foreach_copy_(self._moved, self._origins)
        self._climbed, self._moved, self._origins = [], [], []
        self.is_up = False

    def _moving(self, index: int, group: Mapping[str, Any]) -> _Moving:
        params = group["params"]
        gradients = list(map(_gradient, params))
        footing, maximize = self._footings.get(index), bool(group.get("maximize", False))
        if footing is not None and footing.look(params, gradients):
            return params, gradients, maximize, footing
        if any(map(is_, gradients, repeat(None))):
            params = [p for p in params if p.grad is not None]
            gradients = [p.grad for p in params]
            if footing is not None and footing.look(params, gradients):
                return params, gradients, maximize, footing
        _refuse_sparse(index, gradients)
        self._footings.pop(index, None)  # with the memory that kept its θ
        footing = None if wanted() == "torch" else new_footing(params, gradients)
        if footing is not None:
            self._footings[index] = footing
        return params, gradients, maximize, footing

    def _kernel(self, scalars: Mapping[str, Any], maximize: bool, dtype: str) -> Kernel | None:
        """The kernel of the climb, which has one branch only and no divisor; None where there is none."""
        found = self._kernels.get((maximize, dtype))
        if found is None:
            kernel = self._made.kernel(scalars, maximize, "", dtype, _CPU)
            if isinstance(kernel, Kernel):
                self._kernels[maximize, dtype] = found = kernel
        return found

    def _keep(self, params: list[Tensor]) -> None:
        origins = []
        for p in params:
            kept = self._kept.get(p)
            if kept is None or (kept.shape, kept.dtype, kept.device) != (p.shape, p.dtype, p.device):
                self._kept[p] = kept = torch.empty_like(p, requires_grad=False)
            origins.append(kept)
        if params:
            with torch.no_grad():
                torch._foreach_copy_(origins, params)
        self._moved, self._origins = params, origins


def _norm(moving: Sequence[_Moving], eta: float | None) -> float:
    """‖g‖₂ over all parameters, or ASAM's ‖(|θ| + η) g‖₂."""
    numbers = [footing.norm(eta) for _, _, _, footing in moving if footing is not None]
    loose = [pair for *both, _, footing in moving if footing is None for pair in zip(*both, strict=True)]
    if loose:
        with torch.no_grad():
            numbers += _norms(loose, eta)
    return math.hypot(*numbers)


def _norms(pairs: Sequence[tuple[Tensor, Tensor]], eta: float | None) -> list[float]:
    """The norm of every part, for pairs (parameter, gradient), by torch."""
    norms: list[Tensor] = []
    plain: defaultdict[Any, list[Tensor]] = defaultdict(list)  # what one call takes
    for p, g in pairs:
        dtype = p.dtype
        if eta is None and dtype in (torch.float32, torch.float64):
            plain[p.device].append(g)
            continue
        if p.is_complex():
            g = torch.view_as_real(g.resolve_conj())
        if eta is not None:
            size = torch.view_as_real(p).abs() if p.is_complex() else p.abs()
            g = (size + eta) * g
        norms.append(torch.linalg.vector_norm(g, dtype=ARITHMETIC[dtype].to_real()))
    for some in plain.values():
        norms += torch._foreach_norm(some)
    alike: defaultdict[Any, list[Tensor]] = defaultdict(list)  # one wait for each device and dtype
    for norm in norms:
        alike[norm.device, norm.dtype].append(norm)
    return [number for some in alike.values() for number in torch.stack(some).tolist()]


def _refuse_sparse(index: int, gradients: Sequence[Tensor]) -> None:
    for place, g in enumerate(gradients):
        if g.layout is not torch.strided:
            raise ValueError(
                f"the gradient of parameter {place} in group {index} is sparse ({g.layout}): SAM needs "
                "dense gradients; build the layer with sparse=False"
            )
