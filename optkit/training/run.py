"""The state of a run: what one step changes, and what a checkpoint keeps of it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from optkit.training import checkpoint as checkpoints
from optkit.training.checkpoint import CheckpointError
from optkit.training.distributed import Share
from optkit.training.evaluation import mean_loss
from optkit.training.history import History
from optkit.training.pace import Pace

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

__all__ = ["Run"]


class _NotFinite(Exception):
    """Leaves `optimizer.step` before it changes a weight."""


class Run:
    """A model, its optimizer and its pace on their way, and the history so far."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, pace: Pace, settings: dict[str, str], share: Share
    ) -> None:
        self.model = model
        self.share = share
        self.optimizer = optimizer
        self.pace = pace
        self.settings = settings
        self.step = 0
        self.gradients = 0
        self.seconds = 0.0
        self.history = History()

    def advance(
        self,
        images: torch.Tensor,
        labels: torch.Tensor,
        loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    ) -> dict[str, float | None]:
        """Make one step, unless the loss is not finite, and return its row of the history.

        Args:
            images: The whole mini-batch; of several processes each takes its share.
            labels: Of these images.
            loss: Their mean loss.
        """
        first: float | None = None
        images, labels, weight = self.share.of(images, labels)

        def closure() -> torch.Tensor:
            nonlocal first
            self.optimizer.zero_grad()
            value = mean_loss(loss, self.model(images), labels)
            if first is None:
                first = self.share.mean(value, weight)
                if not math.isfinite(first):
                    raise _NotFinite
            self.share.weighted(value, weight).backward()
            self.gradients += 1
            return value

        lr = self.pace.begin(self.step + 1)
        start = time.perf_counter()
        try:
            self.optimizer.step(closure)
            if first is None:
                raise RuntimeError(
                    "optimizer must call the closure that its step is given, which computes loss and "
                    f"gradients; {type(self.optimizer).__name__}.step did not: let it begin with "
                    "loss = closure()"
                )
            self.pace.end()
        except _NotFinite:
            pass  # its row says so, and the loop ends there
        self.seconds += time.perf_counter() - start
        self.step += 1
        return {
            "step": self.step,
            "loss": first,
            "lr": lr,
            "gradients": self.gradients,
            "seconds": self.seconds,
        }

    def save(self, path: str | os.PathLike[str], device: torch.device) -> None:
        """Write a checkpoint of everything that the next steps depend on."""
        import torch

        random = {"cpu": torch.get_rng_state()}
        if device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(device)
        checkpoints.write(
            path,
            {
                "settings": self.settings,
                "step": self.step,
                "gradients": self.gradients,
                "seconds": self.seconds,
                "history": self.history.rows,
                "model": self.share.net.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.pace.state(),
                "random": random,
            },
        )

    def load(self, path: str | os.PathLike[str], total: int, device: torch.device) -> None:
        """Go on from a checkpoint, after every comparison that can be made.

        Raises:
            CheckpointError: damaged, of another run, or of a longer run; nothing is changed then.
        """
        import torch

        state: dict[str, Any] = checkpoints.read(path)
        checkpoints.compare(path, state["settings"], self.settings)
        if state["step"] > total:
            raise CheckpointError(
                f"{path} holds a run of {state['step']:,} steps already: epochs or steps must ask for at "
                f"least as many, got {total:,} steps. Use another checkpoint file for a shorter run."
            )
        if self.pace.scheduler is None:
            for row in state["history"]:
                there, here = row["lr"], self.pace.rate_at(max(row["step"], 1))
                # Not ==: a group's lr may be a float32 tensor.
                if there is not None and not math.isclose(there, here, rel_tol=1e-6):
                    raise CheckpointError(
                        f"{path} belongs to another run: the schedule gave lr {there} at step {row['step']} "
                        f"there and gives {here} here. Use the same schedule, or another checkpoint file."
                    )
        self.share.net.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.pace.load(state["schedule"])
        torch.set_rng_state(state["random"]["cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["random"]["cuda"], device)
        self.step, self.gradients = state["step"], state["gradients"]
        self.seconds = state["seconds"]
        self.history = History(state["history"])
