"""The one plumbing class: everything that makes a rule a ``torch.optim.Optimizer``, and no mathematics."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar

import torch
from torch import Tensor

from optkit.optim.bound import Bound
from optkit.optim.checkpoint import Kept, prepared
from optkit.optim.choice import Choice, number
from optkit.optim.hooks import quick_hooks
from optkit.optim.plan import Binding, Order, Plan, again, path_of
from optkit.optim.scaling import Doubt, asked, by_kernels
from optkit.optim.stepping import ARITHMETIC
from optkit.rules import Rule
from optkit.rules.hyperparameters import HYPERPARAMETERS

_gradient = attrgetter("grad")

TORCH_PATHS = ("foreach", "fused", "capturable", "differentiable")
"""Arguments by which torch chooses an implementation. They are taken, but only with their defaults."""


class RuleOptimizer(torch.optim.Optimizer, ABC):
    """A torch optimizer whose step is one or several update rules.

    A final subclass says in `choose` which rule a parameter group runs. All else is here and is torch's
    contract: parameter groups, state dicts, hooks, closures, schedulers, pickling. Parameters may be of dtype
    float64, float32, bfloat16, float16, complex128 or complex64, of any strided layout and shape. State and
    arithmetic of the two half types are float32; complex parameters are treated as pairs of reals.
    ``state[p]["step"]`` counts the steps of each parameter, as a float64 tensor on the CPU; on a GPU under a
    GradScaler it is one too high after a step that was left out, until the next step or ``state_dict()``. A
    step checks everything before it changes anything.

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
        self._forget()
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
        """How steps are computed: ``"C"``, ``"CUDA"``, ``"torch chunks"`` or ``"torch"``.

        Several are joined by `` + ``. ``"C"`` and ``"CUDA"`` are the rule compiled: one pass over each
        parameter, all of a group in one call. Torch runs the rule operation by operation, on the CPU in
        pieces that stay in the cache. ``python -m optkit doctor`` says why nothing compiled is taken.
        """
        found = {}
        for index, group in enumerate(self.param_groups):
            order = self._order(index, group)
            for p in group["params"]:
                found[path_of(order, p, self.state)] = None
        return " + ".join(sorted(found))

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
        if self._doubt is not None:
            self._settle()
        scaling = asked(self)
        if scaling is None and self._again():
            return loss
        plans = [self._plan(index, group) for index, group in enumerate(self.param_groups)]
        if scaling is not None and not scaling.suits(plans):
            with torch.no_grad():
                if not scaling.settle(g for plan in plans for g in plan.gradients):
                    return loss
            scaling = None
        addresses = {} if scaling is None else scaling.addresses
        for index, plan in enumerate(plans):
            self._bindings[index] = plan.perform(**addresses)
        if scaling is not None:
            self._doubt = scaling.doubt([call[0] for plan in plans for call in plan.calls])
        if len(plans) == 1:
            self._alone = self._bindings[0].alone(self.param_groups[0]["params"])
        return loss

    def _again(self) -> bool:
        """Make the step as the last one was made, if that is possible. If not, nothing has changed."""
        if self._alone is None or len(self.param_groups) != 1:
            return False
        (group,) = self.param_groups
        params = group["params"]
        order, gradients = self._order(0, group), list(map(_gradient, params))
        made = again(order, self._alone, params, gradients, self.state)
        if not made:
            self._alone = None
        return made

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Torch's GradScaler asks: whether a step unscales by itself, here by kernels on a GPU."""
        found = [self._bindings.get(index) for index in range(len(self.param_groups))]
        return all(map(by_kernels, found)) and any(binding.bound for binding in found)

    def _settle(self) -> None:
        """Uncount the last step if it is known by now that a GradScaler left it out."""
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            doubt.settle()

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, as in torch. See `load_state_dict`."""
        self._settle()
        return super().state_dict()

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return super().__getstate__()

    profile_hook_step = staticmethod(quick_hooks)

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
        self._forget()
        for entries in self.state.values():
            for key, value in entries.items():
                if isinstance(value, Kept):
                    entries[key] = value.tensor

    def _forget(self) -> None:
        """Where memory lay, and what was checked; found again at the next step."""
        self._doubt: Doubt | None = None
        self._bindings: dict[int, Binding] = {}
        self._alone: Bound | None = None  # the whole of the only group
        self._orders: dict[int, tuple[list[Any] | None, Order]] = {}

    def _check(self, options: Mapping[str, Any]) -> tuple[Choice, dict[str, Any]]:
        """Raise if an option is not allowed; return what is chosen, and its hyper-parameters as numbers."""
        name = type(self).__name__
        for key in TORCH_PATHS:
            if options.get(key):
                why = (
                    f"optkit's {name} picks its own way of computing (see optimizer.backend); leave {key} out"
                )
                if key == "capturable":
                    why = (
                        "a CUDA graph would repeat the scalars of one step; capture the forward and backward "
                        "pass, and call step() outside"
                    )
                raise ValueError(
                    f"{key} must be None or False, got {options[key]!r}: {why}, or use torch.optim"
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

    def _plan(self, index: int, group: dict[str, Any]) -> Plan:
        """Everything that can fail, before anything changes."""
        params = group["params"]
        gradients = list(map(_gradient, params))
        plan = Plan(self._order(index, group), params, gradients, self.state, self._bindings.get(index))
        if plan.singles:  # what is bound has been looked at
            for place, p in enumerate(group["params"]):
                if p.grad is not None:
                    self._refuse_misfits(f"parameter {place} in group {index}", p, plan.order.keys)
        return plan

    def _refuse_misfits(self, name: str, p: Tensor, keys: Sequence[str]) -> None:
        if p.grad.layout != torch.strided:
            raise ValueError(
                f"the gradient of {name} is sparse ({p.grad.layout}): {type(self).__name__} needs dense "
                "gradients; build the layer with sparse=False, or give this parameter to "
                "torch.optim.SparseAdam"
            )
        entries = self.state.get(p, {})
        for key, shape in [("the gradient", p.grad.shape)] + [
            (k, entries[k].shape) for k in keys if k in entries
        ]:
            if shape != p.shape:
                raise ValueError(
                    f"{key} of {name} has shape {tuple(shape)}, but the parameter now has {tuple(p.shape)}; "
                    "after resizing a parameter delete optimizer.state[p], and compute its gradient anew"
                )

    def _order(self, index: int, group: dict[str, Any]) -> Order:
        """What the group is to do, checked where its options are not those of the last step."""
        options = list(group.values())
        known, order = self._orders.get(index, (None, None))
        if order is not None and _same(known, options):
            return order
        followed = order is not None and self._scheduled(group, known, options, order)
        if followed:
            order = followed
        else:
            choice, hyper = self._check(group)
            own = "weight_decay" in choice.hyper
            weight_decay = 0.0 if own else float(number("weight_decay", group["weight_decay"]))
            kind = "decoupled" if not own and group["decoupled_weight_decay"] else "coupled"
            order = Order(
                choice,
                hyper,
                lr=float(number("lr", group.get("lr", 0.0))),
                weight_decay=weight_decay,
                decay=kind if weight_decay else "",
                maximize=group["maximize"],
            )
        if any(isinstance(value, Tensor) for value in options):
            options = None  # a tensor may change in place
        self._orders[index] = options, order
        return order

    @staticmethod
    def _scheduled(
        group: Mapping[str, Any], known: list[Any] | None, options: list[Any], order: Order
    ) -> Order | None:
        """The last step's order, where nothing is new but the learning rate, as a schedule does it."""
        lr = group.get("lr")
        if known is None or type(lr) is not float or "lr" not in order.hyper:
            return None
        place = list(group).index("lr")
        others = known[:place] + known[place + 1 :]
        if not _same(others, options[:place] + options[place + 1 :]) or known[place] != order.hyper["lr"]:
            return None
        try:
            order.choice.rule.hyperparameters["lr"].check(lr)
        except ValueError:
            return None  # said in the words of the whole check
        return order.at(lr)


def _same(known: list[Any] | None, options: list[Any]) -> bool:
    try:
        return known == options
    except RuntimeError:
        return False  # a number has become a tensor of several


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
