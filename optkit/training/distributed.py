"""Training by several processes that give one net: each takes its share of every mini-batch.

torch's DistributedDataParallel averages the gradients of the processes. Shares may differ by one image, so
each
loss is weighted by the size of its share: the average is then the gradient of the whole mini-batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Share", "process_group"]


class Share:
    """What this process has to do with a net: all of it, unless the net is a `DistributedDataParallel`.

    Attributes:
        net: The net itself, without what wraps it.
        rank, processes: Which of how many processes this is.
    """

    def __init__(self, model: nn.Module) -> None:
        import torch

        self.net, self.rank, self.processes, self._group = model, 0, 1, None
        if isinstance(model, torch.nn.parallel.DistributedDataParallel):
            self.net, self._group = model.module, model.process_group
            self.rank, self.processes = self._group.rank(), self._group.size()

    def of(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
        """The part of a mini-batch that is this process's, and how much of the whole mean loss it is.

        A process that gets no image of a small batch takes one along with weight 0: the others wait for it.
        """
        if self.processes == 1:
            return images, labels, 1.0
        part = slice(self.rank, None, self.processes)
        weight = len(images[part]) / len(images)
        if not weight:
            part = slice(0, 1)
        return images[part], labels[part], weight

    def weighted(self, value: torch.Tensor, weight: float) -> torch.Tensor:
        """The loss to differentiate: its gradient, averaged over processes, is that of the whole batch."""
        return value if self.processes == 1 else value * (weight * self.processes)

    def mean(self, value: torch.Tensor, weight: float) -> float:
        """The mean loss of the whole mini-batch, the same number in every process."""
        if self.processes == 1:
            return value.item()
        import torch

        total = value.detach() * weight
        torch.distributed.all_reduce(total, group=self._group)
        return total.item()


@contextmanager
def process_group(device: str = "cpu") -> Iterator[tuple[int, int, str]]:
    """Join the processes that ``torchrun`` started: gloo on CPUs, NCCL on GPUs.

    Args:
        device: ``"cpu"``, or ``"cuda"`` for one GPU a process.

    Yields:
        Rank, number of processes, and this process's device; 0, 1 and ``device`` outside torchrun.
    """
    import torch

    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        yield 0, 1, device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("gloo" if device == "cpu" else "nccl")
    try:
        yield torch.distributed.get_rank(), processes, device
    finally:
        torch.distributed.destroy_process_group()
