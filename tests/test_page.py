"""Equations, sources and claims come from the rules and the ledger, and faulty ones are refused."""

import pytest

from optkit import page
from optkit.page import claims, equation, source, table
from optkit.rules import RULES
from optkit.translation import to_latex

ROW = {
    "id": "C01",
    "statement": "Stable iff $|x| < 1$.",
    "measured": 0.21,
    "spread": "0.20 to 0.22",
    "verdict": "holds",
}


@pytest.mark.parametrize("name", RULES)
def test_an_equation_is_the_rule_s_own(name):
    block = equation(name, label=f"eq-{name.replace('_', '-')}")
    assert to_latex(RULES[name]).strip() in block.markdown
    data, metadata = block._repr_mimebundle_()
    assert data["text/markdown"] == block.markdown
    assert metadata["optkit"]["label"] == f"eq-{name.replace('_', '-')}"
    # The text of a notebook refers to it by its label, which JupyterLab cannot turn into a number.
    assert block.markdown.splitlines()[0] == f"**{block.texts['title']}** ({block.texts['label']})"
    assert equation(name).markdown.splitlines()[0] == f"**{block.texts['title']}**"


def test_an_equation_follows_its_flags():
    variant = equation("adam", eps_inside=False, bias_correction=False)
    assert variant.markdown != equation("adam").markdown
    assert to_latex(RULES["adam"], eps_inside=False, bias_correction=False).strip() in variant.markdown


def test_a_title_is_the_label_of_the_palette_unless_given():
    assert equation("radam").texts["title"] == "RAdam"
    assert equation("radam", title="Rectified Adam").texts["title"] == "Rectified Adam"
    assert "label" not in equation("radam").texts


@pytest.mark.parametrize("name", RULES)
def test_a_source_is_the_rule_s_own(name):
    assert source(name).markdown == f"```python\n{RULES[name].source.strip()}\n```\n"
    assert source(RULES[name]) == source(name)


def test_unknown_rules_and_labels_are_refused():
    with pytest.raises(KeyError, match="no rule 'adamw'; there are gradient_descent"):
        equation("adamw")
    with pytest.raises(ValueError, match="label must look like eq-two-words, got 'adam'"):
        equation("adam", label="adam")


def test_claims_are_a_table_with_a_verdict_each():
    lines = claims([ROW, ROW | {"id": "C02", "verdict": "not reproduced here"}]).markdown.splitlines()
    assert len(lines) == 4
    assert lines[2] == r"| C01 | Stable iff $\|x\| < 1$. | 0.21 | 0.20 to 0.22 | ✓ holds |"
    assert lines[3].endswith("| ✗ not reproduced here |")


def test_the_command_that_repeats_a_measurement_stands_below_the_table():
    rows = [ROW | {"command": "make C01"}, ROW | {"id": "C02", "command": "make C01"}]
    assert claims(rows).markdown.endswith("\n\nMeasured again by `make C01` (C01, C02).\n")


def test_a_claim_without_its_spread_or_with_another_verdict_is_refused():
    with pytest.raises(ValueError, match="a claim needs spread"):
        claims([{key: value for key, value in ROW.items() if key != "spread"}])
    with pytest.raises(ValueError, match="verdict must be one of holds"):
        claims([ROW | {"verdict": "probably"}])


def test_a_table_has_its_heads_and_a_line_for_each_row():
    block = table(["$a$", "b"], [["|x|", 1], ["two\nlines", 2]])
    assert block.markdown.splitlines() == ["| $a$ | b |", "|---|---|", r"| \|x\| | 1 |", "| two lines | 2 |"]
    assert table(["a"], [[1]], below=["$b$"]).markdown == "| a |\n|---|\n| 1 |\n\n- $b$\n"
    assert block._repr_mimebundle_()[1]["optkit"] == {"kind": "table"}
    with pytest.raises(ValueError, match="a row must have 2 cells, one for each head, got 1"):
        table(["a", "b"], [["x"]])


def test_code_is_shown_as_it_is():
    block = page.code("\nint x;  // y\n", "c")
    assert block.kind == "source" and block.plain == "int x;  // y"
    assert block.markdown == "```c\nint x;  // y\n```\n"
