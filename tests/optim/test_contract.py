"""What users of ``torch.optim`` rely on, for every optimizer and every option."""

import copy
import io
import pickle
import sys
from types import SimpleNamespace

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import optkit.optim as optim
from optkit.optim.hooks import listeners, quick_hooks


def twins_of(params):
    return [torch.nn.Parameter(p.detach().clone()) for p in params]


def assert_same(params, others, optimizer, other):
    for p, q in zip(params, others, strict=True):
        assert torch.equal(p, q)
        assert optimizer.state[p].keys() == other.state[q].keys()
        for key, value in optimizer.state[p].items():
            assert value.dtype == other.state[q][key].dtype and torch.equal(value, other.state[q][key])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("through", ["memory", "file"])
def test_state_dict_continues_bit_for_bit(make, parameters, train, dtype, through):
    params = parameters(dtype)
    optimizer = make(params)
    train(optimizer, steps=3)
    twins = twins_of(params)
    resumed = make(twins)
    state = optimizer.state_dict()
    if through == "file":
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
    resumed.load_state_dict(state)
    assert_same(params, twins, optimizer, resumed)
    for o in (optimizer, resumed):
        train(o, steps=3, seed=2)
    assert_same(params, twins, optimizer, resumed)
    assert [{**g, "params": 0} for g in optimizer.param_groups] == [
        {**g, "params": 0} for g in resumed.param_groups
    ]


def test_loading_does_not_alias(make, parameters, train):
    params = parameters()
    optimizer = make(params)
    train(optimizer, steps=2)
    state = optimizer.state_dict()
    before = copy.deepcopy(state)
    resumed = make(twins_of(params))
    resumed.load_state_dict(state)
    train(resumed, steps=2)
    for group, old in zip(state["param_groups"], before["param_groups"], strict=True):
        assert group == old
    for index, entries in state["state"].items():
        for key, value in entries.items():
            assert torch.equal(value, before["state"][index][key])


def test_state_is_plain_dicts_of_tensors(make, parameters, train):
    optimizer = make(parameters())
    train(optimizer, steps=1)
    for p, state in optimizer.state.items():
        assert type(state) is dict
        for key, value in state.items():
            assert type(value) is torch.Tensor and not value.requires_grad
            assert value.shape == (() if key == "step" else p.shape)
        assert state["step"].device.type == "cpu" and state["step"] == 1


@pytest.mark.parametrize(
    "way", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"]
)
def test_copies_continue_bit_for_bit(make, parameters, train, way):
    params = parameters()
    optimizer = make(params)
    train(optimizer, steps=2)
    other = way(optimizer)
    assert type(other) is type(optimizer)
    copies = other.param_groups[0]["params"]
    assert not any(p is q for p, q in zip(params, copies, strict=True))
    for o in (optimizer, other):
        train(o, steps=2, seed=5)
    assert_same(params, copies, optimizer, other)


def test_groups_have_options_of_their_own(make, parameters, train):
    params = parameters()
    lr = 0.03
    optimizer = make([{"params": params[:2]}, {"params": params[2:3], "lr": lr}])
    optimizer.add_param_group({"params": iter(params[3:]), "lr": 0.0})
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 1, 2]
    apart = [make(twins_of(params[:2])), make(twins_of(params[2:3]), lr=lr)]
    still = params[3].detach().clone()
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        grads = [torch.randn(p.shape, dtype=p.dtype, generator=generator) for p in params]
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        for p, g in zip([q for o in apart for q in o.param_groups[0]["params"]], grads, strict=False):
            p.grad = g
        for o in (optimizer, *apart):
            o.step()
    together = [p for o in apart for p in o.param_groups[0]["params"]]
    for p, q in zip(params[:3], together, strict=True):
        assert torch.equal(p, q)
    assert torch.equal(params[3], still)


def test_named_parameters_keep_their_names(make, parameters, train):
    params = parameters()
    optimizer = make([(f"p{i}", p) for i, p in enumerate(params)])
    train(optimizer, steps=2)
    names = [f"p{i}" for i in range(len(params))]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == names
    unnamed = make(params)
    unnamed.load_state_dict(optimizer.state_dict())
    assert unnamed.param_groups[0]["param_names"] == names


