"""The LaTeX of every rule: readable, in the course's symbols, and unchanged unless somebody means it."""

from pathlib import Path

import pytest

from optkit.language import cos, formula, pi, sqrt
from optkit.rules import RULES, rule
from optkit.translation import latex_lines, to_latex
from optkit.translation.symbols import symbol

SNAPSHOT = Path(__file__).with_name("formulas.txt")


def test_snapshot_of_every_rule():
    """To accept a change: look at it, then write this text to formulas.txt."""
    text = "\n\n".join(f"{name}\n{to_latex(r)}" for name, r in RULES.items()) + "\n"
    assert text == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("r", RULES.values(), ids=RULES)
def test_every_number_symbol_of_the_rule_is_printed(r):
    printed = to_latex(r)
    for name, hyper in r.hyperparameters.items():
        assert hyper.is_flag or hyper.symbol in printed, name
    for name in ("theta", *r.state):
        assert symbol(name) in printed


def test_hats_stay_hats_and_flags_decide_the_branch():
    course = to_latex(RULES["adam"])
    assert r"\hat{s} &= \frac{s}{1 - \rho_1^{t}}" in course
    assert r"\sqrt{\hat{r} + \delta}" in course
    torch_form = to_latex(RULES["adam"], eps_inside=False)
    assert r"\sqrt{\hat{r}} + \delta" in torch_form and r"\sqrt{\hat{r} + \delta}" not in torch_form
    assert r"\hat{s} &= s" in to_latex(RULES["adam"], bias_correction=False)


def test_radam_has_two_labelled_cases():
    lines = latex_lines(RULES["radam"])
    assert [line.condition for line in lines if line.condition] == [
        r"\textbf{if } \rho_{t} > \rho_{\min}\textbf{:}",
        r"\textbf{otherwise:}",
    ]
    assert lines[-1].depth == 1


def test_nesterov_says_where_the_gradient_is_taken():
    assert (
        to_latex(RULES["nesterov"]).splitlines()[1] == r"g &= \nabla J\left(\theta + \alpha\,v\right) \\[4pt]"
    )


def test_precedence_and_powers():
    @formula
    def knots(x, y, *, a=3.0, n=2.0):
        inner = (x - y) * (x - y) - (x - (y - a)) / 2
        return -(x + y) * inner * 2 + (-a) ** n + sqrt(x) * (1 / y) * cos(2 * pi * x)

    lines = to_latex(knots, left="f").splitlines()
    assert lines[1] == r"\mathrm{inner} &= (x - y)^{2} - \frac{x - (y - a)}{2} \\[4pt]"
    assert lines[2] == (
        r"f &= \left(-(x + y)\right)\,\mathrm{inner} \cdot 2 + \left(-a\right)^{n}"
        r" + \sqrt{x}\,\frac{1}{y}\,\cos\left(2\,\pi\,x\right)"
    )


def test_conditions_read_as_words():
    @rule
    def staged(theta, g, t, *, lr=0.1, last=10.0, nesterov=True):
        if t > 1 and (t <= last or t == 2 or nesterov):
            theta = theta - lr * g
        return theta

    assert r"\textbf{if } t > 1\textbf{:}" in to_latex(staged)
    plain = to_latex(staged, nesterov=False)
    assert r"\textbf{if } t > 1 \textbf{ and } (t \le \mathrm{last} \textbf{ or } t = 2)\textbf{:}" in plain


def test_unknown_flags_are_refused():
    with pytest.raises(TypeError, match="its flags: eps_inside, bias_correction"):
        to_latex(RULES["adam"], amsgrad=True)
    with pytest.raises(TypeError, match="its flags: none"):
        to_latex(RULES["gradient_descent"], lr=True)


def test_a_step_is_told_by_its_assignments_alone():
    from optkit.averages import ewma_normalised_step, ewma_step

    assert to_latex(ewma_step).splitlines()[1:-1] == [
        r"&\textbf{if } t = 1\textbf{:} \\[4pt]",
        r"&\quad v \leftarrow g \\[4pt]",
        r"&\textbf{otherwise:} \\[4pt]",
        r"&\quad v \leftarrow \alpha\,v + (1 - \alpha)\,g",
    ]
    assert to_latex(ewma_normalised_step).splitlines()[-2] == r"v &= \frac{s}{1 - \alpha^{t}}"


@pytest.mark.parametrize(
    ("name", "latex"),
    [("_", r"\mathrm{\_}"), ("x_", r"\mathrm{x\_}"), ("_x", r"\mathrm{\_x}"), ("a__b", r"a_{\mathrm{\_b}}")],
)
def test_an_underscore_at_an_end_of_a_name_is_no_subscript(name, latex):
    assert symbol(name) == latex
