"""The coming step of one parameter group: planned first, where anything may fail, then performed.

Parameters that a kernel can step are bound to it; the rest goes to torch, one after another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import is_
from typing import Any

import torch
from torch import Tensor

from optkit.kernels import Kernel, cuda
from optkit.optim.bound import NAMES, Bound, is_plain, lie_alike, overlap, step_packed
from optkit.optim.choice import Choice
from optkit.optim.layout import is_dense
from optkit.optim.stepping import ARITHMETIC, Made, made, step_tensors
from optkit.translation.path import decay_scalars


@dataclass(frozen=True)
class Order:
    """What a group is to do, whatever its parameters are.

    Attributes:
        choice: Its rule and hyper-parameters.
        hyper: The hyper-parameters as plain numbers.
        lr, weight_decay: For the weight decay before the rule.
        decay: How it is done: one of `optkit.translation.path.DECAYS`.
        maximize: Climb instead of descending.
        keys: The keys of the rule's state in ``optimizer.state``.
        taken: Kernels of what is bound, by dtype, device and the way taken; filled as they are met.
    """

    choice: Choice
    hyper: Mapping[str, Any]
    lr: float
    weight_decay: float
    decay: str
    maximize: bool

    keys: tuple[str, ...] = field(init=False)
    taken: dict[Any, Kernel | cuda.Kernel] = field(init=False, repr=False)
    _steady: list[dict[str, Any]] = field(init=False, repr=False)
    _last: list[Any] = field(init=False, repr=False)
    _made: Made = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.choice.state.values()))
        object.__setattr__(self, "taken", {})
        object.__setattr__(self, "_steady", [])
        object.__setattr__(self, "_last", [])
        object.__setattr__(self, "_made", made(self.choice.rule))

    def scalars(self, t: int) -> dict[str, Any]:
        """The hoisted scalars of step ``t``, those of weight decay among them."""
        if self._steady:
            return self._steady[0]
        hoisted = self._made.program.scalars(t, **self.hyper)
        if self.decay:
            hoisted |= decay_scalars(self.decay, lr=self.lr, weight_decay=self.weight_decay)
        if self._made.program.steady:
            self._steady.append(hoisted)
        return hoisted

    def at(self, lr: float) -> Order:
        """The same order with another learning rate."""
        order = object.__new__(Order)
        order.__dict__.update(self.__dict__, hyper={**self.hyper, "lr": lr}, lr=lr, _steady=[], _last=[])
        return order

    def kernel_of(self, bound: Bound, scalars: Mapping[str, Any]) -> Kernel | cuda.Kernel | None:
        """The same for what is bound, remembered while the order stands."""
        if self._last and self._last[0] is scalars and self._last[1] is bound:
            return self._last[2]
        key = bound.kind, bound.device, *self._made.turns(scalars, bound.kind)
        kernel = self.taken.get(key)
        if kernel is None:
            kernel = self.kernel(scalars, bound.kind, bound.device)
            if kernel is not None:
                self.taken[key] = kernel
        self._last[:] = scalars, bound, kernel
        return kernel

    def kernel(
        self, scalars: Mapping[str, Any], dtype: str, device: torch.device
    ) -> Kernel | cuda.Kernel | None:
        """The compiled kernel for a step with these scalars; None where torch must compute it."""
        return self._made.kernel(scalars, self.maximize, self.decay, dtype, device)


@dataclass(frozen=True)
class Binding:
    """How the parameters of a group are stepped, until something moves.

    Attributes:
        params: Those that have a gradient.
        keys: Keys of their state.
        bound: Pairs (bound parameters, their places in ``params``).
        loose: Places of the parameters that torch steps.
    """

    params: list[Tensor]
    keys: tuple[str, ...]
    bound: list[tuple[Bound, list[int]]]
    loose: list[int]

    def alone(self, params: Sequence[Tensor]) -> Bound | None:
        """What is bound, if that is all of these parameters, in one piece, on the CPU."""
        if self.loose or len(self.bound) != 1 or len(self.params) != len(params):
            return None
        ((bound, _),) = self.bound
        return bound if bound.gpu is None else None


def again(
    order: Order,
    bound: Bound,
    params: list[Tensor],
    gradients: list[Any],
    state: MutableMapping[Tensor, Any],
) -> bool:
    """Make the step of a group that is bound as a whole, if nothing has moved since the last.

    All that `Plan` would check is checked before anything changes, and in the same call of C the step is
    made: with few or small tensors the Python between the two is what takes time.

    Returns:
        Whether the step was made. If not, nothing has changed: plan it.

    Raises:
        RuntimeError: As for `Plan`.
    """
    if order.keys != bound.keys:
        return False
    count = bound.count
    try:
        scalars = order.scalars(count + 1)
    except ValueError:
        return False  # if that is the count, the plan will say it
    kernel = order.kernel_of(bound, scalars)
    if not isinstance(kernel, Kernel):
        return False
    return bound.again(kernel, scalars, count, params, gradients, state)


Call = tuple[Bound, Kernel | cuda.Kernel, Mapping[str, Any], Any, Any]
"""One call of a kernel: what is stepped, the kernel, the scalars, where everything lies; and the gradients
and the state themselves, because another thread must not free them before."""


@dataclass(frozen=True)
class _Single:
    """The step of a parameter that is not bound: its scalars, and its kernel if there is one."""

    scalars: Mapping[str, Any]
    kernel: Kernel | cuda.Kernel | None


class Plan:
    """The coming step of one parameter group. Making it checks everything and changes nothing.

    Args:
        order: What to do.
        params: Parameters; those without a gradient are left out.
        gradients: The gradient of each, or None.
        state: ``optimizer.state``.
        binding: What the last step left, or None.

    Raises:
        ValueError: A scalar of the rule has no value at this step.
        RuntimeError: The environment asks for C, and it cannot be had.
    """

    def __init__(
        self,
        order: Order,
        params: list[Tensor],
        gradients: list[Any],
        state: MutableMapping[Tensor, Any],
        binding: Binding | None,
    ) -> None:
        self.order, self.params, self.gradients, self.state = order, params, gradients, state
        calls = None
        if binding is not None:
            if binding.loose or len(params) != len(binding.params):
                self._leave_out()
            calls = self._calls(binding)  # which notices that a gradient is None
        self.binding = None if calls is None else binding
        self.calls: list[Call] = calls or []
        self.singles: dict[int, _Single] = {}
        if binding is None or calls is None:
            self._leave_out()
            self._look_at(range(len(self.params)))
        elif binding.loose:
            self._look_at(binding.loose)

    def _leave_out(self) -> None:
        """Keep the parameters that have a gradient."""
        if any(map(is_, self.gradients, repeat(None))):
            pairs = zip(self.params, self.gradients, strict=True)
            self.params = [p for p, g in pairs if g is not None]
            self.gradients = [g for g in self.gradients if g is not None]

    def _look_at(self, places: Sequence[int]) -> None:
        known: dict[tuple[int, torch.dtype, torch.device], _Single] = {}  # by step count, dtype, device
        for place in places:
            p = self.params[place]
            key = _next(p, self.state), p.dtype, p.device
            if key not in known:
                known[key] = self._single(*key)
            self.singles[place] = known[key]

    def _single(self, t: int, dtype: torch.dtype, device: torch.device) -> _Single:
        scalars = self.order.scalars(t)
        return _Single(scalars, self.order.kernel(scalars, NAMES[dtype], device) if dtype in NAMES else None)

    def _calls(self, binding: Binding) -> list[Call] | None:
        """The calls for what is bound; None if something has moved."""
        order, params, gradients = self.order, self.params, self.gradients
        if binding.keys != order.keys or len(params) != len(binding.params):
            return None
        if binding.loose and not all(map(is_, params, binding.params)):
            return None
        calls = []
        for bound, places in binding.bound:
            if len(places) == len(params):
                found = bound.look(params, gradients, self.state)
            else:
                some = [params[place] for place in places]
                found = bound.look(some, [gradients[place] for place in places], self.state)
            if found is None:
                return None
            count, addresses, held = found
            scalars = order.scalars(count + 1)
            kernel = order.kernel_of(bound, scalars)
            if kernel is None:
                return None
            calls.append((bound, kernel, scalars, addresses, held))
        return calls

    def perform(self, **scaling: int) -> Binding:
        """Make the step. Returns how, for the next one. For the arguments see `Bound.step`."""
        binding = self.binding
        if binding is None or self.singles:
            with torch.no_grad():
                self._begin()
                binding = binding or self._bind()
        for bound, kernel, scalars, addresses, _ in self.calls:
            bound.step(kernel, addresses, scalars, **scaling)
        if binding.loose:
            with torch.no_grad():
                self._step_loose(binding.loose)
        return binding

    def _step_loose(self, places: Sequence[int]) -> None:
        order, by_torch = self.order, []
        for place in places:
            p, g, single, entries = self._parts(place)
            entries["step"] += 1
            state = [entries[key] for key in order.keys]
            if isinstance(single.kernel, Kernel) and is_plain(p, g, state):
                step_packed(single.kernel, p, g, state, single.scalars)
            else:
                by_torch.append((p, g, state, single.scalars))
        if by_torch:
            columns = zip(*by_torch, strict=True)
            step_tensors(order.choice.rule, *columns, decay=order.decay, maximize=order.maximize)

    def _bind(self) -> Binding:
        """Bind what a kernel can step where it lies, and note the calls."""
        alike: dict[int, list[int]] = defaultdict(list)  # step count, dtype and device in common
        loose = []
        written, read = [], []
        for place in self.singles:
            p, g, single, entries = self._parts(place)
            state = [entries[key] for key in self.order.keys]
            if single.kernel is not None and is_plain(p, g, state) and lie_alike(p, g, state):
                alike[id(single)].append(place)
                written += [p, *state]
                read.append(g)
            else:
                loose.append(place)
        if overlap(written, read):
            # One after another, as torch does it, the result does at least not depend on the threads.
            alike, loose = {}, list(self.singles)
        bound = []
        for places in alike.values():
            params, gradients, singles, entries = zip(*map(self._parts, places), strict=True)
            one = Bound(params, gradients, entries, self.order.keys, self.state)
            if not one.plain:  # torch knows of memory that is none, as that of a wrapper
                loose += places
                continue
            bound.append((one, places))
            held = gradients, [list(entry.values()) for entry in entries]
            self.calls.append((one, singles[0].kernel, singles[0].scalars, one.addresses, held))
        return Binding(list(self.params), self.order.keys, bound, loose)

    def _begin(self) -> None:
        """Give the parameters that are not bound the state that they lack.

        All step counts are made before all of the first state, and so on: what a step looks at one after
        another then lies together, and is looked at in a tenth less time.
        """
        pairs = [(p, self.state[p]) for p in map(self.params.__getitem__, self.singles)]
        for _, entries in pairs:
            step = entries.get("step")
            if type(step) is not Tensor or (step.dtype, step.device.type) != (torch.float64, "cpu"):
                # Begun here, or put there by someone: kernels count in a double in the CPU's memory.
                entries["step"] = torch.tensor(0.0 if step is None else float(step), dtype=torch.float64)
        for name, key in self.order.choice.state.items():
            value = self.order.choice.start.get(name, 0.0)
            for p, entries in pairs:
                dtype = ARITHMETIC[p.dtype]
                if key not in entries:
                    start = complex(value, value) if p.is_complex() else value
                    entries[key] = torch.full_like(p, start, dtype=dtype)
                elif entries[key].dtype != dtype or entries[key].device != p.device:
                    # The model was moved or cast.
                    entries[key] = entries[key].to(dtype=dtype, device=p.device)

    def _parts(self, place: int) -> tuple[Tensor, Tensor, _Single, dict[str, Any]]:
        """A parameter, its gradient without lazy signs, how it steps, and its state."""
        p, g = self.params[place], self.gradients[place].resolve_conj().resolve_neg()
        return p, g, self.singles[place], self.state[p]


def path_of(order: Order, p: Tensor, state: Mapping[Tensor, Any]) -> str:
    """What would compute a parameter's next step: ``"C"``, ``"CUDA"``, ``"torch chunks"`` or ``"torch"``."""
    suited = is_plain(p, p.detach(), [])
    kernel = order.kernel(order.scalars(_next(p, state)), NAMES[p.dtype], p.device) if suited else None
    if isinstance(kernel, cuda.Kernel):
        return "CUDA" if is_dense(p) else "torch"
    return "C" if kernel else "torch chunks" if p.device.type == "cpu" else "torch"


def _next(p: Tensor, state: Mapping[Tensor, Any]) -> int:
    """The number of a parameter's coming step, counted from 1."""
    return 1 + int(state[p].get("step", 0) if p in state else 0)
