"""How long a step takes, and why: contenders side by side, the ladder, and the roof of the memory.

The numbers are those that ``benchmarks/step.py`` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from optkit.figures.canvas import canvas, plain_ticks, style
from optkit.figures.palette import FACES, INK, RAW, SERIES, Face

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ladder", "limits", "race", "roofline", "rungs", "targets"]

CONTENDERS: Mapping[str, tuple[str, Face]] = {
    "C": ("optkit, compiled C", SERIES[0]),
    "torch fused": ("torch, fused", SERIES[1]),
    "torch foreach": ("torch, foreach", SERIES[2]),
    "torch default": ("torch, plain loop", SERIES[3]),
    "torch.compile": ("torch.compile of the rule", SERIES[4]),
    "heavyball": ("HeavyBall", SERIES[5]),
    "pytorch_optimizer": ("pytorch_optimizer", Face("", "#4c8200", ">", "solid")),
    "plain loop": ("the machine's limit", Face("", INK, "|", "solid")),
}
"""Contender in the file → its name and look here, in the order of the legend."""

RUNGS = {
    "as written": "as written",
    "torch chunks": "in chunks",
    "C, one by one": "compiled",
    "C": "all tensors\nin one call",
    "torch fused": "(torch\nfused)",
    "plain loop": "(limit)",
}
"""Contender → rung of the ladder, from below."""

LARGE, WEIGHTS = "ResNet-50", 25_557_032
"""The model on which rules are held against the plain loop, and its weights."""

RULE = {
    "Adam": "adam",
    "SGD momentum": "momentum_common",
    "RAdam": "radam",
    "RMSprop": "rmsprop",
    "INNA": "inna",
}
"""Optimizer in the file → its rule."""


def race(record: Mapping[str, Any]) -> tuple[Figure, str]:
    """Draw the times of all contenders, case by case, as ratios to torch's fused step or its fastest.

    Args:
        record: What ``benchmarks/step.py --json`` wrote. Shown are its cases with torch.compile among the
            contenders.

    Returns:
        The figure, and its alternative text: in each case optkit's ratio and the best of the others.

    Raises:
        ValueError: No such case.
    """
    cases = {t: c for t, c in record["cases"].items() if "torch.compile" in c["contenders"]}
    if not cases:
        raise ValueError("record must hold a case with torch.compile among its contenders, got none")
    sentences, values, seen = [], [], {}
    with style():
        figure, axes = canvas(height=0.32 + 0.19 * len(cases))
        for row, (title, case) in enumerate(cases.items()):
            there = case["contenders"]
            shown = [name for name in CONTENDERS if name in there]
            for place, name in enumerate(shown):
                one, (label, look) = there[name], CONTENDERS[name]
                height = row + 0.6 * (place / (len(shown) - 1) - 0.5)
                axes.plot([one["low"], one["high"]], [height, height], color=look.colour, linewidth=1.2)
                size = 11 if look.marker == "|" else 6
                (mark,) = axes.plot(
                    one["ratio"], height, look.marker, color=look.colour, label=label, markersize=size
                )
                seen.setdefault(name, mark)
                values += [one["low"], one["high"]]
            others = {n: there[n]["ratio"] for n in shown if n not in ("C", "plain loop")}
            best = min(others, key=others.get)
            sentences.append(
                f"{_short(title)}: {there['C']['ratio']:.2g} times {case['reference']}, "
                f"the best of the others {CONTENDERS[best][0]} {others[best]:.2g}"
            )
        axes.axvline(1, color=INK, linewidth=1)
        axes.set_xscale("log")
        plain_ticks(axes.xaxis, np.array(values))
        axes.set_yticks(range(len(cases)), [_short(title).replace(", ", "\n", 1) for title in cases])
        axes.set_ylim(len(cases) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("time of a step ÷ torch's fused, or its fastest")
        marks = [seen[name] for name in CONTENDERS if name in seen]
        figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=9)
    return figure, (
        f"Time of one step as a ratio to torch's, on a logarithmic axis, {len(cases)} cases. optkit's C "
        f"against the others: {'; '.join(sentences)}."
    )


def ladder(record: Mapping[str, Any]) -> tuple[Figure, str]:
    """Draw the time of Adam's step from rung to rung: as written, in chunks, compiled, all in one call.

    Args:
        record: What ``benchmarks/step.py --json`` wrote.

    Returns:
        The figure, and its alternative text with the time of every rung.

    Raises:
        ValueError: No case that holds all rungs.
    """
    cases = {t: c for t, c in record["cases"].items() if set(RUNGS) <= set(c["contenders"])}
    if not cases:
        raise ValueError("record must hold a case with the rungs of the ladder, got none")
    sentences, places = [], np.arange(len(RUNGS))
    with style():
        figure, axes = canvas(height=1.1)
        for look, (title, case) in zip(SERIES, cases.items(), strict=False):
            times = np.array([case["contenders"][name]["ms"] for name in RUNGS])
            label = _short(title).removeprefix("Adam, ")
            axes.plot(places[:4], times[:4], **look.line(label=label) | {"markevery": 1})
            axes.plot(places[4:], times[4:], look.marker, color=look.colour, markerfacecolor="white")
            steps = ", ".join(
                f"{rung.replace(chr(10), ' ')} {time:.3g}"
                for rung, time in zip(RUNGS.values(), times, strict=True)
            )
            sentences.append(f"{label}: {steps}")
        axes.set_yscale("log")
        plain_ticks(
            axes.yaxis, np.array([one["contenders"][n]["ms"] for one in cases.values() for n in RUNGS])
        )
        axes.set_xticks(places, RUNGS.values(), fontsize=9)
        axes.set_ylabel("ms a step")
        axes.legend()
    return figure, f"Milliseconds of one step of Adam, logarithmic. {'. '.join(sentences)}."


def roofline(
    record: Mapping[str, Any], moved: Mapping[str, int], operations: Mapping[str, int]
) -> tuple[Figure, str]:
    """Draw every rule under the roof of the memory: operations a second against operations a byte.

    Args:
        record: What ``benchmarks/step.py --json`` wrote; taken are its cases with ResNet-50's tensors.
        moved: Rule → bytes that its step moves for every weight.
        operations: Rule → operations for every weight.

    Returns:
        The figure, and its alternative text with the share of the limit that each rule reaches.

    Raises:
        ValueError: No such case.
    """
    cases = _large(record)
    if not cases:
        raise ValueError(f"record must hold a case with the tensors of {LARGE}, got none")
    shares = {}
    with style():
        figure, axes = canvas(height=1.25)
        ends = np.array([0.1, 1.0])
        bands = [WEIGHTS * moved[n] / c["contenders"]["plain loop"]["ms"] / 1e6 for n, c in cases.items()]
        axes.fill_between(
            ends, ends * min(bands), ends * max(bands), color=RAW.colour, alpha=0.35, linewidth=0
        )
        for name, case in cases.items():
            look = FACES[name]
            speed = WEIGHTS * operations[name] / case["contenders"]["C"]["ms"] / 1e6
            axes.plot(operations[name] / moved[name], speed, look.marker, color=look.colour, label=look.label)
            shares[look.label] = case["contenders"]["plain loop"]["ms"] / case["contenders"]["C"]["ms"]
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(*ends)
        plain_ticks(axes.xaxis, ends)
        plain_ticks(axes.yaxis, np.outer(ends, bands))
        axes.set_xlabel("operations a byte")
        axes.set_ylabel("billion operations a second")
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    low, high = min(shares, key=shares.get), max(shares, key=shares.get)
    return figure, (
        f"{len(cases)} rules under the roof of the memory, {min(bands):.0f} to {max(bands):.0f} GB/s by "
        f"plain loops. Every rule lies on the slope: from {shares[low]:.0%} ({low}) to {shares[high]:.0%} "
        f"({high}) of the speed of a plain loop over the same memory."
    )


def targets(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every ratio that was to be reached, as rows of a table.

    Args:
        record: What ``benchmarks/step.py --json`` wrote.

    Returns:
        For each case with a target: what is timed, against what, the median ratio, its quartiles, the target,
        whether it is reached, and the ratio of the plain loop; and last the time of the first use.
    """
    rows = []
    for title, case in record["cases"].items():
        if case["target"] is None:
            continue
        one = case["contenders"]["C"]
        rows.append(
            {
                "optkit's C": _short(title),
                "against": case["reference"],
                "median": f"{one['ratio']:.3f}",
                "quartiles": f"{one['low']:.3f} to {one['high']:.3f}",
                "at most": f"{case['target']:.2f}",
                "": "reached" if one["ratio"] <= case["target"] else "missed",
                "plain loop": f"{case['contenders']['plain loop']['ratio']:.3f}",
            }
        )
    low, middle, high = np.percentile(record["first use in s"], [25, 50, 75])
    seconds = {"median": f"{middle:.2f} s", "quartiles": f"{low:.2f} to {high:.2f} s", "at most": "1 s"}
    verdict = "reached" if middle <= 1 else "missed"
    first = {"optkit's C": "first use, with compilation", "against": "", **seconds, "": verdict}
    return [*rows, {**first, "plain loop": ""}]


