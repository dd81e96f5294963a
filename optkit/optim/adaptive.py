"""Adagrad and RMSprop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from optkit.optim.choice import Choice, number
from optkit.optim.rule_optimizer import RuleOptimizer
from optkit.optim.variants import (
    adagrad_decayed,
    rmsprop_centered,
    rmsprop_centered_momentum,
    rmsprop_momentum,
)
from optkit.rules import Hyperparameter, adagrad, rmsprop


@final
class Adagrad(RuleOptimizer):
    r"""AdaGrad: divide by the root of the sum of all squared gradients.

    G ← G + g², θ ← θ − εg/(√G + δ).

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        lr_decay: η ≥ 0: the learning rate of step t is ε/(1 + (t − 1)η).
        weight_decay: Strength λ ≥ 0 of the weight decay.
        initial_accumulator_value: What G starts with, ≥ 0.
        eps: Stabiliser δ ≥ 0.
        foreach: None or False.
        maximize: Climb instead of descending.
        differentiable: False.
        fused: None or False.
        decoupled_weight_decay: Shrink θ by 1 − ελ instead of adding λθ to g.
        eps_inside: Put δ inside the root, as the course does: √(G + δ).

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = Adagrad([theta], lr=0.5)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([ 0.5000, -1.5000])

    Source: duchi2011adaptive.
    """

    known_state = frozenset({"sum"})

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        eps_inside: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_inside": eps_inside,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        start = number("initial_accumulator_value", group["initial_accumulator_value"])
        _ACCUMULATOR.check(start)
        hyper = {key: group[key] for key in ("lr", "eps", "eps_inside")}
        rule = adagrad
        if group["lr_decay"] != 0:
            rule, hyper = adagrad_decayed, {**hyper, "lr_decay": group["lr_decay"]}
        return Choice(rule, hyper, {"G": "sum"}, start={"G": float(start)})


_ACCUMULATOR = Hyperparameter("initial_accumulator_value", 0.0, low=0.0)


@final
class RMSprop(RuleOptimizer):
    r"""RMSProp: divide by the root of the moving average of squared gradients.

    r ← ρr + (1 − ρ)g², θ ← θ − εg/(√r + δ).

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        alpha: Decay ρ in [0, 1); torch calls it so.
        eps: Stabiliser δ ≥ 0.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        momentum: Momentum α in [0, 1) of the scaled gradients, v ← αv + g/(√r + δ), θ ← θ − εv.
        centered: Divide by the standard deviation of the gradients, √(r − s²) with their moving average s.
        capturable: False.
        foreach: None or False.
        maximize: Climb instead of descending.
        differentiable: False.
        decoupled_weight_decay: Shrink θ by 1 − ελ instead of adding λθ to g.
        eps_inside: Put δ inside the root, as the course does: √(r + δ).

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = RMSprop([theta], lr=0.5, alpha=0.75)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([ 0., -1.])

    Source: tieleman2012rmsprop; graves2013generating for ``centered``.
    """

    known_state = frozenset({"square_avg", "grad_avg", "momentum_buffer"})

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        decoupled_weight_decay: bool = False,
        eps_inside: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_inside": eps_inside,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        hyper = {
            "lr": group["lr"],
            "rho": group["alpha"],
            "eps": group["eps"],
            "eps_inside": group["eps_inside"],
        }
        if group["momentum"] != 0:
            hyper["momentum"] = group["momentum"]
            rule = rmsprop_centered_momentum if group["centered"] else rmsprop_momentum
        else:
            rule = rmsprop_centered if group["centered"] else rmsprop
        keys = {"r": "square_avg", "s": "grad_avg", "v": "momentum_buffer"}
        return Choice(rule, hyper, keys, {"rho": "alpha"})