def test_maximize_is_descent_on_the_negative(parameters, train):
    for name in optim.__all__:
        build = getattr(optim, name)
        if not isinstance(build, type) or optim.RuleOptimizer not in build.__bases__:
            continue
        params, twins = parameters(), parameters()
        up, down = build(params, maximize=True), build(twins)
        for seed in range(4):
            train(up, steps=1, seed=seed)
            for p, q in zip(params, twins, strict=True):
                q.grad = -p.grad
            down.step()
        assert_same(params, twins, up, down)


def test_maximize_in_every_configuration(make, parameters, train):
    params, twins = parameters(), parameters()
    one, other = make(params), make(twins)
    for group in one.param_groups:
        group["maximize"] = not group["maximize"]
    for seed in range(3):
        train(one, steps=1, seed=seed)
        for p, q in zip(params, twins, strict=True):
            q.grad = -p.grad
        other.step()
    assert_same(params, twins, one, other)


def test_parameters_without_gradient_are_left_alone(make, parameters, train):
    params = parameters()
    optimizer, before = make(params), params[1].detach().clone()
    generator = torch.Generator().manual_seed(0)
    for i in range(3):
        for p in params:
            p.grad = torch.randn(p.shape, dtype=p.dtype, generator=generator)
        if i < 2:
            params[1].grad = None
            optimizer.step()
            assert torch.equal(params[1], before) and params[1] not in optimizer.state
    optimizer.step()
    assert optimizer.state[params[1]]["step"] == 1 and optimizer.state[params[0]]["step"] == 3


def test_gradients_are_not_changed(make, parameters, train):
    params = parameters()
    optimizer = make(params)
    train(optimizer, steps=1)
    before = [p.grad.clone() for p in params]
    optimizer.step()
    assert all(torch.equal(p.grad, g) for p, g in zip(params, before, strict=True))
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


def test_closure_runs_with_gradients_and_its_loss_comes_back(make):
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer, grad_enabled = make([p]), []

    def closure():
        optimizer.zero_grad()
        grad_enabled.append(torch.is_grad_enabled())
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 5.0 and grad_enabled == [True]
    assert optimizer.step() is None
    assert p.requires_grad and p.grad_fn is None


def test_hooks_of_all_optimizers_are_called(make, parameters, train):
    optimizer, calls = make(parameters()), []
    before = register_optimizer_step_pre_hook(lambda *_: calls.append("before"))
    after = register_optimizer_step_post_hook(lambda *_: calls.append("after"))
    try:
        train(optimizer, 1)
    finally:
        before.remove()
        after.remove()
    train(optimizer, 1)
    assert calls == ["before", "after"]


@pytest.mark.parametrize(
    "module, name",
    [("torch.optim.optimizer", "_global_optimizer_pre_hooks"), ("torch.autograd", "_profiler_enabled")],
)
def test_hooks_are_called_where_torch_has_no_such_names(module, name, monkeypatch, parameters):
    optimizer, calls = optim.SGD(parameters()), []
    with monkeypatch.context() as patch:
        patch.delattr(sys.modules[module], name)
        assert listeners() is None
        step = quick_hooks(lambda self: calls.append("step"))
    assert listeners() is not None
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    step(optimizer)
    assert calls == ["before", "step", "after"]


def test_hooks_that_torch_keeps_elsewhere_are_left_to_torch(monkeypatch):
    monkeypatch.setattr(
        torch.optim.Optimizer, "profile_hook_step", lambda func: lambda self: "torch's wrapper"
    )
    step = quick_hooks(lambda self: "the step")
    lists = {"_optimizer_step_pre_hooks": {}, "_optimizer_step_post_hooks": {}}
    assert step(SimpleNamespace(**lists)) == "the step"
    assert step(SimpleNamespace(hooks={})) == step(SimpleNamespace(**lists | {key: [1] for key in lists}))
    assert step(SimpleNamespace(hooks={})) == "torch's wrapper"


def test_a_profiler_sees_the_step(parameters, train):
    optimizer = optim.Adam(parameters())
    with torch.profiler.profile() as profile:
        train(optimizer, 2)
    (event,) = [e for e in profile.key_averages() if e.key == "Optimizer.step#Adam.step"]
    assert event.count == 2