def rungs(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """How many times faster each rung of the ladder is than the one below, as rows of a table.

    Args:
        record: What ``benchmarks/step.py --json`` wrote.
    """
    names, rows = list(RUNGS)[:4], []
    for title, case in record["cases"].items():
        if not set(RUNGS) <= set(case["contenders"]):
            continue
        times = [case["contenders"][name]["ms"] for name in names]
        gains = {
            RUNGS[name].replace("\n", " "): f"{before / after:.2f}"
            for name, before, after in zip(names[1:], times, times[1:], strict=False)
        }
        rows.append({"times faster than the rung below": _short(title), **gains})
    return rows


def limits(
    record: Mapping[str, Any], moved: Mapping[str, int], operations: Mapping[str, int]
) -> list[dict[str, str]]:
    """How near every rule comes to the limit, as rows of a table. Arguments as for `roofline`."""
    rows = []
    for name, case in _large(record).items():
        one, limit = case["contenders"]["C"], case["contenders"]["plain loop"]
        rows.append(
            {
                "rule": FACES[name].label,
                "bytes": str(moved[name]),
                "operations": str(operations[name]),
                "GB/s": f"{WEIGHTS * moved[name] / one['ms'] / 1e6:.0f}",
                "GB/s, plain loop": f"{WEIGHTS * moved[name] / limit['ms'] / 1e6:.0f}",
                "share of the limit": f"{limit['ms'] / one['ms']:.0%}",
            }
        )
    return rows


def _large(record: Mapping[str, Any]) -> dict[str, Any]:
    """Rule → its case on the large model."""
    parts = {title: title.split(", ") for title in record["cases"]}
    return {RULE[p[0]]: record["cases"][t] for t, p in parts.items() if p[0] in RULE and p[1] == LARGE}


def _short(title: str) -> str:
    """A case's title without what it is held against, and with its threads only where that is one."""
    name, rest = title.split(", against")[0].split(", ", 1)
    name = FACES[name].label if name in FACES else name
    return f"{name}, {rest}".replace(", 2 threads", "").replace(" x ", " × ")
