"""SGD: gradient descent, the three forms of momentum, and Nesterov's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from optkit.optim.choice import Choice, one_of
from optkit.optim.rule_optimizer import RuleOptimizer
from optkit.optim.variants import momentum_dampened
from optkit.rules import RULES, gradient_descent, nesterov_torch

FORMS = ("common", "standard", "ewma")


@final
class SGD(RuleOptimizer):
    r"""Gradient descent, with momentum if asked for.

    v ← αv + g, θ ← θ − εv in torch's, the common form; v ← αv − εg, θ ← θ + v in the standard form;
    v ← αv + (1 − α)g, θ ← θ − εv in the EWMA form.

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        momentum: Momentum α in [0, 1). 0: plain gradient descent, without state.
        dampening: Weight 1 − dampening for every gradient but the first, in the common form.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        nesterov: Nesterov's momentum. As in torch, θ is then the look-ahead point of the textbook form.
        maximize: Climb instead of descending.
        foreach: None or False.
        differentiable: False.
        fused: None or False.
        form: ``"common"``, ``"standard"`` or ``"ewma"``: they are one method for a constant ε, and part
            when ε changes.
        decoupled_weight_decay: Shrink θ by 1 − ελ instead of adding λθ to g.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = SGD([theta], lr=0.5, momentum=0.9)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.item()
        0.0

    Differs from: ``torch.optim.SGD`` has the common form only, allows α ≥ 1, and needs no ``step`` in its
    state.

    Source: sutskever2013importance.
    """

    known_state = frozenset({"momentum_buffer", "v"})
    missing_step = 1.0  # torch's SGD counts no steps, but it makes its buffer in the first

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        form: str = "common",
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
            "form": form,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, options)
        if nesterov is True and momentum == 0:
            raise ValueError("nesterov=True needs momentum > 0, got 0; give a momentum, 0.9 for example")

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        form, dampening = group["form"], group["dampening"]
        one_of("form", form, FORMS)
        if (group["nesterov"] or dampening != 0) and form != "common":
            option = "nesterov" if group["nesterov"] else "dampening"
            raise ValueError(
                f"form must be 'common' together with {option}, got {form!r}; leave one of them out"
            )
        if group["nesterov"] and dampening != 0:
            raise ValueError(
                f"dampening must be 0 together with nesterov, got {dampening!r}; leave one of them out"
            )
        hyper = {"lr": group["lr"], "momentum": group["momentum"]}
        if group["momentum"] == 0:  # a schedule may pass through it
            momentum_dampened.check(dampening=dampening)
            return Choice(gradient_descent, {"lr": group["lr"]})
        if dampening != 0:
            return Choice(momentum_dampened, {**hyper, "dampening": dampening}, {"v": "momentum_buffer"})
        if group["nesterov"]:
            return Choice(nesterov_torch, hyper, {"v": "momentum_buffer"})
        # Only the common form's velocity means what torch's momentum buffer means.
        return Choice(RULES[f"momentum_{form}"], hyper, {"v": "momentum_buffer"} if form == "common" else {})
