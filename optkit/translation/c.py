"""From a rule to C: the body printer, which CUDA shares, and the loop that steps many tensors in one call.

Every element goes through the float operations of the rule, in its order and in the working type, so the
results have the bits that NumPy gives, if the compiler keeps to the standard: no contraction to fused
multiply-adds, no reordering.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from optkit.translation.path import Path, path
from optkit.translation.program import program

DTYPES = ("float32", "float64", "bfloat16", "float16")
"""Types of θ and g. State has the working type: float64 for float64, float32 for all others."""

_OPERATOR = {ast.Add: ("+", 1), ast.Sub: ("-", 1), ast.Mult: ("*", 2), ast.Div: ("/", 2)}
_FUNCTION = {
    "sqrt": "square_root", "abs": "magnitude", "sign": "sign", "minimum": "minimum", "maximum": "maximum"
}  # fmt: skip
_WORDS = frozenset(
    "real stored narrow widen square_root magnitude sign minimum maximum step optkit_step i n scalars size "
    "pointers chunks table threads chunk tensor tensors sets linux unix asm inline typeof "
    "grad_scale found_inf threadIdx blockIdx blockDim gridDim".split()
)
"""Words of the text around the body: a name of the rule that equals one of them gets another name here."""


@dataclass(frozen=True)
class Body:
    """What happens to one element, as C text; any loop can stand around it.

    Attributes:
        scalars: Lines that take the hoisted scalars, as the working type, out of the array ``scalars``.
        load: Lines that load element ``i`` of every array.
        lines: The rule.
        store: Lines that store element ``i`` of θ and the state.
        arrays: For each array of the rule its pointer as a C parameter, such as ``const stored* g_at``.
        pointers: The names of these pointers.
    """

    scalars: tuple[str, ...]
    load: tuple[str, ...]
    lines: tuple[str, ...]
    store: tuple[str, ...]
    arrays: tuple[str, ...]
    pointers: tuple[str, ...]


def body(way: Path) -> Body:
    """Print one path through a rule, with the types ``stored`` (of θ and g) and ``real`` of `prelude`.

    Args:
        way: The path, from `optkit.translation.path`.

    Example:
        >>> from optkit.rules import RULES
        >>> text = body(path(program(RULES["momentum_common"]), {}))
        >>> print(*text.scalars, *text.lines, sep=chr(10))
        const real momentum = (real)scalars[0];
        const real lr = (real)scalars[1];
        v = momentum * v + g;
        theta = theta - lr * v;
    """
    assigned = [name for name, _ in way.statements]
    c = _names([*way.parameters, *way.scalars, *assigned])
    at = {name: _fresh(f"{c[name]}_at", c.values()) for name in way.parameters}
    half = way.parameters[:2]  # θ and g are stored as they are; the state has the working type
    load, lines, declared = [], [], set(way.parameters)
    for name in way.parameters:
        value = f"{at[name]}[i]"
        load.append(f"real {c[name]} = {f'widen({value})' if name in half else value};")
    for name, node in way.statements:
        lines.append(f"{'' if name in declared else 'real '}{c[name]} = {_expression(node, c)};")
        declared.add(name)
    store = [
        f"{at[name]}[i] = {f'narrow({c[name]})' if name in half else c[name]};"
        for name in way.parameters
        if name != "g"
    ]
    arrays = [
        f"{'const ' if name == 'g' else ''}{'stored' if name in half else 'real'}* {at[name]}"
        for name in way.parameters
    ]
    return Body(
        scalars=tuple(f"const real {c[name]} = (real)scalars[{k}];" for k, name in enumerate(way.scalars)),
        load=tuple(load),
        lines=tuple(lines),
        store=tuple(store),
        arrays=tuple(arrays),
        pointers=tuple(at.values()),
    )


def prelude(dtype: str, *, function: str = "static inline", root: str = "__builtin_sqrt") -> str:
    """The types ``stored`` and ``real`` and the functions of the body, for θ and g of one dtype.

    Args:
        dtype: One of `DTYPES`.
        function: What stands before every function, such as ``__device__ static inline`` in CUDA.
        root: The correctly rounded square root of double; the one of float has an ``f`` appended.

    Raises:
        ValueError: ``dtype`` is none of them.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be {', '.join(DTYPES[:-1])} or {DTYPES[-1]}, got {dtype!r}")
    real = "double" if dtype == "float64" else "float"
    suffix = "" if real == "double" else "f"
    text = f"typedef {real} real;\n" + _STORED.get(dtype, _SAME)
    text += f"""
FUNCTION real square_root(real x) {{ return {root}{suffix}(x); }}
FUNCTION real magnitude(real x) {{ return {root.replace("sqrt", "fabs")}{suffix}(x); }}
FUNCTION real sign(real x) {{ return x > 0 ? (real)1 : x < 0 ? (real)-1 : x == 0 ? (real)0 : x; }}
FUNCTION real maximum(real a, real b) {{ return a >= b || a != a ? a : b; }}
FUNCTION real minimum(real a, real b) {{ return a <= b || a != a ? a : b; }}
"""
    return text.replace("FUNCTION", function)


