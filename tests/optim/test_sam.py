"""SAM against its closed form on a quadratic, and free of the defects of the popular implementation."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import optkit.optim as optim
from optkit.data import digits
from optkit.models import lenet, mlp
from optkit.optim import SAM
from optkit.training import CheckpointError, train

A = torch.diag(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
START = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
BASES = {
    "torch.SGD": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "torch.AdamW": lambda p: torch.optim.AdamW(p, lr=0.01),
    "SGD": lambda p: optim.SGD(p, lr=0.01, momentum=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "INNA": lambda p: optim.INNA(p, lr=0.01),
}


def quadratic(theta):
    return theta @ A @ theta / 2


def closure_of(optimizer, theta, loss=quadratic):
    def closure():
        optimizer.zero_grad()
        value = loss(theta)
        value.backward()
        return value

    return closure


def images(count=12, dtype=torch.float64, size=(1, 4, 4)):
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(count, *size, generator=generator, dtype=torch.float64).to(dtype),
        torch.randint(0, 3, (count,), generator=generator),
    )


def normed_net(dtype=torch.float64):
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3))
    return nn.Sequential(*layers).to(dtype)


def backward(model, x, y, scale=1.0):
    loss = nn.functional.cross_entropy(model(x), y)
    (loss * scale).backward()
    return loss


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def same(some, others):
    return all(torch.equal(p, q) for p, q in zip(some, others, strict=True))


# The mathematics.


@pytest.mark.parametrize("rho", [0.0, 0.05, 2.0])
def test_the_closed_form_on_a_quadratic(rho):
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.01), None, rho=rho)
    expected, matrix = START.numpy().copy(), A.numpy()
    for _ in range(20):
        sam.step(closure_of(sam, theta))
        g = matrix @ expected
        worst = expected + rho * g / (np.linalg.norm(g) + 1e-12)
        expected = expected - 0.01 * matrix @ worst
        np.testing.assert_allclose(theta.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


def test_the_closed_form_of_the_adaptive_variant():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.01), None, rho=0.5, adaptive=True, eta=0.1)
    expected, matrix = START.numpy().copy(), A.numpy()
    for _ in range(20):
        sam.step(closure_of(sam, theta))
        g, size = matrix @ expected, np.abs(expected) + 0.1
        worst = expected + 0.5 * size**2 * g / (np.linalg.norm(size * g) + 1e-12)
        expected = expected - 0.01 * matrix @ worst
        np.testing.assert_allclose(theta.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


def test_the_norm_is_that_of_all_parameters_in_all_groups():
    parts = [nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([[4.0]]))]
    sam = SAM(torch.optim.SGD([{"params": parts[:1]}, {"params": parts[1:], "lr": 0.1}]), None, rho=1.0)
    sum((p**2).sum() / 2 for p in parts).backward()
    sam.first_step()
    torch.testing.assert_close(torch.cat([p.flatten() for p in parts]), torch.tensor([3.6, 4.8]))


def test_the_norm_is_that_of_parameters_of_several_dtypes():
    parts = [nn.Parameter(torch.tensor([3.0], dtype=d)) for d in (torch.float16, torch.float64)]
    sam = SAM(torch.optim.SGD(parts, lr=0.1), None, rho=5.0)
    for p, g in zip(parts, (3.0, 4.0), strict=True):
        p.grad = torch.full_like(p, g)
    sam.first_step()
    assert [p.item() for p in parts] == pytest.approx([6.0, 7.0])


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_a_ball_of_radius_zero_is_the_base_optimizer(base):
    x, y = images()
    plain, wrapped = normed_net(), normed_net()
    alone = base(plain.parameters())
    sam = SAM(base(wrapped.parameters()), wrapped, rho=0.0)
    for _ in range(5):
        alone.zero_grad()
        backward(plain, x, y)
        alone.step()
        sam.zero_grad()
        sam.step(closure_over(sam, wrapped, x, y))
    assert same(weights(plain), weights(wrapped))
    assert same(plain.buffers(), wrapped.buffers())


def closure_over(optimizer, model, x, y):
    def closure():
        optimizer.zero_grad()
        return backward(model, x, y)

    return closure


def test_it_climbs_against_maximize():
    theta = nn.Parameter(START.clone())
    sam = SAM(torch.optim.SGD([theta], lr=0.1, maximize=True), None, rho=0.5)
    quadratic(theta).backward()
    sam.first_step()
    g = A @ START
    torch.testing.assert_close(theta.detach(), START - 0.5 * g / g.norm())


def test_complex_parameters_are_pairs_of_reals():
    theta = nn.Parameter(torch.tensor([3.0 + 4.0j], dtype=torch.complex128))
    sam = SAM(optim.SGD([theta], lr=0.1), None, rho=1.0)
    (theta.abs() ** 2).sum().backward()
    sam.first_step()
    torch.testing.assert_close(theta.detach(), torch.tensor([3.6 + 4.8j], dtype=torch.complex128))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gradients_do_not_overflow_in_the_norm(dtype):
    theta = nn.Parameter(torch.full((1000,), 100.0, dtype=dtype))
    sam = SAM(optim.SGD([theta], lr=0.0), None, rho=1000.0)
    theta.grad = torch.full_like(theta, 300.0)  # the sum of squares is 9e7
    sam.first_step()
    torch.testing.assert_close(theta.float().mean(), torch.tensor(100 + 1000 / 1000**0.5), rtol=0.01, atol=0)


# The defects of the popular implementation, one by one.


def test_defect_state_dict_holds_the_base_optimizers_state():
    x, y = images()
    model = normed_net()
    sam = SAM(optim.Adam(model.parameters(), lr=0.01), model, rho=0.1)
    for _ in range(3):
        sam.step(closure_over(sam, model, x, y))
    other = normed_net()
    other.load_state_dict(model.state_dict())
    again = SAM(optim.Adam(other.parameters(), lr=0.5), other, rho=0.9)
    saved = copy.deepcopy(sam.state_dict())
    again.load_state_dict(saved)
    assert again.rho == 0.1 and again.base.param_groups[0]["lr"] == 0.01
    for optimizer, net in ((sam, model), (again, other)):
        for _ in range(3):
            optimizer.step(closure_over(optimizer, net, x, y))
    assert same(weights(model), weights(other))
    assert torch.equal(saved["state"][0]["step"], torch.tensor(3.0, dtype=torch.float64))


def test_defect_a_parameter_without_a_second_gradient_comes_back():
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    sam = SAM(torch.optim.SGD([first, second], lr=0.1), None, rho=0.5)
    (first.sum() + second.sum()).backward()
    sam.first_step()
    assert not torch.equal(second.detach(), torch.ones(2))
    first.sum().backward()
    sam.second_step()
    assert torch.equal(second.detach(), torch.ones(2))
    assert torch.equal(first.detach(), torch.full((2,), 0.9))


def test_defect_a_parameter_with_a_second_gradient_only_is_stepped_from_where_it_was():
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    sam = SAM(torch.optim.SGD([first, second], lr=0.1), None, rho=0.5)
    first.sum().backward()
    sam.first_step()
    (first.sum() + second.sum()).backward()
    sam.second_step()
    assert torch.equal(second.detach(), torch.full((2,), 0.9))


def test_defect_parameters_stay_in_their_memory_and_autograd_sees_the_change():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.01), None, rho=0.5)
    place, view = theta.data_ptr(), theta.detach()
    stale = quadratic(theta)
    stale.backward(retain_graph=True)
    sam.first_step()
    assert theta.data_ptr() == place and torch.equal(view, theta.detach())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        stale.backward()
    sam.restore()
    assert theta.data_ptr() == place and torch.equal(view, START)


def test_defect_step_returns_the_clean_loss():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.01), None, rho=0.5)
    assert sam.step(closure_of(sam, theta)).item() == quadratic(START).item()


def test_defect_batch_statistics_are_counted_once_and_in_the_clean_pass():
    x, y = images()
    model, once = normed_net(), normed_net()
    sam = SAM(optim.SGD(model.parameters(), lr=0.01), model, rho=1.0)
    once(x)
    sam.step(closure_over(sam, model, x, y))
    assert same(model.buffers(), once.buffers())
    assert int(model[1].num_batches_tracked) == 1


def scaled_steps(dtype, scale, overflow_at=(), steps=4):
    """Steps under a GradScaler on the CPU; and whether θ came back where the gradient overflowed."""
    x, y = images(dtype=dtype)
    model = normed_net(dtype)
    sam = SAM(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), model, rho=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=1000)
    for t in range(steps):
        before = weights(model)
        sam.zero_grad()
        scaler.scale(nn.functional.cross_entropy(model(x), y)).backward()
        sam.first_step()
        blow_up = float("inf") if t in overflow_at else 1.0
        scaler.scale(nn.functional.cross_entropy(model(x), y) * blow_up).backward()
        scaler.step(sam)
        scaler.update()
        if t in overflow_at:
            assert same(weights(model), before)
            assert scaler.get_scale() == scale / 2
    return weights(model)


def test_defect_the_step_under_a_grad_scaler_is_the_step_without():
    x, y = images()
    model = normed_net()
    sam = SAM(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), model, rho=0.1)
    for _ in range(4):
        sam.step(closure_over(sam, model, x, y))
    for p, q in zip(weights(model), scaled_steps(torch.float64, 2.0**16), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)


def test_defect_after_an_overflow_under_a_grad_scaler_nothing_has_moved():
    skipped = scaled_steps(torch.float64, 2.0**16, overflow_at=(1,), steps=4)
    three = scaled_steps(torch.float64, 2.0**16, steps=3)
    for p, q in zip(skipped, three, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)


def test_unscaling_before_the_second_step_for_clipping():
    x, y = images()
    model = normed_net()
    sam = SAM(torch.optim.SGD(model.parameters(), lr=0.1), model, rho=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    scaler.scale(nn.functional.cross_entropy(model(x), y)).backward()
    sam.first_step()
    before = weights(model)
    scaler.scale(nn.functional.cross_entropy(model(x), y)).backward()
    scaler.unscale_(sam)
    nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    scaler.step(sam)
    scaler.update()
    moved = sum(((p - q) ** 2).sum() for p, q in zip(weights(model), before, strict=True)).sqrt()
    assert moved < 0.1 * 1e-3 + 0.1 + 1e-9  # θ is back; the step itself is lr · 1e-3 at most
    assert all(torch.isfinite(p).all() for p in weights(model))


# The contract.


def test_by_hand_is_by_closure():
    x, y = images()
    one, other = normed_net(), normed_net()
    closed = SAM(optim.Adam(one.parameters(), lr=0.01), one, rho=0.1)
    hand = SAM(optim.Adam(other.parameters(), lr=0.01), other, rho=0.1)
    for _ in range(3):
        closed.step(closure_over(closed, one, x, y))
        hand.zero_grad()
        backward(other, x, y)
        hand.first_step()
        backward(other, x, y)
        hand.second_step()
    assert same(weights(one), weights(other)) and same(one.buffers(), other.buffers())


def test_gradient_accumulation_is_the_whole_batch():
    x, y = images()
    whole = mlp(input_shape=(1, 4, 4), hidden=(5,), classes=3, seed=0).double()
    parts = copy.deepcopy(whole)
    one = SAM(optim.SGD(whole.parameters(), lr=0.1), whole, rho=0.1)
    two = SAM(optim.SGD(parts.parameters(), lr=0.1), parts, rho=0.1)
    one.step(closure_over(one, whole, x, y))
    for half in (two.first_step, two.second_step):
        for piece in range(0, 12, 4):
            backward(parts, x[piece : piece + 4], y[piece : piece + 4], scale=1 / 3)
        half()
    for p, q in zip(weights(whole), weights(parts), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_zero_gradient_moves_nothing(adaptive):
    theta = nn.Parameter(torch.zeros(3))
    sam = SAM(optim.SGD([theta], lr=0.1), None, rho=10.0, adaptive=adaptive)
    theta.grad = torch.zeros(3)
    sam.first_step()
    assert torch.equal(theta.detach(), torch.zeros(3))
    theta.grad = torch.zeros(3)
    sam.second_step()
    assert torch.equal(theta.detach(), torch.zeros(3))


def test_where_the_norm_is_not_finite_nothing_climbs():
    theta = nn.Parameter(torch.ones(3))
    sam = SAM(torch.optim.SGD([theta], lr=0.1), None, rho=1.0)
    theta.grad = torch.tensor([1.0, float("inf"), 0.0])
    sam.first_step()
    assert torch.equal(theta.detach(), torch.ones(3))
    sam.restore()


def test_no_parameter_has_a_gradient():
    theta = nn.Parameter(torch.ones(3))
    sam = SAM(optim.SGD([theta], lr=0.1), None)
    sam.first_step()
    sam.second_step()
    assert torch.equal(theta.detach(), torch.ones(3))


def test_an_error_in_the_second_pass_leaves_theta_and_statistics():
    x, y = images()
    model = normed_net()
    sam = SAM(optim.SGD(model.parameters(), lr=0.1), model, rho=1.0)
    before, calls = weights(model), []

    def closure():
        calls.append(1)
        sam.zero_grad()
        loss = backward(model, x, y)
        if len(calls) == 2:
            raise MemoryError
        return loss

    with pytest.raises(MemoryError):
        sam.step(closure)
    assert same(weights(model), before) and int(model[1].num_batches_tracked) == 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_copies_go_on_alike(base, copied):
    x, y = images()
    model = normed_net()
    sam = SAM(base(model.parameters()), model, rho=0.1)
    sam.step(closure_over(sam, model, x, y))
    other, again = copied((model, sam))
    assert again.model is other
    for optimizer, net in ((sam, model), (again, other)):
        optimizer.step(closure_over(optimizer, net, x, y))
    assert same(weights(model), weights(other))


def test_a_scheduler_of_sam_sets_the_base_optimizers_rate():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=1e-3), None)
    scheduler = torch.optim.lr_scheduler.StepLR(sam, step_size=1, gamma=0.5)
    for half in range(3):
        assert sam.base.param_groups[0]["lr"] == 1e-3 * 0.5**half
        sam.zero_grad()
        quadratic(theta).backward()
        sam.first_step()
        quadratic(theta).backward()
        sam.second_step()
        scheduler.step()  # torch would warn if the optimizer had not stepped before


def test_groups_added_later_climb_too():
    first, second = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    sam = SAM(optim.SGD([first], lr=0.1), None, rho=1.0)
    sam.add_param_group({"params": [second], "lr": 0.2})
    assert sam.base.param_groups is sam.param_groups and len(sam.param_groups) == 2
    (first + second).sum().backward()
    sam.first_step()
    torch.testing.assert_close(second.detach(), torch.tensor([1 + 0.5**0.5]))


def test_hooks_run_around_the_second_half():
    theta = nn.Parameter(START.clone())
    sam, seen = SAM(optim.SGD([theta], lr=1e-3), None), []
    sam.register_step_post_hook(lambda optimizer, *_: seen.append(optimizer))
    sam.step(closure_of(sam, theta))
    quadratic(theta).backward()
    sam.first_step()
    sam.second_step()
    assert seen == [sam, sam]


def test_the_training_loop_counts_both_gradients_and_resumes_with_the_same_radius(tmp_path):
    def run(rho, steps, resume):
        model = mlp(input_shape=(1, 8, 8), hidden=(5,), seed=0)
        sam = SAM(optim.SGD(model.parameters(), lr=0.1, momentum=0.9), model, rho=rho)
        where = {"checkpoint": tmp_path / "run.pt", "resume": resume, "progress": False}
        return train(model, digits(), sam, steps=steps, **where), weights(model)

    run(0.1, 3, resume=False)
    history, resumed = run(0.1, 5, resume=True)
    assert history["gradients"][-1] == 10
    with pytest.raises(CheckpointError, match=r"optimizer rho was 0\.1 there and is 0\.2 here"):
        run(0.2, 7, resume=True)
    (tmp_path / "run.pt").unlink()
    assert same(resumed, run(0.1, 5, resume=False)[1])


def test_on_channels_last_weights():
    x, y = images(dtype=torch.float32, size=(1, 28, 28))
    plain, last = lenet(classes=3, seed=0), lenet(classes=3, seed=0).to(memory_format=torch.channels_last)
    for model in (plain, last):
        sam = SAM(optim.SGD(model.parameters(), lr=0.1), model, rho=0.1)
        sam.step(closure_over(sam, model, x, y))
    assert last[0].weight.is_contiguous(memory_format=torch.channels_last)
    for p, q in zip(weights(plain), weights(last), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)


# What is refused.


def test_misuse_is_refused_and_moves_nothing():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.1), None, rho=0.5)
    with pytest.raises(RuntimeError, match="pass a closure, or call first_step"):
        sam.step()
    quadratic(theta).backward()
    sam.first_step()
    above = theta.detach().clone()
    with pytest.raises(RuntimeError, match="first_step must be followed by second_step"):
        sam.first_step()
    with pytest.raises(RuntimeError, match="step must have no closure after first_step"):
        sam.step(closure_of(sam, theta))
    with pytest.raises(RuntimeError, match="state_dict must be called before first_step"):
        sam.state_dict()
    with pytest.raises(RuntimeError, match="not between them"):
        copy.deepcopy(sam)
    assert torch.equal(theta.detach(), above)
    sam.restore()
    assert torch.equal(theta.detach(), START)


def test_arguments_out_of_range_are_refused():
    theta = nn.Parameter(torch.ones(1))
    base = optim.SGD([theta], lr=0.1)
    for options, message in (
        ({"rho": -0.1}, "rho must be >= 0.*, got -0.1"),
        ({"rho": float("nan")}, "rho must be .*, got nan"),
        ({"eps": 0.0}, "eps must be > 0, got 0.0"),
        ({"eta": -1.0, "adaptive": True}, "eta must be >= 0, got -1"),
        ({"devices": "both"}, "devices must be 'together' or 'each', got 'both'"),
        ({"devices": "each"}, "needs model to be a DistributedDataParallel, got NoneType"),
    ):
        with pytest.raises(ValueError, match=message):
            SAM(base, None, **options)
    with pytest.raises(TypeError, match="adaptive must be True or False, got 1"):
        SAM(base, None, adaptive=1)
    with pytest.raises(TypeError, match="model must be a module"):
        SAM(base, [theta])
    with pytest.raises(TypeError, match="base must be an optimizer and no SAM, got SAM"):
        SAM(SAM(base, None), None)
    with pytest.raises(TypeError, match="base must be an optimizer and no SAM, got function"):
        SAM(quadratic, None)
    with pytest.raises(TypeError, match="base must step without a closure, got LBFGS"):
        SAM(torch.optim.LBFGS([theta]), None)


def test_a_radius_made_invalid_later_is_refused_before_anything_moves():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.1), None)
    sam.rho = -1.0
    quadratic(theta).backward()
    with pytest.raises(ValueError, match="rho must be"):
        sam.first_step()
    assert torch.equal(theta.detach(), START)


def test_a_sparse_gradient_is_refused():
    layer = nn.Embedding(5, 2, sparse=True)
    sam = SAM(torch.optim.SGD(layer.parameters(), lr=0.1), layer)
    layer(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match="gradient of parameter 0 in group 0 is sparse"):
        sam.first_step()


def test_a_state_dict_of_something_else_is_refused():
    theta = nn.Parameter(START.clone())
    sam = SAM(optim.SGD([theta], lr=0.1), None)
    with pytest.raises(ValueError, match=r"sam\.base\.load_state_dict"):
        sam.load_state_dict(sam.base.state_dict())
    adaptive = SAM(optim.SGD([theta], lr=0.1), None, adaptive=True)
    with pytest.raises(ValueError, match="adaptive must be True as it was saved, got False"):
        sam.load_state_dict(adaptive.state_dict())


def test_a_new_radius_counts_at_once_also_one_in_a_tensor():
    def climbed(rho):
        sam.rho = rho
        backward_of_ones()
        sam.first_step()
        moved = theta.detach().clone()
        sam.restore()
        return (moved - START).norm().item()

    def backward_of_ones():
        theta.grad = torch.ones_like(theta)

    theta, radius = nn.Parameter(START.clone()), torch.tensor(0.5)
    sam = SAM(torch.optim.SGD([theta], lr=0.01), None, rho=0.25)
    assert climbed(0.25) == pytest.approx(0.25)
    assert climbed(radius) == pytest.approx(0.5)
    radius.fill_(2.0)
    assert climbed(radius) == pytest.approx(2.0)
    assert climbed(1.0) == pytest.approx(1.0)
    sam.rho = torch.tensor([0.5, 1.0])
    with pytest.raises(ValueError, match=r"rho must be one number, got a tensor of shape \(2,\)"):
        sam.first_step()
