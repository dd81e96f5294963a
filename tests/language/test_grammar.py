"""What the grammar refuses, and that the refusal helps."""

import pytest

from optkit.language import LanguageError, formula, sqrt
from optkit.rules import RULES, rule

LIMIT = 3.0


def refused(function, decorator=formula):
    with pytest.raises(LanguageError) as caught:
        decorator(function)
    error = caught.value
    assert error.filename == __file__
    assert error.remedy and str(error).startswith(f"{__file__}:{error.lineno}: ")
    return error


def test_a_loop_is_refused_with_file_line_and_remedy():
    def looped(x):
        for _ in range(3):
            x = x * x
        return x

    error = refused(looped)
    assert error.lineno == looped.__code__.co_firstlineno + 1
    assert "a for loop" in str(error) and "let the caller loop" in str(error)
    assert "for _ in range(3):" in str(error), "the offending line is shown"


def test_the_line_is_right_below_decorators_and_docstrings():
    def keep(function):
        return function

    @keep
    @keep
    def wide(x):
        """One line.

        More.
        """
        y = x + 1
        y += 1
        return y

    error = refused(wide)
    assert error.lineno == wide.__code__.co_firstlineno + 8
    assert "write name = name + … in full" in str(error)


def power(x):
    return x**2


def attribute(x):
    import math

    return math.sqrt(x)


def method(x):
    return x.sum()


def index(x):
    return x[0]


def ternary(x, *, a=1.0):
    y = x if a > 0 else -x
    return y


def chain(x, *, a=1.0):
    if 0 < a < 1:
        x = -x
    return x


def array_condition(x):
    if x > 0:
        x = -x
    return x


def number_as_flag(x, *, a=1.0):
    if a:
        x = -x
    return x


def flag_in_arithmetic(x, *, inside=True):
    return x * inside


def outside(x):
    return x * LIMIT


def unknown_name(x):
    return x * nowhere  # noqa: F821


def maybe_undefined(x, *, a=1.0):
    if a > 0:
        y = x
    return y


def two_kinds(x, *, a=1.0):
    y = a
    y = x
    return y


def early(x, *, a=1.0):
    if a > 0:
        return x
    return -x


def nothing(x):
    x = x + 1


def several_targets(x):
    y = z = x
    return y + z


def unpacking(x):
    y, z = x, x
    return y + z


def default_of_array(x=1.0):
    return x


def star(*x):
    return 1.0


def text(x, *, a="a"):
    return x


def truth(x):
    return x * True


def modulo(x):
    return x % 2


def reserved(x):
    new = x
    return new


def greek(θ):
    return θ


def shadow(x):
    pi = x
    return pi


def wrong_arity(x):
    return sqrt(x, x)


def nested(x):
    def inner(y):
        return y

    return x


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (power, "write the product, as in g * g"),
        (attribute, "import the function above"),
        (method, "call the function by its own name"),
        (index, "a parameter of its own"),
        (ternary, "write if and else as statements"),
        (chain, "join two comparisons by and"),
        (array_condition, "decide on scalars"),
        (number_as_flag, "compare it"),
        (flag_in_arithmetic, "write if inside"),
        (outside, "make it a keyword-only parameter"),
        (unknown_name, "assign it first"),
        (maybe_undefined, "assign it in every branch"),
        (two_kinds, "use two names"),
        (early, "return once, at the end"),
        (nothing, "end it with one return"),
        (several_targets, "one name = expression a line"),
        (unpacking, "one name = expression a line"),
        (default_of_array, "after a bare *"),
        (star, "name each array"),
        (text, "or True or False"),
        (truth, "use numbers only"),
        (modulo, "use + - * / or **"),
        (reserved, "choose another name"),
        (greek, "write its ASCII name"),
        (shadow, "choose another name"),
        (wrong_arity, "give it 1"),
        (nested, "define the function outside"),
    ],
)
def test_outside_the_grammar(function, words):
    assert words in refused(function).remedy


def test_another_librarys_function_is_refused():
    from math import sqrt as root

    namespace = {"sqrt": root}

    def distance(x):
        return sqrt(x)

    import types

    borrowed = types.FunctionType(distance.__code__, namespace, "distance")
    error = refused(borrowed)
    assert "math.sqrt" in str(error) and "from optkit.rules import sqrt" in str(error)


def test_a_function_without_source_is_refused():
    namespace = {}
    exec("def bare(x):\n    return x", namespace)
    with pytest.raises(LanguageError, match="in a file or a notebook cell"):
        formula(namespace["bare"])
    with pytest.raises(LanguageError, match="define it with def"):
        formula(lambda x: x)


def test_rules_have_the_shape_of_rules():
    def no_state_returned(theta, g, v, t, *, lr=0.1):
        theta = theta - lr * g
        return theta

    def no_step(theta, g, *, lr=0.1):
        return theta

    def expression_returned(theta, g, t, *, lr=0.1):
        return theta - lr * g

    def bad_default(theta, g, t, *, lr=-0.1):
        theta = theta - lr * g
        return theta

    def free_scalar(theta, g, t, *, lr):
        theta = theta - lr * g
        return theta

    assert "return theta, v" in refused(no_state_returned, rule).remedy
    assert "theta, g, the state arrays, t" in refused(no_step, rule).remedy
    assert "return theta" in refused(expression_returned, rule).remedy
    assert "lr must be >= 0, got -0.1" in str(refused(bad_default, rule))
    assert "name them in inputs=" in refused(free_scalar, rule).remedy


def test_problem_functions_are_refused_in_rules():
    from optkit.language import cos

    def wave(theta, g, t, *, lr=0.1):
        theta = theta - lr * cos(g)
        return theta

    assert "abs" in refused(wave, rule).remedy


def test_a_formula_is_the_function_itself():
    @formula
    def parabola(x, *, a=2.0):
        """Half a times x squared."""
        return a / 2 * x * x

    assert parabola(3.0) == 9.0
    assert parabola.arrays == ("x",) and dict(parabola.scalars) == {"a": 2.0}
    assert parabola.description == "Half a times x squared."
    assert parabola.source.startswith("def parabola(x, *, a=2.0):")


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("lr", -0.1, ValueError, "lr must be >= 0, got -0.1"),
        ("lr", float("nan"), ValueError, "lr must be >= 0, got nan"),
        ("lr", float("inf"), ValueError, "got inf"),
        ("lr", "0.1", TypeError, "lr must be a number, got '0.1'"),
        ("beta1", 1.0, ValueError, r"beta1 must be in \[0, 1\), got 1"),
        ("eps_inside", 1, TypeError, "eps_inside must be True or False, got 1"),
        ("gamma", 1.0, TypeError, "gamma is no hyper-parameter of adam; it has lr, beta1"),
    ],
)
def test_hyperparameters_are_checked(name, value, error, words):
    with pytest.raises(error, match=words):
        RULES["adam"].check(**{name: value})


def test_a_rule_travels_by_name():
    import pickle

    for registered in RULES.values():
        assert pickle.loads(pickle.dumps(registered)) is registered
