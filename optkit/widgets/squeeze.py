"""JavaScript and CSS without what only people need: comments, indentation, spaces around signs.

Names stay, and so does every line break that was there, so that nothing reads differently to a machine.
"""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""
    (?P<keep>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\$]|\\.|\$(?!\{)|\$\{[^{}`]*\})*`
      | (?<=[(,=:!&|?{};])\s*/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<word>[\w$#]+)
    | (?P<space>\s+)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
WORD = re.compile(r"[\w$#\\]")


def squeeze(text: str) -> str:
    r"""The same program, shorter.

    Raises:
        ValueError: A template holds a template, or braces within its braces: put that into a name first.

    Example:
        >>> print(squeeze("const a = 1 + +b; // one\n  return `x ${ a } y`;"))
        const a=1+ +b;
        return`x ${ a } y`;
    """
    out: list[str] = []
    last, gap = "", ""
    for found in TOKEN.finditer(text):
        kind, token = found.lastgroup, found.group()
        if kind in ("comment", "space"):
            gap = "\n" if "\n" in token or gap == "\n" else " "
            continue
        if token == "`":
            line = text.count("\n", 0, found.start()) + 1
            raise ValueError(f"line {line}: a template must hold no template and no braces within braces")
        token = token.lstrip()
        if gap == "\n" and out:
            out.append("\n")
        elif gap and out and (_joins(last, token)):
            out.append(" ")
        out.append(token)
        last, gap = token, ""
    return "".join(out)


def squeeze_css(text: str) -> str:
    """A style sheet without comments and without spaces that mean nothing.

    Example:
        >>> squeeze_css("/* a */ .b > .c { color: red; margin: calc(1px + 2px) 0; }")
        '.b > .c{color:red;margin:calc(1px + 2px) 0}'
    """
    text = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()
    # A colon keeps the space before it: `a :hover` is not `a:hover`.
    return re.sub(r"\s*([{};,])\s*|(:)\s+", lambda m: m[1] or m[2], text).replace(";}", "}")


def _joins(left: str, right: str) -> bool:
    """Whether two tokens must stay apart: two words, or two signs that together are another."""
    if WORD.match(left[-1]) and WORD.match(right[0]):
        return True
    return left[-1] in "+-/" and right[0] in "+-/"
