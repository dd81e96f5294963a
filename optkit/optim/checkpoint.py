"""Loading a state dict: checked against the optimizer first, copied, and kept in full precision.

``torch.optim.Optimizer.load_state_dict`` casts state to the parameter's dtype, which would round the float32
moments of half-precision parameters, and it may hand on the caller's own tensors. Both are avoided by
wrapping each copy so that torch passes it through untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from optkit.optim.stepping import ARITHMETIC

if TYPE_CHECKING:
    from optkit.optim.rule_optimizer import RuleOptimizer


class Kept:
    """A tensor that ``load_state_dict`` must not touch; `RuleOptimizer.__setstate__` takes it out."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def prepared(optimizer: RuleOptimizer, state_dict: dict[str, Any]) -> dict[str, Any] | None:
    """The state dict, checked, with copied and wrapped tensors; None where torch itself refuses it.

    Raises:
        ValueError: Names or shapes of the state do not fit, or an option is out of range.
        TypeError: An option is of the wrong type.
    """
    saved, own = state_dict["param_groups"], optimizer.param_groups
    if [len(group["params"]) for group in saved] != [len(group["params"]) for group in own]:
        return None
    groups, state = [], dict(state_dict["state"])
    for old, new in zip(own, saved, strict=True):
        paths = {key: old[key] for key in ("foreach", "fused", "capturable", "differentiable") if key in old}
        present = {key: value for key, value in old.items() if key in optimizer.defaults}
        group = {**present, **new, **paths}
        optimizer._check(group)
        groups.append(group)
        needed = set(optimizer.choose(group).state.values())
        for index, p in zip(new["params"], old["params"], strict=True):
            if state.get(index):
                state[index] = _entries(optimizer, index, state[index], p, needed)
    return {**state_dict, "state": state, "param_groups": groups}


def _entries(
    optimizer: RuleOptimizer, index: Any, entries: dict[str, Any], p: Tensor, needed: set[str]
) -> dict[str, Any]:
    where, name = f"state of parameter {index}", type(optimizer).__name__
    entries = {key: value for key, value in entries.items() if value is not None}
    found = set(entries) - {"step"}
    if found - optimizer.known_state or (found and needed - found):
        raise ValueError(
            f"{where} holds {', '.join(sorted(found))}, but {name} with these options keeps "
            f"{', '.join(sorted(needed)) or 'none'}; load it into an optimizer of the class and options "
            "that it was saved from"
        )
    step = entries.get("step", optimizer.missing_step)
    if step is None:
        raise ValueError(f"{where} has no step, which {name} needs; load a complete state dict")
    count = float(step)
    if not (count >= 0 and count == int(count)):
        raise ValueError(f"step in the {where} must be a whole number >= 0, got {count:g}")
    result = {"step": Kept(torch.tensor(count, dtype=torch.float64))}
    for key in sorted(found):
        value = entries[key]
        if not isinstance(value, Tensor) or value.shape != p.shape:
            got = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise ValueError(f"{key} in the {where} must be a tensor of shape {tuple(p.shape)}, got {got}")
        copy = torch.empty_like(p, dtype=ARITHMETIC[p.dtype], requires_grad=False)
        result[key] = Kept(copy.copy_(value.detach()))
    return result
