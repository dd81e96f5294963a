"""Adam, AdamW and RAdam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from optkit.optim.choice import Choice
from optkit.optim.rule_optimizer import RuleOptimizer
from optkit.optim.variants import adam_amsgrad
from optkit.rules import adam, radam

KEYS = {"s": "exp_avg", "r": "exp_avg_sq", "r_max": "max_exp_avg_sq"}
ARGUMENTS = {"beta1": "betas[0]", "beta2": "betas[1]"}


def _betas(group: Mapping[str, Any]) -> dict[str, Any]:
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"betas must be a pair of numbers, got {betas!r}")
    return {"beta1": betas[0], "beta2": betas[1]}


def _adam(group: Mapping[str, Any]) -> Choice:
    hyper = {key: group[key] for key in ("lr", "eps", "eps_inside", "bias_correction")}
    rule = adam_amsgrad if group["amsgrad"] else adam
    return Choice(rule, {**hyper, **_betas(group)}, KEYS, ARGUMENTS)


@final
class Adam(RuleOptimizer):
    r"""Adam: momentum over RMSProp, both corrected for their start at zero.

    s ← ρ₁s + (1 − ρ₁)g, r ← ρ₂r + (1 − ρ₂)g², ŝ = s/(1 − ρ₁ᵗ), r̂ = r/(1 − ρ₂ᵗ), θ ← θ − εŝ/(√r̂ + δ).

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        betas: Decays (ρ₁, ρ₂) of the two moments, each in [0, 1).
        eps: Stabiliser δ ≥ 0.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        amsgrad: Divide by the largest second moment so far.
        foreach: None or False.
        maximize: Climb instead of descending.
        capturable: False.
        differentiable: False.
        fused: None or False.
        decoupled_weight_decay: AdamW: shrink θ by 1 − ελ instead of adding λθ to g.
        eps_inside: Put δ inside the root, as the course does: √(r̂ + δ).
        bias_correction: False: leave out the two hats, to see what they repair.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = Adam([theta], lr=0.1)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([ 0.9000, -1.9000])

    Source: kingma2015adam; reddi2018convergence for ``amsgrad``.
    """

    known_state = frozenset(KEYS.values())

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        eps_inside: bool = False,
        bias_correction: bool = True,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
            "eps_inside": eps_inside,
            "bias_correction": bias_correction,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        return _adam(group)


@final
class AdamW(RuleOptimizer):
    r"""Adam with decoupled weight decay: θ ← (1 − ελ)θ, then Adam's step.

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        betas: Decays (ρ₁, ρ₂) of the two moments, each in [0, 1).
        eps: Stabiliser δ ≥ 0.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        amsgrad: Divide by the largest second moment so far.
        maximize: Climb instead of descending.
        foreach: None or False.
        capturable: False.
        differentiable: False.
        fused: None or False.
        eps_inside: Put δ inside the root, as the course does: √(r̂ + δ).
        bias_correction: False: leave out the two hats, to see what they repair.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = AdamW([theta], lr=0.1, weight_decay=0.5)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([ 0.8500, -1.8000])

    Source: loshchilov2019decoupled.
    """

    known_state = frozenset(KEYS.values())

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        eps_inside: bool = False,
        bias_correction: bool = True,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": True,
            "eps_inside": eps_inside,
            "bias_correction": bias_correction,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        if group["decoupled_weight_decay"] is not True:
            raise ValueError(
                "decoupled_weight_decay of AdamW must be True, "
                f"got {group['decoupled_weight_decay']!r}; use Adam"
            )
        return _adam(group)


@final
class RAdam(RuleOptimizer):
    r"""RAdam: Adam rectified by the variance of its adaptive rate, and momentum before that.

    With ρ_∞ = 2/(1 − ρ₂) − 1 and ρ_t = ρ_∞ − 2tρ₂ᵗ/(1 − ρ₂ᵗ): if ρ_t > threshold, θ ← θ − ε·rect·ŝ/√r̂ with
    rect² = (ρ_t − 4)(ρ_t − 2)ρ_∞ / ((ρ_∞ − 4)(ρ_∞ − 2)ρ_t); else θ ← θ − εŝ.

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Learning rate ε ≥ 0.
        betas: Decays (ρ₁, ρ₂) of the two moments, each in [0, 1).
        eps: Stabiliser δ ≥ 0, added to √r before the bias correction as in torch.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        decoupled_weight_decay: Shrink θ by 1 − ελ instead of adding λθ to g.
        foreach: None or False.
        maximize: Climb instead of descending.
        capturable: False.
        differentiable: False.
        eps_inside: Put δ inside the root, after the bias correction: √(r̂ + δ).
        threshold: The length from which on to rectify: 5 as in torch and optax, 4 as in the paper.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = RAdam([theta], lr=0.5)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.item()
        0.0

    Source: liu2020variance.
    """

    known_state = frozenset({KEYS["s"], KEYS["r"]})

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        eps_inside: bool = False,
        threshold: float = 5.0,
    ) -> None:
        options = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
            "eps_inside": eps_inside,
            "threshold": threshold,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        hyper = {key: group[key] for key in ("lr", "eps", "eps_inside", "threshold")}
        return Choice(radam, {**hyper, **_betas(group)}, KEYS, ARGUMENTS)
