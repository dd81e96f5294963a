"""C07, C08 and C20: what is measured, checked where the answer is known otherwise."""

import numpy as np
import pytest
import torch

from optkit.studies import first_steps, ledger, spurious_point


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


@pytest.mark.parametrize("id", ["C07", "C08", "C20"])
def test_the_ledger_can_print_them(id):
    row = ledger.claim(id).row()
    assert row["verdict"] in ledger.VERDICTS and row["seeds"]
    assert row["command"] == f"optkit claims {row['command'].removeprefix('optkit claims ')}"
    assert id in row["command"]
