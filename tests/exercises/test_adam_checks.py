"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import pytest

from optkit.exercises import adam as checks
from optkit.exercises import check_adam_step, check_uncorrected_step
from optkit.rules import RULES


def test_the_solutions_are_accepted():
    assert check_uncorrected_step(lambda t, beta1, beta2: (1 - beta1**t) / (1 - beta2**t) ** 0.5).is_right

    def step(theta, g, s, r, t, lr, beta1, beta2, eps):
        options = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "eps_inside": False}
        return RULES["adam"](theta, g, s, r, t, **options)

    assert check_adam_step(step).is_right


@pytest.mark.parametrize("check", [check_adam_step, check_uncorrected_step])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda t, b1, b2: 1.0, "WITH the correction"),
        (lambda t, b1, b2: (1 - b1**t) / (1 - b2**t), "stands under a root"),
        (lambda t, b1, b2: (1 - b2**t) ** 0.5 / (1 - b1**t), "upside down"),
        (lambda t, b1, b2: b1**t / b2 ** (t / 2), "that are MISSING"),
        (lambda t, b1, b2: (1 - b1) / (1 - b2) ** 0.5, "first step, for every t"),
        (lambda t, b1, b2: (1 - b1 ** (t + 1)) / (1 - b2 ** (t + 1)) ** 0.5, "one too high"),
        (
            lambda t, b1, b2: (1 - b1 ** (t - 1)) / max(1 - b2 ** (t - 1), 1e-300) ** 0.5,
            "those of the step before",
        ),
        (lambda t, b1, b2: 3.0, "Let the gradient be 1"),
    ],
)
def test_mistakes_of_the_uncorrected_step(answer, hint):
    said = check_uncorrected_step(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (checks._uncorrected, "two corrections are missing"),
        (checks._inside, "δ stands inside"),
        (checks._corrected_state, "returned the corrected moments"),
        (checks._only_first, "Only s is corrected"),
        (checks._only_second, "Only r is corrected"),
        (checks._no_square, "not its square"),
        (checks._no_root, "There is no root"),
        (checks._uphill, "You walk uphill"),
        (checks._rmsprop, "this is RMSProp"),
        (checks._late, "update s and r first"),
        (checks._without_power, "grows with the step"),
        (checks._one_step_on, "one too high"),
        (checks._exchanged_decays, "decays are exchanged"),
        (checks._turned_weights, "KEPT of the old"),
        (checks._keras, "as in Keras"),
        (lambda *arguments: [checks._adam(*arguments)[place] for place in (0, 2, 1)], "s before r"),
        (lambda theta, g, s, r, t, *rest: (theta, 0.9 * s + 0.1 * g, 0.99 * r + 0.01 * g), "not its square"),
        (lambda theta, g, s, r, t, *rest: (r**0.5, 0.9 * s + 0.1 * g, 0.99 * r + 0.01 * g), "not its square"),
        (lambda *arguments: (1.0, 2.0), "Return three numbers"),
        (lambda *arguments: (0.0, 0.0, 0.0), "In order: update s"),
    ],
)
def test_mistakes_of_the_step(answer, hint):
    said = check_adam_step(answer)
    assert not said.is_right and hint in said.text
