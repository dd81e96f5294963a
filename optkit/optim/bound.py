"""Parameters bound to a kernel: where their memory lies, found once and checked at every step.

A kernel is handed addresses, so nothing may have moved since they were taken: a parameter may be resized,
cast or replaced, a state tensor loaded or offloaded. Every step compares, and binds anew what differs.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from optkit.kernels import Counts, Kernel, Table, Watch, backend, cuda
from optkit.optim.layout import flat_views, is_dense

NAMES = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
    torch.complex64: "float32",
    torch.complex128: "float64",
}
"""dtype of a parameter → the kernel's dtype. A complex number is two reals to it."""

_address, _in_order, _negative = Tensor.data_ptr, Tensor.is_contiguous, Tensor.is_neg


class Bound:
    """Parameters of one dtype, device and step count, with a gradient each, ready for a kernel.

    Args:
        params: The parameters; `is_plain` and `lie_alike` hold for each, and nothing overlaps.
        gradients: Their gradients.
        entries: For each parameter its dict in ``optimizer.state``, with ``step`` and the state.
        keys: Keys of the state, in the rule's order.
        state: ``optimizer.state``, which holds the entries.

    Attributes:
        addresses: Those of the parameters, of the gradients, and of each state, as ctypes array.
        kind: The kernel's dtype.
        gpu: What launches kernels for them; None on the CPU.
        plain: Whether all have memory of their own. If not, there is nothing to step here.
        count: How many steps they have made, as far as is known.
    """

    def __init__(
        self,
        params: Sequence[Tensor],
        gradients: Sequence[Tensor],
        entries: Sequence[dict[str, Any]],
        keys: Sequence[str],
        state: Mapping[Tensor, Any],
    ) -> None:
        self.params, self.entries, count = list(params), list(entries), len(params)
        self.keys, self.count = tuple(keys), int(entries[0]["step"])
        self.dtype, self.device = params[0].dtype, params[0].device
        self.kind, self._complex = NAMES[self.dtype], self.dtype.is_complex
        # Memory that moves away is not kept from being freed: another tensor may get its address, and then
        # that address is where the step belongs, or is found not to be.
        self._watch = Watch(self.params, self.entries, (*keys, "step"), state=state)
        self.plain, there = self._watch.plain, self._watch.addresses
        columns = [there[k : k + count] for k in range(0, len(there), count)]
        columns.insert(1, [g.data_ptr() for g in gradients])
        parts = 2 if self._complex else 1
        lengths = [parts * p.numel() for p in params]
        self.gpu = gpu = backend.gpu(self.device)
        self._table = Table(columns[:-1], lengths) if gpu is None else cuda.Table(gpu, columns[:-1], lengths)
        self.addresses = (ctypes.c_uint64 * (count * len(keys) + 2 * count))(*chain(*columns[:-1]))
        self._counts = Counts(columns[-1])
        self._lock = threading.Lock()

    def look(
        self, params: list[Tensor], gradients: list[Any], state: dict[Tensor, Any]
    ) -> tuple[int, Any, Any] | None:
        """The step count that the parameters share, where everything lies, and what to keep alive.

        None if they share none, or if anything has moved: parameters, memory, shapes, dtypes, state; and if a
        gradient is None or does not lie as its parameter does.
        """
        if self._complex:
            gradients = _resolved(gradients)
        found = self._watch.count(params, gradients, state)
        if found is not None and any(map(_negative, gradients)):
            gradients = _resolved(gradients)
            found = self._watch.count(params, gradients, state)
        if found is None:
            return None
        self.count, addresses, held = found
        return self.count, addresses, (gradients, held)

    def again(
        self,
        kernel: Kernel,
        scalars: Mapping[str, float],
        count: int,
        params: list[Tensor],
        gradients: list[Any],
        state: dict[Tensor, Any],
    ) -> bool:
        """Look, and make step ``count + 1``, for which the scalars are, in one call; on the CPU.

        False, and nothing has changed, where `look` would find None or another count, and also where lazy
        signs or conjugates must be resolved.
        """
        try:
            if self._complex or any(map(_negative, gradients)):
                return False
        except TypeError:  # one is None
            return False
        row = kernel.row(*map(scalars.__getitem__, kernel.scalars))
        with self._lock:  # one step at a time
            made = self._watch.step(
                params, gradients, state, count, kernel, self._table, row, torch.get_num_threads()
            )
            if made:
                self.count = count + 1
        if made:
            increment_version(self.params)
        return made

    def step(
        self, kernel: Kernel | cuda.Kernel, addresses: Any, scalars: Mapping[str, float], **scaling: int
    ) -> None:
        """Count and make one step, in place.

        Args:
            kernel: The kernel for this dtype and device.
            addresses: What `look` found; the caller keeps alive what is there.
            scalars: Value of each of ``kernel.scalars``, among others.
            **scaling: On a GPU ``grad_scale`` and ``found_inf``, as `cuda.Kernel.step` takes them.
        """
        row = map(scalars.__getitem__, kernel.scalars)
        with self._lock:  # one step at a time
            if self.gpu is None:
                kernel.step(self._table, row, torch.get_num_threads(), addresses, self._counts)
            else:
                count = len(self.params)
                self._table.move(1, addresses[count : 2 * count])
                kernel.step(self._table, list(row), **scaling)  # refuses before anything has changed
                self._counts.advance()
            self.count += 1
        increment_version(self.params)  # so that autograd sees the change, as it does torch's own

    def count_back(self) -> None:
        """Uncount a step that the device left out, unless the counts lie elsewhere by now."""
        for entry, address in zip(self.entries, self._counts.addresses, strict=True):
            step = entry.get("step")
            if isinstance(step, Tensor) and _address(step) == address:
                step -= 1


