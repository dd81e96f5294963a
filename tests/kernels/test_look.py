"""Where tensors lie: what two of them have in common, and what is no plain tensor."""

import ctypes
import sys

import pytest
import torch

from optkit.kernels import Unavailable, Watch, backend
from optkit.kernels.compiler import compilers
from optkit.kernels.look import _library, check, form
from optkit.optim import from_rule
from optkit.rules import rule

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
    entries = [{"v": view.clone(), "step": torch.tensor(4.0, dtype=torch.float64)} for view in views]
    state = {"another": {}, **dict(enumerate(reversed(entries)))}
    watch = Watch(views, entries, ("v", "step"), state=state)
    columns = [views, [e["v"] for e in entries], [e["step"] for e in entries]]
    assert watch.plain and watch.addresses == [tensor.data_ptr() for column in columns for tensor in column]
    gradients = [torch.empty_like(view) for view in views]
    count, addresses, held = watch.count(views, gradients, state)
    there = [views, gradients, columns[1]]
    assert count == 4 and list(addresses) == [tensor.data_ptr() for column in there for tensor in column]
    assert all(a is b for a, b in zip(held, columns[1] + columns[2], strict=True))
    entries[3]["step"] += 1
    assert watch.count(views, gradients, state) is None
    entries[3]["step"] -= 1
    assert watch.count(views, gradients, state) is not None
    assert watch.count(views, gradients[:-1], state) is None
    assert watch.count(views[:-1], gradients, state) is None
    assert watch.count([*views[:-1], views[-1].clone()], gradients, state) is None
    gradients[2] = gradients[2].contiguous()
    assert watch.count(views, gradients, state) is None


def test_without_counts_and_state():
    p, g = torch.zeros(3), torch.zeros(3)
    entry = {"origin": torch.ones(3)}
    watch = Watch([p], [entry], ["origin"], counted=False)
    count, addresses, held = watch.count([p], [g])
    assert count == 0 and list(addresses) == [x.data_ptr() for x in (p, g, entry["origin"])]
    assert held[0] is entry["origin"] and watch.same()[0] is entry["origin"]
    entry["origin"] = torch.ones(3)
    assert watch.same() is None and watch.count([p], [g]) is None


@pytest.mark.parametrize(
    "change",
    [
        "value moved",
        "value replaced",
        "key gone",
        "no dict",
        "parameter moved",
        "parameter turned",
        "value turned",
        "entry replaced",
        "entry gone",
        "entry last",
        "entry beyond",
        "state replaced",
        "no state",
    ],
)
def test_what_has_moved_is_told(change):
    p, g = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    entry = {"v": torch.zeros(3, 4, 4), "step": torch.zeros((), dtype=torch.float64)}
    state = {"another": {}, p: entry, "more": {}}
    watch, kept = Watch([p], [entry], ("v", "step"), state=state), [p.data, entry["v"].data]
    assert watch.count([p], [g], state) is not None
    {
        "value moved": lambda: setattr(entry["v"], "data", torch.zeros(3, 4, 4)),
        "value replaced": lambda: entry.update(v=torch.zeros(3, 4, 4)),
        "key gone": lambda: entry.pop("step"),
        "no dict": lambda: state.__setitem__(p, [1]),
        "parameter moved": lambda: setattr(p, "data", torch.zeros(3, 4, 4)),
        "parameter turned": lambda: setattr(p, "data", p.data.transpose(1, 2)),  # the same memory
        "value turned": lambda: setattr(entry["v"], "data", entry["v"].data.transpose(1, 2)),
        "entry replaced": lambda: state.__setitem__(p, dict(entry)),
        "entry gone": lambda: state.pop(p),
        "entry last": lambda: state.__setitem__(p, state.pop(p)),
        "entry beyond": lambda: state.update({**{key: {} for key in range(9)}, p: state.pop(p)}),
        "state replaced": lambda: state.clear(),
        "no state": lambda: None,
    }[change]()
    assert watch.count([p], [g], None if change == "no state" else state) is None and kept


