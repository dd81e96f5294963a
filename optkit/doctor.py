"""What ``python -m optkit doctor`` prints: how each rule is computed here, with what, and why not better."""

from __future__ import annotations

import importlib.util
import platform
import warnings
from collections.abc import Iterator

import optkit
from optkit.kernels import Unavailable, backend, wanted
from optkit.kernels.backend import VARIABLE
from optkit.kernels.compiler import CANDIDATES, build, cache_folder, compilers
from optkit.rules import RULES, Rule

__all__ = ["report"]

_PROBE = "int optkit_probe(void) { return 1; }"


def report() -> str:
    """Versions, compiler, threads, cache, device, and a table: rule × what computes it here.

    Example:
        >>> print(report())
        optkit ...
        threads ...
        adam ...
    """
    facts = dict(_facts())
    rows = list(_rules())
    width = max(map(len, facts))
    lines = [f"{name:<{width}}  {value}" for name, value in facts.items()]
    width = max(len(name) for name, *_ in rows)
    lines += ["", *(f"{name:<{width}}  {cpu:<14}{gpu:<8}{note}".rstrip() for name, cpu, gpu, note in rows)]
    return "\n".join(lines)


def _facts() -> Iterator[tuple[str, str]]:
    import numpy
    import torch

    yield "optkit", f"{optkit.__version__} with Python {platform.python_version()}"
    yield "torch", f"{torch.__version__}, NumPy {numpy.__version__}"
    yield "threads", f"{torch.get_num_threads()} (torch.set_num_threads changes it)"
    yield (
        VARIABLE,
        {"": "not set: C where it can be had", "c": "c: C or an error", "torch": "torch: no C"}[wanted()],
    )
    found = list(compilers())
    for compiler in found:
        yield "compiler", f"{compiler.path}: {compiler.version}"
        break
    else:
        yield "compiler", f"none (looked for {', '.join(CANDIDATES)}, and for $CC); install one, as gcc"
    folder = cache_folder()
    try:
        made = build(_PROBE)
    except Unavailable as reason:
        yield "C", f"cannot be had: {reason}"
    else:
        yield "flags", " ".join(made.flags)
        yield "OpenMP", "yes" if made.openmp else "no: the C steps with one thread"
    files = list(folder.glob("*.so")) if folder.is_dir() else []
    yield "cache", f"{folder}: {len(files)} kernels, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB"
    yield "device", torch.cuda.get_device_name() if torch.cuda.is_available() else "torch sees no CUDA device"
    cupy = importlib.util.find_spec("cupy") is not None
    yield "CuPy", "installed" if cupy else 'not installed: pip install "optkit[gpu]"'
    if torch.cuda.is_available():
        yield "CUDA", backend.why_no_cuda() or "compiled by NVRTC, launched by CuPy"


def _rules() -> Iterator[tuple[str, str, str, str]]:
    yield "rule", "on the CPU", "on CUDA", ""
    for rule in RULES.values():
        yield rule.name, *_path(rule)


def _path(rule: Rule) -> tuple[str, str, str]:
    import torch

    from optkit.optim import from_rule

    try:
        made = from_rule(rule)
    except ValueError:
        needs = "the gradient at another point" if rule.gradient_at else ", ".join(rule.inputs)
        return "-", "-", f"no optimizer: it needs {needs}; call the rule itself"
    launched = torch.cuda.is_available() and wanted() != "torch" and not backend.why_no_cuda()
    gpu = "CUDA" if launched else "torch"
    optimizer = made([torch.nn.Parameter(torch.zeros(1))])
    try:
        with warnings.catch_warnings(action="ignore"):  # the reason stands above
            path = optimizer.backend
    except RuntimeError:
        return "error", gpu, f"{VARIABLE} is c, and C cannot be had"
    if path == "C":
        return path, gpu, ""
    return path, gpu, f"{VARIABLE} is torch" if wanted() else "C cannot be had, see above"
