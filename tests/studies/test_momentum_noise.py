"""The measured jitter agrees with formulas that the measurement does not use."""

import pytest

from optkit.studies.momentum_noise import jitter, jitter_table


@pytest.mark.parametrize(
    ("curvature", "lr", "momentum"), [(1.0, 0.1, 0.0), (18.0, 0.1, 0.9), (2.0, 0.02, 0.8)]
)
def test_the_step_jitters_as_its_formula_says(curvature, lr, momentum):
    _, step = jitter(curvature, lr=lr, momentum=momentum, noise=0.5)
    variance = 2 * (lr * 0.5) ** 2 / ((1 - momentum) * (2 * (1 + momentum) - lr * curvature))
    assert step == pytest.approx(variance**0.5, rel=0.02)


def test_every_row_of_the_table_agrees_with_the_formula():
    table = jitter_table({"plain": (0.1, 0.0), "with momentum": (0.01, 0.9)}, [1.0, 18.0])
    assert list(table["setting"]) == ["plain", "with momentum"] * 2
    assert table["std of θ"].to_numpy() == pytest.approx(table["by formula"].to_numpy(), rel=0.03)


def test_at_equal_effective_rate_momentum_is_quieter_in_steep_directions_only():
    table = jitter_table({"plain": (0.1, 0.0), "with momentum": (0.01, 0.9)}, [1.0, 18.0])
    gentle, steep = (table[table["λ"] == curvature]["std of θ"].to_numpy() for curvature in (1.0, 18.0))
    assert gentle[0] / gentle[1] == pytest.approx(1.0, abs=0.06)
    assert steep[0] / steep[1] > 2.5
