"""Who is timed by ``step.py``, and what one step of each is."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from shapes import MODELS, Shapes

from optkit import optim
from optkit.kernels import Kernel, Table, compiler
from optkit.optim import stepping
from optkit.optim.choice import Choice
from optkit.rules import RULES
from optkit.translation import program
from optkit.translation.path import Path, path

Step = Callable[[], Any]
FOLDED_STEP = 100
CHUNKS = (16_384, 32_768, 65_536, 131_072, 262_144, 524_288)
OURS = {
    "Adam": optim.Adam,
    "SGD momentum": partial(optim.SGD, lr=1e-3, momentum=0.9),
    "RMSprop": optim.RMSprop,
    "RAdam": optim.RAdam,
    "INNA": optim.INNA,
}
THEIRS = {
    "Adam": torch.optim.Adam,
    "SGD momentum": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),
    "RMSprop": torch.optim.RMSprop,
    "RAdam": torch.optim.RAdam,
    "INNA": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),  # torch has none: this moves as much memory
}
FUSED = ("Adam", "SGD momentum", "INNA")
OTHERS = {
    "Adam": [("heavyball", "AdamW", {"lr": 1e-3})],
    "SGD momentum": [("heavyball", "SGD", {"lr": 1e-3})],
    "RMSprop": [("heavyball", "RMSprop", {"lr": 1e-3})],
    "RAdam": [("pytorch_optimizer", "RAdam", {"lr": 1e-3})],
}


@dataclass(frozen=True)
class Case:
    """One optimizer on one model; what its C is held against, and the ratio that is wanted."""

    optimizer: str
    model: str
    threads: int = 2
    reference: str = "torch fused"
    target: float | None = None
    others: bool = False

    @property
    def title(self) -> str:
        """Optimizer, model and threads."""
        return f"{self.optimizer}, {self.model}, {self.threads} thread{'s' * (self.threads > 1)}"


def parameters(shapes: Shapes) -> list[torch.nn.Parameter]:
    """Random parameters with gradients."""
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator)
    return params


def contenders(case: Case) -> dict[str, tuple[str, Step]]:
    """Name → the value of OPTKIT_BACKEND while it runs, and one step."""
    shapes = MODELS[case.model]
    if case.reference == "plain loop":
        ours = optim.from_rule(RULES[case.optimizer])(parameters(shapes))
        ours.step()  # makes the state
        return {"plain loop": ("", plain_loop(own_memory(ours))), "C": ("c", ours.step)}
    ours, theirs = OURS[case.optimizer], THEIRS[case.optimizer]
    if case.reference.startswith("chunks"):
        step = ours(parameters(shapes)).step
        return {f"chunks of {size:,}": ("torch", partial(in_chunks, size, step)) for size in CHUNKS}
    found = {
        "torch default": ("", theirs(parameters(shapes), foreach=False).step),
        "torch foreach": ("", theirs(parameters(shapes), foreach=True).step),
    }
    if case.optimizer in FUSED:
        found["torch fused"] = ("", theirs(parameters(shapes), fused=True).step)
    compiled = ours(parameters(shapes))
    found["C"] = ("c", compiled.step)
    found["torch chunks"] = ("torch", ours(parameters(shapes)).step)
    found["plain loop"] = ("", plain_loop(memory(compiled, parameters(shapes))))
    if case.others:
        if case.optimizer == "Adam":
            found["as written"] = ("", as_written(compiled, parameters(shapes)))
            found["C, one by one"] = ("c", one_by_one(compiled, parameters(shapes)))
        found["torch.compile"] = ("", by_inductor(compiled, parameters(shapes), case.threads))
        for module, name, options in OTHERS.get(case.optimizer, ()):
            with contextlib.suppress(ImportError):
                made = getattr(importlib.import_module(module), name)
                found[module] = ("", kept_gradients(made, parameters(shapes), options))
    return found


class kept_gradients:
    """Steps of an optimizer that may clear the gradients; `prepare` sets them again."""

    def __init__(self, made: Any, params: list[torch.nn.Parameter], options: dict[str, Any]) -> None:
        self.pairs = [(p, p.grad) for p in params]
        self.step = made(params, **options).step

    def prepare(self) -> None:
        """Set the gradients."""
        for p, g in self.pairs:
            p.grad = g

    def __call__(self) -> None:
        """Make a step."""
        self.step()


def settled(ours: Any) -> tuple[Path, dict[str, Any], Choice]:
    """The path of an optimizer's rule at step `FOLDED_STEP`, the scalars there, and what it chose."""
    (group,) = ours.param_groups
    choice = ours.choose(group)
    split = program(choice.rule)
    scalars = split.scalars(FOLDED_STEP, **choice.numbers())
    return path(split, scalars), scalars, choice


