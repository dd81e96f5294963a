"""A rule as a straight line of torch calls, each writing into a buffer that is already there.

Evaluated as written, every operation of a rule makes a new tensor, and most of the time of a step goes into
fetching fresh memory. So the branches are taken (their conditions are scalars, known before the step), and
every intermediate result is given a place: the parameter's or state's own memory where its old value is no
longer needed, else one of a few scratch buffers. The operations and their order stay those of the rule, and
so does every bit of the result.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from optkit.translation.path import Path

END = 1 << 60

_UNARY = {"sqrt": torch.sqrt, "abs": torch.abs, "sign": torch.sign, "neg": torch.neg}
_BINARY = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mult": torch.mul,
    "Div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
}


@dataclass(frozen=True)
class Tape:
    """Calls ``function(first, second, out=place)`` in order.

    Attributes:
        calls: (function, first operand, second or None, place), all by their number in the list of tensors
            given to `run`: θ, g, the state, the scratch buffers, the scalars.
        scalars: Names of the scalars, in order.
        constants: Those of them that are literals in the rule → their value.
        scratch: Count of scratch buffers.
    """

    calls: tuple[tuple[Callable[..., Any], int, int | None, int], ...]
    scalars: tuple[str, ...]
    constants: Mapping[str, float]
    scratch: int

    def numbers(
        self, scalars: Mapping[str, Any], dtype: torch.dtype, device: torch.device
    ) -> tuple[Tensor, ...]:
        """The scalars of one step, as tensors without dimensions, of the dtype of the arithmetic.

        torch rounds a Python number in the same way, but makes it anew in every call, which takes as long
        as a thousand elements.
        """
        values = [self.constants[x] if x in self.constants else scalars[x] for x in self.scalars]
        return torch.tensor(values, dtype=dtype, device=device).unbind()

    def run(self, tensors: Sequence[Tensor]) -> None:
        """Run the calls in place. All but the scalars are vectors of one length."""
        for function, first, second, place in self.calls:
            if second is None:
                function(tensors[first], out=tensors[place])
            else:
                function(tensors[first], tensors[second], out=tensors[place])


def record(way: Path) -> Tape:
    """Lay out one path through a rule.

    Example:
        >>> from optkit.rules import RULES
        >>> from optkit.translation import program
        >>> from optkit.translation.path import path
        >>> tape = record(path(program(RULES["momentum_common"]), {}))
        >>> tape.scratch, tape.scalars  # θ is 0, g 1, v 2, the scratch buffer 3
        (1, ('momentum', 'lr'))
        >>> [(function.__name__, *places) for function, *places in tape.calls]
        [('mul', 4, 2, 3), ('add', 3, 1, 2), ('mul', 5, 2, 3), ('sub', 0, 3, 0)]
    """
    recorder = _Recorder(way.parameters)
    for name, node in way.statements:
        recorder.names[name] = recorder.expression(node)
    return recorder.place({i: recorder.names[name] for i, name in enumerate(way.parameters) if name != "g"})


class _Recorder:
    """First the operations on numbered values, then a place for every value."""

    def __init__(self, parameters: Sequence[str]) -> None:
        self.inputs = len(parameters)
        self.names: dict[str, int | str] = {name: i for i, name in enumerate(parameters)}
        self.operations: list[tuple[Callable[..., Any], tuple[int | str, ...]]] = []
        self.constants: dict[str, float] = {}

    def expression(self, node: ast.expr) -> int | str:
        """The number of the value, or the name of the scalar."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Constant):
            name = repr(node.value)
            self.constants[name] = float(node.value)
            return name
        if isinstance(node, ast.UnaryOp):
            return self._add(_UNARY["neg"], self.expression(node.operand))
        if isinstance(node, ast.BinOp):
            kind, pair = type(node.op).__name__, [node.left, node.right]
        else:
            kind, pair = node.func.id, list(node.args)
        operands = [self.expression(item) for item in pair]
        if kind in _UNARY:
            return self._add(_UNARY[kind], *operands)
        return self._add(_BINARY[kind], *operands)

    def _add(self, function: Callable[..., Any], *operands: int | str) -> int:
        self.operations.append((function, operands))
        return self.inputs + len(self.operations) - 1

    def place(self, results: Mapping[int, int | str]) -> Tape:
        """``results``: place of θ or of a state → the value that must stand there at the end."""
        last = dict.fromkeys(range(self.inputs + len(self.operations)), -1)
        for i, (_, operands) in enumerate(self.operations):
            last.update({value: i for value in operands if isinstance(value, int)})
        last.update({value: END for value in results.values()})
        home = {value: place for place, value in results.items()}
        where = {i: i for i in range(self.inputs)}  # value → place
        holder = dict(where)  # place → value
        free: list[int] = []
        places = self.inputs
        calls: list[tuple[Callable[..., Any], tuple[int | str, ...], int]] = []
        for i, (function, operands) in enumerate(self.operations):
            value = self.inputs + i
            sources = tuple(where[x] if isinstance(x, int) else x for x in operands)
            for operand in set(operands):
                # An operation on elements may write where it reads.
                if isinstance(operand, int) and last[operand] == i and where[operand] >= self.inputs:
                    free.append(where[operand])
            at = home.get(value)
            if at is None or last[holder[at]] > i:
                if not free:
                    free.append(places)
                    places += 1
                at = free.pop()
            calls.append((function, sources, at))
            where[value], holder[at] = at, value
        moves = {place: where[value] for place, value in results.items() if where[value] != place}
        while moves:
            ready = next((place for place in moves if place not in moves.values()), None)
            if ready is None:  # states that change places with each other: one steps aside
                ready = next(iter(moves))
                calls.append((_copy, (ready,), places))
                moves = {place: places if source == ready else source for place, source in moves.items()}
                places += 1
            calls.append((_copy, (moves.pop(ready),), ready))
        names = tuple(dict.fromkeys(x for _, sources, _ in calls for x in sources if isinstance(x, str)))
        number = {name: places + i for i, name in enumerate(names)}
        resolved = []
        for function, sources, at in calls:
            first, second = [number[x] if isinstance(x, str) else x for x in (*sources, None)][:2]
            resolved.append((function, first, second, at))
        return Tape(tuple(resolved), names, self.constants, places - self.inputs)


def _copy(source: Tensor, *, out: Tensor) -> None:
    out.copy_(source)
