"""Optimizers on the compiled path: nothing that moved is overlooked, and every bit is the rule's on NumPy."""

import copy
import os
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
import torch

import optkit.optim as optim
from optkit.kernels import backend, compiler
from optkit.kernels.compiler import compilers
from optkit.optim import bound, from_rule
from optkit.optim.bound import overlap
from optkit.rules import RULES, rule

if next(compilers(), None) is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)


@pytest.fixture(autouse=True)
def by_c(monkeypatch):
    monkeypatch.setenv("OPTKIT_BACKEND", "c")


suitable = [r for r in RULES.values() if r.gradient_at is None and not r.inputs]


def gradients(params, seed):
    generator = torch.Generator().manual_seed(seed)
    for p in params:
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)


def build(*shapes, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


class Reference:
    """Adam on NumPy, one parameter."""

    def __init__(self, p, **hyper):
        self.arrays = [p.detach().numpy().copy(), *(np.zeros(p.shape, np.float32) for _ in range(2))]
        self.t, self.hyper = 0, {**RULES["adam"].defaults(), "eps_inside": False, **hyper}

    def step(self, g):
        self.t += 1
        self.arrays = list(RULES["adam"](self.arrays[0], g.numpy(), *self.arrays[1:], self.t, **self.hyper))

    def agrees(self, p, state=None):
        tensors = [p.detach()] + ([] if state is None else [state["exp_avg"], state["exp_avg_sq"]])
        return all(np.array_equal(a, b.numpy()) for a, b in zip(self.arrays, tensors, strict=False))


@pytest.mark.parametrize("source", suitable, ids=lambda r: r.name)
def test_bits_are_those_of_the_rule_on_numpy(source):
    params = build((3, 4, 5), (), (0,), (100_003,), (7,))
    params[0].data = params[0].data.transpose(0, 2)  # dense, in another order
    optimizer = from_rule(source)(params)
    assert optimizer.backend == "C"
    expected = [
        [p.detach().numpy().copy(), *(np.zeros(p.shape, np.float32) for _ in source.state)] for p in params
    ]
    for t in range(1, 9):
        gradients(params, t)
        optimizer.step()
        for p, arrays in zip(params, expected, strict=True):
            arrays[:] = map(
                np.asarray, source(arrays[0], p.grad.numpy(), *arrays[1:], t, **source.defaults())
            )
            assert np.array_equal(arrays[0], p.detach().numpy())
            for name, array in zip(source.state, arrays[1:], strict=True):
                assert np.array_equal(array, optimizer.state[p][name].numpy()), (name, t)
                assert optimizer.state[p]["step"] == t


@pytest.mark.parametrize("begin, compiled", [(160, 2), (17_317, 2), (1000, 1)])
def test_corrections_that_become_one_change_the_kernel_and_no_bit(begin, compiled):
    p, q = build((300,), (7, 5))
    optimizer, references = optim.Adam([p, q]), [Reference(p), Reference(q)]
    for reference in references:
        reference.t = begin
    state = {
        k: {"step": torch.tensor(float(begin)), "exp_avg": x.detach() * 0, "exp_avg_sq": x.detach() * 0}
        for k, x in enumerate((p, q))
    }
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    for t in range(begin + 1, begin + 9):
        gradients([p, q], t)
        optimizer.step()
        for tensor, reference in zip((p, q), references, strict=True):
            reference.step(tensor.grad)
            assert reference.agrees(tensor, optimizer.state[tensor]), t
    _, order = optimizer._orders[0]
    assert len(set(order.taken.values())) == compiled


def moved(p, state, optimizer):
    """What may happen between two steps, by name."""
    wide = torch.zeros(2 * p.numel())

    def elsewhere(tensor):
        wide[: tensor.numel()] = tensor.detach().view(-1)
        return wide[: tensor.numel()].view_as(tensor)

    yield "nothing", lambda: None
    yield "parameter copied", lambda: setattr(p, "data", p.data.clone())
    yield "parameter in a larger memory", lambda: setattr(p, "data", elsewhere(p))
    yield "parameter shared", lambda: p.share_memory_()
    yield "state replaced", lambda: state.update(exp_avg=state["exp_avg"].clone())
    yield "state moved", lambda: setattr(state["exp_avg_sq"], "data", state["exp_avg_sq"].data.clone())
    yield "step replaced", lambda: state.update(step=torch.tensor(float(state["step"]), dtype=torch.float64))
    yield (
        "state dict replaced",
        lambda: optimizer.state.update({p: {**state, "exp_avg": state["exp_avg"].clone()}}),
    )
    yield "loaded", lambda: optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    yield "gradient in another order", lambda: setattr(p, "grad", p.grad.t().contiguous().t())
    yield "gradient sliced", lambda: setattr(p, "grad", torch.stack([p.grad, p.grad], -1)[..., 0])
    yield "gradient negative", lambda: setattr(p, "grad", torch._neg_view(-p.grad))
    yield "parameter transposed in memory", lambda: setattr(p, "data", p.data.t().contiguous().t())
    yield (
        "group rebuilt",
        lambda: optimizer.param_groups[0].update(params=[*optimizer.param_groups[0]["params"]]),
    )

    yield (
        "group as a tuple",
        lambda: optimizer.param_groups[0].update(params=tuple(optimizer.param_groups[0]["params"])),
    )


names = [name for name, _ in moved(torch.zeros(1), {}, None)]


@pytest.mark.parametrize("name", names)
def test_what_moves_between_steps_is_noticed(name):
    p, other = build((40, 40), (9,))
    optimizer = optim.Adam([p, other])
    reference = Reference(p)
    for t in range(1, 9):
        gradients([p, other], t)
        plain = p.grad.clone()
        if t in (3, 4, 6):
            changes = dict(moved(p, optimizer.state[p], optimizer))
            changes[name]()
        optimizer.step()
        reference.step(plain)
        assert reference.agrees(p, optimizer.state[p]), t
        assert optimizer.state[p]["step"] == t == optimizer.state[other]["step"]


def test_a_step_count_changed_in_place_is_noticed():
    p, q = build((5,), (6,))
    optimizer = optim.Adam([p, q])
    one, two = Reference(p), Reference(q)
    for t in range(1, 7):
        gradients([p, q], t)
        if t == 4:
            optimizer.state[q]["step"].fill_(17)
            two.t = 17
        optimizer.step()
        one.step(p.grad)
        two.step(q.grad)
        assert one.agrees(p) and two.agrees(q), t
    assert optimizer.state[p]["step"] == 6 and optimizer.state[q]["step"] == 20


def test_a_resized_parameter_needs_new_state():
    for size in (3, 9):
        (p,) = build((6,))
        optimizer = optim.Adam([p])
        for _ in range(2):
            gradients([p], 0)
            optimizer.step()
        memory = p.data
        p.data = memory[:size] if size < 6 else torch.zeros(size)
        before = memory.clone()
        gradients([p], 1)
        with pytest.raises(
            ValueError, match=r"exp_avg of parameter 0 in group 0 has shape \(6,\), but the parameter "
        ):
            optimizer.step()
        assert torch.equal(memory, before) and optimizer.state[p]["step"] == 2
        del optimizer.state[p]
        optimizer.step()
        assert optimizer.state[p]["step"] == 1 and optimizer.state[p]["exp_avg"].shape == (size,)


def test_a_cast_model_goes_on():
    (p,) = build((50,))
    optimizer = optim.Adam([p])
    for dtype in (torch.float32, torch.bfloat16, torch.float64, torch.float16, torch.float32):
        p.data = p.data.to(dtype)
        p.grad = None
        p.grad = torch.ones(50, dtype=dtype)
        optimizer.step()
        assert p.dtype == dtype and optimizer.backend == "C"
    assert optimizer.state[p]["step"] == 5


def test_gradients_come_and_go():
    params = build((4,), (5,), (6,))
    optimizer = optim.Adam(params)
    references = [Reference(p) for p in params]
    for t in range(1, 12):
        gradients(params, t)
        for k, p in enumerate(params):
            if (t >> k) % 2:
                p.grad = None
            else:
                references[k].step(p.grad)
        optimizer.step()
        assert all(r.agrees(p) for r, p in zip(references, params, strict=True)), t


def test_parameters_may_change_places_or_be_exchanged():
    params = build((6,), (6,), (6,))
    new = torch.nn.Parameter(torch.ones(6))
    references = {p: Reference(p) for p in (*params, new)}
    optimizer = optim.Adam(params)
    listed = optimizer.param_groups[0]["params"]
    for t in range(1, 9):
        if t == 3:
            listed.reverse()
        if t == 5:
            listed[1] = new
        if t == 7:
            optimizer.add_param_group({"params": [params[1]]})
        gradients([*params, new], t)
        optimizer.step()
        for p in {p for group in optimizer.param_groups for p in group["params"]}:
            references[p].step(p.grad)
        assert all(reference.agrees(p) for p, reference in references.items()), t
    assert [int(optimizer.state[p]["step"]) for p in (*params, new)] == [8, 6, 8, 4]


def test_overlapping_parameters_are_stepped_one_after_another():
    memory = torch.arange(8.0)
    params = [torch.nn.Parameter(memory[:5]), torch.nn.Parameter(memory[3:])]
    optimizer = optim.SGD(params, lr=1.0, momentum=0.5)
    for p in params:
        p.grad = torch.ones(5)
    optimizer.step()
    assert memory.tolist() == [-1, 0, 1, 1, 2, 4, 5, 6]
    assert not optimizer._bindings[0].bound and optimizer._bindings[0].loose == [0, 1]
    assert not overlap([memory[:4], memory[4:]], [torch.zeros(3)])
    assert overlap([memory[:4]], [memory[3:]]) and not overlap([], [memory, memory])
    assert not overlap([memory[:0], memory], [memory[3:3]])


def test_two_optimizers_may_share_a_parameter():
    (p,) = build((1000,))
    one, two = optim.Adam([p]), optim.Adam([p], lr=0.01)
    twin = torch.nn.Parameter(p.detach().clone())
    a, b = Reference(p), Reference(p, lr=0.01)
    for t in range(1, 6):
        gradients([p], t)
        one.step()
        a.step(p.grad)
        b.arrays[0] = a.arrays[0]
        two.step()
        b.step(p.grad)
        a.arrays[0] = b.arrays[0]
        assert a.agrees(p, one.state[p]) and b.agrees(p, two.state[p])
    assert not torch.equal(p, twin)


def test_threads_may_step_at_the_same_time():
    """Each its own optimizer, and all one optimizer: every step is counted and nothing is torn."""
    pairs = [(p, optim.SGD([p], lr=0.5, momentum=0.5)) for p in build((50_000,), (50_000,))]
    alone = [torch.nn.Parameter(p.detach().clone()) for p, _ in pairs]
    checks = [optim.SGD([p], lr=0.5, momentum=0.5) for p in alone]

    def work(p, optimizer):
        for t in range(50):
            gradients([p], t)
            optimizer.step()

    threads = [threading.Thread(target=work, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (p, _), q, check in zip(pairs, alone, checks, strict=True):
        work(q, check)
        assert torch.equal(p, q)

    p = torch.nn.Parameter(torch.zeros(50_000))
    p.grad = torch.ones(50_000)
    shared = optim.SGD([p], lr=1.0)
    shared.step()
    threads = [threading.Thread(target=lambda: [shared.step() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.state[p]["step"] == 201 and set(p.tolist()) == {-201.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_gradients_that_are_not_finite_pass_through_as_in_torch(value):
    for ours, theirs, options in (
        (optim.SGD, torch.optim.SGD, {"momentum": 0.9, "lr": 0.1}),
        (optim.Adam, torch.optim.Adam, {}),
        (optim.RMSprop, torch.optim.RMSprop, {}),
        (optim.RAdam, torch.optim.RAdam, {}),
        (optim.Adagrad, torch.optim.Adagrad, {}),
    ):
        (p,) = build((33,))
        q = torch.nn.Parameter(p.detach().clone())
        one, two = ours([p], **options), theirs([q], **options)
        for t in range(4):
            gradients([p], t)
            p.grad[5 * t] = value
            q.grad = p.grad.clone()
            one.step()
            two.step()
        # Of an average that is inf torch's lerp makes NaN a step later, the formula leaves it inf.
        finite = p.isfinite()
        assert torch.equal(finite, q.isfinite()) and not finite[::5][:4].any() and finite.sum() == 29
        torch.testing.assert_close(p[finite], q[finite], rtol=1e-5, atol=1e-6)


def test_memory_that_was_left_is_freed():
    """A model or its state offloaded between two steps frees its memory."""
    arrays = [np.zeros(50, np.float32) for _ in range(2)]
    p = torch.nn.Parameter(torch.from_numpy(arrays[0]))
    optimizer = optim.SGD([p], momentum=0.9)
    for t in range(3):
        gradients([p], t)
        optimizer.step()
    optimizer.state[p]["momentum_buffer"] = torch.from_numpy(arrays[1])
    optimizer.step()
    optimizer.step()
    assert optimizer._bindings[0].bound
    alive = [weakref.ref(array) for array in arrays]
    arrays.clear()
    assert all(array() is not None for array in alive)
    p.data = torch.zeros(50)
    optimizer.state[p]["momentum_buffer"] = torch.zeros(50)
    assert [array() for array in alive] == [None, None]
    optimizer.step()


def test_state_loaded_during_a_step_is_not_freed_under_it(monkeypatch):
    """Another thread may replace the state once the addresses are taken: the step still owns the old one."""
    (p,) = build((1000,))
    optimizer = optim.SGD([p], momentum=0.9)
    gradients([p], 0)
    optimizer.step()
    array = np.zeros(1000, np.float32)
    alive = weakref.ref(array)
    for _ in range(2):  # bound anew, then bound already
        if array is not None:
            optimizer.state[p]["momentum_buffer"] = torch.from_numpy(array)
        (plan,) = [optimizer._plan(0, group) for group in optimizer.param_groups]
        if array is None:
            optimizer.state[p]["momentum_buffer"] = torch.zeros(1000)
            assert alive() is not None
        array = None
        optimizer._bindings[0] = plan.perform()
    del plan
    assert alive() is None


def test_what_never_has_a_gradient_costs_no_new_binding():
    params = build((40,), (3, 4), (7,))
    optimizer = optim.Adam(params)
    bindings = []
    for t in range(3):
        gradients(params, t)
        params[1].grad = None
        optimizer.step()
        bindings.append(optimizer._bindings[0])
    assert bindings[0] is bindings[1] is bindings[2] and len(bindings[0].params) == 2
    assert params[1] not in optimizer.state
    gradients(params, 3)
    optimizer.step()
    assert len(optimizer._bindings[0].params) == 3 and optimizer.state[params[1]]["step"] == 1


def test_memory_that_only_torch_can_reach_is_left_to_torch(monkeypatch):
    class Blind(bound.Watch):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.plain = False

    params = build((40,), (3, 4))
    twins = [torch.nn.Parameter(p.detach().clone()) for p in params]
    ours, theirs = optim.SGD(params, lr=0.1), torch.optim.SGD(twins, lr=0.1)
    monkeypatch.setattr(bound, "Watch", Blind)
    for t in range(3):
        gradients(params, t)
        for p, q in zip(params, twins, strict=True):
            q.grad = p.grad
        ours.step()
        theirs.step()
    assert not ours._bindings[0].bound
    torch.testing.assert_close(params, twins)


def test_copies_and_pickles_are_bound_to_their_own_memory():
    (p,) = build((50,))
    optimizer = optim.Adam([p])
    gradients([p], 0)
    optimizer.step()
    optimizer.step()
    for again in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert not again._bindings
        (q,) = again.param_groups[0]["params"]
        before = p.detach().clone()
        q.grad = torch.ones(50)
        again.step()
        again.step()
        assert torch.equal(p, before) and not torch.equal(q, before) and again._bindings[0].bound
        assert (optimizer.state[p]["step"], again.state[q]["step"]) == (2, 4)


def test_autograd_sees_the_change():
    (p,) = build((3,))
    optimizer = optim.SGD([p], lr=0.1)
    for _ in range(2):
        loss = (p * p).sum()
        loss.backward(retain_graph=True)
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@pytest.mark.parametrize("way", ["c", "torch"])
@pytest.mark.parametrize("name", ["Adam", "SGD", "RAdam"])
def test_memory_of_a_step(way, name):
    """At its peak below one hundredth of the parameters, once the state is there; new gradients each step."""
    script = """
import os, resource, sys, torch, optkit.optim as optim
STATUS, RESET = "/proc/self/status", "/proc/self/clear_refs"
def peak():
    if not os.access(RESET, os.W_OK):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open(STATUS) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
params = [torch.nn.Parameter(torch.ones(5_000_000)) for _ in range(8)]
options = {"momentum": 0.9} if sys.argv[1] == "SGD" else {}
optimizer = getattr(optim, sys.argv[1])(params, lr=1e-3, **options)
most = 0
for t in range(4):
    for p in params:
        p.grad = torch.full_like(p, t + 1.0)
    if os.access(RESET, os.W_OK):
        with open(RESET, "w") as file:
            file.write("5")  # forget the peak so far
    before = peak()
    optimizer.step()
    most = max(most, peak() - before) if t else 0  # the first step makes the state
assert optimizer.backend == {"c": "C", "torch": "torch chunks"}[os.environ["OPTKIT_BACKEND"]]
assert most * 1024 < 0.01 * sum(p.nbytes for p in params), most
"""
    environment = {**os.environ, "OPTKIT_BACKEND": way}
    subprocess.run([sys.executable, "-c", script, name], check=True, env=environment)


def test_without_a_compiler_torch_computes_the_same_to_an_ulp(tmp_path, monkeypatch):
    @rule
    def lazy(theta, g, v, t, *, lr=0.1):
        v = 0.5 * v + g
        theta = theta - lr * v
        return theta, v

    results = []
    for path, choice in ((os.environ["PATH"], "c"), (str(tmp_path), "")):
        monkeypatch.setenv("PATH", path)
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.setenv("OPTKIT_BACKEND", choice)
        monkeypatch.setattr(compiler, "_state", compiler._State())
        monkeypatch.setattr(backend, "_warned", False)
        params = build((1000,), (30, 30))
        optimizer = from_rule(lazy)(params)
        for t in range(5):
            gradients(params, t)
            if t == 0 and choice != "c":
                with pytest.warns(RuntimeWarning, match="no C compiler was found"):
                    optimizer.step()
            else:
                optimizer.step()
        results.append((optimizer.backend, [p.detach().clone() for p in params]))
    assert [name for name, _ in results] == ["C", "torch chunks"]
    for a, b in zip(*(params for _, params in results), strict=True):
        torch.testing.assert_close(a, b, rtol=1.2e-7, atol=0)

    @rule
    def impossible(theta, g, t):
        theta = theta - g
        return theta

    monkeypatch.setenv("OPTKIT_BACKEND", "c")
    before = params[0].detach().clone()
    optimizer = from_rule(impossible)(params)
    with pytest.raises(
        RuntimeError, match="OPTKIT_BACKEND is c, but impossible cannot be compiled here: no C comp"
    ):
        optimizer.step()
    assert torch.equal(params[0], before) and not optimizer.state


def test_the_environment_can_change_between_steps(monkeypatch):
    (p,) = build((100,))
    optimizer = optim.SGD([p], lr=0.5, momentum=0.5)
    reference = torch.optim.SGD([q := torch.nn.Parameter(p.detach().clone())], lr=0.5, momentum=0.5)
    for t, (choice, name) in enumerate((("c", "C"), ("torch", "torch chunks"), ("", "C"), ("c", "C"))):
        monkeypatch.setenv("OPTKIT_BACKEND", choice)
        gradients([p], t)
        q.grad = p.grad
        assert optimizer.backend == name
        optimizer.step()
        reference.step()
        torch.testing.assert_close(p, q)
    assert optimizer.state[p]["step"] == 4