def to_c(
    rule: Any, t: int = 2, *, dtype: str = "float32", maximize: bool = False, decay: str = "", **hyper: Any
) -> str:
    """The C of a rule: one function that steps a list of tensors, on several threads where there is OpenMP.

    The text is that of one way through the rule: the one taken at step ``t`` with these hyper-parameters.

    Args:
        rule: An update rule.
        t: Step, counted from 1.
        dtype: Type of θ and g, one of `DTYPES`; the half types are computed in float32, with float32 state.
        maximize: Climb: begin with g ← −g.
        decay: Weight decay before the rule: ``""``, ``"coupled"`` or ``"decoupled"``.
        **hyper: Hyper-parameters and inputs that differ from the rule's defaults.

    Example:
        >>> from optkit.rules import RULES
        >>> print(to_c(RULES["gradient_descent"]).split("static void ")[1].split("}")[0])
        step(long long n, stored* __restrict__ theta_at, const stored* __restrict__ g_at,
             const double* scalars)
        {
            const real lr = (real)scalars[0];
            for (long long i = 0; i < n; i++) {
                real theta = widen(theta_at[i]);
                real g = widen(g_at[i]);
                theta = theta - lr * g;
                theta_at[i] = narrow(theta);
    """
    split = program(rule)
    values = {**rule.defaults(), **dict.fromkeys(rule.inputs, 0.0), **hyper}
    scalars = split.scalars(t, **values)
    return c_source(path(split, scalars, maximize=maximize, decay=decay, dtype=dtype), dtype)


