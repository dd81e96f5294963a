"""Bytes and operations for every weight: held against the C, which is what moves them."""

import re

import pytest

from optkit.rules import RULES
from optkit.translation import to_c
from optkit.translation.traffic import traffic


def loop(rule, dtype):
    """The lines that run for every weight."""
    text = to_c(rule, dtype=dtype)
    return text[text.index("for (long long i = 0") :].split("\n    }\n")[0].splitlines()[1:]


@pytest.mark.parametrize("dtype, sizes", [("float32", (4, 4)), ("float64", (8, 8)), ("bfloat16", (2, 4))])
@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_bytes_and_operations_are_those_of_the_loop(rule, dtype, sizes):
    lines = [line.strip() for line in loop(rule, dtype)]
    size = {"theta_at": sizes[0], "g_at": sizes[0]}
    loads = [re.search(r"(\w+_at)\[i\]\)?;", line)[1] for line in lines if re.search(r"= .*_at\[i\]", line)]
    stores = [line.split("[")[0] for line in lines if re.match(r"\w+_at\[i\] =", line)]
    one = traffic(rule, dtype=dtype)
    assert one.read == sum(size.get(name, sizes[1]) for name in loads)
    assert one.written == sum(size.get(name, sizes[1]) for name in stores)
    assert one.moved == one.read + one.written
    body = " ".join(line.split("=", 1)[1] for line in lines if "_at[i]" not in line)
    body = re.sub(r"\(real\)-?", "", body)
    binary = len(re.findall(r" [-+*/] ", body))
    unary = len(re.findall(r"(?<![\w)] )-(?=[\w(])", body))
    calls = len(re.findall(r"\b(square_root|magnitude|sign|minimum|maximum)\(", body))
    assert one.operations == binary + unary + calls > 0


def test_a_step_without_the_corrections_has_two_divisions_less():
    adam = RULES["adam"]
    assert traffic(adam).operations - traffic(adam, bias_correction=False).operations == 2
    assert traffic(RULES["sam_perturbation"], grad_norm=2.0).moved == 12


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="dtype must be float32, float64, bfloat16 or float16, got 'int8'"):
        traffic(RULES["adam"], dtype="int8")
