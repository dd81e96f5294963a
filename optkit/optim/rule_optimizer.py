"""The one plumbing class: everything that makes a rule a ``torch.optim.Optimizer``, and no mathematics."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from optkit.optim.checkpoint import Kept, prepared
from optkit.optim.choice import Choice, number
from optkit.optim.stepping import ARITHMETIC, program_of, step_tensors
from optkit.rules import Rule
from optkit.rules.hyperparameters import HYPERPARAMETERS

TORCH_PATHS = ("foreach", "fused", "capturable", "differentiable")
"""Arguments by which torch chooses an implementation. They are taken, but only with their defaults."""


class RuleOptimizer(torch.optim.Optimizer, ABC):
    """A torch optimizer whose step is one or several update rules.

    A final subclass says in `choose` which rule a parameter group runs. All else is here and is torch's
    contract: parameter groups, state dicts, hooks, closures, schedulers, pickling. Parameters may be of dtype
    float64, float32, bfloat16, float16, complex128 or complex64, of any strided layout and shape. State and
    arithmetic of the two half types are float32; complex parameters are treated as pairs of reals.
    ``state[p]["step"]`` counts the steps of each parameter, as a float64 tensor on the CPU. A step checks
    everything before it changes anything.

    Args:
        params: Parameters, named parameters, or dicts of parameter groups, as in torch.
        options: Name → default of every option of a parameter group.

    Raises:
        TypeError: An option is of the wrong type, or a parameter has a dtype that is not listed above.
        ValueError: An option is NaN, infinite or out of range.
    """

    known_state: ClassVar[frozenset[str]] = frozenset()
    """Every key that ``state[p]`` may hold besides ``step``."""
    missing_step: ClassVar[float | None] = None
    """The step count of loaded state that has none; None: such state is refused."""

    def __init__(self, params: Any, options: Mapping[str, Any]) -> None:
        self._check(options)
        super().__init__(params, dict(options))

    @abstractmethod
    def choose(self, group: Mapping[str, Any]) -> Choice:
        """The rule and hyper-parameters of a parameter group with these options."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that each parameter group runs."""
        return tuple(self.choose(group).rule for group in self.param_groups)

    @property
    def backend(self) -> str:
        """How steps are computed: ``"torch chunks"`` if all parameters are on the CPU, else ``"torch"``.

        Both run the rule operation by operation; on the CPU in pieces that stay in the cache.
        """
        devices = {p.device.type for group in self.param_groups for p in group["params"]}
        return "torch chunks" if devices == {"cpu"} else "torch"

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step on every parameter that has a gradient.

        Args:
            closure: Clears the gradients, computes the loss, calls ``backward`` and returns the loss.

        Returns:
            The closure's loss, or None.

        Raises:
            TypeError: A hyper-parameter of a group has become something that is no number or flag.
            ValueError: A hyper-parameter has become NaN, infinite or out of range, or a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for plan in [self._plan(index, group) for index, group in enumerate(self.param_groups)]:
                self._perform(plan)
        return loss

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, after checking its options and its parameters. See ``torch.optim.Optimizer``."""
        if isinstance(param_group, dict) and not isinstance(param_group.get("params", set()), set):
            param_group = dict(param_group)
            params = param_group["params"]
            param_group["params"] = params = [params] if isinstance(params, Tensor) else list(params)
            self._check({**self.defaults, **param_group})
            for item in params:
                _check_parameter(item[1] if isinstance(item, tuple) else item, type(self).__name__)
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned, here or in torch's optimizer of the same name.

        State keeps its precision and is copied: later steps do not change the caller's tensors. Options
        that the saved groups lack keep their present values, and so do ``foreach``, ``fused``,
        ``capturable`` and ``differentiable``. Nothing changes if the state does not fit.

        Raises:
            ValueError: Groups, shapes or names of the state do not fit, or an option is out of range.
            TypeError: An option is of the wrong type.
        """
        # Registered now, this hook runs after the user's: it sees what they made of the state dict.
        handle = self.register_load_state_dict_pre_hook(prepared)
        try:
            super().load_state_dict(state_dict)
        finally:
            handle.remove()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for entries in self.state.values():
            for key, value in entries.items():
                if isinstance(value, Kept):
                    entries[key] = value.tensor

    def _check(self, options: Mapping[str, Any]) -> tuple[Choice, dict[str, Any]]:
        """Raise if an option is not allowed; return what is chosen, and its hyper-parameters as numbers."""
        name = type(self).__name__
        for key in TORCH_PATHS:
            if options.get(key):
                raise ValueError(
                    f"{key} must be None or False, got {options[key]!r}: optkit's {name} picks its own way "
                    f"of computing (see optimizer.backend); leave {key} out, or use torch.optim"
                )
        for key in _flags(type(self)):
            if not isinstance(options[key], bool):
                raise TypeError(f"{key} must be True or False, got {options[key]!r}")
        choice = self.choose(options)
        if "weight_decay" not in choice.hyper:
            HYPERPARAMETERS["weight_decay"].check(number("weight_decay", options["weight_decay"]))
            if options["decoupled_weight_decay"] and "lr" not in options:
                raise ValueError(
                    f"decoupled_weight_decay must be False, got True: the rule {choice.rule.name} has no lr "
                    "to scale it; give the rule an lr"
                )
        return choice, choice.numbers()

    def _plan(self, index: int, group: dict[str, Any]) -> _Plan:
        """Everything that can fail, before anything changes."""
        choice, hyper = self._check(group)
        scalars_of = program_of(choice.rule).scalars
        params, gradients, scalars, known = [], [], [], {}
        for place, p in enumerate(group["params"]):
            if p.grad is None:
                continue
            if p.grad.layout != torch.strided:
                raise ValueError(
                    f"the gradient of parameter {place} in group {index} is sparse ({p.grad.layout}): "
                    f"{type(self).__name__} needs dense gradients; build the layer with sparse=False, "
                    "or give this parameter to torch.optim.SparseAdam"
                )
            entries = self.state[p] if p in self.state else {}
            kept = [(key, entries[key]) for key in choice.state.values() if key in entries]
            for what, tensor in [("gradient", p.grad), *kept]:
                if tensor.shape != p.shape:
                    raise ValueError(
                        f"parameter {place} in group {index} has the shape {tuple(p.shape)}, but its {what} "
                        f"has {tuple(tensor.shape)}: make a new optimizer, or delete optimizer.state[p], "
                        "once a parameter was resized"
                    )
            t = int(entries.get("step", 0)) + 1
            if t not in known:
                known[t] = scalars_of(t, **hyper)
            params.append(p)
            gradients.append(p.grad)
            scalars.append(known[t])
        own_decay = "weight_decay" in choice.hyper
        return _Plan(
            choice,
            params,
            gradients,
            scalars,
            lr=float(number("lr", group.get("lr", 0.0))),
            weight_decay=0.0 if own_decay else float(number("weight_decay", group["weight_decay"])),
            decoupled_weight_decay=not own_decay and group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )

    def _perform(self, plan: _Plan) -> None:
        states = []
        for p in plan.params:
            entries, dtype = self.state[p], ARITHMETIC[p.dtype]
            if "step" not in entries:
                entries["step"] = torch.zeros((), dtype=torch.float64)
            entries["step"] += 1
            for name, key in plan.choice.state.items():
                if key not in entries:
                    value = plan.choice.start.get(name, 0.0)
                    entries[key] = torch.full_like(
                        p, complex(value, value) if p.is_complex() else value, dtype=dtype
                    )
                elif entries[key].dtype != dtype or entries[key].device != p.device:
                    entries[key] = entries[key].to(
                        dtype=dtype, device=p.device
                    )  # the model was moved or cast
            states.append([entries[key] for key in plan.choice.state.values()])
        step_tensors(
            plan.choice.rule,
            plan.params,
            plan.gradients,
            states,
            plan.scalars,
            lr=plan.lr,
            weight_decay=plan.weight_decay,
            decoupled_weight_decay=plan.decoupled_weight_decay,
            maximize=plan.maximize,
        )


