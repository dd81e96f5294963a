"""A rule typed into a notebook cell is as good as one in a file."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from optkit.language import LanguageError
from optkit.translation import to_javascript, to_latex

CELL = """
from optkit.rules import rule, sign

@rule
def lion_like(theta, g, s, t, *, lr=0.01, beta1=0.9, beta2=0.99):
    \"\"\"Step by the sign of a mixture of the old moment and the gradient.\"\"\"
    theta = theta - lr * sign(beta1 * s + (1 - beta1) * g)
    s = beta2 * s + (1 - beta2) * g
    return theta, s
"""


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cell_defines_a_rule_and_redefines_it(shell):
    assert shell.run_cell(CELL, store_history=True).success
    first = shell.user_ns["lion_like"]
    assert first(1.0, -2.0, 0.0, 1) == (1.01, pytest.approx(-0.02))
    assert r"\operatorname{sign}\left(\rho_1\,s + (1 - \rho_1)\,g\right)" in to_latex(first)
    assert "Math.sign(beta1 * s + (1 - beta1) * g)" in to_javascript(first)
    # The reader edits the cell and runs it again: the new text counts.
    assert shell.run_cell(CELL.replace("theta - lr", "theta - 2 * lr"), store_history=True).success
    again = shell.user_ns["lion_like"]
    assert again(1.0, -2.0, 0.0, 1)[0] == 1.02
    assert "2 * lr * (Math.sign" in to_javascript(again)
    assert first(1.0, -2.0, 0.0, 1)[0] == 1.01


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cell_outside_the_grammar_is_refused_with_its_line(shell, capsys):
    result = shell.run_cell(CELL.replace("return theta, s", "return theta, max(s, 0)"), store_history=True)
    error = result.error_in_exec
    assert isinstance(error, LanguageError)
    assert error.lineno == 8 and "max" in str(error)
