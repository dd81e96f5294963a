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

from optkit.translation import Program

END = 1 << 60
WRAPPED = "tensor "
Calls = list[tuple[Callable[..., Any], tuple[Any, ...], int]]

_UNARY = {"sqrt": torch.sqrt, "abs": torch.abs, "sign": torch.sign, "neg": torch.neg}
_BINARY = {"Add": torch.add, "Sub": torch.sub, "Mult": torch.mul, "Div": torch.div}
_EXTREME = {
    "maximum": (torch.maximum, torch.clamp_min),
    "minimum": (torch.minimum, torch.clamp_max),
}
_COMMUTE = ("Add", "Mult", "maximum", "minimum")


@dataclass(frozen=True)
class Tape:
    """Calls ``function(*operands, out=place)`` in order.

    Attributes:
        calls: (function, operands, place). An operand that is a number is a place, one that is text names a
            scalar.
        wrapped: Names of the scalars that torch wants as a tensor, because they stand left of − or /.
        constants: Scalars that are literals in the rule, by the name they have among the operands.
        scratch: Count of scratch buffers, numbered after θ, g and the state.
    """

    calls: tuple[tuple[Callable[..., Any], tuple[int | str, ...], int], ...]
    wrapped: frozenset[str]
    constants: Mapping[str, float]
    scratch: int

    def bind(self, scalars: Mapping[str, Any]) -> Calls:
        """The calls with the scalars of one step put in."""
        # An int among the operands is a place, so that t = 3 must become 3.0.
        numbers: dict[int | str, Any] = {name: float(value) for name, value in scalars.items()}
        numbers.update(self.constants)
        for name in self.wrapped:
            numbers[WRAPPED + name] = torch.tensor(numbers[name], dtype=torch.float64)
        return [
            (function, tuple(numbers.get(operand, operand) for operand in operands), place)
            if any(type(operand) is str for operand in operands)
            else (function, operands, place)
            for function, operands, place in self.calls
        ]


def run(calls: Calls, places: Sequence[Tensor]) -> None:
    """Run bound calls, in place, on vectors of one length: θ, g, the state, the scratch buffers."""
    for function, operands, place in calls:
        function(*[places[x] if type(x) is int else x for x in operands], out=places[place])


def record(rule: Program, conditions: Mapping[str, Any], before: Sequence[tuple[str, ast.expr]] = ()) -> Tape:
    """Lay out one way through a rule's array part.

    Args:
        rule: The hoisted program.
        conditions: Value of each of ``rule.conditions``.
        before: Assignments (name, expression) made before the rule's own, such as those of weight decay.

    Example:
        >>> from optkit.rules import RULES
        >>> from optkit.translation import program
        >>> tape = record(program(RULES["momentum_common"]), {})
        >>> [(function.__name__, operands, place) for function, operands, place in tape.calls]
        [('mul', (2, 'momentum'), 3), ('add', (3, 1), 2), ('mul', (2, 'lr'), 3), ('sub', (0, 3), 0)]
    """
    recorder = _Recorder(rule.parameters)
    for name, node in before:
        recorder.names[name] = recorder.expression(node)
    recorder.block(rule.array_part, conditions)
    results = [recorder.expression(node) for node in rule.results]
    homes = [i for i, name in enumerate(rule.parameters) if name != "g"]
    return recorder.place(dict(zip(homes, results, strict=True)))


class _Recorder:
    """First the operations on numbered values, then a place for every value."""

    def __init__(self, parameters: Sequence[str]) -> None:
        self.inputs = len(parameters)
        self.names: dict[str, int | str] = {name: i for i, name in enumerate(parameters)}
        self.operations: list[tuple[Callable[..., Any], tuple[int | str, ...]]] = []
        self.wrapped: set[str] = set()
        self.constants: dict[str, float] = {}

    def block(self, body: Sequence[ast.stmt], conditions: Mapping[str, Any]) -> None:
        for node in body:
            if isinstance(node, ast.Assign):
                self.names[node.targets[0].id] = self.expression(node.value)
            elif isinstance(node, ast.If):
                self.block(node.body if conditions[node.test.id] else node.orelse, conditions)

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
        if isinstance(operands[0], str) and kind in _COMMUTE:
            operands.reverse()
        if isinstance(operands[0], str):
            self.wrapped.add(operands[0])
            operands[0] = WRAPPED + operands[0]
        if kind in _EXTREME:
            return self._add(_EXTREME[kind][isinstance(operands[1], str)], *operands)
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
        calls = []
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
        return Tape(tuple(calls), frozenset(self.wrapped), self.constants, places - self.inputs)


def _copy(source: Tensor, *, out: Tensor) -> None:
    out.copy_(source)