def test_an_entry_that_the_state_never_held_is_told():
    p, g = torch.zeros(3), torch.zeros(3)
    entry, another = ({"step": torch.zeros((), dtype=torch.float64)} for _ in range(2))
    watch = Watch([p], [entry], ["step"], state={p: another})
    assert watch.plain and watch.count([p], [g], {p: another}) is None


def test_references_are_given_back():
    p, g = torch.zeros(3), torch.zeros(3)
    entry = {"v": torch.zeros(3), "step": torch.zeros((), dtype=torch.float64)}
    params, gradients, state = [p], [g], {p: entry}
    watch = Watch(params, [entry], ("v", "step"), state=state)
    objects = [p, g, entry, *entry.values(), torch.Tensor, None]

    def counts():
        return [sys.getrefcount(thing) for thing in objects]

    before = counts()
    for _ in range(1000):
        watch.count(params, gradients, state)
        watch.count(params, [None], state)
        watch.same()
        form(entry)
    assert max(abs(a - b) for a, b in zip(before, counts(), strict=True)) < 100


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
    fine = torch.zeros(3)
    entry = {"v": torch.zeros(3), "step": torch.tensor(1.0, dtype=torch.float64)}
    watch = Watch([fine], [entry], ("v", "step"))
    assert watch.count([fine], [fine]) is not None and watch.count([fine], [strange]) is None
    entry["v"] = strange
    assert watch.count([fine], [fine]) is None
    assert not Watch([fine], [entry], ("v", "step")).plain
    if isinstance(strange, torch.Tensor):
        assert not Watch([strange], [entry], ("step",)).plain


def test_a_tensor_without_memory_is_told():
    tensor = torch.zeros(1000)
    assert form(tensor)
    tensor.untyped_storage().resize_(0)
    assert form(tensor) is None
    assert form(torch.zeros(0, 3)) and form(torch.zeros(0, 3))[1] == form(torch.zeros(3, 0).t())[1]


Pointer = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
capsule = Pointer(("PyCapsule_New", ctypes.pythonapi))
MISFITS = {  # version, functions → what is said
    "has no __dlpack_c_exchange_api__": None,
    "has another exchange table": (b"other", [1, 0, 0, 0, 0, 1]),
    "is of version 2, not 1": (b"dlpack_exchange_api", [2, 0, 0, 0, 0, 1]),
    "cannot look at tensors": (b"dlpack_exchange_api", [1, 0, 0, 0, 0, 0]),
    "does not tell where a tensor lies": (b"dlpack_exchange_api", [1, 0, 0, 0, 0, "liar"]),
}


@pytest.fixture(params=MISFITS)
def misfit(request, monkeypatch):
    """What a later torch may bring: no table, another one, or one that says something else."""

    def lie(thing, out):
        ctypes.memset(out, 0, 48)
        ctypes.c_uint64.from_address(out).value = 64  # an address, but not the tensor's
        return 0

    liar = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lie)
    given = MISFITS[request.param]
    if given is not None:
        name, words = given
        words = [ctypes.cast(liar, ctypes.c_void_p).value if word == "liar" else word for word in words]
        table = (ctypes.c_uint64 * 6)(*words)
        given = capsule(ctypes.addressof(table), name, None)
    _library.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "__dlpack_c_exchange_api__", given)
        yield request.param
    check()


def test_another_torch_steps_without_kernels(misfit, monkeypatch):
    with pytest.raises(Unavailable, match=rf"torch .* {misfit}"):
        check()

    @rule
    def unheard_of(theta, g, t, *, lr=0.5):
        theta = theta - lr * g
        return theta

    monkeypatch.delenv("OPTKIT_BACKEND", raising=False)
    monkeypatch.setattr(backend, "_warned", False)
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    optimizer = from_rule(unheard_of)([p])
    with pytest.warns(RuntimeWarning, match=misfit):
        optimizer.step()
    optimizer.step()
    assert p.tolist() == [0, 0, 0] and optimizer.backend == "torch chunks"
