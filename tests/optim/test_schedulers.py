"""Every learning-rate schedule of torch on our optimizers: the same rates, the same parameters."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler as S

import optkit.optim as optim


def chained(o):
    return S.ChainedScheduler([S.ConstantLR(o, factor=0.5, total_iters=3), S.ExponentialLR(o, gamma=0.9)])


def sequential(o):
    parts = [S.LinearLR(o, start_factor=0.1, total_iters=4), S.CosineAnnealingLR(o, T_max=8)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return S.SequentialLR(o, parts, milestones=[4])


SCHEDULERS = {
    "LambdaLR": lambda o: S.LambdaLR(o, lambda t: 1 / (1 + t)),
    "MultiplicativeLR": lambda o: S.MultiplicativeLR(o, lambda t: 0.9),
    "StepLR": lambda o: S.StepLR(o, step_size=3, gamma=0.5),
    "MultiStepLR": lambda o: S.MultiStepLR(o, milestones=[2, 6], gamma=0.5),
    "ConstantLR": lambda o: S.ConstantLR(o, factor=0.25, total_iters=4),
    "LinearLR": lambda o: S.LinearLR(o, total_iters=6),
    "ExponentialLR": lambda o: S.ExponentialLR(o, gamma=0.8),
    "PolynomialLR": lambda o: S.PolynomialLR(o, total_iters=8, power=2.0),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, T_max=6),
    "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2),
    "CyclicLR": lambda o: S.CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=3),
    "OneCycleLR": lambda o: S.OneCycleLR(o, max_lr=0.1, total_steps=20),
    "ReduceLROnPlateau": lambda o: S.ReduceLROnPlateau(o, patience=1, factor=0.5),
    "ChainedScheduler": chained,
    "SequentialLR": sequential,
}


def test_every_scheduler_of_torch_is_here():
    """But the base class and the old name of `LRScheduler`."""
    classes = {
        name
        for name, value in vars(S).items()
        if isinstance(value, type) and issubclass(value, S.LRScheduler) and value.__module__ == S.__name__
    }
    assert set(SCHEDULERS) == classes - {"LRScheduler", "_LRScheduler"}


@pytest.mark.parametrize("tensor_lr", [False, True])
@pytest.mark.parametrize(("name", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {})])
@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=SCHEDULERS.keys())
def test_same_rates_and_same_parameters(scheduler, name, options, tensor_lr, parameters, train):
    seen = []
    for module in (optim, torch.optim):
        params, history = parameters(), []
        lr = torch.tensor(0.1, dtype=torch.float64) if tensor_lr else 0.1
        optimizer = getattr(module, name)(params, lr=lr, **options)
        schedule = scheduler(optimizer)
        for i in range(15):
            train(optimizer, steps=1, seed=i)
            schedule.step(*([abs(7 - i)] if isinstance(schedule, S.ReduceLROnPlateau) else []))
            group = optimizer.param_groups[0]
            history.append((float(group["lr"]), group.get("momentum", group.get("betas"))))
        seen.append((params, history))
    (ours, rates), (theirs, expected) = seen
    assert rates == expected
    assert len({rate for rate, _ in rates}) > 1
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=SCHEDULERS.keys())
def test_every_optimizer_takes_every_scheduler(scheduler, make, train):
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = make([p])
    if scheduler in (SCHEDULERS["CyclicLR"], SCHEDULERS["OneCycleLR"]) and not (
        {"momentum", "betas"} & set(optimizer.defaults)
    ):
        with pytest.raises(ValueError, match="momentum"):  # torch says so of its own Adagrad, too
            scheduler(optimizer)
        return
    schedule, rates = scheduler(optimizer), set()
    for i in range(10):
        train(optimizer, steps=1, seed=i)
        schedule.step(*([abs(4 - i)] if isinstance(schedule, S.ReduceLROnPlateau) else []))
        rates.add(float(optimizer.param_groups[0]["lr"]))
    assert len(rates) > 1 and torch.isfinite(p).all()


def test_a_schedule_resumes_with_its_optimizer(make, train):
    def build():
        p = torch.nn.Parameter(torch.ones(3))
        optimizer = make([p])
        return p, optimizer, S.StepLR(optimizer, step_size=2)

    p, optimizer, schedule = build()
    for i in range(3):
        train(optimizer, steps=1, seed=i)
        schedule.step()
    q, resumed, again = build()
    with torch.no_grad():
        q.copy_(p)
    again.load_state_dict(schedule.state_dict())
    resumed.load_state_dict(optimizer.state_dict())
    for o, s in ((optimizer, schedule), (resumed, again)):
        for i in range(3):
            train(o, steps=1, seed=9 + i)
            s.step()
    assert torch.equal(p, q)
    assert float(optimizer.param_groups[0]["lr"]) == float(resumed.param_groups[0]["lr"])


def test_a_new_rate_is_taken_as_if_all_had_been_checked_anew(make, parameters, train):
    """The short way of a schedule: the bits of the long one, and the same refusals."""
    first, second = parameters(), parameters()
    short, long = make(first), make(second)
    if isinstance(short.param_groups[0]["lr"], torch.Tensor):
        return  # may change in place: looked at anew in every step
    checks = []
    whole, short._check = short._check, lambda group: checks.append(1) or whole(group)
    for t, rate in enumerate([0.1, 0.05, 0.02, 0.0, 0.3, 0.3]):
        long._orders.clear()
        for optimizer in (short, long):
            optimizer.param_groups[0]["lr"] = rate
            train(optimizer, steps=1, seed=t)
    assert all(map(torch.equal, first, second)) and len(checks) == 1
    for bad in (float("nan"), -1.0):
        before = [p.detach().clone() for p in first]
        short.param_groups[0]["lr"] = bad
        with pytest.raises(ValueError, match="lr must be"):
            train(short, steps=1)
        assert all(map(torch.equal, first, before))
    short.param_groups[0]["lr"] = "fast"
    with pytest.raises(TypeError, match="lr must be a number"):
        train(short, steps=1)
