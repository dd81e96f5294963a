"""Formulas as trees for a page: every symbol of the course has one, and every line of every rule."""

import json

import pytest

from optkit.problems import PROBLEMS
from optkit.rules import RULES, maximum, rule
from optkit.schedules import SCHEDULES
from optkit.translation.mathml import Lines, symbol_tree

TAGS = {"mi", "mn", "mo", "mrow", "msub", "msup", "mfrac", "msqrt", "mover", "mtext", "slot", "times"}


def tags(tree):
    return set() if isinstance(tree, str) else {tree[0]}.union(*map(tags, tree[1:]))


def texts(tree, numbers=None):
    """A tree as a line of plain text, with numbers for the slots that are given."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "slot":
        return str(numbers[tree[1]]) if numbers else texts(tree[2])
    if tree[0] == "times":
        return "·"
    parts = [texts(child, numbers) for child in tree[1:]]
    return {"mfrac": "[{0}/{1}]", "msup": "{0}^{1}", "msub": "{0}_{1}"}.get(
        tree[0], "{}" * len(parts)
    ).format(*parts)


@pytest.mark.parametrize(
    ("latex", "text"),
    [(r"\rho_1", "ρ_1"), (r"\hat{s}", "s^"), (r"\rho_{\infty}", "ρ_∞"), (r"\mathrm{a\ b}", "a b"),
     (r"\lVert g\rVert_2", "‖g‖_2"), ("f_T", "f_T"), ("w_{12}", "w_12"), (r"\theta^{+}", "θ^+")],
)  # fmt: skip
def test_symbols(latex, text):
    assert texts(symbol_tree(latex)) == text


def test_what_is_no_symbol_is_refused():
    with pytest.raises(ValueError, match="symbol must be"):
        symbol_tree("a}b")


@pytest.mark.parametrize(
    "owner", [*RULES.values(), *PROBLEMS.values(), *SCHEDULES.values()], ids=lambda o: o.name
)
def test_every_symbol_and_line_of_the_course_has_a_tree(owner):
    for hyper in owner.hyperparameters.values():
        assert hyper.symbol is None or tags(symbol_tree(hyper.symbol)) <= TAGS
    found = Lines(owner)
    for line in found.lines:
        assert tags(next(iter(line.values()))) <= TAGS
    json.dumps(found.lines)


def test_lines_say_the_formula_in_its_order():
    lines = Lines(RULES["adam"]).lines
    said = [f"{texts(line['left'])} = {texts(line['right'])}" for line in lines]
    assert said[0] == "s = ρ_1·s+(1−ρ_1)·g"
    assert said[2] == "s^ = [s/1−ρ_1^t]"
    assert said[6] == "θ = θ−[ϵ·s^/r^+δ]"


def test_a_difference_on_the_right_keeps_its_brackets():
    @rule
    def odd(theta, g, t, *, lr=1.0):
        theta = theta - (lr - (g + lr)) * -(g / (theta / g))
        theta = maximum(theta, -g)
        return theta

    found = Lines(odd)
    assert texts(found.lines[0]["right"]) == "θ−(ϵ−(g+ϵ))·(−[g/[θ/g]])"
    numbers = {"theta": 1, "g": 2, "lr": 3}
    assert texts(found.lines[1]["right"], numbers) == "maximum(1,−2)".replace("maximum", "max")


def test_numeric_conditions_stand_as_lines_and_flags_do_not():
    conditions = [line for line in Lines(RULES["radam"]).lines if "if" in line]
    assert [texts(line["if"]) for line in conditions] == ["ρ_t>ρ_min"]
