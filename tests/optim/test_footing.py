"""SAM's climb in compiled C: the same as by torch, and back to the same bits, whatever happens between."""

import gc
import weakref

import pytest
import torch
from torch import nn

import optkit.optim as optim
from optkit.kernels.compiler import compilers
from optkit.optim import SAM

if next(compilers(), None) is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)

SHAPES = [(3, 4, 5, 5), (7,), (), (0, 3), (200_003,)]


@pytest.fixture(autouse=True)
def kernels(monkeypatch):
    monkeypatch.delenv("OPTKIT_BACKEND", raising=False)


def parameters(dtype=torch.float32, shapes=SHAPES):
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(s, generator=generator, dtype=torch.float64).to(dtype)) for s in shapes]


def gradients(params, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for p in params:
        p.grad = torch.empty_like(p).copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))


def sam_of(params, base=None, **options):
    return SAM(base or optim.SGD(params, lr=0.0), None, rho=0.5, **options)


def bits(params):
    return [p.detach().clone() for p in params]


def noticed(params, versions):
    """Whether autograd knows that the parameters have changed."""
    return all(p._version > old or not p.numel() for p, old in zip(params, versions, strict=True))


def footed(sam):
    """Whether the groups climbed in C."""
    return len(sam._climb._climbed) == len(sam.param_groups)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_it_climbs_as_torch_does_and_comes_back(dtype, adaptive, maximize, monkeypatch):
    places = {}
    for way in ("torch", "c"):
        monkeypatch.setenv("OPTKIT_BACKEND", way)
        params = parameters(dtype)
        before = bits(params)
        sam = sam_of(params, optim.SGD(params, lr=0.0, maximize=maximize), adaptive=adaptive)
        for seed in range(3):
            gradients(params, seed)
            versions = [p._version for p in params]
            sam.first_step()
            assert footed(sam) is bool(sam._climb._footings) is (way == "c")
            places[way, seed] = bits(params)
            assert noticed(params, versions)
            versions = [p._version for p in params]
            sam.restore()
            assert all(map(torch.equal, params, before))
            assert noticed(params, versions)
    for seed in range(3):
        assert not torch.equal(places["c", seed][1], before[1])
        torch.testing.assert_close(places["c", seed], places["torch", seed])


def test_a_parameter_that_moves_between_the_halves_gets_its_theta_back():
    params = parameters()
    before, sam = bits(params), sam_of(params)
    gradients(params)
    sam.first_step()
    assert footed(sam)
    old = params[0].data
    params[0].data = old.clone()
    above = old.clone()
    sam.restore()
    assert all(map(torch.equal, params, before))
    assert torch.equal(old, above), "memory that is no longer the parameter's must not be written"


@pytest.mark.parametrize("change", ["value", "layout", "dtype"])
def test_what_changed_since_the_last_step_is_noticed(change):
    params = parameters(shapes=[(3, 4, 5, 5), (7,)])
    sam = sam_of(params)
    gradients(params)
    sam.first_step()
    sam.restore()
    params[0].data = {
        "value": lambda x: x + 1,
        "layout": lambda x: x.to(memory_format=torch.channels_last),
        "dtype": lambda x: x.double(),
    }[change](params[0].data)
    params[0].grad = None
    before = bits(params)
    gradients(params, 1)
    sam.first_step()
    moved = [(p.detach() - old).double().flatten() for p, old in zip(params, before, strict=True)]
    assert float(torch.cat(moved).norm()) == pytest.approx(0.5, rel=1e-5)
    assert footed(sam) is bool(sam._climb._footings) is (change != "dtype"), "no memory is kept for nothing"
    sam.restore()
    assert all(map(torch.equal, params, before))


@pytest.mark.parametrize("strange", ["gaps", "sign", "other order"])
def test_gradients_that_c_cannot_take_go_to_torch(strange):
    params = parameters(shapes=[(6, 8), (7,)])
    before, sam = bits(params), sam_of(params)
    gradients(params)
    sam.first_step()
    sam.restore()
    gradients(params)
    g = params[0].grad
    unit = g / torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in params]))
    params[0].grad = {
        "gaps": lambda: torch.stack([g, g], dim=-1)[..., 0],
        "sign": lambda: torch._neg_view(-g),
        "other order": lambda: g.t().contiguous().t(),
    }[strange]()
    sam.first_step()
    assert not footed(sam)
    torch.testing.assert_close(params[0].detach(), before[0] + 0.5 * unit)
    sam.restore()
    assert all(map(torch.equal, params, before))
    gradients(params)
    sam.first_step()
    assert footed(sam), "C again, as soon as it can"


def test_parameters_that_share_memory_go_to_torch():
    memory = torch.ones(8)
    params = [nn.Parameter(memory[:5]), nn.Parameter(memory[3:])]
    sam = sam_of(params)
    gradients(params)
    sam.first_step()
    assert not footed(sam)
    sam.restore()
    assert torch.equal(memory, torch.ones(8))


def test_groups_of_both_kinds_share_one_norm():
    footed_ones, loose = parameters(shapes=[(5, 5)]), parameters(torch.bfloat16, shapes=[(40,)])
    sam = sam_of(None, optim.SGD([{"params": footed_ones}, {"params": loose}], lr=0.0))
    before = bits(footed_ones + loose)
    gradients(footed_ones + loose)
    sam.first_step()
    assert len(sam._climb._climbed) == 1
    moved = [(p.detach() - old).float() for p, old in zip(footed_ones + loose, before, strict=True)]
    assert torch.cat([x.flatten() for x in moved]).norm() == pytest.approx(0.5, rel=0.02)  # bfloat16 rounds
    sam.restore()
    assert all(map(torch.equal, footed_ones + loose, before))


def test_parameters_without_gradient_stay_out_and_may_join():
    params = parameters(shapes=[(4,), (5,)])
    before, sam = bits(params), sam_of(params)
    for with_gradient in ([0], [0, 1], [1]):
        gradients(params)
        for k in {0, 1} - set(with_gradient):
            params[k].grad = None
        sam.first_step()
        assert footed(sam)
        for k in (0, 1):
            assert torch.equal(params[k], before[k]) is (k not in with_gradient)
        sam.restore()
        assert all(map(torch.equal, params, before))


def test_nothing_is_held_that_the_user_has_let_go():
    params = parameters()
    sam = sam_of(params)
    gradients(params)
    seen = [weakref.ref(p.grad) for p in params]
    sam.first_step()
    gc.collect()
    assert not any(ref() is not None for ref in seen), "gradients"
    sam.restore()
    ref = weakref.ref(params[0])
    del params, sam
    gc.collect()
    assert ref() is None, "parameters"


def test_autograd_sees_that_the_weights_have_moved():
    weight = nn.Parameter(torch.ones(3))
    sam = sam_of([weight])
    weight.grad = torch.ones(3)
    sam.first_step()
    sam.restore()
    loss = (weight**2).sum()  # keeps the weight for its gradient
    weight.grad = torch.ones(3)
    sam.first_step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
