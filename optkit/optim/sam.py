"""SAM: sharpness-aware minimisation around any optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any, final

import torch
from torch import Tensor, nn

from optkit.optim.choice import number, one_of
from optkit.optim.climb import Climb
from optkit.optim.hooks import quick_hooks
from optkit.optim.stepping import ARITHMETIC

DEVICES = ("together", "each")


@final
class SAM(torch.optim.Optimizer):
    r"""SAM: step with the gradient from the worst point of a ball around θ.

    e = ρ g(θ)/(‖g(θ)‖₂ + δ), the norm over all parameters; then the base optimizer steps from θ with the
    gradient g(θ + e). The adaptive variant, ASAM, climbs by e = ρ T²g/(‖Tg‖₂ + δ) with T = |θ| + η. A step
    costs two gradients, a copy of θ, and on a GPU one wait for the norm.

    By closure, or by hand, where several backward passes make up a gradient or a GradScaler is used::

        loss = sam.step(closure)

        loss(model(x), y).backward()
        sam.first_step()               # to θ + e; clears the gradients
        loss(model(x), y).backward()
        sam.second_step()              # back to θ, then the base optimizer's step

    Parameter groups and state are the base optimizer's own: a scheduler may be given either of the two. A
    group with ``maximize`` goes down to the worst point. A zero gradient moves nothing, and where the norm is
    not finite θ stays for the second gradient. θ comes back bit for bit, in the same memory, also in
    parameters that get no second gradient. Random layers, dropout for one, draw anew in the second pass.

    **Batch normalisation.** With ``model`` given, all its buffers are after the step what the first, clean
    pass left: no statistics are counted twice, and none come from θ + e.

    **GradScaler.** Scale both losses, call ``scaler.step(sam)`` and ``scaler.update()``; no ``unscale_``
    before the climb, since e does not change with the scale. Where the second gradient overflowed, θ comes
    back and no step is made. Torch refuses closures here.

    **DistributedDataParallel.** ``devices="together"``: the gradient of all devices' batches gives one
    perturbation. ``devices="each"``: each device climbs by the gradient of its own batch, and only the second
    gradients are averaged. `step` does it by itself; by hand, make the first backward pass within
    ``sam.clean_pass()``.

    **Gradient accumulation.** Before `first_step` and before `second_step` run all backward passes; or let
    the closure do so.

    Args:
        base: Any optimizer that steps without a closure, ours or torch's.
        model: The module that the parameters belong to, or its DistributedDataParallel; None for parameters
            that belong to none.
        rho: Radius ρ ≥ 0 of the ball. 0 is the base optimizer. ASAM's authors take about ten times SAM's.
        adaptive: ASAM.
        eta: η ≥ 0, for ASAM.
        eps: Stabiliser δ > 0.
        devices: ``"together"`` or ``"each"``, see above.

    Raises:
        TypeError: ``base`` is no optimizer or needs a closure, ``model`` is no module, or a parameter has a
            dtype that optkit does not step.
        ValueError: A number is out of range, or ``devices="each"`` without a DistributedDataParallel.

    Example:
        >>> theta = nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> sam = SAM(torch.optim.SGD([theta], lr=0.5), None, rho=0.0)
        >>> def closure():
        ...     sam.zero_grad()
        ...     loss = (theta**2).sum() / 2
        ...     loss.backward()
        ...     return loss
        >>> sam.step(closure).item()
        2.5
        >>> theta.detach()
        tensor([ 0.5000, -1.0000])

    Source: foret2021sharpness; kwon2021asam for ``adaptive``.
    """

    profile_hook_step = staticmethod(quick_hooks)
    _step_supports_amp_scaling = True  # so that GradScaler calls `step` after an overflow, too

    def __init__(
        self,
        base: torch.optim.Optimizer,
        model: nn.Module | None,
        *,
        rho: float = 0.05,
        adaptive: bool = False,
        eta: float = 0.01,
        eps: float = 1e-12,
        devices: str = "together",
    ) -> None:
        _check_base(base)
        if model is not None and not isinstance(model, nn.Module):
            raise TypeError(
                f"model must be a module, or None for parameters that belong to none, got {model!r}"
            )
        if not isinstance(adaptive, bool):
            raise TypeError(f"adaptive must be True or False, got {adaptive!r}")
        one_of("devices", devices, DEVICES)
        if devices == "each" and not hasattr(model, "no_sync"):
            raise ValueError(
                "devices='each' needs model to be a DistributedDataParallel, "
                f"got {type(model).__name__}; wrap the model, or use devices='together'"
            )
        self.model, self.devices = model, devices
        self.adaptive, self.rho, self.eta, self.eps = adaptive, rho, eta, eps
        self._climb = Climb(adaptive=adaptive)
        self._buffers: list[tuple[Tensor, Tensor]] = []
        self._checked: tuple[Any, dict[str, float]] = (None, {})
        self._hyper()
        # torch fills the groups and state of the new optimizer; these are the base's, and full already.
        self.base: Any = SimpleNamespace(add_param_group=lambda group: None)
        super().__init__(base.param_groups, base.defaults)
        self.base = base

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The base optimizer's parameter groups."""
        return self.base.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.base.param_groups = groups

    @property
    def state(self) -> Any:
        """The base optimizer's state."""
        return self.base.state

    @state.setter
    def state(self, state: Any) -> None:
        self.base.state = state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Both halves of a step; without a closure the second half, after `first_step`.

        Args:
            closure: Clears the gradients, computes the loss, calls ``backward`` and returns the loss. It runs
                twice. If it raises, θ is where it was before the step.

        Returns:
            The closure's loss at θ, of the first pass; None without a closure.

        Raises:
            RuntimeError: There is no closure and there was no `first_step`, or both.
            ValueError: A hyper-parameter has become invalid, or a gradient is sparse.
        """
        if closure is None:
            return self._finish()
        if self._climb.is_up:
            raise RuntimeError("step must have no closure after first_step; call second_step, or restore")
        if self.devices == "each":
            with self.clean_pass():
                loss = _gradient(closure)
        else:
            loss = _gradient(closure)
        self.first_step()
        try:
            _gradient(closure)
        except BaseException:
            self.restore()
            raise
        self._finish()
        return loss

    def first_step(self, zero_grad: bool = True) -> None:
        """Move to θ + e by the gradients that are there.

        Args:
            zero_grad: Clear the gradients then.

        Raises:
            RuntimeError: The parameters are at θ + e already.
            ValueError: A hyper-parameter has become invalid, or a gradient is sparse. Nothing has moved.
        """
        if self._climb.is_up:
            raise RuntimeError(
                "first_step must be followed by second_step or restore, got another first_step"
            )
        hyper = self._hyper()
        kept = [] if self.model is None else [(b, b.detach().clone()) for b in _buffers(self.model)]
        self._climb.up(self.param_groups, hyper)
        self._buffers = kept
        if zero_grad:
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad = None

    def second_step(self) -> None:
        """Go back to θ, and let the base optimizer step with the gradients from θ + e.

        Raises:
            RuntimeError: There was no `first_step`.
        """
        self.step()  # by this name, so that hooks and schedulers notice it

    def restore(self) -> None:
        """Go back to θ without a step, as after an error between the two halves; else do nothing."""
        self._climb.down()
        if self._buffers:
            with torch.no_grad():
                for buffer, clean in self._buffers:
                    buffer.copy_(clean)
            self._buffers = []

    def clean_pass(self) -> AbstractContextManager[Any]:
        """Within it, the backward pass at θ; with ``devices="each"`` nothing is averaged over devices."""
        return self.model.no_sync() if self.devices == "each" else nullcontext()  # type: ignore[union-attr, operator]

    def _finish(self) -> None:
        if not self._climb.is_up:
            raise RuntimeError(
                "step needs the gradient at θ + e: pass a closure, or call first_step and backward before it"
            )
        self.restore()
        # What a GradScaler leaves here for the length of its step.
        found_inf, scale = getattr(self, "found_inf", None), getattr(self, "grad_scale", None)
        if found_inf is not None and float(found_inf) > 0:
            return
        if scale is not None:
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p.grad.div_(scale.to(p.grad.device))
        self.base.step()

    def _hyper(self) -> dict[str, float]:
        options = self.rho, self.eps, self.eta
        lasting = {float, int}.issuperset(map(type, options))  # a tensor may change in place
        if lasting and options == self._checked[0]:
            return self._checked[1]
        given = {"rho": self.rho, "eps": self.eps} | ({"eta": self.eta} if self.adaptive else {})
        hyper = {name: number(name, value) for name, value in given.items()}
        self._climb.rule.check(**hyper)
        if hyper["eps"] == 0:
            raise ValueError(f"eps must be > 0, got {self.eps}")
        numbers = {name: float(value) for name, value in hyper.items()}
        if lasting:
            self._checked = options, numbers
        return numbers

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the base optimizer."""
        self.base.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """The base optimizer's state dict, with SAM's own options under ``"sam"``.

        Raises:
            RuntimeError: Between the two halves of a step: the model's weights are not θ there.
        """
        if self._climb.is_up:
            raise RuntimeError(
                "state_dict must be called before first_step or after second_step, got a call between them"
            )
        options = {name: getattr(self, name) for name in ("rho", "adaptive", "eta", "eps")}
        return {**self.base.state_dict(), "sam": options}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned: the base optimizer's state, and SAM's options but ``devices``.

        Raises:
            ValueError: It is no SAM's, or does not fit the base optimizer. Nothing changes then.
        """
        options = state_dict.get("sam")
        if not isinstance(options, dict) or set(options) != {"rho", "adaptive", "eta", "eps"}:
            raise ValueError(
                "state_dict must come from a SAM, got one without 'sam'; load the state of a base optimizer "
                "by sam.base.load_state_dict"
            )
        if options["adaptive"] is not self.adaptive:
            raise ValueError(f"adaptive must be {options['adaptive']} as it was saved, got {self.adaptive}")
        self._climb.rule.check(rho=options["rho"], eps=options["eps"])
        self.base.load_state_dict({key: value for key, value in state_dict.items() if key != "sam"})
        self.rho, self.eta, self.eps = options["rho"], options["eta"], options["eps"]

    def __getstate__(self) -> dict[str, Any]:
        if self._climb.is_up:
            raise RuntimeError("a SAM can be copied before first_step or after second_step, not between them")
        names = ("base", "model", "rho", "adaptive", "eta", "eps", "devices")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        kind = f", adaptive=True, eta={self.eta}" if self.adaptive else ""
        return f"SAM({self.base!r}, rho={self.rho}{kind}, devices={self.devices!r})"


def _gradient(closure: Callable[[], Any]) -> Any:
    if torch.is_grad_enabled():
        return closure()
    with torch.enable_grad():
        return closure()


def _buffers(model: nn.Module) -> list[Tensor]:
    """What ``model.buffers()`` yields, in a tenth of the time, which is paid in every step."""
    found: dict[int, Tensor] = {}
    modules, seen = [model], {model}
    while modules:
        module = modules.pop()
        if module._buffers:
            found.update((id(buffer), buffer) for buffer in module._buffers.values() if buffer is not None)
        if module._modules:
            for child in module._modules.values():
                if child is not None and child not in seen:
                    seen.add(child)
                    modules.append(child)
    return list(found.values())


def _check_base(base: Any) -> None:
    if isinstance(base, SAM) or not isinstance(base, torch.optim.Optimizer):
        raise TypeError(f"base must be an optimizer and no SAM, got {type(base).__name__}")
    closure = inspect.signature(base.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            f"base must step without a closure, got {type(base).__name__}, which evaluates the loss itself"
        )
    for group in base.param_groups:
        for p in group["params"]:
            if p.dtype not in ARITHMETIC:
                allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in ARITHMETIC)
                raise TypeError(f"parameters of SAM must be of dtype {allowed}, got {p.dtype}")
