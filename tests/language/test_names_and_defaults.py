"""Names and defaults that are right in Python and wrong elsewhere, and texts that are not what runs."""

import enum
import functools

import numpy as np
import pytest

from optkit.language import LanguageError, formula
from optkit.rules import RULES, rule
from optkit.translation import program, to_javascript

RIGHT = """
from optkit.language import formula

@formula
def {name}(x, *, {option}=2.0):
    {local} = x * {option}
    return {local}
"""


def executed(tmp_path, text):
    file = tmp_path / "written.py"
    file.write_text(text, encoding="utf-8")
    namespace = {}
    exec(compile(text, str(file), "exec"), namespace)
    return namespace


def defined(tmp_path, **names):
    names = {"name": "twice", "option": "a", "local": "y", **names}
    return executed(tmp_path, RIGHT.format(**names))[names["name"]]


@pytest.mark.parametrize("place", ["name", "option", "local"])
@pytest.mark.parametrize(
    "word",
    ["new", "Math", "eval", "implements", "template", "constructor", "valueOf", "sqrt", "pi", "θ", "__a"],
)
def test_a_word_that_another_language_keeps_is_no_name(place, word, tmp_path):
    assert defined(tmp_path)(3.0) == 6.0
    with pytest.raises(LanguageError, match="name") as caught:
        defined(tmp_path, **{place: word})
    assert caught.value.lineno == {"name": 5, "option": 5, "local": 6}[place]
    assert word in str(caught.value)


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        np.float64(0.1),
        np.float32(0.1),
        np.int64(1),
        np.True_,
        Number.ONE,
        10**400,
        2**60,
        float("inf"),
        float("nan"),
    ],
    ids=repr,
)
def test_a_default_is_a_python_number_that_every_language_has(value):
    def scaled(x, *, a=value):
        return a * x

    with pytest.raises(LanguageError, match="the default of a is"):
        formula(scaled)


def test_a_wrapped_function_is_refused():
    def doubled(function):
        @functools.wraps(function)
        def inner(*arguments):
            return 2 * function(*arguments)

        return inner

    with pytest.raises(LanguageError, match="put another function around plain; leave that decorator out"):

        @formula
        @doubled
        def plain(x):
            return x


BENT = """
from optkit.language import formula

if True:
    @formula
    def bent(x):
        '''First.

second line
        '''
# a comment
        y = x + 1
        {last}
"""


def test_comments_and_docstrings_may_begin_left_of_the_code(tmp_path):
    assert executed(tmp_path, BENT.format(last="return y"))["bent"].description == "First."
    with pytest.raises(LanguageError) as caught:
        executed(tmp_path, BENT.format(last="return y**2"))
    assert (caught.value.lineno, caught.value.text.strip()) == (13, "return y**2")


def test_a_local_t_is_declared_in_javascript():
    @formula
    def cubed(x):
        t = x * x
        return t * x

    assert "let t;" in to_javascript(cubed)


def test_another_abs_is_refused_with_a_remedy_that_works():
    def abs(x):
        return x

    def length(x):
        return abs(x)

    with pytest.raises(LanguageError, match="not Python's abs; give the other one another name"):
        formula(length)


def test_a_function_of_problems_is_imported_from_the_language():
    from math import cos

    def wave(x):
        return cos(x)

    with pytest.raises(LanguageError, match=r"from optkit\.language import cos"):
        formula(wave)


def test_what_a_rule_says_of_a_hyperparameter_is_checked():
    def descent(theta, g, t, *, lr=0.1):
        theta = theta - lr * g
        return theta

    with pytest.raises(
        LanguageError, match="the decorator gives lr minimum; give it any of description, high"
    ):
        rule(lr={"minimum": 0.0})(descent)
    with pytest.raises(LanguageError, match="the decorator gives lr default"):
        rule(lr={"default": 0.5})(descent)
    with pytest.raises(LanguageError, match="the decorator names momentum"):
        rule(momentum={"low": 0.0})(descent)


def test_gradient_at_fits_its_rule():
    def ahead(theta, v, *, momentum=0.9):
        return theta + momentum * v

    def descent(theta, g, t, *, momentum=0.1):
        theta = theta - momentum * g
        return theta

    def other_scalar(theta, *, reach=0.9):
        return theta + reach

    with pytest.raises(LanguageError, match=r"no function \(theta, \*, hyper…\) of one result"):
        rule(gradient_at=ahead)(descent)
    with pytest.raises(LanguageError, match="asks for reach"):
        rule(gradient_at=other_scalar)(descent)
    assert RULES["nesterov"].gradient_at.arrays == ("theta", "v")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"a": 0.0}, "no value at t=2, a=0.0: .*division by zero"),
        ({"a": -8.0}, "no value at t=2, a=-8.0: .*complex"),
        ({"a": 1e300}, "no value at t=2, a=1e.300: "),
    ],
)
def test_a_scalar_without_a_real_value_is_said_in_words(values, words):
    @formula
    def scaled(x, t, *, a=1.0):
        return a**2.5 * x * (1 / a**t)

    with pytest.raises(ValueError, match=words):
        program(scaled).scalars(2, **values)