def c_source(way: Path, dtype: str) -> str:
    """The C of one path through a rule; see `to_c`.

    ``optkit_step(chunks, table, tensors, pointers, scalars, threads)`` steps every chunk of the table. A
    chunk is three numbers: its tensor, its first element, its length. ``pointers`` holds the addresses of
    every tensor's θ, then those of every g, then those of each state; ``scalars`` holds ``way.scalars`` in
    double.
    """
    text = body(way)
    places = [
        f"({array.rsplit(' ', 1)[0]})pointers[{f'{k} * tensors + ' if k else ''}chunk[0]] + chunk[1]"
        for k, array in enumerate(text.arrays)
    ]
    arrays = [array.replace("* ", "* __restrict__ ") for array in text.arrays]
    lines = [
        f"/* {way.name}, {dtype} */",
        prelude(dtype),
        *_wrapped("static void step(", ["long long n", *arrays, "const double* scalars"]),
        "{",
        *(f"    {line}" for line in text.scalars or ("(void)scalars;",)),
        "    for (long long i = 0; i < n; i++) {",
        *(f"        {line}" for line in (*text.load, *text.lines, *text.store)),
        "    }",
        "}",
        "",
        _EXPORT,
        "void optkit_step(long long chunks, const long long* table, long long tensors,",
        "                 void* const* pointers, const double* scalars, int threads)",
        "{",
        "    (void)tensors; (void)threads;",
        "#ifdef _OPENMP",
        "#pragma omp parallel for schedule(guided) num_threads(threads) if (threads > 1)",
        "#endif",
        "    for (long long k = 0; k < chunks; k++) {",
        "        const long long* chunk = table + 3 * k;",
        *_wrapped("        step(", ["chunk[2]", *places, "scalars"], ");"),
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


_EXPORT = """#ifdef __cplusplus
extern "C"
#endif"""

_SAME = """typedef real stored;
FUNCTION real widen(stored x) { return x; }
FUNCTION stored narrow(real x) { return x; }
"""

# The half types by their bits: the same on every machine, and quick where the processor lacks them.
_STORED = {
    "bfloat16": """typedef unsigned short stored;
typedef union { float number; unsigned int bits; } both;
FUNCTION real widen(stored x) { both v; v.bits = (unsigned int)x << 16; return v.number; }
FUNCTION stored narrow(real x)
{
    both v; v.number = x;
    unsigned int even = (v.bits >> 16) & 1u;  /* to the nearest, ties to even */
    return (stored)(x != x ? 0x7fc0u : (v.bits + 0x7fffu + even) >> 16);
}
""",
    "float16": """typedef unsigned short stored;
typedef union { float number; unsigned int bits; } both;
FUNCTION real widen(stored x)
{
    both normal, small;
    unsigned int rest = (unsigned int)(x & 0x7fffu) << 13, sign = (unsigned int)(x & 0x8000u) << 16;
    normal.bits = rest + (rest < 0x0f800000u ? 0x38000000u : 0x70000000u);  /* another bias; inf and NaN */
    small.bits = rest + 0x38800000u;  /* below the smallest normal half: 2^-14 too much, exactly */
    small.number -= 6.103515625e-05f;
    normal.bits = (rest < 0x00800000u ? small.bits : normal.bits) | sign;
    return normal.number;
}
FUNCTION stored narrow(real x)
{
    both v, small; v.number = x;
    unsigned int sign = v.bits & 0x80000000u, even = (v.bits >> 13) & 1u, normal, result;
    v.bits ^= sign;
    small.number = v.number + 0.5f;  /* the last bit of the sum is worth the smallest half */
    normal = (v.bits + 0xc8000fffu + even) >> 13;  /* another bias; to the nearest, ties to even */
    result = v.bits < 0x38800000u ? small.bits - 0x3f000000u : normal;
    result = v.bits >= 0x47800000u ? 0x7c00u : result;
    result = v.bits > 0x7f800000u ? 0x7e00u : result;
    return (stored)(result | sign >> 16);
}
""",
}


def _expression(node: ast.expr, c: dict[str, str], outer: int = 0) -> str:
    """``outer``: how tightly the surroundings bind; parentheses are printed where they are needed."""
    if isinstance(node, ast.Constant):
        return f"(real){node.value!r}"
    if isinstance(node, ast.Name):
        return c[node.id]
    if isinstance(node, ast.UnaryOp):
        text = "-" + _expression(node.operand, c, 3)
        return f"({text})" if outer else text
    if isinstance(node, ast.Call):
        return f"{_FUNCTION[node.func.id]}({', '.join(_expression(x, c) for x in node.args)})"
    sign, level = _OPERATOR[type(node.op)]
    # The right side binds one level tighter: a − (b − c) and a + (b + c) keep their order.
    text = f"{_expression(node.left, c, level)} {sign} {_expression(node.right, c, level + 1)}"
    return f"({text})" if level < outer else text


def _names(names: list[str]) -> dict[str, str]:
    """The rule's names → theirs in C: the same, but for words of the text around the body."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        found[name] = _fresh(
            name.replace(" ", "_"), {*found.values(), *_WORDS, *(x for x in names if x != name)}
        )
    return found


def _fresh(name: str, taken: Any) -> str:
    while name in taken:
        name += "_"
    return name


def _wrapped(head: str, arguments: list[str], end: str = ")") -> list[str]:
    """A function head or call, its arguments in lines of at most 100 characters."""
    lines, indent = [head + arguments[0]], " " * len(head)
    for argument in arguments[1:]:
        if len(lines[-1]) + len(argument) + 4 > 100:
            lines[-1] += ","
            lines.append(indent + argument)
        else:
            lines[-1] += f", {argument}"
    lines[-1] += end
    return lines
