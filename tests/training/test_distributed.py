"""Two processes under torchrun train the net of one; and what a process's share of a batch is."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from optkit.__main__ import main
from optkit.training import History
from optkit.training.distributed import Share

BIN = Path(sys.executable).parent
# 1,497 images: the last mini-batch of an epoch has 23, and 67 and 23 are odd, so the shares differ.
WORDS = ["train", "--data", "digits", "--model", "mlp", "--steps", "30", "--batch-size", "67"]
WORDS += ["--lr", "0.1", "--option", "momentum=0.9", "--option", "nesterov=True"]


def torchrun(processes, *words):
    command = [BIN / "torchrun", "--standalone", f"--nproc-per-node={processes}", "-m", "optkit", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_two_processes_train_the_net_of_one(tmp_path, capsys):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    assert main([*WORDS, "--history", str(one), "--checkpoint", str(tmp_path / "one.pt")]) == 0
    done = torchrun(2, *WORDS, "--history", str(two), "--checkpoint", str(tmp_path / "two.pt"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 processes on cpu") and done.stdout.count("process") == 1
    first, second = History.from_csv(one), History.from_csv(two)
    assert len(first) == len(second) == 31
    for column in ("step", "epoch", "gradients", "lr", "loss", "train_loss", "test_loss"):
        here, there = first.curve(column)[1], second.curve(column)[1]
        assert here == pytest.approx(there, rel=2e-5), column
    nets = [torch.load(tmp_path / name, weights_only=True)["model"] for name in ("one.pt", "two.pt")]
    for name, weight in nets[0].items():
        torch.testing.assert_close(weight, nets[1][name], rtol=1e-4, atol=1e-6)
        assert not torch.equal(weight, torch.zeros_like(weight))
    # The one process goes on from what the two have written.
    longer = ["--steps" if word == "--steps" else "40" if word == "30" else word for word in WORDS]
    assert main([*longer, "--checkpoint", str(tmp_path / "two.pt"), "--history", str(one)]) == 0
    assert len(History.from_csv(one)) == 41


@pytest.mark.parametrize("images", [1, 2, 3, 8])
def test_the_shares_of_a_batch_are_the_batch(images):
    """Gradients averaged over the processes are those of the whole batch, also with an idle process."""
    net = torch.nn.Linear(3, 1, dtype=torch.float64)
    batch = torch.randn(images, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = torch.autograd.grad((net(batch) ** 2).mean(), net.weight)[0]
    total, seen, weights = torch.zeros_like(whole), 0, 0.0
    for rank in range(3):
        share = SimpleNamespace(rank=rank, processes=3)
        part, labels, weight = Share.of(share, batch, torch.arange(images))
        assert len(part) == len(labels) >= 1
        seen += len(part) if weight else 0
        weights += weight
        loss = Share.weighted(share, (net(part) ** 2).mean(), weight)
        total += torch.autograd.grad(loss, net.weight)[0] / 3
    torch.testing.assert_close(total, whole, rtol=1e-12, atol=1e-12)
    assert seen == images and weights == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "resnet"], "model must be one of lenet"),
        (["--optimizer", "Sgd"], "optimizer must be one of INNA, SGD"),
        (["--option", "momentum"], "option must be NAME=VALUE, got 'momentum'"),
        (["--lr", "-1"], "lr must be"),
        (["--history", "run.txt"], "history must end in .csv or .json, got run.txt"),
        (["--batch-size", "0"], "batch_size must be a whole number >= 1, got 0"),
    ],
)
def test_bad_words_are_named(words, message, capsys):
    assert main(["train", "--data", "digits", "--model", "mlp", "--steps", "1", *words]) == 1
    assert message in capsys.readouterr().err


def test_checkpoints_and_json_from_the_command_line(tmp_path, capsys):
    words = [
        "train",
        "--data",
        "digits",
        "--model",
        "logistic_regression",
        "--optimizer",
        "Adam",
        "--epochs",
        "1",
    ]
    assert (
        main([*words, "--history", str(tmp_path / "run.json"), "--checkpoint", str(tmp_path / "run.pt")]) == 0
    )
    assert "1 process on cpu: History(24 steps" in capsys.readouterr().out
    assert len(History.from_json(tmp_path / "run.json")) == 25
