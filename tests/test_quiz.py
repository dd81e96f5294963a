"""A quiz is HTML and CSS alone, accessible by keyboard, and safe whatever its texts."""

import re
from html.parser import HTMLParser

import pytest

from optkit.quiz import quiz

QUESTION = "Where is $x^2 < 1$ for `x`?"
ANSWERS = {"$|x| < 1$": "Both signs count.", "<b>x</b> < 1": "Try $x = -2$."}


class Elements(HTMLParser):
    """Collects the start tags of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def html():
    return quiz(QUESTION, ANSWERS, correct="$|x| < 1$")._repr_html_()


def test_every_answer_is_a_labelled_radio_button_of_one_group(html):
    elements = Elements(html)
    assert {one["type"] for one in elements.of("input")} == {"radio"}
    assert len({one["name"] for one in elements.of("input")}) == 1
    assert [one["id"] for one in elements.of("input")] == [one["for"] for one in elements.of("label")]
    assert len(elements.of("fieldset")) == len(elements.of("legend")) == 1


def test_feedback_shows_when_its_answer_is_chosen(html):
    assert re.search(r"\.optkit-feedback > span \{ display: none", html)
    assert ".optkit-answer input:checked ~ .optkit-feedback > span { display: block; }" in html
    assert html.count("Right.") == 1
    assert html.count("Not quite.") == 1
    assert html.index("Right.") < html.index("Both signs count.") < html.index("Not quite.")


def test_nothing_runs_and_nothing_is_loaded(html):
    elements = Elements(html)
    assert not elements.of("script") + elements.of("link") + elements.of("img")
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert "url(" not in html


def test_texts_are_escaped_and_mathematics_is_set(html):
    assert not Elements(html).of("b")
    assert "&lt;b&gt;x&lt;/b&gt; &lt; 1" in html
    assert '<span class="math notranslate nohighlight">\\(x^2 &lt; 1\\)</span>' in html
    assert "<code>x</code>" in html


def test_ids_repeat_from_build_to_build_and_differ_between_quizzes(html):
    assert quiz(QUESTION, ANSWERS, correct="$|x| < 1$")._repr_html_() == html
    other = quiz("Another?", ANSWERS, correct="$|x| < 1$")._repr_html_()
    ids = [{one["id"] for one in Elements(text).of("input")} for text in (html, other)]
    assert len(ids[0] | ids[1]) == 4


@pytest.mark.parametrize(
    ("question", "answers", "correct", "message"),
    [
        ("Q?", {"a": "x"}, "a", "at least 2"),
        ("Q?", {"a": "x", "b": "y"}, "c", "correct must be one of 'a', 'b', got 'c'"),
        ("Q?", {"a": "x", "b": " "}, "a", "must not be empty"),
        ("", {"a": "x", "b": "y"}, "a", "must not be empty"),
    ],
)
def test_a_faulty_quiz_is_refused(question, answers, correct, message):
    with pytest.raises(ValueError, match=message):
        quiz(question, answers, correct=correct)
