"""Compiled kernels: a rule's C, built at first use, stepping whole lists of tensors in one call."""

from optkit.kernels.backend import compiled, gpu, wanted
from optkit.kernels.compiler import Unavailable
from optkit.kernels.cpu import Counts, Kernel, Table
from optkit.kernels.look import Watch

__all__ = ["Counts", "Kernel", "Table", "Unavailable", "Watch", "compiled", "gpu", "wanted"]
