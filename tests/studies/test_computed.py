"""C01, C02, C07, C08 and C20: what is measured, checked where the answer is known otherwise."""

import numpy as np
import pytest
import torch

from optkit.studies import first_steps, ledger, quadratics, spurious_point


def test_the_boundary_is_two_over_the_largest_eigenvalue_and_moves_with_it():
    found = np.array([quadratics.boundaries(size, seeds=(0, 1)) * size for size in (0.5, 3.0)])
    assert np.abs(found / 2 - 1).max() < 2e-3
    assert (found > 2).all()  # a factor 1 + h that does not yet show in 2,000 steps


@pytest.mark.parametrize("condition", [5, 50])
def test_rates_agree_with_the_eigenvalues_of_the_iteration(condition):
    """The spectral radius of the 2×2 matrices of heavy ball, and of 1 − ελ, by NumPy."""
    eigenvalues = np.geomspace(1, condition, 10)
    for name, found in quadratics.formulas(condition).items():
        lr, momentum = found["lr"], found.get("momentum", 0.0)
        radius = max(
            abs(np.linalg.eigvals([[1 + momentum - lr * one, -momentum], [1, 0]])).max()
            for one in eigenvalues
        )
        assert radius == pytest.approx(found["rate"], rel=1e-6)
        measured = quadratics.rates(condition, name, seeds=(0, 1, 2))
        assert np.log(measured) == pytest.approx(np.log(radius), rel=0.04)


def test_effective_rates_are_those_of_torch():
    draw = torch.Generator().manual_seed(0)
    gradients = torch.randn(30, 4, dtype=torch.float64, generator=draw)
    theta = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.RMSprop([theta], lr=1.0, alpha=0.9, eps=0.0)
    expected = []
    for g in gradients:
        before, theta.grad = theta.detach().clone(), g.clone()
        optimizer.step()
        expected.append((before - theta.detach()) / g)
    found = first_steps.effective_rates("rmsprop", gradients.numpy(), rho=0.9, eps=0.0)
    np.testing.assert_allclose(found, torch.stack(expected).numpy(), rtol=1e-12)


def test_the_first_step_of_adam_in_closed_form():
    g = np.array([1e-4, -0.3, 20.0])
    corrected = np.abs(g) / np.sqrt(g * g + 1e-8)
    np.testing.assert_allclose(first_steps.first_step(g, bias_correction=True), corrected, rtol=1e-12)
    bare = 0.1 * np.abs(g) / np.sqrt(0.001 * g * g + 1e-8)
    np.testing.assert_allclose(first_steps.first_step(g, bias_correction=False), bare, rtol=1e-9)


@pytest.mark.parametrize("name", spurious_point.OPTIMIZERS)
def test_a_start_at_the_spurious_point_stays_and_one_beside_it_leaves(name):
    start = torch.tensor([0.0, 1e-3], dtype=torch.float64)
    stayed, moved, slope = spurious_point.walk(name, start, 50)
    assert stayed.tolist() == [True, False] and moved.tolist() == [False, True]
    assert slope.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("id", ["C01", "C02", "C07", "C08", "C20"])
def test_the_ledger_can_print_them(id):
    row = ledger.claim(id).row()
    assert row["verdict"] in ledger.VERDICTS and row["seeds"]
    assert row["command"] == f"optkit claims {row['command'].removeprefix('optkit claims ')}"
    assert id in row["command"]
