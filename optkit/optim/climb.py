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
        self._origins: list[tuple[Tensor, Tensor]] = []
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
        moving = [[p for p in group["params"] if p.grad is not None] for group in groups]
        for index, params in enumerate(moving):
            _refuse_sparse(index, params)
        with torch.no_grad():
            norm = _norm([p for params in moving for p in params], hyper.get("eta"))
            plans = []
            if math.isfinite(norm):
                for index, (group, params) in enumerate(zip(groups, moving, strict=True)):
                    order = Order(
                        Choice(self.rule, _NO_OPTIONS),
                        {**hyper, "grad_norm": norm},
                        lr=0.0,
                        weight_decay=0.0,
                        decay="",
                        maximize=bool(group.get("maximize", False)),
                    )
                    gradients = [p.grad for p in params]
                    plans.append(Plan(order, params, gradients, self._counts, self._bindings.get(index)))
            self._origins = [(p, self._copy(p)) for params in moving for p in params]
            self.is_up = True
            for index, plan in enumerate(plans):
                self._bindings[index] = plan.perform()
        return norm

    def down(self) -> None:
        """Put θ back, bit for bit, also where there is no gradient any more."""
        with torch.no_grad():
            for p, origin in self._origins:
                p.copy_(origin)
        self._origins = []
        self.is_up = False

    def _copy(self, p: Tensor) -> Tensor:
        kept = self._kept.get(p)
        if kept is None or (kept.shape, kept.dtype, kept.device) != (p.shape, p.dtype, p.device):
            self._kept[p] = kept = torch.empty_like(p, requires_grad=False)
        return kept.copy_(p)


def _norm(params: Sequence[Tensor], eta: float | None) -> float:
    """‖g‖₂ over all parameters, or ASAM's ‖(|θ| + η) g‖₂."""
    norms = []
    for p in params:
        g = p.grad
        if p.is_complex():
            g = torch.view_as_real(g.resolve_conj())
        if eta is not None:
            size = torch.view_as_real(p).abs() if p.is_complex() else p.abs()
            g = (size + eta) * g
        norms.append(torch.linalg.vector_norm(g, dtype=ARITHMETIC[p.dtype].to_real()))
    if not norms:
        return 0.0
    device = norms[0].device
    if any(norm.device != device for norm in norms):
        norms = [norm.to(device) for norm in norms]
    return torch.linalg.vector_norm(torch.stack(norms), dtype=torch.float64).item()


def _refuse_sparse(index: int, params: Sequence[Tensor]) -> None:
    for place, p in enumerate(params):
        if p.grad.layout != torch.strided:
            raise ValueError(
                f"the gradient of parameter {place} in group {index} is sparse ({p.grad.layout}): SAM needs "
                "dense gradients; build the layer with sparse=False"
            )
