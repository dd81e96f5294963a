"""The training loop: the right steps, repeatable, leaving the caller's world as it was."""

import math

import pytest
import torch
from torch import nn

from optkit.data import digits
from optkit.models import logistic_regression, mlp
from optkit.training import evaluate, train

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def data():
    return digits().tensors()


def model(seed=0):
    return mlp(input_shape=SHAPE, hidden=(16,), seed=seed)


def sgd(net, **options):
    return torch.optim.SGD(net.parameters(), **({"lr": 0.1, "momentum": 0.9} | options))


def weights(net):
    return torch.cat([value.detach().flatten() for value in net.state_dict().values()])


def without_seconds(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


def test_a_run_learns_and_its_history_agrees_with_the_model(data):
    net = model()
    history = train(net, digits(), sgd(net), epochs=4)
    assert history.final("test_accuracy") > 0.93
    loss, accuracy = evaluate(net, data.test_images, data.test_labels)
    assert (history.final("test_loss"), history.final("test_accuracy")) == (loss, accuracy)
    loss, accuracy = evaluate(net, data.train_images, data.train_labels)
    assert (history.final("train_loss"), history.final("train_accuracy")) == (loss, accuracy)
    assert history["step"].tolist() == list(range(4 * 24 + 1))  # 1,497 images, 64 at a time
    assert history["epoch"].tolist() == [0] + [1] * 24 + [2] * 24 + [3] * 24 + [4] * 24
    assert history.curve("test_loss")[0].tolist() == [0, 24, 48, 72, 96]
    assert (history["gradients"] == history["step"]).all()
    assert history["seconds"][-1] > 0 and (history["seconds"][1:] >= history["seconds"][:-1]).all()
    assert not history.diverged


def test_the_steps_are_those_of_the_textbook_loop(data):
    net, other = model(), model()
    history = train(net, data, sgd(net), steps=30, batch_size=100, seed=3)
    # The same written out, each epoch's images recovered from the loop's own order.
    from optkit.training.loop import _order

    optimizer, losses, step = sgd(other), [], 0
    for epoch in (1, 2):
        for batch in _order(1_497, 3, epoch).split(100):
            if step == 30:
                break
            loss = nn.functional.cross_entropy(other(data.train_images[batch]), data.train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
    assert torch.equal(weights(net), weights(other))
    assert history["loss"][1:].tolist() == losses


def test_each_epoch_visits_each_image_once_in_another_order():
    seen = []

    class Watching(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(1, 2)

        def forward(self, x):
            if self.training:
                seen.append(x.flatten().int().tolist())
            return self.linear(x.flatten(1))

    from optkit.data import Tensors

    images = torch.arange(10.0).reshape(10, 1, 1, 1)
    tensors = Tensors(images, torch.zeros(10).long(), images, torch.zeros(10).long())

    def orders(seed):
        seen.clear()
        net = Watching()
        train(net, tensors, sgd(net, lr=1e-6), epochs=2, batch_size=4, seed=seed)
        assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
        return [[i for batch in half for i in batch] for half in (seen[:3], seen[3:])]

    first, second = orders(0), orders(1)
    for order in (*first, *second):
        assert sorted(order) == list(range(10))
    assert first[0] != first[1]
    assert first[1] != second[0]  # seed 1 does not begin where seed 0 goes on


def test_it_is_repeatable_bit_for_bit_and_depends_on_the_seed(data):
    def run(seed):
        torch.manual_seed(torch.randint(1_000, ()).item())  # the caller's stream must not matter
        net = nn.Sequential(model(), nn.Dropout(0.3))
        history = train(net, data, sgd(net), epochs=2, seed=seed)
        return weights(net), without_seconds(history)

    first, again, other = run(0), run(0), run(1)
    assert torch.equal(first[0], again[0]) and repr(first[1]) == repr(again[1])
    assert not torch.equal(first[0], other[0])


def test_the_callers_streams_modes_and_flags_come_back(data, monkeypatch):
    net = model()
    net[1].eval()
    modes = [module.training for module in net.modules()]
    torch.manual_seed(0)
    stream = torch.get_rng_state()
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "deterministic", False)
    monkeypatch.setattr(cudnn, "benchmark", True)

    def loss(logits, labels):
        assert cudnn.deterministic and not cudnn.benchmark
        return nn.functional.cross_entropy(logits, labels)

    train(net, data, sgd(net), steps=3, loss=loss)
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(stream, torch.get_rng_state())
    assert not cudnn.deterministic and cudnn.benchmark


def test_evaluation_does_not_change_the_weights(data):
    def run(every):
        net = nn.Sequential(model(), nn.BatchNorm1d(10), nn.Dropout(0.3))
        history = train(net, data, sgd(net), steps=20, evaluate_every=every)
        return weights(net), history

    (rare, last), (often, each) = run(None), run(1)
    assert torch.equal(rare, often)
    assert last.curve("test_loss")[0].tolist() == [20]
    assert each.curve("test_loss")[0].tolist() == list(range(21))


def test_a_schedule_multiplies_the_lr_of_each_group_and_counts_from_1(data):
    net, other = model(), model()
    seen = []

    def factor(t):
        seen.append(t)
        return 1 / t

    first, last = net[1], net[3]
    groups = [{"params": first.parameters(), "lr": 0.5}, {"params": last.parameters(), "lr": 0.25}]
    optimizer = torch.optim.SGD(groups)
    history = train(net, data, optimizer, steps=5, schedule=factor)
    assert seen == [1, 2, 3, 4, 5]
    assert history["lr"][1:].tolist() == [0.5, 0.25, 0.5 * (1 / 3), 0.125, 0.1]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25]

    # torch's LambdaLR counts from 0.
    groups = [{"params": other[1].parameters(), "lr": 0.5}, {"params": other[3].parameters(), "lr": 0.25}]
    optimizer = torch.optim.SGD(groups)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
    again = train(other, data, optimizer, steps=5, schedule=scheduler)
    assert torch.equal(weights(net), weights(other))
    assert again["lr"][1:].tolist() == history["lr"][1:].tolist()


def test_an_lr_that_is_a_tensor_stays_that_tensor(data):
    net = model()
    lr = torch.tensor(0.5)
    optimizer = sgd(net, lr=lr)
    history = train(net, data, optimizer, steps=4, schedule=lambda t: 1 / t, evaluate_every=None)
    assert history["lr"].tolist() == pytest.approx([0.5, 0.25, 0.5 / 3, 0.125], rel=1e-6)
    assert optimizer.param_groups[0]["lr"] is lr and lr.item() == 0.5


def test_a_run_that_diverges_stops_before_the_step_and_says_so(data):
    net = model()
    history = train(net, data, sgd(net, lr=1e30), epochs=3)
    assert history.diverged and "diverged" in repr(history)
    assert len(history) < 20
    assert not math.isfinite(history["loss"][-1])
    assert math.isnan(history["test_loss"][-1]) and history.rows[-1]["test_loss"] is None


def test_weights_are_left_alone_when_the_first_loss_is_not_finite(data):
    net = model()
    before = weights(net)
    history = train(
        net, data, sgd(net), steps=5, loss=lambda logits, _: logits.sum() * math.nan, evaluate_every=None
    )
    assert history.diverged and len(history) == 1 and torch.equal(before, weights(net))
    assert history["gradients"].tolist() == [0]


def test_an_optimizer_that_needs_a_closure_is_served(data):
    net = logistic_regression(input_shape=SHAPE, seed=0)
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=5)
    history = train(net, data, optimizer, steps=4, batch_size=2_000)
    assert history["loss"][-1] < 0.2 * history["loss"][1]
    assert history["gradients"][-1] > 4


