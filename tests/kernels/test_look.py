"""Where tensors lie: what two of them have in common, and what is no plain tensor."""

import pytest
import torch

from optkit.kernels import Unavailable, Watch
from optkit.kernels.compiler import compilers
from optkit.kernels.look import _library, check, form

if next(compilers(), None) is None:
    pytest.skip("no C compiler on the PATH", allow_module_level=True)


def test_addresses_are_those_of_torch():
    memory = torch.randn(6, 5)
    views = [
        memory,
        memory[2:4],
        memory.t(),
        torch.tensor(1.0),
        torch.zeros(0, 3),
        torch.nn.Parameter(memory),
    ]
    counts = [torch.tensor(4.0, dtype=torch.float64) for _ in views]
    watch = Watch([*views, *counts], len(views))
    assert watch.addresses == [tensor.data_ptr() for tensor in (*views, *counts)]
    gradients = [torch.empty_like(view) for view in views]
    count, addresses = watch.count([*views, *counts], gradients)
    assert count == 4 and list(addresses) == [g.data_ptr() for g in gradients]
    counts[3] += 1
    assert watch.count([*views, *counts], gradients) is None
    counts[3] -= 1
    assert watch.count([*views, *counts], gradients[:-1]) is None
    assert watch.count([*views[:-1], *counts], gradients) is None
    gradients[2] = gradients[2].contiguous()
    assert watch.count([*views, *counts], gradients) is None


def test_forms_differ_where_elements_lie_differently():
    plain = torch.zeros(4, 6)
    different = [
        plain, plain.t(), torch.zeros(6, 4), torch.zeros(4, 5), torch.zeros(24), torch.zeros(2, 2, 6),
        torch.tensor(0.0),
        torch.zeros(4, 12)[:, ::2], torch.zeros(8, 6)[::2], plain.double(), plain.half(), plain.bfloat16(),
        plain.to(torch.complex64), plain.int(), torch.zeros(0, 6), torch.zeros(1).expand(4, 6),
    ]  # fmt: skip
    assert len({form(tensor)[1] for tensor in different}) == len(different)
    alike = [
        plain,
        torch.nn.Parameter(plain),
        plain + 1,
        plain.clone()[:, None],
        torch.zeros(1, 4, 6)[0],
        plain.view(4, 6, 1),
    ]
    assert {form(tensor)[1] for tensor in alike} == {form(plain)[1]}


class Derived(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "strange",
    [
        None,
        3.0,
        [],
        Derived(),
        torch.zeros(3, device="meta"),
        torch.eye(3).to_sparse(),
        torch._efficientzerotensor(3),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_is_no_plain_tensor_is_told(strange):
    assert form(strange) is None
    fine, count = torch.zeros(3), torch.tensor(1.0, dtype=torch.float64)
    watch = Watch([fine, count], 1)
    assert watch.count([fine, count], [fine]) is not None
    assert watch.count([fine, count], [strange]) is None and watch.count([strange, count], [fine]) is None


def test_a_tensor_without_memory_is_told():
    tensor = torch.zeros(1000)
    assert form(tensor)
    tensor.untyped_storage().resize_(0)
    assert form(tensor) is None
    assert form(torch.zeros(0, 3)) and form(torch.zeros(0, 3))[1] == form(torch.zeros(3, 0).t())[1]


def test_a_torch_without_the_table_has_no_kernels(monkeypatch):
    _library.cache_clear()
    monkeypatch.setattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
    with pytest.raises(Unavailable, match=r"torch .* has no __dlpack_c_exchange_api__"):
        check()
    monkeypatch.undo()
    check()
