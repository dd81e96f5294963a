"""A measurement that fits in one call: its protocol has a hash, and its numbers are stored as a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optkit.studies.engine.declaration import digest
from optkit.studies.results import load, save

if TYPE_CHECKING:
    from torch import nn

    from optkit.data import Dataset, Tensors

__all__ = ["Repeated", "trained"]


@dataclass(frozen=True)
class Repeated:
    """A protocol, and what measures it; ``python -m optkit.studies NAME`` repeats it.

    Attributes:
        name: Of the result, and of the module in `optkit.studies` that declares it.
        protocol: Everything that decides the outcome; plain values, with ``seeds``.
        measure: From the protocol to JSON.
    """

    name: str
    protocol: Mapping[str, Any]
    measure: Callable[[Mapping[str, Any]], Mapping[str, Any]]

    @property
    def command(self) -> str:
        """What repeats it."""
        return f"python -m optkit.studies {self.name}"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Every seed used."""
        return tuple(self.protocol["seeds"])

    def repeat(self) -> Path:
        """Measure on one thread, and store ``results/NAME.json``."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            found = self.measure(self.protocol)
        finally:
            torch.set_num_threads(threads)
        return save(
            self.name, found, command=self.command, seeds=self.seeds, declaration=digest(self.protocol)
        )

    def stored(self) -> dict[str, Any]:
        """The stored numbers.

        Raises:
            ResultError: They are missing, damaged, or of another protocol.
        """
        return load(self.name, command=self.command, declaration=digest(self.protocol))["data"]


def trained(
    name: str,
    plan: Mapping[str, Any],
    training: Mapping[str, Any],
    data: Dataset,
    tensors: Tensors,
    seed: int,
) -> tuple[nn.Module, float]:
    """A net of `optkit.models` after some epochs, and its training loss.

    Args:
        name: Of the net.
        plan: Its ``options``, and ``optimizer``: the name of one of `optkit.optim` and its options.
        training: ``epochs`` and ``batch_size``.
        data: What ``tensors`` are of.
        tensors: The images.
        seed: Of first weights and order.
    """
    from optkit import models, optim
    from optkit.training import train

    shape, classes = data.image_shape, len(data.classes)
    net = getattr(models, name)(input_shape=shape, classes=classes, seed=seed, **plan["options"])
    kind, options = plan["optimizer"]
    optimizer = getattr(optim, kind)(net.parameters(), **options)
    history = train(net, tensors, optimizer, seed=seed, evaluate_every=None, progress=False, **training)
    return net, history.final("train_loss")
