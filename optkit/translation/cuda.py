"""From a rule to CUDA: the body of `optkit.translation.c`, in a kernel that steps many tensors in one launch.

The text needs no header and no fast mathematics. Compiled without fused multiply-adds, every element goes
through the float operations of the rule, in its order, as in C and on NumPy.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from optkit.translation.c import body, prelude
from optkit.translation.path import Path, path
from optkit.translation.program import program


def to_cuda(
    rule: Any, t: int = 2, *, dtype: str = "float32", maximize: bool = False, decay: str = "", **hyper: Any
) -> str:
    """The CUDA of a rule: one kernel that steps a list of tensors.

    The text is that of one way through the rule: the one taken at step ``t`` with these hyper-parameters.

    Args:
        rule: An update rule.
        t: Step, counted from 1.
        dtype: Type of θ and g: ``"float32"``, ``"float64"``, ``"bfloat16"`` or ``"float16"``; the half types
            are computed in float32, with float32 state.
        maximize: Climb: begin with g ← −g.
        decay: Weight decay before the rule: ``""``, ``"coupled"`` or ``"decoupled"``.
        **hyper: Hyper-parameters and inputs that differ from the rule's defaults.

    Example:
        >>> from optkit.rules import RULES
        >>> text = to_cuda(RULES["gradient_descent"])
        >>> print(text[text.index("        for (") :], end="")
                for (long long i = threadIdx.x; i < chunk[2]; i += blockDim.x) {
                    real theta = widen(theta_at[i]);
                    real g = widen(g_at[i]);
                    if (grad_scale) {
                        g = g / (real)*grad_scale;
                        g_at[i] = narrow(g);
                    }
                    theta = theta - lr * g;
                    theta_at[i] = narrow(theta);
                }
            }
        }
    """
    split = program(rule)
    values = {**rule.defaults(), **dict.fromkeys(rule.inputs, 0.0), **hyper}
    return cuda_source(path(split, split.scalars(t, **values), maximize=maximize, decay=decay), dtype)


def cuda_source(way: Path, dtype: str) -> str:
    """The CUDA of one path through a rule; see `to_cuda`.

    The kernel is ``optkit_step(chunks, table, tensors, pointers, grad_scale, found_inf, …)``, and after these
    come the scalars of ``way.scalars``, each by value, in double. A chunk of the table is three numbers: its
    tensor, its first element, its length. Blocks share out the chunks, the threads of a block the elements of
    a chunk; any number of both gives the same results. ``pointers`` holds the addresses of every tensor's θ,
    then those of every g, then those of each state. ``grad_scale`` and ``found_inf`` are null or the
    addresses of one float each: where ``*found_inf`` is not 0 nothing changes, and g is divided by
    ``*grad_scale`` and stored so, as torch's fused optimizers do.
    """
    text = body(way)
    number = _unlike("scalar", [*way.parameters, *way.scalars, *(name for name, _ in way.statements)])
    numbers = [f"{number}{k}" for k in range(len(way.scalars))]
    arrays = []
    for k, array in enumerate(text.arrays):
        kind, name = array.removeprefix("const ").split()
        place = f"pointers[{f'{k} * tensors + ' if k else ''}chunk[0]]"
        arrays.append(f"{kind} __restrict__ {name} = ({kind}){place} + chunk[1];")
    g_at = text.pointers[way.parameters.index("g")]
    lines = [
        f"/* {way.name}, {dtype} */",
        prelude(dtype, function="__device__ static inline", root="sqrt"),
        'extern "C" __global__ void optkit_step(',
        *_filled("    ", [*_PARAMETERS, *(f"double {name}" for name in numbers)], ")"),
        "{",
        "    if (found_inf && *found_inf != 0) return;  /* torch's GradScaler met inf or NaN: no step */",
        *(_filled("    const double scalars[] = {", numbers, "};") if numbers else []),
        *(f"    {line}" for line in text.scalars),
        "    for (long long n = blockIdx.x; n < chunks; n += gridDim.x) {",
        "        const long long* chunk = table + 3 * n;",
        *(f"        {line}" for line in arrays),
        "        for (long long i = threadIdx.x; i < chunk[2]; i += blockDim.x) {",
        *(f"            {line}" for line in text.load),
        "            if (grad_scale) {",
        "                g = g / (real)*grad_scale;",
        f"                {g_at}[i] = narrow(g);",
        "            }",
        *(f"            {line}" for line in (*text.lines, *text.store)),
        "        }",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


_PARAMETERS = (
    "long long chunks", "const long long* table", "long long tensors", "void* const* pointers",
    "const float* grad_scale", "const float* found_inf",
)  # fmt: skip


def _filled(head: str, items: list[str], end: str) -> list[str]:
    """A list in lines of at most 100 characters."""
    text = head + ", ".join(item.replace(" ", "\0") for item in items) + end
    lines = wrap(text, 100, subsequent_indent=" " * len(head), drop_whitespace=True, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def _unlike(prefix: str, names: list[str]) -> str:
    """A prefix with which none of these names begins."""
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix
