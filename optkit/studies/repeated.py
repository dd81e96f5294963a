"""A measurement that fits in one call: its protocol has a hash, and its numbers are stored as a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optkit.studies.engine.declaration import digest
from optkit.studies.results import load, save

__all__ = ["Repeated"]


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