def _resolved(gradients: Sequence[Any]) -> list[Any]:
    """Without the conjugates and signs that torch keeps beside the memory."""
    with torch.no_grad():
        return [g if g is None else g.resolve_conj().resolve_neg() for g in gradients]


def is_plain(theta: Tensor, g: Tensor, state: Sequence[Tensor]) -> bool:
    """Whether these are ordinary tensors in the memory of one device, of dtypes and shapes that fit."""
    tensors = (theta, g, *state)
    return (
        theta.dtype in NAMES
        and g.dtype == theta.dtype
        and theta.device.type in ("cpu", "cuda")
        and all(type(t) in (Tensor, torch.nn.Parameter) and t.device == theta.device for t in tensors)
        and all(t.shape == theta.shape for t in tensors)
        and all(_address(t) or not t.numel() for t in tensors)  # a storage may have been emptied
        and not theta.is_inference()  # which has no version to increment
    )


def lie_alike(theta: Tensor, g: Tensor, state: Sequence[Tensor]) -> bool:
    """Whether the elements lie without gaps and in one order, so that one kernel can run through them."""
    tensors = (theta, g, *state)
    if all(map(_in_order, tensors)):
        return True
    return is_dense(theta) and all(t.stride() == theta.stride() for t in tensors)


def step_packed(
    kernel: Kernel, theta: Tensor, g: Tensor, state: Sequence[Tensor], scalars: Mapping[str, float]
) -> None:
    """Step one parameter by way of copies without gaps, in place.

    Args:
        kernel: The kernel for this dtype.
        theta: The parameter, on the CPU; `is_plain` holds, the strides do not matter.
        g: Its gradient.
        state: Its state.
        scalars: Value of each of ``kernel.scalars``, among others.
    """
    tensors = [theta.detach(), g, *state]
    if theta.is_complex():
        tensors = [torch.view_as_real(tensor) for tensor in tensors]
    vectors, copied = flat_views(tensors)
    table = Table([[_address(vector)] for vector in vectors], [vectors[0].numel()])
    kernel.step(table, [scalars[name] for name in kernel.scalars], torch.get_num_threads())
    for tensor, copy in copied:
        if tensor is not tensors[1]:
            tensor.copy_(copy)
    increment_version([theta])


def overlap(written: Sequence[Tensor], read: Sequence[Tensor]) -> bool:
    """Whether a tensor that is written shares memory with another one.

    Example:
        >>> import torch
        >>> memory = torch.zeros(8)
        >>> overlap([memory[:5], memory[5:]], []), overlap([memory[:5]], [memory[4:]])
        (False, True)
    """
    spans = sorted(
        (_address(t), _address(t) + t.nbytes, is_written)
        for group, is_written in ((written, True), (read, False))
        for t in group
        if t.nbytes
    )
    end = end_of_written = 0
    for start, stop, is_written in spans:
        if start < (end if is_written else end_of_written):
            return True
        end = max(end, stop)
        end_of_written = max(end_of_written, stop) if is_written else end_of_written
    return False