@dataclass(frozen=True)
class _Plan:
    """The coming step of one parameter group: only parameters with a gradient."""

    choice: Choice
    params: list[Tensor]
    gradients: list[Tensor]
    scalars: list[dict[str, Any]]
    lr: float
    weight_decay: float
    decoupled_weight_decay: bool
    maximize: bool


def _check_parameter(p: Any, name: str) -> None:
    if not isinstance(p, Tensor):
        return  # torch says it
    if isinstance(p, torch.nn.parameter.UninitializedParameter):
        return  # of a lazy layer: it has no shape before the first batch
    if p.dtype not in ARITHMETIC:
        allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in ARITHMETIC)
        raise TypeError(f"parameters of {name} must be of dtype {allowed}, got {p.dtype}; convert them first")
    if p.layout != torch.strided:
        raise TypeError(f"parameters of {name} must be strided, got {p.layout}; use p.to_dense()")
    overlap = any(stride == 0 and size > 1 for stride, size in zip(p.stride(), p.shape, strict=True))
    if overlap or p.is_conj() or p.is_neg():
        raise ValueError(
            f"a parameter of {name} is an expanded, conjugate or negative view; use p.detach().clone()"
        )


@cache
def _flags(optimizer: type[RuleOptimizer]) -> tuple[str, ...]:
    """The arguments of a class that are True or False."""
    parameters = inspect.signature(optimizer).parameters.items()
    return tuple(name for name, p in parameters if isinstance(p.default, bool) and name not in TORCH_PATHS)
