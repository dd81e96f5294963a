"""A multiple-choice question with feedback on every answer: HTML and CSS alone, no script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_STYLE = """
.optkit-quiz { border: 1px solid color-mix(in srgb, currentColor 35%, transparent); border-radius: 8px;
  padding: 0.4rem 1rem 0.8rem; margin: 1rem 0; min-width: 0; max-width: 100%; box-sizing: border-box; }
.optkit-quiz legend { font-size: 1em; font-weight: 600; padding: 0.3rem 0 0.2rem; margin: 0; width: 100%;
  float: left; overflow-wrap: anywhere; }
.optkit-answer { clear: both; display: grid; grid-template-columns: auto 1fr; column-gap: 0.6rem;
  padding: 0.35rem 0.3rem; border-radius: 6px; }
.optkit-answer:has(input:focus-visible) { outline: 2px solid currentColor; outline-offset: -1px; }
.optkit-answer input { width: 1.15rem; height: 1.15rem; margin: 0.2rem 0 0; accent-color: currentColor; }
.optkit-answer label { cursor: pointer; margin: 0; min-width: 0; overflow-wrap: anywhere; }
.optkit-feedback { grid-column: 2; min-width: 0; overflow-wrap: anywhere; }
.optkit-feedback > span { display: none; border-left: 4px solid currentColor; margin: 0.3rem 0;
  padding: 0.2rem 0.7rem; }
.optkit-answer input:checked ~ .optkit-feedback > span { display: block; }
.optkit-right { border-color: var(--pst-color-success, #1a7f37) !important; }
.optkit-wrong { border-color: var(--pst-color-danger, #b3203a) !important; }
""".strip()


def quiz(question: str, answers: Mapping[str, str], *, correct: str) -> Quiz:
    """Return a question with its answers; choosing one shows what is right or wrong about it.

    Args:
        question: The question. Mathematics between dollar signs, code between backquotes.
        answers: Answer → feedback, at least two, in the order shown.
        correct: The right one of the answers.

    Raises:
        ValueError: Fewer than two answers, an empty text, or a right answer that is none of them.

    Example:
        >>> quiz("What is $1 + 1$?", {"2": "Counted well.", "3": "One too many."}, correct="2")
        What is $1 + 1$?
          ( ) 2
          ( ) 3
    """
    if len(answers) < 2:
        raise ValueError(f"answers must hold at least 2 answers, got {len(answers)}")
    for text in (question, *answers, *answers.values()):
        if not text.strip():
            raise ValueError("question, answers and feedback must not be empty")
    if correct not in answers:
        raise ValueError(f"correct must be one of {', '.join(map(repr, answers))}, got {correct!r}")
    return Quiz(question, tuple(answers.items()), correct)


def unsealed(text: str) -> Quiz:
    """Return the question that `Quiz.seal` has put into a text.

    Args:
        text: What `Quiz.seal` returned.

    Raises:
        ValueError: Another text.

    Example:
        >>> unsealed(quiz("Even?", {"2": "Yes.", "3": "It is odd."}, correct="2").seal())
        Even?
          ( ) 2
          ( ) 3
    """
    try:
        question, answers, correct = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except (ValueError, zlib.error) as error:
        raise ValueError(f"text must be a sealed question, got {text[:20]!r}") from error
    return quiz(question, dict(answers), correct=correct)


@dataclass(frozen=True)
class Quiz:
    """A question, its answers with feedback, and which of them is right."""

    question: str
    answers: tuple[tuple[str, str], ...]
    correct: str

    def seal(self) -> str:
        """Return the question as a text in which the right answer does not show; it is no secret.

        Example:
            >>> "odd" in quiz("Even?", {"2": "Yes.", "3": "It is odd."}, correct="2").seal()
            False
        """
        text = json.dumps([self.question, self.answers, self.correct], ensure_ascii=False)
        return base64.b64encode(zlib.compress(text.encode())).decode()

    def __repr__(self) -> str:
        return "\n".join([self.question, *(f"  ( ) {answer}" for answer, _ in self.answers)])

    def _repr_html_(self) -> str:
        key = "quiz-" + hashlib.sha256(repr((self.question, self.answers)).encode()).hexdigest()[:12]
        rows = []
        for number, (answer, feedback) in enumerate(self.answers, start=1):
            right = answer == self.correct
            verdict = "right" if right else "wrong"
            word = "Right." if right else "Not quite."
            rows.append(
                f'<div class="optkit-answer"><input type="radio" name="{key}" id="{key}-{number}">'
                f'<label for="{key}-{number}">{_inline(answer)}</label>'
                f'<div class="optkit-feedback" aria-live="polite"><span class="optkit-{verdict}">'
                f"<strong>{word}</strong> {_inline(feedback)}</span></div></div>"
            )
        return (
            f'<style>{_STYLE}</style><fieldset class="optkit-quiz"><legend>{_inline(self.question)}</legend>'
            + "".join(rows)
            + "</fieldset>"
        )


def _inline(text: str) -> str:
    """Escape a text; set $mathematics$ and `code` in it."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    return "".join(_piece(part) for part in parts)


def _piece(part: str) -> str:
    if len(part) > 2 and part[0] == part[-1] == "$":
        return f'<span class="math notranslate nohighlight">\\({html.escape(part[1:-1])}\\)</span>'
    if len(part) > 2 and part[0] == part[-1] == "`":
        return f"<code>{html.escape(part[1:-1])}</code>"
    return html.escape(part)
