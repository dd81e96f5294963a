"""A point that is critical to automatic differentiation alone: relu(t) − relu(−t) = t at t = 0 (C20).

The function has slope 1 everywhere. Its two terms have kinks at 0, where autograd takes the derivative 0 of
each: so it reports 0, a D-critical point that is not critical.

Protocol, committed before the first run: every class of `optkit.optim`, and momentum and Nesterov, with lr
= 0.01 and otherwise its defaults (weight decay off), in float64. Started at 0, 100 steps: it stays if every
iterate is exactly 0. From 1,000 standard normal starts (one seed), 1,000 steps: a start ends there if
autograd's derivative at the last iterate is 0, or the last step did not move it. It holds if every
optimizer stays, and none of the starts of any ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from optkit.studies.ledger import Claim, verdict

if TYPE_CHECKING:
    import torch

__all__ = ["CLAIMS", "spurious", "walk"]

COMMAND = "optkit claims C20"
SEED = 0
STARTS = 1000
STEPS = 1000

OPTIMIZERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "SGD": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "Nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "AdaGrad": ("Adagrad", {}),
    "RMSProp": ("RMSprop", {}),
    "Adam": ("Adam", {}),
    "AdamW": ("AdamW", {"weight_decay": 0.0}),
    "RAdam": ("RAdam", {}),
    "INNA": ("INNA", {}),
}


def spurious(t: torch.Tensor) -> torch.Tensor:
    """relu(t) − relu(−t): the identity, written so that autograd gives 0 at t = 0.

    Example:
        >>> import torch
        >>> t = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
        >>> spurious(t).sum().backward()
        >>> t.grad.tolist()
        [1.0, 0.0, 1.0]
    """
    return t.relu() - (-t).relu()


def walk(name: str, start: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Run one of `OPTIMIZERS` from many starts at once; each coordinate is a run of its own.

    Returns:
        Whether each run never left its start, whether its last step moved it, autograd's slope at its end.
    """
    import torch

    from optkit import optim

    kind, options = OPTIMIZERS[name]
    t = torch.nn.Parameter(start.clone())
    optimizer = getattr(optim, kind)([t], lr=0.01, **options)
    stayed, moved = torch.ones_like(start, dtype=torch.bool), torch.zeros_like(start, dtype=torch.bool)
    for _ in range(steps):
        before = t.detach().clone()
        optimizer.zero_grad()
        spurious(t).sum().backward()
        optimizer.step()
        moved = t.detach() != before
        stayed &= t.detach() == start
    (slope,) = torch.autograd.grad(spurious(t).sum(), t)
    return stayed, moved, slope


def _c20() -> Claim:
    import torch

    starts = torch.randn(STARTS, dtype=torch.float64, generator=torch.Generator().manual_seed(SEED))
    stay, ended = [], {}
    for name in OPTIMIZERS:
        if bool(walk(name, torch.zeros(1, dtype=torch.float64), 100)[0].all()):
            stay.append(name)
        _, moved, slope = walk(name, starts, STEPS)
        ended[name] = int((~moved | (slope == 0)).sum())
    return Claim(
        "C20",
        "relu(t) − relu(−t) has slope 1 everywhere, yet every optimizer started at t = 0 stays there; from "
        "random starts none ends there.",
        f"{len(stay)} of {len(OPTIMIZERS)} optimizers stay at 0; of {STARTS} random starts of each, "
        f"{sum(ended.values())} end there",
        f"{min(ended.values())} to {max(ended.values())} of {STARTS} starts over the optimizers "
        f"({', '.join(OPTIMIZERS)})",
        verdict(
            len(stay) == len(OPTIMIZERS) and not any(ended.values()),
            under_conditions=bool(stay) and not any(ended.values()),
        ),
        COMMAND,
        (SEED,),
    )


CLAIMS: Mapping[str, Callable[[], Claim]] = {"C20": _c20}
