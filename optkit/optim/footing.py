"""Parameters whose climb and return are a few calls of compiled C, with the memory that keeps their θ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from optkit.kernels import Kernel, Table, Unavailable, Watch, vectors
from optkit.optim.bound import NAMES, is_plain, lie_alike, overlap


class Footing:
    """Parameters of one group that have a gradient each: float32 all or float64 all, on the CPU.

    Args:
        params: The parameters.

    Attributes:
        origins: For each parameter the memory that keeps its θ.
        plain: Whether all have memory of their own. If not, there is nothing to do here.

    Raises:
        Unavailable: There is no compiler.
    """

    def __init__(self, params: Sequence[Tensor]) -> None:
        vectors.check()
        self.params = list(params)
        self.dtype = NAMES[params[0].dtype]
        self.origins = [torch.empty_like(p, requires_grad=False) for p in params]
        self._watch = Watch(params, [{"origin": kept} for kept in self.origins], ["origin"], counted=False)
        self.plain = self._watch.plain
        self._table = Table([], [p.numel() for p in params])
        self._addresses: Any = None

    def look(self, params: list[Tensor], gradients: list[Any]) -> bool:
        """Whether the parameters are these, as they were, and the gradients can be taken as they lie.

        They cannot if one is None. What follows, up to `down`, is of what was found here.
        """
        found = self._watch.count(params, gradients)
        if found is None or any(map(Tensor.is_neg, gradients)):  # a sign that raw memory lacks
            return False
        self._addresses = found[1]
        return True

    def norm(self, eta: float | None) -> float:
        """‖g‖₂, or ASAM's ‖(|θ| + η) g‖₂."""
        return vectors.norm(self._table, self._addresses, self.dtype, torch.get_num_threads(), eta)

    def climb(self, kernel: Kernel, scalars: Mapping[str, float]) -> None:
        """Keep θ, and make one step of the kernel."""
        row = [scalars[name] for name in kernel.scalars]
        self._copy(to=2, source=0)
        kernel.step(self._table, row, torch.get_num_threads(), self._addresses)
        increment_version(self.params)

    def down(self) -> None:
        """Put θ back, wherever the parameters lie by now."""
        if self._watch.same() is None:
            with torch.no_grad():
                torch._foreach_copy_(self.params, self.origins)
        else:
            self._copy(to=0, source=2)
            increment_version(self.params)

    def _copy(self, *, to: int, source: int) -> None:
        vectors.copy(self._table, self._addresses, to, source, self.dtype, torch.get_num_threads())


def new_footing(params: Sequence[Tensor], gradients: Sequence[Tensor]) -> Footing | None:
    """A footing that has looked at these; None if they cannot have one."""
    if not params or params[0].dtype not in (torch.float32, torch.float64):
        return None
    if not all(p.dtype == params[0].dtype and p.device.type == "cpu" for p in params):
        return None
    if not all(is_plain(p, g, []) and lie_alike(p, g, []) for p, g in zip(params, gradients, strict=True)):
        return None
    if overlap(params, gradients):
        return None
    try:
        footing = Footing(params)
    except Unavailable:
        return None
    return footing if footing.plain and footing.look(list(params), list(gradients)) else None
