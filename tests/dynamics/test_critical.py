"""Subdifferentials of sums, and what torch makes of the example that has no critical point."""

import pytest
import torch

import optkit.optim as optim
from optkit.dynamics import Interval, clarke_subdifferential, is_d_critical, sum_of_subdifferentials


def relu(t):
    return max(t, 0.0)


def test_clarke_of_pieces_that_are_parabolas():
    def kinked(t):
        return t * t + 3 * t if t > 1 else 5 * t - t * t

    assert clarke_subdifferential(kinked, 1.0, step=0.25) == Interval(3.0, 5.0)
    assert clarke_subdifferential(kinked, 0.0, step=0.25) == Interval(5.0, 5.0)


def test_the_sum_of_subdifferentials_is_larger_than_that_of_the_sum():
    terms = [abs, lambda t: -abs(t)]
    assert sum_of_subdifferentials(terms, 0.0) == Interval(-2.0, 2.0)
    assert clarke_subdifferential(lambda t: sum(term(t) for term in terms), 0.0) == Interval(0.0, 0.0)
    assert sum_of_subdifferentials(terms, 1.0) == Interval(0.0, 0.0)


def test_relu_of_t_minus_relu_of_minus_t_is_d_critical_at_zero_alone():
    terms = [relu, lambda t: -relu(-t)]
    assert sum_of_subdifferentials(terms, 0.0) == Interval(0.0, 2.0)
    assert is_d_critical(terms, 0.0)
    assert not any(is_d_critical(terms, t) for t in (-1.0, -1e-3, 1e-3, 1.0))
    assert clarke_subdifferential(lambda t: relu(t) - relu(-t), 0.0) == Interval(1.0, 1.0)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "RAdam", "INNA"])
def test_autograd_gives_zero_there_and_optimizers_stay(name):
    t = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = getattr(optim, name)([t], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        (torch.relu(t) - torch.relu(-t)).backward()
        assert t.grad.item() == 0.0
        optimizer.step()
    assert t.item() == 0.0


def test_what_has_no_subdifferential_is_refused():
    with pytest.raises(ValueError, match="terms must be 1 at least, got none"):
        is_d_critical([], 0.0)
    with pytest.raises(ValueError, match="step must be > 0 and finite, got 0"):
        clarke_subdifferential(abs, 0.0, step=0.0)
    with pytest.raises(ValueError, match="function must be finite around t"):
        clarke_subdifferential(lambda t: float("inf"), 0.0)
