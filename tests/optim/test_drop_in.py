"""Our classes in the place of torch's: same arguments, same numbers, same checkpoints."""

import inspect
import io

import pytest
import torch

import optkit.optim as optim

SHARED = [name for name in optim.__all__ if name in dir(torch.optim)]


@pytest.mark.parametrize("name", SHARED)
def test_signature_begins_as_torchs(name):
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (optim, torch.optim))
    empty = inspect.Parameter.empty
    for parameter in theirs.values():
        found = ours[parameter.name]
        assert found.kind == parameter.kind
        assert found.default == parameter.default and (found.default is empty) == (parameter.default is empty)
    shared = [parameter for parameter in ours if parameter in theirs]
    positional = [p.name for p in theirs.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert shared[: len(positional)] == positional
    own = [p for p in ours.values() if p.name not in theirs]
    assert all(p.kind is p.KEYWORD_ONLY for p in own)


def test_all_that_rules_cover_is_there():
    assert set(SHARED) == {"SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "RAdam"}


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
def test_updates_equal_torchs(pair, parameters, train, scale):
    paths = []
    for build in pair:
        p = torch.nn.Parameter(torch.full((6,), 1e-7, dtype=torch.float64))
        optimizer, path = build([p]), [p.detach().clone()]
        for i in range(25):
            train(optimizer, steps=1, seed=i, scale=scale)
            path.append(p.detach().clone())
        paths.append(torch.stack(path))
    ours, theirs = (path.diff(dim=0) for path in paths)
    lost = 4 * torch.finfo(torch.float64).eps * paths[1].abs().max()
    assert (ours - theirs).abs().max() <= 1e-12 * theirs.abs().max() + lost


def test_a_whole_model_ends_where_torchs_does(pair, parameters, train):
    ends = []
    for build in pair:
        params = parameters()
        train(build(params), steps=12)
        ends.append(params)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_complex_parameters_equal_torchs(pair):
    ends = []
    for build in pair:
        generator = torch.Generator().manual_seed(0)
        p = torch.nn.Parameter(torch.randn(5, 3, dtype=torch.complex128, generator=generator))
        optimizer = build([p])
        for _ in range(10):
            p.grad = torch.randn(5, 3, dtype=torch.complex128, generator=generator)
            optimizer.step()
        ends.append(p.detach())
    torch.testing.assert_close(*ends, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("direction", ["from torch", "to torch"])
def test_checkpoints_are_interchangeable(pair, parameters, train, direction):
    first, second = pair if direction == "to torch" else reversed(pair)
    params, twins = parameters(), parameters()
    saved = first(params)
    train(saved, steps=4)
    with torch.no_grad():
        for p, twin in zip(params, twins, strict=True):
            twin.copy_(p)
    file = io.BytesIO()
    torch.save(saved.state_dict(), file)
    file.seek(0)
    loaded = second(twins)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    for optimizer in (saved, loaded):
        train(optimizer, steps=4, seed=2)
    for p, twin in zip(params, twins, strict=True):
        torch.testing.assert_close(p, twin, rtol=1e-10, atol=1e-12)


def test_state_bears_torchs_names(pair, parameters, train):
    names = []
    for build in pair:
        optimizer = build(parameters())
        train(optimizer, steps=1)
        names.append({frozenset(state) - {"step"} for state in optimizer.state.values()} - {frozenset()})
    assert names[0] == names[1]


def test_a_fused_checkpoint_loads(parameters, train):
    params = parameters(torch.float32)[:3]
    theirs = torch.optim.Adam(params, fused=True)
    train(theirs, steps=2)
    ours = optim.Adam(params)
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["fused"] is None
    assert [state["step"].item() for state in ours.state.values()] == [2.0] * 3
    train(ours, steps=1)


@pytest.mark.parametrize("lr", [0.1, torch.tensor(0.1, dtype=torch.float64), torch.tensor([0.1])])
def test_lr_may_be_a_tensor(lr, parameters, train):
    ends = []
    for module in (optim, torch.optim):
        params = parameters()
        train(module.RMSprop(params, lr=lr))
        ends.append(params)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=0)


def test_betas_may_be_tensors(parameters, train):
    ends = []
    for module in (optim, torch.optim):
        params = parameters()
        betas = torch.tensor([0.75, 0.875], dtype=torch.float64)
        train(module.Adam(params, betas=(betas[0], betas[1])))
        ends.append(params)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("path", ["foreach", "fused", "capturable", "differentiable"])
def test_ways_of_computing_are_torchs_own(name, path, parameters):
    build = getattr(optim, name)
    if path not in inspect.signature(build).parameters:
        assert path not in inspect.signature(getattr(torch.optim, name)).parameters
        return
    for allowed in (None, False):
        build(parameters(), **{path: allowed})
    why = "a CUDA graph would repeat" if path == "capturable" else "backend"
    with pytest.raises(ValueError, match=f"{path} must be None or False, got True: .*{why}"):
        build(parameters(), **{path: True})


def test_grad_scaler_on_the_cpu(parameters):
    ends = []
    for module in (optim, torch.optim):
        params = parameters(torch.float32)[:3]
        optimizer = module.Adam(params, lr=0.1)
        scaler = torch.amp.GradScaler(device="cpu", init_scale=1024.0)
        for i in range(6):
            optimizer.zero_grad()
            loss = sum((p * p).sum() for p in params) * (float("inf") if i == 3 else 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        assert scaler.get_scale() == 512.0
        assert optimizer.state[params[0]]["step"] == 5
        ends.append(params)
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_types_compute_in_float32(make, parameters, train, dtype):
    """The same steps on a float32 twin that is rounded to the half type after each step, bit for bit."""
    half = parameters(dtype)
    twin = [torch.nn.Parameter(p.detach().float()) for p in half]
    ours, theirs = make(half), make(twin)
    for seed in range(6):
        train(ours, steps=1, seed=seed)
        for p, q in zip(half, twin, strict=True):
            q.grad = p.grad.float()
        theirs.step()
        for p, q in zip(half, twin, strict=True):
            assert torch.equal(p.detach(), q.detach().to(dtype))
            q.data.copy_(p.detach())
            for key, value in ours.state[p].items():
                assert value.dtype == (torch.float64 if key == "step" else torch.float32)
                assert torch.equal(value, theirs.state[q][key])
