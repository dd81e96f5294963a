"""The split program makes the same bits as the rule, and hoists what it should."""

import ast

import numpy as np
import pytest

from optkit.rules import RULES, rule, sqrt
from optkit.translation import program


def flag_choices(r):
    """Every combination of the rule's flags."""
    flags = [name for name, hyper in r.hyperparameters.items() if hyper.is_flag]
    for number in range(2 ** len(flags)):
        yield {name: bool(number >> place & 1) for place, name in enumerate(flags)}


CASES = [(r, flags) for r in RULES.values() for flags in flag_choices(r)]
IDS = ["-".join([r.name, *(f"{k}={v}" for k, v in flags.items())]) for r, flags in CASES]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("r", "flags"), CASES, ids=IDS)
def test_the_program_equals_the_rule_bit_for_bit(r, flags, dtype):
    split = program(r)
    values = r.defaults() | flags | dict.fromkeys(r.inputs, 1.7)
    random = np.random.default_rng(0)
    by_rule = [random.standard_normal(64).astype(dtype), *(np.zeros(64, dtype) for _ in r.state)]
    by_program = list(by_rule)
    for t in range(1, 31):
        g = random.standard_normal(64).astype(dtype)
        by_rule = r(by_rule[0], g, *by_rule[1:], t, **values)
        by_program = split.arrays(by_program[0], g, *by_program[1:], **split.scalars(t, **values))
        for expected, found in zip(by_rule, by_program, strict=True):
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("r", RULES.values(), ids=RULES)
def test_the_array_part_holds_no_scalar_arithmetic(r):
    split = program(r)

    def has_array(node):
        scalar = {*split.hoisted, "pi"}
        return any(
            isinstance(n, ast.Name) and n.id not in scalar and n.id not in ("sqrt", "sign")
            for n in ast.walk(node)
        )

    for statement in split.array_part:
        for node in ast.walk(statement):
            if isinstance(node, ast.BinOp):
                assert has_array(node), f"not hoisted: {ast.unparse(node)}"


def test_powers_are_hoisted_once():
    split = program(RULES["radam"])
    assert "1 - beta2 ** t" in split.hoisted_source.values()
    assert "**" not in "".join(ast.unparse(node) for node in split.array_part)


def test_a_branch_not_taken_is_not_evaluated():
    # ρ_t ≤ 4 makes the rectification the root of a negative number: it must stay unevaluated.
    split = program(RULES["radam"])
    scalars = split.scalars(1, **RULES["radam"].defaults())
    assert scalars[split.conditions[0]] is False


def test_a_scalar_that_changes_is_hoisted_at_its_place():
    @rule
    def twice(theta, g, t, *, lr=0.1):
        rate = lr
        theta = theta - rate * g
        rate = rate * 2
        theta = theta - rate * sqrt(g)
        return theta

    split = program(twice)
    assert split.arrays(10.0, 4.0, **split.scalars(1, lr=1.0)) == twice(10.0, 4.0, 1, lr=1.0) == (2.0,)


def test_only_a_formula_has_a_program():
    with pytest.raises(TypeError, match="must be a rule or a formula, got str"):
        program("adam")
