"""What a chapter prints besides figures: boxed equations, the source of a rule, a table of claims.

Each function returns an object for the last line of a cell. The book sets it as a framed, numbered
equation, as code or as a table; JupyterLab shows the same as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optkit.language.grammar import Formula
    from optkit.rules import Rule

VERDICTS = {
    "holds": "✓ holds",
    "holds under conditions": "◐ holds under conditions",
    "not reproduced here": "✗ not reproduced here",
}
_LABEL = re.compile(r"eq-[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Block:
    """A piece of Markdown with what the book needs to know about it.

    Attributes:
        kind: ``equation``, ``source``, ``claims`` or ``table``.
        markdown: What a notebook shows.
        plain: What a terminal shows.
        texts: Details for the page, by kind.
    """

    kind: str
    markdown: str
    plain: str
    texts: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return (
            {"text/markdown": self.markdown, "text/plain": self.plain},
            {"optkit": {"kind": self.kind, **self.texts}},
        )


def equation(
    rule: Rule | Formula | str, *, title: str | None = None, label: str | None = None, **flags: Any
) -> Block:
    """Print the boxed equation of a rule, derived from the rule's own source.

    Args:
        rule: A rule, the name of one in `optkit.rules.RULES`, or any formula (a schedule, a problem).
        title: Heading of the box, as MyST Markdown; by default the label the rule has in every figure.
        label: ``eq-`` and words in lower case joined by hyphens, unique in the book: gives the equation its
            number, and ``{eq}`eq-adam``` refers to it. None for an equation without a number.
        **flags: Which variant, as for `optkit.translation.to_latex` (``eps_inside=False``, ...).

    Raises:
        KeyError: No rule of this name.
        ValueError: A label of another form.

    Example:
        >>> equation("gradient_descent", label="gd")
        Traceback (most recent call last):
        ...
        ValueError: label must look like eq-two-words, got 'gd'
    """
    found = _find(rule)
    if label is not None and not _LABEL.fullmatch(label):
        raise ValueError(f"label must look like eq-two-words, got {label!r}")
    from optkit.translation import to_latex

    if title is None:
        from optkit.figures.palette import FACES

        title = FACES[found.name].label if found.name in FACES else found.name.replace("_", " ").capitalize()
    latex = to_latex(found, **flags).strip()
    texts = {"title": title, "latex": latex} | ({"label": label} if label else {})
    name = f" ({label})" if label else ""  # a notebook's text refers to it by its name
    return Block("equation", f"**{title}**{name}\n\n$$\n{latex}\n$$\n", latex, texts)


def source(rule: Rule | Formula | str) -> Block:
    """Print the source of a rule as it stands in optkit, for the page to show instead of a copy.

    Args:
        rule: A rule, the name of one in `optkit.rules.RULES`, or any formula (a schedule, a problem).

    Raises:
        KeyError: No rule of this name.

    Example:
        >>> print(source("gradient_descent").markdown.splitlines()[0])
        ```python
    """
    text = _find(rule).source.strip("\n")
    return Block("source", f"```python\n{text}\n```\n", text)


def code(text: str, language: str) -> Block:
    """Print a generated text, such as the C of a rule.

    Args:
        text: The text.
        language: Its language, as Pygments calls it (``"c"``, ``"cuda"``, ``"javascript"``).

    Example:
        >>> print(code("int answer;", "c").markdown, end="")
        ```c
        int answer;
        ```
    """
    text = text.strip("\n")
    return Block("source", f"```{language}\n{text}\n```\n", text)


def claims(rows: Iterable[Mapping[str, Any]]) -> Block:
    """Print a table of claims: statement, measured number, spread and verdict.

    Args:
        rows: For each claim ``id``, ``statement``, ``measured``, ``spread`` (MyST Markdown or numbers) and
            ``verdict``: one of holds, holds under conditions, not reproduced here. Optionally ``command``:
            what repeats the measurement. `optkit.studies.claims` gives such rows.

    Raises:
        ValueError: A row without one of the five entries, or with another verdict.

    Example:
        >>> claims([{"id": "C01", "statement": "It is stable.", "measured": 0.2, "spread": "none",
        ...          "verdict": "holds"}])
        C01: It is stable. Measured 0.2, spread none: holds.
    """
    lines = ["| Claim | Statement | Measured | Spread | Verdict |", "|---|---|---|---|---|"]
    plain, commands = [], {}
    for row in rows:
        missing = [key for key in ("id", "statement", "measured", "spread", "verdict") if key not in row]
        if missing:
            raise ValueError(f"a claim needs {', '.join(missing)}, got {dict(row)}")
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, got {row['verdict']!r}")
        cells = [row["id"], row["statement"], row["measured"], row["spread"], VERDICTS[row["verdict"]]]
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
        if row.get("command"):
            commands.setdefault(row["command"], []).append(row["id"])
        plain.append("{id}: {statement} Measured {measured}, spread {spread}: {verdict}.".format(**row))
    repeat = [f"Measured again by `{command}` ({', '.join(ids)})." for command, ids in commands.items()]
    return Block("claims", "\n\n".join(["\n".join(lines), *repeat]) + "\n", "\n".join(plain))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, below: Iterable[str] = ()) -> Block:
    """Print a table that is made by a function, such as `optkit.conventions.parameters`.

    Args:
        heads: The heads of the columns, MyST Markdown.
        rows: The cells of each row, MyST Markdown or numbers, as many as there are heads.
        below: Items of a list below the table, MyST Markdown.

    Raises:
        ValueError: A row of another length.

    Example:
        >>> table(["Letter", "Value"], [["$x$", 1], ["$y$", 2]])
        Letter | Value
        $x$ | 1
        $y$ | 2
    """
    lines = [[_cell(head) for head in heads]]
    for row in rows:
        if len(row) != len(heads):
            raise ValueError(f"a row must have {len(heads)} cells, one for each head, got {len(row)}: {row}")
        lines.append([_cell(cell) for cell in row])
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text.insert(1, "|" + "---|" * len(heads))
    items = [f"- {item}" for item in below]
    plain = [" | ".join(line) for line in lines] + items
    return Block("table", "\n".join([*text, "", *items]).rstrip() + "\n", "\n".join(plain))


def _cell(cell: Any) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")


def _find(rule: Rule | Formula | str) -> Rule | Formula:
    if not isinstance(rule, str):
        return rule
    from optkit.rules import RULES

    if rule not in RULES:
        raise KeyError(f"no rule {rule!r}; there are {', '.join(RULES)}")
    return RULES[rule]
