"""torch's GradScaler: gradients are unscaled, and a step is left out, by the kernels on the device.

Whether the scaler met inf or NaN is known on the device only. A CPU that asked would have to wait for it. So
the kernels read it themselves, the step is counted as if it happened, and the count is put right at the next
look, when the answer has long arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from optkit.optim.bound import Bound
    from optkit.optim.plan import Binding, Plan


@dataclass(frozen=True)
class Scaling:
    """What a GradScaler hands to an optimizer that does its own unscaling.

    Attributes:
        scale: What the gradients must be divided by, one float32; None if they have been.
        found_inf: Not 0 if a gradient is inf or NaN, one float32.
    """

    scale: Tensor | None
    found_inf: Tensor

    @property
    def addresses(self) -> dict[str, int]:
        """Where both lie, as `optkit.kernels.cuda.Kernel.step` takes it."""
        scale = 0 if self.scale is None else self.scale.data_ptr()
        return {"grad_scale": scale, "found_inf": self.found_inf.data_ptr()}

    def suits(self, plans: Iterable[Plan]) -> bool:
        """Whether kernels of the device on which this lies step everything."""
        here = self.found_inf.device
        if self.scale is not None and self.scale.device != here:
            return False
        return all(
            by_kernels(plan.binding) and all(one.params[0].device == here for one, _ in plan.binding.bound)
            for plan in plans
        )

    def settle(self, gradients: Iterable[Tensor]) -> bool:
        """Wait for the answer, unscale the gradients in place, and say whether a step is to be made."""
        if self.found_inf.item():
            return False
        if self.scale is not None:
            for g in gradients:
                g.div_(self.scale.to(g.device).reshape(()))
        return True

    def doubt(self, bounds: Sequence[Bound]) -> Doubt | None:
        """What to ask later: whether these were stepped."""
        return Doubt(bounds[0].gpu.later(self.found_inf), bounds) if bounds else None


@dataclass(frozen=True)
class Doubt:
    """A step that was counted, and that may have been left out.

    Attributes:
        answer: Returns what ``found_inf`` was; waits if it is not known yet.
        bounds: What was counted.
    """

    answer: Callable[[], float]
    bounds: Sequence[Bound]

    def settle(self) -> None:
        """Put the counts right."""
        if self.answer():
            for one in self.bounds:
                one.count_back()


def asked(optimizer: Any) -> Scaling | None:
    """What a GradScaler has handed to this optimizer, if it is calling."""
    found = getattr(optimizer, "found_inf", None)
    return None if found is None else Scaling(getattr(optimizer, "grad_scale", None), found)


def by_kernels(binding: Binding | None) -> bool:
    """Whether kernels on a GPU step all parameters of a group."""
    return binding is not None and not binding.loose and all(one.gpu is not None for one, _ in binding.bound)
