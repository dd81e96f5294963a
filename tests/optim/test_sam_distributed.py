"""SAM under DistributedDataParallel, two processes over gloo, against the same steps written out in one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORKER = Path(__file__).parent / "sam_worker.py"


def worker():
    spec = importlib.util.spec_from_file_location("sam_worker", WORKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written_out(devices, rho=0.5, lr=0.1, momentum=0.9):
    """Three steps in one process: θ ← θ − lr v, with the mean of the two halves' gradients."""
    made = worker()
    model, (x, y) = made.net(), made.data()
    theta = [p.detach().clone() for p in model.parameters()]
    velocity = [torch.zeros_like(p) for p in theta]

    def gradient(at, part):
        with torch.no_grad():
            for p, value in zip(model.parameters(), at, strict=True):
                p.copy_(value)
        loss = torch.nn.functional.cross_entropy(model(x[part]), y[part])
        return torch.autograd.grad(loss, list(model.parameters()))

    def climbed(g):
        norm = torch.cat([part.flatten() for part in g]).norm()
        return [p + rho * part / norm for p, part in zip(theta, g, strict=True)]

    halves = (slice(0, 4), slice(4, 8))
    for _ in range(3):
        clean = [gradient(theta, half) for half in halves]
        if devices == "together":
            clean = [[sum(parts) / 2 for parts in zip(*clean, strict=True)]] * 2
        above = [gradient(climbed(g), half) for g, half in zip(clean, halves, strict=True)]
        mean = [sum(parts) / 2 for parts in zip(*above, strict=True)]
        velocity = [momentum * v + g for v, g in zip(velocity, mean, strict=True)]
        theta = [p - lr * v for p, v in zip(theta, velocity, strict=True)]
    return theta


@pytest.mark.parametrize("devices", ["together", "each"])
def test_one_perturbation_or_one_for_each_device(devices, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPTKIT_BACKEND": "torch"}
    running = [
        subprocess.Popen(
            [sys.executable, WORKER, str(rank), tmp_path / "meeting", devices, tmp_path / f"{rank}.pt"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=240)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    one, other = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    for p, q, expected in zip(one, other, written_out(devices), strict=True):
        assert torch.equal(p, q)
        torch.testing.assert_close(p, expected, rtol=1e-10, atol=1e-12)


def test_the_two_ways_differ():
    pairs = zip(written_out("together"), written_out("each"), strict=True)
    assert max((p - q).abs().max() for p, q in pairs) > 1e-3
