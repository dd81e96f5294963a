"""The translator as a page lists it: the table of a rule, and the calls that take its steps."""

from __future__ import annotations

from typing import Any

from optkit.conventions.convert import to_library
from optkit.conventions.table import LIBRARIES, ROWS
from optkit.conventions.translator import INSIDE, Row
from optkit.rules import RULES
from optkit.translation.symbols import number

ROOMS = ("eps_inside", "bias_correction", "paper_start")  # flags: said in words, not as a column


def parameters(rule: str) -> tuple[list[str], list[list[str]]]:
    r"""The table of a rule: heads and rows of MyST Markdown, this package first.

    A column for each hyper-parameter holds its name elsewhere and the default there; “–” where it has
    none and must be given.

    Args:
        rule: Name of a rule in `optkit.rules.RULES`.

    Raises:
        KeyError: No such rule.

    Example:
        >>> heads, rows = parameters("gradient_descent")
        >>> heads
        ['Where', '$\\epsilon$', 'Weight decay']
        >>> rows[1]
        ['`torch.optim.SGD`', '`lr` 0.001', 'coupled, 0']
    """
    if rule not in RULES:
        raise KeyError(f"no rule {rule!r}; there are {', '.join(RULES)}")
    rows = [row for row in ROWS if row.rule == rule]
    columns = [hyper for name, hyper in RULES[rule].hyperparameters.items() if name not in ROOMS]
    decayed = any(row.decays for row in rows)
    heads = ["Where", *(f"${hyper.symbol}$" for hyper in columns)]
    heads += ["Weight decay"] * decayed
    own = [f"`{rule}`", *(f"`{hyper.name}` {_number(hyper.default)}" for hyper in columns)]
    if "eps_inside" in RULES[rule].hyperparameters:
        own[-1 - (columns[-1].name == "threshold")] += f", {INSIDE} or outside"
    lines = [[*own, *[""] * decayed]]
    for row in rows:
        line = [_where(row), *(_cell(row, hyper.name) for hyper in columns)]
        lines.append(line + [_decay(row)] * decayed)
    return heads, lines


def notes(rule: str) -> list[str]:
    r"""What the table of a rule cannot hold: an item of MyST Markdown for each row that needs one.

    Args:
        rule: Name of a rule in `optkit.rules.RULES`.

    Raises:
        KeyError: No such rule.

    Example:
        >>> notes("rmsprop")[0]
        '`optax.rmsprop`, outside the root: told `eps_in_sqrt=False`.'
    """
    if rule not in RULES:
        raise KeyError(f"no rule {rule!r}; there are {', '.join(RULES)}")
    found = []
    for row in ROWS:
        if row.rule == rule and _notes(row):
            place = f", {row.eps}" if row.eps and not row.is_paper else ""
            found.append(f"{_where(row)}{place}: {_notes(row)}")
    return found


def calls(rule: str) -> list[str]:
    r"""What takes the rule's steps in each library, at the rule's defaults, a line each.

    Args:
        rule: Name of a rule in `optkit.rules.RULES`.

    Raises:
        KeyError: No such rule.

    Example:
        >>> print(*calls("rmsprop")[:2], sep="\n")
        rmsprop(eps_inside=False) = torch.optim.RMSprop(params, lr=0.01, alpha=0.99, eps=1e-08)
        rmsprop(eps_inside=True) = optax.rmsprop(learning_rate=0.01, decay=0.99, eps=1e-08)
    """
    if rule not in RULES:
        raise KeyError(f"no rule {rule!r}; there are {', '.join(RULES)}")
    found = []
    for row in ROWS:
        if row.rule == rule and not row.is_paper:
            flags = {name: value for name, value in row.requires.items() if name == "eps_inside"}
            given = ", ".join(f"{name}={value!r}" for name, value in flags.items())
            step = None if row.eps_moves is None else 1
            call = to_library(rule, row.source, step=step, **flags)
            found.append(f"{rule}({given}) = {call}" + ("" if step is None else "  at the step t = 1"))
    return found


def _where(row: Row) -> str:
    if row.source in LIBRARIES:
        return f"`{row.call}`"
    return f"{{cite:t}}`{row.source}`, {row.call}"


def _cell(row: Row, name: str) -> str:
    if name not in row.names:
        value = row.requires.get(name)
        return "none" if name == "eps" or value is None else f"{value:g}, fixed"
    theirs = row.names[name]
    text = f"{theirs}" if row.is_paper else f"`{theirs}`"
    text += f" {_number(row.defaults[theirs])}" if theirs in row.defaults else " –"
    return f"{text}, {row.eps}" if name == "eps" else text


def _number(value: Any) -> str:
    if value is None:
        return "none"
    return f"${number(value)}$" if 0 < value < 1e-3 else f"{value:g}"


def _decay(row: Row) -> str:
    parts = []
    for decay in row.decays:
        how = "coupled" if decay.coupled else "decoupled"
        where = "" if decay.call == row.call else f" in `{decay.call}`"
        parts.append(f"{how}{where}, {_number(decay.default)}")
    return "; ".join(parts) or "none"


def _notes(row: Row) -> str:
    told = {} if row.rule == "gradient_descent" else row.told()
    parts = (
        ["told " + " and ".join(f"`{name}={value!r}`" for name, value in told.items()) + "."] if told else []
    )
    parts += [f"The bias correction stands {row.correction}."] if row.correction else []
    parts += [
        f"Its default for `{name}` is {row.defaults[name]:g}, not 0."
        for name in row.state.values()
        if row.defaults[name] != 0
    ]
    return " ".join([*parts, row.remark] if row.remark else parts)
