"""The error that a function outside the grammar raises."""

from __future__ import annotations


class LanguageError(SyntaxError):
    """A formula steps outside the grammar.

    Attributes:
        filename: The file in which the function stands.
        lineno: The line in that file, counted from 1.
        text: The offending source line, where it is known.
        remedy: What to write instead.
    """

    def __init__(self, file: str, line: int, problem: str, remedy: str, text: str | None = None) -> None:
        super().__init__(f"{problem}; {remedy}", (file, line, None, text))
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.filename}:{self.lineno}: {self.msg}" + (
            f"\n    {self.text.strip()}" if self.text else ""
        )