def test_float64_models_get_float64_images():
    net = model().double()
    history = train(net, digits(), sgd(net), steps=2)
    assert history["loss"][-1] > 0 and weights(net).dtype == torch.float64


def test_the_bar_is_quiet_where_there_is_no_terminal_and_drawn_when_asked(data, capfd):
    net = model()
    for progress in (True, False):
        train(net, data, sgd(net), steps=2, progress=progress)
        assert capfd.readouterr() == ("", "")
    train(net, data, sgd(net), steps=2, progress="always")
    drawn = capfd.readouterr()
    assert "training: 100%" in drawn.err and "2/2" in drawn.err and drawn.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "epochs or steps must be given, and not both, got epochs=None, steps=None"),
        ({"epochs": 1, "steps": 1}, "and not both"),
        ({"epochs": 0}, "epochs must be a whole number >= 1, got 0"),
        ({"epochs": True}, "epochs must be a whole number >= 1, got True"),
        ({"steps": -1}, "steps must be a whole number >= 1, got -1"),
        ({"steps": 2.5}, "steps must be a whole number >= 1, got 2.5"),
        ({"steps": 1, "batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"steps": 1, "seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"steps": 1, "progress": "loud"}, 'progress must be True, False or "always", got .loud.'),
        ({"steps": 1, "evaluate_every": True}, 'evaluate_every must be .*"epoch" or None, got True'),
        (
            {"steps": 1, "loss": nn.CrossEntropyLoss(reduction="none")},
            r"loss must return the mean .*one number",
        ),
        ({"steps": 1, "evaluate_every": 0}, 'evaluate_every must be .*"epoch" or None, got 0'),
        ({"steps": 1, "checkpoint_every": None}, 'checkpoint_every must be .*"epoch", got None'),
        ({"steps": 1, "resume": True}, "checkpoint must name a file to resume from, got None"),
        (
            {"steps": 1, "schedule": lambda t: -1},
            "schedule must return a finite factor >= 0, got -1.0 at t = 1",
        ),
        ({"steps": 1, "schedule": lambda t: math.nan}, "got nan at t = 1"),
    ],
)
def test_arguments_outside_their_range_are_refused_and_change_nothing(data, arguments, message):
    net = model()
    before = weights(net)
    with pytest.raises(ValueError, match=message):
        train(net, data, sgd(net), **arguments)
    assert torch.equal(before, weights(net))


