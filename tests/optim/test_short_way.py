"""The short way of a step, one call that looks and steps, against the way by a plan: the same, to the bit."""

import sys
import threading
import time

import pytest
import torch

import optkit.optim as optim
from optkit.kernels.compiler import compilers
from optkit.optim import bound, from_rule
from optkit.rules import rule

if next(compilers(), None) is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)


@pytest.fixture(autouse=True)
def by_c(monkeypatch):
    monkeypatch.setenv("OPTKIT_BACKEND", "c")


def gradients(params, seed):
    generator = torch.Generator().manual_seed(seed)
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)


def build(*shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


def pair(*shapes):
    """Adam on parameters of these shapes, and the same with a plan for every step."""
    one, two = optim.Adam(build(*shapes)), optim.Adam(build(*shapes))
    two._again = lambda: False
    return one, two


def step_both(one, two, seed):
    for optimizer in (one, two):
        gradients(optimizer.param_groups[0]["params"], seed)
        optimizer.step()
    for p, q in zip(*(optimizer.param_groups[0]["params"] for optimizer in (one, two)), strict=True):
        assert torch.equal(p, q)
        assert all(torch.equal(one.state[p][key], value) for key, value in two.state[q].items())


def test_all_step_counts_changed_in_place_are_noticed():
    one, two = pair((5,), (6,))
    for t in range(1, 7):
        if t == 4:
            for optimizer in (one, two):
                for entry in optimizer.state.values():
                    entry["step"].fill_(17)
        step_both(one, two, t)
    assert {float(entry["step"]) for entry in one.state.values()} == {20.0}


def test_scalars_of_another_step_are_not_used():
    """Another thread may have made that step in the meantime."""
    one, two = pair((40,))
    for t in range(1, 4):
        step_both(one, two, t)
    ((p,), (q,)) = (optimizer.param_groups[0]["params"] for optimizer in (one, two))
    ((there, _),), (_, order) = one._bindings[0].bound, one._orders[0]
    for count, made in ((2, False), (3, True), (3, False), (5, False), (4, True)):
        scalars = order.scalars(count + 1)
        kernel = order.kernel_of(there, scalars)
        assert there.again(kernel, scalars, count, [p], [p.grad], one.state) == made
        if made:
            two.step()
        assert torch.equal(p, q) and one.state[p]["step"] == two.state[q]["step"]


def test_lazy_conjugates_are_resolved_at_every_step():
    (p,) = build((40,), dtype=torch.complex64)
    twin = torch.nn.Parameter(p.detach().clone())
    lazy, plain = optim.Adam([p]), optim.Adam([twin])
    for t in range(1, 5):
        gradients([p], t)
        p.grad = torch.conj(p.grad + 1j)
        twin.grad = p.grad.resolve_conj()
        assert p.grad.is_conj()
        lazy.step()
        plain.step()
        assert torch.equal(p, twin), t


def test_a_rule_without_a_value_at_a_step_goes_on_from_another_one():
    @rule
    def narrow(theta, g, v, t, *, lr=0.1):
        v = lr / (4 - t) * g
        theta = theta - v
        return theta, v

    (p,) = build((40,))
    optimizer = from_rule(narrow)([p])
    gradients([p], 0)
    for _ in range(3):
        optimizer.step()
    for _ in range(2):
        before = p.detach().clone()
        with pytest.raises(ValueError, match="narrow has no value at t=4"):
            optimizer.step()
        assert torch.equal(p, before) and optimizer.state[p]["step"] == 3
    optimizer.state[p]["step"].zero_()
    optimizer.step()
    assert optimizer.state[p]["step"] == 1 and not torch.equal(p, before)


def counted_plans(monkeypatch):
    """A list that grows by one with every plan that an optimizer makes."""
    made, plan = [], optim.RuleOptimizer._plan
    monkeypatch.setattr(optim.RuleOptimizer, "_plan", lambda *args: made.append(1) or plan(*args))
    return made


def test_a_group_of_its_own_is_planned_only_when_something_moves(monkeypatch):
    made = counted_plans(monkeypatch)
    p, q, r = build((5,), (6,), (7,))
    optimizer = optim.SGD([p, q], momentum=0.9)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    plans = []
    for t in range(8):
        gradients([p, q, r], t)
        if t == 3:
            p.grad = q.grad = None
        if t == 6:
            optimizer.add_param_group({"params": [r]})
        before = r.detach().clone()
        optimizer.step()
        assert torch.equal(before, r) == (t < 6)
        schedule.step()
        plans.append(len(made))
        made.clear()
    # The first step; one without gradients, and with them again; and two groups are always planned.
    assert plans == [1, 0, 0, 1, 1, 0, 2, 2]


def test_a_scaler_that_met_infinity_is_heard_at_every_step():
    (p,) = build((40,))
    optimizer = optim.SGD([p], lr=0.1)
    for t in range(4):
        gradients([p], t)
        optimizer.found_inf = torch.tensor(float(t >= 2)) if t else None
        before = p.detach().clone()
        optimizer.step()
        assert torch.equal(p, before) == (t >= 2)
    assert optimizer.state[p]["step"] == 2


@pytest.mark.parametrize("before, after", [(0.9, 0.0), (0.0, 0.9)])
def test_another_rule_in_a_group_does_not_run_on_the_old_state(before, after):
    (p,) = build((40,))
    optimizer, twin = optim.SGD([p], momentum=before), torch.nn.Parameter(p.detach().clone())
    other = torch.optim.SGD([twin], momentum=before)
    for t in range(6):
        gradients([p], t)
        twin.grad = p.grad.clone()
        if t == 3:
            optimizer.param_groups[0]["momentum"] = other.param_groups[0]["momentum"] = after
        optimizer.step()
        other.step()
    torch.testing.assert_close(p, twin)


def test_another_thread_runs_during_a_step(monkeypatch):
    """Python's lock is given back: a thread that waits for it gets it while a step is made."""
    monkeypatch.setattr(bound, "increment_version", lambda params: None)  # these give it back as well
    monkeypatch.setattr(bound, "_negative", lambda g: False)
    (p,) = build((2_000_000,))
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = torch.ones_like(p)
    optimizer.step()
    go, ran = threading.Event(), []
    worker = threading.Thread(target=lambda: go.wait() and ran.append(True))
    worker.start()
    threads, switch = torch.get_num_threads(), sys.getswitchinterval()
    torch.set_num_threads(1)
    sys.setswitchinterval(60)  # nobody is made to give up the lock
    try:
        go.set()
        end = time.monotonic() + 10
        while not ran and time.monotonic() < end:
            optimizer.step()
        in_time = bool(ran)
    finally:
        sys.setswitchinterval(switch)
        torch.set_num_threads(threads)
    worker.join()
    assert in_time
