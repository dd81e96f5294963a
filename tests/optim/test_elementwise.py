"""A rule applied once to a list of tensors: the bits of the rule on NumPy, whatever way is taken."""

import numpy as np
import pytest
import torch

from optkit.kernels import backend
from optkit.kernels.compiler import compilers
from optkit.optim import elementwise
from optkit.optim.elementwise import apply_rule
from optkit.rules import RULES

no_compiler = pytest.mark.skipif(next(compilers(), None) is None, reason="no C compiler on the PATH")


def tensors(rule, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    state = torch.float64 if dtype == torch.float64 else torch.float32
    shapes = [(3, 4, 5), (), (0,), (40_001,), (2, 3, 4, 4), (7,)]
    rows = []
    for shape in shapes:
        theta, g = (torch.randn(shape, generator=generator).to(dtype) for _ in range(2))
        rows.append(
            [theta, g, *(torch.randn(shape, generator=generator).abs().to(state) for _ in rule.state)]
        )
    rows[4][:2] = [x.to(memory_format=torch.channels_last) for x in rows[4][:2]]
    rows[0][1] = rows[0][1].transpose(0, 2).contiguous().transpose(0, 2)  # in another order than θ
    rows[5][0] = torch.zeros(14, dtype=dtype)[::2].copy_(rows[5][0])  # with gaps
    return rows


@no_compiler
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_bits_are_those_of_the_rule_on_numpy(rule, dtype, monkeypatch):
    monkeypatch.setenv("OPTKIT_BACKEND", "c")
    rows, inputs = tensors(rule, dtype), dict.fromkeys(rule.inputs, 1.5)
    expected = [rule(*(x.numpy().copy() for x in row), 3, **inputs) for row in rows]
    versions = [row[0]._version for row in rows]
    for _ in range(2):  # the second time the table is known
        copies = [[x.clone() for x in row] for row in rows]
        apply_rule(rule, *list(zip(*copies, strict=True))[:2], [row[2:] for row in copies], t=3, **inputs)
    apply_rule(rule, *list(zip(*rows, strict=True))[:2], [row[2:] for row in rows], t=3, **inputs)
    for row, arrays, version in zip(rows, expected, versions, strict=True):
        arrays = arrays if isinstance(arrays, tuple) else (arrays,)
        for tensor, array in zip((row[0], *row[2:]), arrays, strict=True):
            assert np.array_equal(tensor.numpy(), array)
        assert row[0]._version > version


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.complex64], ids=str)
def test_torch_computes_the_same(dtype, monkeypatch):
    rule, results = RULES["sam_perturbation"], []
    for choice in ("torch", ""):
        monkeypatch.setenv("OPTKIT_BACKEND", choice)
        rows = tensors(rule, dtype)
        apply_rule(rule, *zip(*rows, strict=True), grad_norm=3.0, rho=0.5)
        results.append([row[0] for row in rows])
    assert backend.wanted() == ""
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-7, atol=1e-7)


def test_lazy_signs_and_shared_memory_are_respected(monkeypatch):
    rule, hyper = RULES["sam_perturbation"], {"grad_norm": 1.0, "rho": 1.0, "eps": 0.0}
    theta, g = torch.zeros(3), torch._neg_view(torch.ones(3))
    apply_rule(rule, [theta], [g], **hyper)
    assert theta.tolist() == [-1, -1, -1]
    memory = torch.zeros(4)
    monkeypatch.setattr(elementwise, "_run", None)  # threads would step both at once
    apply_rule(rule, [memory[:3], memory[1:]], [torch.ones(3)] * 2, **hyper)
    assert memory.tolist() == [1, 2, 2, 1]


def test_gradients_may_move_while_parameters_stay():
    rule, theta = RULES["sam_perturbation"], torch.zeros(50)
    elementwise._table.cache_clear()
    kept = []
    for value in (1.0, 2.0, 3.0):
        kept.append(torch.full((50,), value))
        apply_rule(rule, [theta], [kept[-1]], grad_norm=1.0, rho=1.0, eps=0.0)
    assert set(theta.tolist()) == {6.0} and elementwise._table.cache_info().misses <= 1


def test_what_does_not_fit_is_refused_before_anything_changes():
    sam, theta, g = RULES["sam_perturbation"], torch.zeros(2), torch.ones(2)
    with pytest.raises(TypeError, match="sam_perturbation needs grad_norm; give it as a keyword"):
        apply_rule(sam, [theta], [g])
    with pytest.raises(TypeError, match="has no radius; it takes grad_norm, rho, eps"):
        apply_rule(sam, [theta], [g], grad_norm=1.0, radius=2.0)
    with pytest.raises(ValueError, match="rho"):
        apply_rule(sam, [theta], [g], grad_norm=1.0, rho=float("nan"))
    with pytest.raises(ValueError, match="of one length, got 1, 2 and 1"):
        apply_rule(sam, [theta], [g, g], grad_norm=1.0)
    with pytest.raises(ValueError, match=r"must fit θ of shape \(2,\) and torch.float32, with 0 states"):
        apply_rule(sam, [theta], [g.double()], grad_norm=1.0)
    with pytest.raises(ValueError, match=r"with 1 states of .* for momentum_common"):
        apply_rule(RULES["momentum_common"], [theta], [g])
    with pytest.raises(TypeError, match="must be floating point or complex"):
        apply_rule(sam, [theta.long()], [g.long()], grad_norm=1.0)
    assert theta.tolist() == [0, 0]