def memory(ours: Any, params: list[torch.nn.Parameter]) -> list[list[torch.Tensor]]:
    """For each parameter θ, g and the state of an optimizer's rule, which is zero."""
    (rule,) = ours.rules
    return [[p.detach(), p.grad, *(torch.zeros_like(p.detach()) for _ in rule.state)] for p in params]


def own_memory(ours: Any) -> list[list[torch.Tensor]]:
    """For each parameter θ, g and the state: what an optimizer's step works on."""
    (group,) = ours.param_groups
    keys = ours.choose(group).state.values()
    return [[p.detach(), p.grad, *(ours.state[p][key] for key in keys)] for p in group["params"]]


def as_written(ours: Any, params: list[torch.nn.Parameter]) -> Step:
    """One step of an optimizer's rule on torch tensors: each operation makes a new tensor."""
    rows, (_, _, choice) = memory(ours, params), settled(ours)
    hyper = choice.numbers()

    def step() -> None:
        for row in rows:
            new, *row[2:] = choice.rule(*row, FOLDED_STEP, **hyper)
            row[0].copy_(new)

    return step


def one_by_one(ours: Any, params: list[torch.nn.Parameter]) -> Step:
    """One step of an optimizer's rule by its C, called for each tensor."""
    way, scalars, _ = settled(ours)
    kernel, rows = Kernel(way, "float32"), memory(ours, params)
    tables = [Table([[tensor.data_ptr()] for tensor in row], [row[0].numel()]) for row in rows]
    numbers = [scalars[name] for name in kernel.scalars]

    def step(kept: Any = rows) -> None:
        for table in tables:
            kernel.step(table, numbers, torch.get_num_threads())

    return step


def by_inductor(ours: Any, params: list[torch.nn.Parameter], threads: int) -> Step:
    """One step of the rule of an optimizer by torch.compile, all tensors in one graph."""
    way, scalars, _ = settled(ours)
    names = ", ".join(way.parameters)
    lines = [f"def step({names}):", *(f"    {line}" for line in str(way).splitlines()), f"    return {names}"]
    functions = {name: getattr(torch, name) for name in ("sqrt", "abs", "sign", "minimum", "maximum")}
    scope = {**functions, **{name: scalars[name] for name in way.scalars}}
    exec("\n".join(lines), scope)
    rows = memory(ours, params)

    def whole(rows: list[list[torch.Tensor]]) -> None:
        for theta, g, *state in rows:
            new_theta, _, *new_state = scope["step"](theta, g, *state)
            theta.copy_(new_theta)
            for old, new in zip(state, new_state, strict=True):
                old.copy_(new)

    from torch._inductor import config

    torch._dynamo.reset()
    config.cpp.threads = threads
    compiled = torch.compile(whole, fullgraph=True, dynamic=False)
    return lambda: compiled(rows)


def in_chunks(size: int, step: Step) -> None:
    """One step by torch in chunks of a size."""
    if size != stepping.CHUNK:
        stepping.CHUNK = size
        vars(stepping._local).clear()  # its buffers are of one size
    step()


def plain_loop(rows: list[list[torch.Tensor]]) -> Step:
    """The least a rule can do: read θ, g and the states, write θ and the states, which keep their values.

    Args:
        rows: For each parameter θ, g and the states.
    """
    written = [k for k in range(len(rows[0])) if k != 1]
    arrays = "\n".join(
        f"        float* __restrict__ a{k} = pointers[{k} * tensors + chunk[0]] + chunk[1];" for k in written
    )
    source = f"""
void plain(long long chunks, const long long* table, long long tensors, float* const* pointers, float zero,
           int threads)
{{
#pragma omp parallel for schedule(guided) num_threads(threads) if (threads > 1)
    for (long long k = 0; k < chunks; k++) {{
        const long long* chunk = table + 3 * k;
        const float* __restrict__ g = pointers[tensors + chunk[0]] + chunk[1];
{arrays}
        for (long long i = 0; i < chunk[2]; i++) {{ {" ".join(f"a{k}[i] += zero * g[i];" for k in written)} }}
    }}
}}
"""
    plain = compiler.build(source).library.plain
    plain.restype = None
    columns = [[tensor.data_ptr() for tensor in column] for column in zip(*rows, strict=True)]
    table = Table(columns, [row[0].numel() for row in rows])
    whole = ctypes.c_longlong
    plain.argtypes = [whole, ctypes.c_void_p, whole, ctypes.c_void_p, ctypes.c_float, ctypes.c_int]

    def step(kept: Any = rows) -> None:
        plain(table.chunks, table.starts, table.tensors, table.addresses, 0.0, torch.get_num_threads())

    return step
