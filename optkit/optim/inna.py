"""INNA: the inertial Newton algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from optkit.optim.choice import Choice, one_of
from optkit.optim.rule_optimizer import RuleOptimizer
from optkit.rules import inna, inna_m


@final
class INNA(RuleOptimizer):
    r"""INNA: a heavy ball braked by the curvature it meets, without a Hessian.

    θ ← θ − γ(m + βg), m ← (1 − αγ)m + γ(1 − αβ)g. The paper writes the same iteration with
    ψ = βm + (1 − αβ)θ, which loses 1.7 to 12 times as much to rounding in float32: it subtracts two terms
    of the size of θ/β to get a step. So the m-form is the default.

    Args:
        params: Parameters, named parameters or parameter groups.
        lr: Step size γ ≥ 0.
        alpha: Viscous damping α ≥ 0.
        beta: Newton-like damping β > 0.
        start: Initial velocity: −g (``"paper"``) or −βg (``"code"``, as in the published implementation).
        m_form: False: iterate ψ as the paper does.
        weight_decay: Strength λ ≥ 0 of the weight decay.
        decoupled_weight_decay: Shrink θ by 1 − γλ instead of adding λθ to g.
        maximize: Climb instead of descending.
        foreach: None or False.
        capturable: False.
        differentiable: False.
        fused: None or False.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is NaN or out of range.

    Example:
        >>> import torch
        >>> theta = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = INNA([theta], lr=0.5)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.item()
        0.0

    Differs from: the published code starts as ``start="code"`` and lets the step size fall by itself; here a
    schedule does that.

    Source: castera2021inertial.
    """

    known_state = frozenset({"m", "psi"})

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        alpha: float = 0.5,
        beta: float = 0.1,
        start: str = "paper",
        *,
        m_form: bool = True,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "beta": beta,
            "start": start,
            "m_form": m_form,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, options)

    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule of a parameter group."""
        one_of("start", group["start"], ("paper", "code"))
        hyper = {"lr": group["lr"], "alpha": group["alpha"], "beta": group["beta"]}
        return Choice(
            inna_m if group["m_form"] else inna, {**hyper, "paper_start": group["start"] == "paper"}
        )