def test_data_without_test_images_or_of_another_kind_is_refused_before_the_first_step():
    net = model()
    before, tensors = weights(net), digits().tensors()
    emptied = tensors._replace(test_images=tensors.test_images[:0], test_labels=tensors.test_labels[:0])
    with pytest.raises(
        ValueError, match="data must hold at least 1 test image and a label for each, got 0, 0"
    ):
        train(net, emptied, sgd(net), steps=1, evaluate_every=None)
    with pytest.raises(TypeError, match="data must be a Dataset or the Tensors of one, got str"):
        train(net, "digits", sgd(net), steps=1)
    assert torch.equal(before, weights(net))


def test_an_optimizer_or_scheduler_of_something_else_is_refused(data):
    net, other = model(), model()
    with pytest.raises(ValueError, match="optimizer must hold parameters of model"):
        train(net, data, sgd(other), steps=1)
    scheduler = torch.optim.lr_scheduler.StepLR(sgd(net), 5)
    with pytest.raises(ValueError, match="schedule must be a scheduler of the given optimizer"):
        train(net, data, sgd(net), steps=1, schedule=scheduler)
    optimizer = sgd(net)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    for schedule in (plateau, 0.5):
        with pytest.raises(TypeError, match="schedule must be None, a function from t"):
            train(net, data, optimizer, steps=1, schedule=schedule)


def test_an_optimizer_that_leaves_the_closure_out_is_refused(data):
    class Without(torch.optim.SGD):
        def step(self):
            return super().step()

    class Deaf(torch.optim.SGD):
        def step(self, closure=None):
            return super().step()

    net = model()
    before = weights(net)
    with pytest.raises(TypeError, match=r"got Without\.step\(\); write def step\(self, closure=None\)"):
        train(net, data, Without(net.parameters(), lr=0.1), steps=1)
    with pytest.raises(RuntimeError, match=r"Deaf\.step did not: let it begin with loss = closure\(\)"):
        train(net, data, Deaf(net.parameters(), lr=0.1), steps=1, evaluate_every=None)
    assert torch.equal(before, weights(net))


def test_who_watches_sees_each_row_and_may_end_the_run(data, tmp_path):
    whole, seen, net = model(), [], model()
    history = train(whole, data, sgd(whole), steps=12, evaluate_every=5)

    def until_seven(row):
        seen.append(row)
        return row["step"] == 7

    file = tmp_path / "run.pt"
    part = train(net, data, sgd(net), steps=12, evaluate_every=5, checkpoint=file, watch=until_seven)
    assert [row["step"] for row in seen] == list(range(8))
    assert without_seconds(part) == without_seconds(history)[:8]
    assert seen[5]["train_loss"] == history.curve("train_loss")[1][1]
    # It goes on from there as if it had never stopped.
    rest = train(net, data, sgd(net), steps=12, evaluate_every=5, checkpoint=file, resume=True)
    assert without_seconds(rest)[:12] == without_seconds(history)[:12]
    assert torch.equal(weights(net), weights(whole))
    net = model()
    assert len(train(net, data, sgd(net), steps=3, watch=lambda row: True).rows) == 1
