"""The cost of a step: what is measured has its shape, what is fitted is the law that made it."""

import pytest
import torch

from optkit.models import logistic_regression
from optkit.noise import fit_step_cost, gradient_seconds


def test_each_size_is_measured_and_the_weights_stay():
    model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
    before = [weight.detach().clone() for weight in model.parameters()]
    taken = gradient_seconds(model, torch.ones(9, 1, 2, 2), torch.zeros(9).long(), [1, 3, 9], repeats=2)
    assert taken.shape == (2, 3) and (taken > 0).all()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(weight.grad is None for weight in model.parameters())


def test_numbers_out_of_range_are_refused():
    model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
    data = torch.ones(4, 1, 2, 2), torch.zeros(4).long()
    with pytest.raises(ValueError, match=r"sizes must be 1 … 4"):
        gradient_seconds(model, *data, [1, 5])
    with pytest.raises(ValueError, match="repeats must be >= 1"):
        gradient_seconds(model, *data, [1], repeats=0)
    with pytest.raises(ValueError, match="2 sizes at least"):
        fit_step_cost([4, 4], [1.0, 1.0])
    with pytest.raises(ValueError, match="seconds > 0"):
        fit_step_cost([1, 4], [1.0, 0.0])


def test_the_two_parts_are_found():
    cost = fit_step_cost([1, 8, 64, 512], [0.25 + 0.125 * m for m in (1, 8, 64, 512)])
    assert (cost.step, cost.example, cost.even) == pytest.approx((0.25, 0.125, 2.0))
    free = fit_step_cost([1, 8], [1.0, 1.0])
    assert free.example == pytest.approx(0.0, abs=1e-12)
