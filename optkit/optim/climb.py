"""SAM's climb: from θ to the worst point of a ball around it, and back to the very same bits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from optkit.optim.choice import Choice
from optkit.optim.plan import Binding, Order, Plan
from optkit.optim.stepping import ARITHMETIC
from optkit.optim.variants import asam_perturbation
from optkit.rules import Rule, sam_perturbation

_NO_OPTIONS: Mapping[str, Any] = {}


class Climb:
    """Parameters that were moved to θ + e, with the θ they came from.

    Args:
        adaptive: Measure the ball in units of each parameter's own size, as ASAM does.
    """

    def __init__(self, *, adaptive: bool) -> None:
        self.adaptive = adaptive
        self.is_up = False
        self._moved: list[Tensor] = []
        self._origins: list[Tensor] = []
        self._kept: dict[Tensor, Tensor] = {}  # memory of the copies, from one step to the next
        self._counts: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._bindings: dict[int, Binding] = {}
        self._orders: dict[bool, Order] = {}

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
        moving = [[p for p in group["params"] if p.grad is not None] for group in groups]
        gradients = [[p.grad for p in params] for params in moving]
        for index, found in enumerate(gradients):
            _refuse_sparse(index, found)
        everything = [p for params in moving for p in params]
        with torch.no_grad():
            norm = _norm(everything, [g for found in gradients for g in found], hyper.get("eta"))
            plans = []
            if math.isfinite(norm):
                for index, group in enumerate(groups):
                    order = self._order({**hyper, "grad_norm": norm}, bool(group.get("maximize", False)))
                    binding = self._bindings.get(index)
                    plans.append(Plan(order, moving[index], gradients[index], self._counts, binding))
            self._keep(everything)
            self.is_up = True
            for index, plan in enumerate(plans):
                self._bindings[index] = plan.perform()
        return norm

    def down(self) -> None:
        """Put θ back, bit for bit, also where there is no gradient any more."""
        if self._moved:
            with torch.no_grad():
                torch._foreach_copy_(self._moved, self._origins)
        self._moved, self._origins = [], []
        self.is_up = False

    def _order(self, hyper: dict[str, float], maximize: bool) -> Order:
        order = self._orders.get(maximize)
        if order is None:
            choice = Choice(self.rule, _NO_OPTIONS)
            order = Order(choice, {}, lr=0.0, weight_decay=0.0, decay="", maximize=maximize)
            self._orders[maximize] = order
        return order.renewed(hyper)

    def _keep(self, params: list[Tensor]) -> None:
        origins = []
        for p in params:
            kept = self._kept.get(p)
            if kept is None or (kept.shape, kept.dtype, kept.device) != (p.shape, p.dtype, p.device):
                self._kept[p] = kept = torch.empty_like(p, requires_grad=False)
            origins.append(kept)
        if params:
            torch._foreach_copy_(origins, params)
        self._moved, self._origins = params, origins


def _norm(params: Sequence[Tensor], gradients: Sequence[Tensor], eta: float | None) -> float:
    """‖g‖₂ over all parameters, or ASAM's ‖(|θ| + η) g‖₂."""
    norms: list[Tensor] = []
    plain: dict[Any, list[Tensor]] = {}  # what one call takes
    for p, g in zip(params, gradients, strict=True):
        dtype = p.dtype
        if eta is None and (dtype is torch.float32 or dtype is torch.float64):
            plain.setdefault(p.device, []).append(g)
            continue
        if p.is_complex():
            g = torch.view_as_real(g.resolve_conj())
        if eta is not None:
            size = torch.view_as_real(p).abs() if p.is_complex() else p.abs()
            g = (size + eta) * g
        norms.append(torch.linalg.vector_norm(g, dtype=ARITHMETIC[dtype].to_real()))
    for some in plain.values():
        norms += torch._foreach_norm(some)
    numbers = [norm.item() for norm in norms if norm.is_cpu]
    elsewhere: defaultdict[Any, list[Tensor]] = defaultdict(list)  # one wait for each device and dtype
    for norm in norms:
        if not norm.is_cpu:
            elsewhere[norm.device, norm.dtype].append(norm)
    for some in elsewhere.values():
        numbers += torch.stack(some).tolist()
    return math.hypot(*numbers)


def _refuse_sparse(index: int, gradients: Sequence[Tensor]) -> None:
    for place, g in enumerate(gradients):
        if g.layout is not torch.strided:
            raise ValueError(
                f"the gradient of parameter {place} in group {index} is sparse ({g.layout}): SAM needs "
                "dense gradients; build the layer with sparse=False"
            )
