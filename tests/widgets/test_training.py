"""Nets trained live: the numbers of `train`, progress, a stop; a picture where there is no Python."""

import asyncio
import base64

import pytest
import torch

from optkit.data import digits
from optkit.models import mlp
from optkit.training import train
from optkit.widgets import LiveTraining

DATA = digits().tensors()
STEPS = 40


@pytest.fixture(autouse=True)
def no_loop_of_others():
    """Playwright leaves its own loop as the running one of this thread; here none may run."""
    theirs = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(theirs)


def run(momentum):
    def make(seed):
        net = mlp(input_shape=(1, 8, 8), hidden=(8,), seed=seed)
        return net, torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum)

    return make


RUNS = {"gradient_descent": run(0.0), "momentum_common": run(0.9)}


def losses(history):
    return {name: rows["loss"][1:].tolist() for name, rows in history.items()}


def figure(**options):
    return LiveTraining(RUNS, DATA, **({"steps": STEPS} | options))


def test_the_stored_run_is_what_train_gives():
    live = figure(seed=3, batch_size=32, every=10)
    for name, make in RUNS.items():
        net, optimizer = make(3)
        expected = train(net, DATA, optimizer, steps=STEPS, batch_size=32, seed=3, evaluate_every=10)
        assert live.history[name]["loss"][1:].tolist() == expected["loss"][1:].tolist()
        assert live.history[name].curve("train_loss")[0].tolist() == [0, 10, 20, 30, 40]


def test_a_live_run_shows_how_far_it_is_and_repeats_the_stored_one():
    live = figure()
    stored = losses(live.history)
    before = torch.random.get_rng_state()
    live.start()
    assert live.running and live._train.disabled and not live._stop.disabled
    assert live.wait(60)
    assert not live.running and not live._train.disabled and live._stop.disabled
    assert losses(live.history) == stored
    assert live._bar.value == live._bar.max == 2 * STEPS
    assert "trained, seed 0, Gradient descent" in live._status.value
    assert 'alt="training loss against step' in live._curve.value
    assert torch.equal(torch.random.get_rng_state(), before)


def test_stop_ends_it_after_the_step_under_way():
    live = figure(steps=100_000)
    seen = asyncio.run(stopped_after_some_steps(live))
    assert "step " in seen
    assert "stopped" in live._status.value
    counts = [len(rows.rows) for rows in live.history.values()]
    assert len(counts) == 1 and 1 < counts[0] < 100_000
    assert not live.running
    live.stop()
    live.start()
    assert live.running, "a stop does not stop the next run"
    live.stop()
    assert live.wait(60)


async def stopped_after_some_steps(live):
    """Press the buttons as a notebook does, inside its loop."""
    live._train.click()
    while not live._bar.value:
        await asyncio.sleep(0.01)
    seen = live._status.value
    live._stop.click()
    while live.running:
        await asyncio.sleep(0.01)
    return seen


def test_a_second_start_does_not_disturb_the_first():
    live = figure(steps=100_000)
    live.start()
    thread = live._thread
    live.start()
    assert live._thread is thread
    live.stop()
    assert live.wait(60)


def test_the_seed_of_the_next_run_is_the_readers():
    live = figure()
    stored = losses(live.history)
    live.children[0].children[2].value = 5
    assert live.seed == 5
    live.start()
    assert live.wait(60)
    assert losses(live.history) != stored
    assert "seed 5" in live._status.value


def test_an_error_in_the_thread_is_said_in_the_figure():
    def broken(seed):
        raise RuntimeError("no net <here>")

    live = LiveTraining({"mine": broken}, DATA, steps=2)
    live.start()
    assert live.wait(60)
    assert "RuntimeError: no net &lt;here&gt;" in live._status.value
    assert not live.running


def test_one_output_holds_the_widget_and_the_picture_of_the_stored_run():
    live = figure().titled("fig-live", "A caption.")
    data, metadata = live._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["optkit"]["kind"] == "figure"
    assert metadata["optkit"]["name"] == "fig-live"
    assert "Momentum (common form): from" in metadata["optkit"]["alt"]
    assert "<button" not in data["text/html"], "no dead control on a page"
    assert data["text/plain"] == "LiveTraining(gradient_descent, momentum_common)"
    assert "optkit" not in figure()._repr_mimebundle_()[1]
    assert "stored run, seed 0" in live._status.value


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"runs": {}}, ValueError, "at least 1 run"),
        ({"runs": [1]}, TypeError, "functions of a seed"),
        ({"runs": {"a": 3}}, TypeError, "functions of a seed"),
        ({"steps": 0}, ValueError, "steps must be a whole number in 1"),
        ({"batch_size": 0}, ValueError, "batch_size must be"),
        ({"every": 0}, ValueError, "every must be"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"steps": True}, ValueError, "steps must be"),
    ],
)
def test_arguments_are_checked_first(arguments, error, message):
    given = {"runs": RUNS, "steps": 3} | arguments
    with pytest.raises(error, match=message):
        LiveTraining(given.pop("runs"), DATA, **given)