def test_hooks_are_called_in_order(make, parameters, train):
    optimizer, calls = make(parameters()), []
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    train(optimizer, steps=1)
    assert calls == ["before", "after"]

    def doubled(_, state_dict):
        groups = [{**group, "lr": 2 * float(group["lr"])} for group in state_dict["param_groups"]]
        return {**state_dict, "param_groups": groups}

    saved = optimizer.state_dict()
    lr = float(optimizer.param_groups[0]["lr"])
    optimizer.register_load_state_dict_pre_hook(doubled)
    optimizer.register_load_state_dict_post_hook(
        lambda o: calls.append([type(v) for state in o.state.values() for v in state.values()])
    )
    optimizer.load_state_dict(saved)
    assert float(optimizer.param_groups[0]["lr"]) == 2 * lr
    assert set(calls[-1]) == {torch.Tensor}
    assert len(optimizer._optimizer_load_state_dict_pre_hooks) == 1


def layouts():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(4, 6, 5, 3, dtype=torch.float64, generator=generator)
    return {
        "channels_last": base.to(memory_format=torch.channels_last),
        "transposed": base.permute(2, 0, 3, 1),
        "every other": base[:, ::2],
        "inner slice": base[..., 1:],
    }


@pytest.mark.parametrize("layout", layouts())
@pytest.mark.parametrize("like", ["parameter", "row by row"])
def test_any_layout_gives_the_same_numbers(make, layout, like):
    data = layouts()[layout]
    p, q = torch.nn.Parameter(data), torch.nn.Parameter(data.contiguous())
    strides, (one, other) = p.stride(), (make([p]), make([q]))
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        g = torch.randn(p.shape, dtype=p.dtype, generator=generator)
        p.grad, q.grad = (torch.empty_like(data).copy_(g) if like == "parameter" else g.clone()), g
        one.step()
        other.step()
    assert p.stride() == strides and torch.equal(p, q)
    for key, value in one.state[p].items():
        assert torch.equal(value, other.state[q][key])


def test_a_model_may_change_layout_and_dtype_on_the_way(make):
    p = torch.nn.Parameter(torch.arange(120.0).reshape(2, 3, 4, 5))
    q = torch.nn.Parameter(p.detach().clone())
    one, other = make([p]), make([q])
    for i in range(4):
        p.grad = torch.ones_like(p)
        q.grad = torch.ones_like(q)
        one.step()
        other.step()
        if i == 1:
            p.data = p.data.to(memory_format=torch.channels_last)
    assert torch.equal(p, q)
    p.data = p.data.double()
    p.grad = torch.ones_like(p)
    one.step()
    assert all(value.dtype == torch.float64 for value in one.state[p].values())


def test_conjugate_gradients(make):
    generator = torch.Generator().manual_seed(0)
    p = torch.nn.Parameter(torch.randn(5, dtype=torch.complex128, generator=generator))
    q = torch.nn.Parameter(p.detach().clone())
    g = torch.randn(5, dtype=torch.complex128, generator=generator)
    p.grad, q.grad = g.conj(), g.conj().resolve_conj()
    for o in (make([p]), make([q])):
        o.step()
    assert torch.equal(p, q)


def test_complex_is_two_reals(make):
    generator = torch.Generator().manual_seed(0)
    p = torch.nn.Parameter(torch.randn(4, 3, dtype=torch.complex64, generator=generator))
    q = torch.nn.Parameter(torch.view_as_real(p.detach()).clone())
    one, other = make([p]), make([q])
    for _ in range(3):
        p.grad = torch.randn(4, 3, dtype=torch.complex64, generator=generator)
        q.grad = torch.view_as_real(p.grad)
        one.step()
        other.step()
    assert torch.equal(torch.view_as_real(p.detach()), q.detach())
    for key, value in one.state[p].items():
        assert torch.equal(torch.view_as_real(value) if value.is_complex() else value, other.state[q][key])


def test_large_tensors_are_stepped_in_chunks_without_a_seam(make):
    from optkit.optim import stepping

    length = 2 * stepping.CHUNK + 17
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(length, generator=generator)
    p = torch.nn.Parameter(data.clone())
    parts = [torch.nn.Parameter(part.clone()) for part in data.split(length // 5)]
    one, other = make([p]), make(parts)
    for _ in range(2):
        p.grad = torch.randn(length, generator=generator)
        for part, g in zip(parts, p.grad.split(length // 5), strict=True):
            part.grad = g
        one.step()
        other.step()
    torch.testing.assert_close(p.detach(), torch.cat([part.detach() for part in parts]), rtol=1e-6, atol=1e-7)


def test_repr_names_class_and_options(make, parameters):
    optimizer = make(parameters())
    assert repr(optimizer).startswith(type(optimizer).__name__)
    assert len(optimizer.rules) == 1
