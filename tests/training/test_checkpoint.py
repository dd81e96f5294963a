"""Checkpoints: a killed run goes on bit for bit, and what is not its own file is refused."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction

import pytest
import torch
from torch import nn

from optkit.data import digits, fashion_mnist
from optkit.models import lenet, mlp
from optkit.training import CheckpointError, train
from optkit.training.checkpoint import read, write


class Killed(Exception):
    """Stands for whatever ends a run."""


@pytest.fixture(scope="module")
def fashion():
    tensors = fashion_mnist().tensors()
    return type(tensors)(*(part[:300] for part in tensors))


@pytest.fixture(scope="module")
def small():
    return digits().tensors()


def net_with_everything(seed=0):
    """LeNet with dropout and batch normalisation: random stream and buffers count too."""
    return nn.Sequential(lenet(seed=seed), nn.BatchNorm1d(10), nn.Dropout(0.2))


def outcome(net, optimizer, history):
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]
    state = [value for entry in optimizer.state_dict()["state"].values() for value in entry.values()]
    return [*net.state_dict().values(), *state], rows


def same(first, second):
    return (
        len(first[0]) == len(second[0])
        and all(torch.equal(one, other) for one, other in zip(first[0], second[0], strict=True))
        and repr(first[1]) == repr(second[1])
    )


SCHEDULES = {
    "constant": lambda optimizer: None,
    "function": lambda optimizer: lambda t: t**-0.5,
    "scheduler": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=100),
    "milestones": lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 7, 9]),
}


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize(
    "killed_in", [2, 9, 20]
)  # before the first checkpoint, mid-epoch, at the end of an epoch
def test_an_interrupted_run_goes_on_bit_for_bit(fashion, tmp_path, kind, killed_in):
    path = tmp_path / "run.pt"

    def run(*, kill=None, **options):
        torch.manual_seed(torch.seed() % 1_000)
        net = net_with_everything()
        optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
        calls = 0

        def loss(logits, labels):
            nonlocal calls
            calls += net.training
            if calls == kill:
                raise Killed
            return nn.functional.cross_entropy(logits, labels)

        schedule = SCHEDULES[kind](optimizer)
        history = train(
            net, fashion, optimizer, epochs=3, batch_size=32, seed=1, schedule=schedule, loss=loss, **options
        )
        return outcome(net, optimizer, history)

    whole = run()
    with pytest.raises(Killed):
        run(kill=killed_in + 1, checkpoint=path, checkpoint_every=4)
    assert path.exists() == (killed_in >= 4)
    with pytest.raises(Killed):  # and once more on its way
        run(kill=5, checkpoint=path, checkpoint_every=4, resume=True)
    assert same(whole, run(checkpoint=path, resume=True))
    assert same(whole, run(checkpoint=path, resume=True))  # a finished run is given back
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.pt"]


def test_a_killed_process_leaves_a_checkpoint_that_goes_on_bit_for_bit(tmp_path):
    program = textwrap.dedent(
        """
        import os, signal, sys, torch
        from optkit.data import digits
        from optkit.models import mlp
        from optkit.training import train
        kill, path = int(sys.argv[1]), sys.argv[2]
        torch.set_num_threads(1)
        net = mlp(input_shape=(1, 8, 8), hidden=(16,), seed=0)
        optimizer = torch.optim.Adam(net.parameters())
        def schedule(t):
            if t == kill:
                os.kill(os.getpid(), signal.SIGKILL)
            return 1.0
        train(net, digits(), optimizer, epochs=2, schedule=schedule if kill else lambda t: 1.0,
              checkpoint=path, checkpoint_every=5, resume=True)
        torch.save(net.state_dict(), path + ".weights")
        """
    )

    def run(kill, path):
        return subprocess.run(
            [sys.executable, "-c", program, str(kill), str(path)], env=os.environ
        ).returncode

    assert run(33, tmp_path / "killed") == -signal.SIGKILL
    assert read(tmp_path / "killed")["step"] == 30
    assert run(0, tmp_path / "killed") == 0
    assert run(0, tmp_path / "whole") == 0
    one, other = (torch.load(tmp_path / f"{name}.weights") for name in ("killed", "whole"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def parts(small, **changes):
    """Return the arguments of a small run, with changes."""
    net = changes.pop("net", None) or mlp(input_shape=(1, 8, 8), hidden=(16,), seed=0)
    optimizer = changes.pop("optimizer", torch.optim.Adam)(net.parameters(), lr=changes.pop("lr", 1e-2))
    data = changes.pop("data", small)
    return (net, data, optimizer), {"steps": 6, "batch_size": 50, "seed": 0} | changes


def finished(small, path, **changes):
    arguments, options = parts(small, **changes)
    train(*arguments, checkpoint=path, **options)
    return path


def test_a_run_can_be_made_longer(small, tmp_path):
    path = finished(small, tmp_path / "run.pt", schedule=lambda t: 1 / t)
    (net, *rest), options = parts(small, steps=50, schedule=lambda t: 1 / t)
    train(net, *rest, checkpoint=path, resume=True, **options)
    (other, *rest), options = parts(small, steps=50, schedule=lambda t: 1 / t)
    train(other, *rest, **options)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_a_run_that_diverged_is_given_back_as_it_ended(small, tmp_path):
    path = finished(small, tmp_path / "run.pt", lr=1e30, optimizer=torch.optim.SGD, steps=50)
    arguments, options = parts(small, lr=1e30, optimizer=torch.optim.SGD, steps=60)
    history = train(*arguments, checkpoint=path, resume=True, **options)
    assert history.diverged and len(history) < 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 49}, "batch_size was 50 there and is 49 here"),
        ({"seed": 1}, "seed was 0 there and is 1 here"),
        ({"lr": 2e-2}, "optimizer group 0 lr was 0.01 there and is 0.02 here"),
        ({"optimizer": torch.optim.SGD}, "optimizer was Adam there and is SGD here"),
        ({"evaluate_every": 2}, "evaluate_every was epoch there and is 2 here"),
        ({"loss": nn.functional.multi_margin_loss}, "loss was cross_entropy there and is multi_margin_loss"),
        ({"schedule": lambda t: 1 / t}, "schedule was constant there and is function of t here"),
        (
            {"net": mlp(input_shape=(1, 8, 8), hidden=(17,), seed=0)},
            r"model 1.bias was \(16,\) float32 there",
        ),
        ({"net": mlp(input_shape=(1, 8, 8), hidden=(16, 16), seed=0)}, "model 3.bias was"),
        ({"steps": 5}, "holds a run of 6 steps already: .* got 5 steps"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(small, tmp_path, changes, message):
    path = finished(small, tmp_path / "run.pt")
    before = path.read_bytes()
    (net, data, optimizer), options = parts(small, **changes)
    weights = [weight.detach().clone() for weight in net.parameters()]
    with pytest.raises(CheckpointError, match=message) as error:
        train(net, data, optimizer, checkpoint=path, resume=True, **options)
    assert str(path) in str(error.value)
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))
    assert path.read_bytes() == before


def test_other_data_and_another_function_as_schedule_are_refused(small, tmp_path):
    path = finished(small, tmp_path / "run.pt", schedule=lambda t: 1 / t)
    other = small._replace(train_images=small.train_images.flip(0))
    for changes, message in (
        ({"data": other, "schedule": lambda t: 1 / t}, "data was .* checksum"),
        ({"schedule": lambda t: 1 / t**0.5}, "the schedule gave lr 0.005 at step 2 there and gives 0.0070"),
    ):
        arguments, options = parts(small, **changes)
        with pytest.raises(CheckpointError, match=message):
            train(*arguments, checkpoint=path, resume=True, **options)


@pytest.mark.parametrize("where", range(20))
def test_a_flipped_bit_anywhere_in_the_weights_is_refused(small, tmp_path, where):
    path = finished(small, tmp_path / "run.pt")
    contents = bytearray(path.read_bytes())
    weights = torch.load(path, weights_only=True)["model"]["1.weight"].numpy().tobytes()
    place = contents.index(weights) + where * (len(weights) // 20)
    contents[place] ^= 1
    path.write_bytes(contents)
    arguments, options = parts(small)
    with pytest.raises(CheckpointError, match=r"run\.pt: expected a checkpoint .* corrupted"):
        train(*arguments, checkpoint=path, resume=True, **options)


def truncated(contents):
    return contents[: len(contents) // 2]


def emptied(contents):
    return b""


def other(contents):
    return b"step,epoch,loss\n"


@pytest.mark.parametrize("damage", [truncated, emptied, other])
def test_a_damaged_checkpoint_is_refused(small, tmp_path, damage):
    path = finished(small, tmp_path / "run.pt")
    path.write_bytes(damage(path.read_bytes()))
    arguments, options = parts(small)
    with pytest.raises(CheckpointError, match=r"run\.pt: expected a checkpoint .* cannot be read"):
        train(*arguments, checkpoint=path, resume=True, **options)


def test_other_files_of_torch_are_refused(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="holds something else"):
        read(path)


def test_nothing_in_a_checkpoint_is_ever_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "evil"),))

    torch.save({"format": 1, "model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match=r"evil\.pt: .* cannot be read"):
        read(tmp_path / "evil.pt")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("odd", [Fraction(1, 3), lambda: None])
def test_a_state_that_could_not_be_read_back_is_refused_and_not_written(small, tmp_path, odd):
    class Odd(torch.optim.SGD):
        def step(self, closure=None):
            result = super().step(closure)
            self.state[self.param_groups[0]["params"][0]]["odd"] = odd
            return result

    arguments, options = parts(small, optimizer=Odd)
    with pytest.raises(CheckpointError, match=r"run\.pt was not written: .* must consist of tensors"):
        train(*arguments, checkpoint=tmp_path / "run.pt", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_the_checkpoint_before_stays(small, tmp_path):
    path = tmp_path / "run.pt"
    finished(small, path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(CheckpointError, match=r"run\.pt was not written: .*File too large.*Make room"):
            write(path, read(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["run.pt"]


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match=r"got a folder\. Name a file in it"):
        read(tmp_path)


def test_an_existing_checkpoint_is_not_overwritten_unasked(small, tmp_path):
    path = finished(small, tmp_path / "run.pt")
    before = path.read_bytes()
    arguments, options = parts(small)
    with pytest.raises(FileExistsError, match="pass resume=True to go on from it, or delete it"):
        train(*arguments, checkpoint=path, **options)
    assert path.read_bytes() == before
