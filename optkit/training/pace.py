"""Set the learning rate of each step: from a pure function t → factor, or with a torch scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    Schedule = Callable[[int], float] | LRScheduler

__all__ = ["Pace"]


class Pace:
    """The learning rates of an optimizer's groups, step by step.

    Args:
        optimizer: whose groups' lr is set.
        schedule: None (constant); a function from the step t = 1, 2, … to a finite factor >= 0 of each
            group's lr; or a torch scheduler of this optimizer, which takes a step after each of its steps.

    Raises:
        TypeError: another kind of schedule.
        ValueError: the scheduler belongs to another optimizer.
    """

    def __init__(self, optimizer: Optimizer, schedule: Schedule | None) -> None:
        from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

        self.optimizer = optimizer
        self.scheduler: LRScheduler | None = None
        self.factor: Callable[[int], float] | None = None
        if isinstance(schedule, LRScheduler) and not isinstance(schedule, ReduceLROnPlateau):
            if schedule.optimizer is not optimizer:
                raise ValueError("schedule must be a scheduler of the given optimizer, got one of another")
            self.scheduler = schedule
        elif callable(schedule):
            self.factor = schedule
        elif schedule is not None:
            raise TypeError(
                "schedule must be None, a function from t to a factor or a torch scheduler whose step takes "
                f"no argument, got {type(schedule).__name__}"
            )
        self.base = [float(group["lr"]) for group in optimizer.param_groups]

    @property
    def kind(self) -> str:
        """What sets the pace, for the comparison with a checkpoint."""
        if self.scheduler is not None:
            return type(self.scheduler).__name__
        return "constant" if self.factor is None else "function of t"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give each group its own lr back at the end, so that a second training starts like the first."""
        try:
            yield
        finally:
            if self.factor is not None:
                self._set(self.base)

    def begin(self, t: int) -> float:
        """Set the lr for step t, and return that of the first group."""
        if self.factor is not None:
            factor = self._factor_at(t)
            self._set([factor * lr for lr in self.base])
        return float(self.optimizer.param_groups[0]["lr"])

    def rate_at(self, t: int) -> float:
        """Return the lr of the first group in step t; not for torch schedulers, which know only the next.

        Raises:
            ValueError: the function gives a negative factor or one that is not finite.
        """
        return self._factor_at(t) * self.base[0]

    def end(self) -> None:
        """Tell a torch scheduler that the optimizer has made a step."""
        if self.scheduler is not None:
            self.scheduler.step()

    def state(self) -> dict[str, Any] | None:
        """Return what a checkpoint keeps."""
        return None if self.scheduler is None else self.scheduler.state_dict()

    def load(self, state: dict[str, Any] | None) -> None:
        """Go on from what a checkpoint kept."""
        if self.scheduler is not None and state is not None:
            self.scheduler.load_state_dict(state)

    def _factor_at(self, t: int) -> float:
        factor = 1.0 if self.factor is None else float(self.factor(t))
        if not (math.isfinite(factor) and factor >= 0):
            raise ValueError(f"schedule must return a finite factor >= 0, got {factor} at t = {t}")
        return factor

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            # torch allows a tensor as lr, for CUDA graphs: it must stay the same tensor.
            if hasattr(group["lr"], "fill_"):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
