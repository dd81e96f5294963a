"""What a step costs for every weight: the bytes that must move, and the operations on numbers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from optkit.translation.c import DTYPES
from optkit.translation.path import path
from optkit.translation.program import program


@dataclass(frozen=True)
class Traffic:
    """Per weight and step.

    Attributes:
        read: Bytes read.
        written: Bytes written.
        operations: Additions, multiplications, divisions, roots, comparisons and changes of sign.
    """

    read: int
    written: int
    operations: int

    @property
    def moved(self) -> int:
        """Bytes read and written."""
        return self.read + self.written


def traffic(rule: Any, t: int = 2, *, dtype: str = "float32", **hyper: Any) -> Traffic:
    """The least that a step of a rule moves and computes for every weight, in one pass over the memory.

    It reads θ, g and the state once, and writes θ and the state once. The operations are those of the way
    that step ``t`` takes through the rule; what is the same for all weights is not counted.

    Args:
        rule: An update rule.
        t: Step, counted from 1.
        dtype: Type of θ and g: ``"float32"``, ``"float64"``, ``"bfloat16"`` or ``"float16"``; the state of
            the half types is float32.
        **hyper: Hyper-parameters and inputs that differ from the rule's defaults.

    Raises:
        ValueError: Another dtype.

    Example:
        >>> from optkit.rules import RULES
        >>> traffic(RULES["adam"])
        Traffic(read=16, written=12, operations=14)
        >>> traffic(RULES["adam"], dtype="bfloat16").moved
        22
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be {', '.join(DTYPES[:-1])} or {DTYPES[-1]}, got {dtype!r}")
    split = program(rule)
    values = {**rule.defaults(), **dict.fromkeys(rule.inputs, 0.0), **hyper}
    way = path(split, split.scalars(t, **values))
    stored = {"float64": 8, "float32": 4}.get(dtype, 2)
    state = max(stored, 4) * (len(way.parameters) - 2)
    kinds = (ast.BinOp, ast.UnaryOp, ast.Call)
    operations = sum(isinstance(node, kinds) for _, root in way.statements for node in ast.walk(root))
    return Traffic(2 * stored + state, stored + state, operations)
