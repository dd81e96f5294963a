"""Where many tensors lie, and whether that has changed: one call, without a Python object for any answer.

Asked in Python, four questions to each of a hundred parameters take longer than stepping them. torch answers
them in C through the table that DLPack calls ``__dlpack_c_exchange_api__``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

from optkit.kernels.compiler import Unavailable, build

_SOURCE = """
typedef unsigned long long whole;
typedef struct {            /* DLTensor */
    void* data;
    int device, device_number, dimensions;
    unsigned char code, bits;
    unsigned short lanes;
    long long* shape;
    long long* strides;
    whole offset;
} tensor_t;
typedef struct {            /* what is called in torch and in Python */
    int (*look)(void* object, tensor_t* out);
    void* (*item)(void* list, long long k);
    void* (*entry)(void* dict, void* key);
    void* (*type)(void* object);
    void (*release)(void* object);
    int (*append)(void* list, void* object);
    void (*forgive)(void);
    void* types[2];
} calls_t;

/* A number for type, device, shape and strides. Strides of lengths 1 and of empty tensors do not matter. */
static whole form(const tensor_t* t, int empty)
{
    whole number = ((whole)t->code << 48) + ((whole)t->bits << 40);
    number += ((whole)t->device << 8) + t->device_number;
    for (int d = 0; d < t->dimensions; d++) {
        if (t->shape[d] == 1) continue;
        number = (number ^ (whole)t->shape[d]) * 0x9e3779b97f4a7c15ull;
        number = (number ^ (number >> 29) ^ (whole)(empty ? 0 : t->strides[d])) * 0xbf58476d1ce4e5b9ull;
    }
    return number ^ (number >> 32);
}

/* Look at an object, which the caller keeps alive; whether it is a plain tensor with memory of its own. */
static int see(const calls_t* call, void* object, whole* address, whole* kind)
{
    tensor_t t;
    void* type = object ? call->type(object) : 0;
    if (type) call->release(type);
    if (!type || (type != call->types[0] && type != call->types[1]) || call->look(object, &t) != 0) {
        call->forgive();
        return 0;
    }
    long long length = 1;
    for (int d = 0; d < t.dimensions; d++) length *= t.shape[d];
    *address = (whole)t.data + t.offset;
    *kind = form(&t, !length);
    return t.data || !length;
}

#ifdef __cplusplus
extern "C" {
#endif

/* Whether an object is a plain tensor; writes its address and form. */
int optkit_form(const calls_t* call, void* object, whole* address, whole* kind)
{
    return see(call, object, address, kind);
}

/* Writes addresses and forms of n parameters and then, for each key, of the entries' values; whether all are
   plain. Given a list to hold the values, it compares with the addresses and forms at hand instead. */
int optkit_look(const calls_t* call, void* params, void* entries, long long n, void* keys, long long m,
                whole* addresses, whole* forms, void* held)
{
    whole address, kind;
    for (long long column = 0; column <= m; column++) {
        void* key = column ? call->item(keys, column - 1) : 0;
        for (long long k = 0; k < n; k++, addresses++, forms++) {
            void* object = call->item(column ? entries : params, k);
            if (column) object = call->entry(object, key);
            if (!see(call, object, &address, &kind)) return 0;
            if (held && (address != *addresses || kind != *forms)) return 0;
            if (held && column && call->append(held, object) != 0) return 0;
            *addresses = address;
            *forms = kind;
        }
    }
    return 1;
}

/* The same, and whether the gradients have the forms of their parameters; writes where they are. The last
   key is that of the step counts: returned is the count that all share, -1 if they differ, -2 if anything
   has moved. */
double optkit_watch(const calls_t* call, void* params, void* entries, long long n, void* keys, long long m,
                    whole* addresses, whole* forms, void* held, void* gradients, whole* present)
{
    whole kind;
    if (!optkit_look(call, params, entries, n, keys, m, addresses, forms, held)) return -2;
    for (long long k = 0; k < n; k++)
        if (!see(call, call->item(gradients, k), present + k, &kind) || kind != forms[k]) return -2;
    double* const* counts = (double* const*)(addresses + m * n);
    for (long long k = 1; k < n; k++)
        if (*counts[k] != *counts[0]) return -1;
    return *counts[0];
}
#ifdef __cplusplus
}
#endif
"""


class Watch:
    """Parameters and their state, whose memory is to stay where it is, with a gradient each that may move.

    Args:
        params: The parameters, at least one.
        entries: For each parameter a dict with its state.
        keys: The keys to look at; the last is that of the step counts, which are float64 on the CPU.

    Attributes:
        addresses: Address of the first element of every parameter, then of every entry of the first key, …
        plain: Whether all are plain: of the type ``torch.Tensor`` or ``torch.nn.Parameter``, with memory of
            their own. If not, nothing else here means anything.

    Raises:
        Unavailable: There is no compiler, or this torch has no such table.
    """

    def __init__(self, params: list[Any], entries: list[dict[str, Any]], keys: Sequence[str]) -> None:
        self._library, self._calls = _library()
        self._params, self._entries, self._keys = params, entries, list(keys)
        self._sizes = len(params), len(entries), len(self._keys)
        total = len(params) * (1 + len(self._keys))
        self._addresses, self._forms = (ctypes.c_uint64 * total)(), (ctypes.c_uint64 * total)()
        self._present = ctypes.c_uint64 * len(params)
        self.plain = bool(self._library.optkit_look(*self._all(), None))
        self.addresses = list(self._addresses)

    def _all(self) -> tuple[Any, ...]:
        count, _, keys = self._sizes
        if (len(self._params), len(self._entries), len(self._keys)) != self._sizes:
            raise RuntimeError("the lists of a Watch must not change")
        return (
            self._calls, self._params, self._entries, count, self._keys, keys, self._addresses, self._forms
        )  # fmt: skip

    def count(self, gradients: list[Any]) -> tuple[int, Any, list[Any]] | None:
        """The step count that all parameters share, addresses of the gradients as ctypes array, the state.

        None if the counts differ, or if anything has moved. The addresses are good while the parameters, the
        gradients and the list of the state live.

        Args:
            gradients: What must lie as the parameters do, and be plain as they are.
        """
        if len(gradients) != len(self._params):
            return None
        present, held = self._present(), []
        found = self._library.optkit_watch(*self._all(), id(held), gradients, present)
        return None if found < 0 else (int(found), present, held)


def form(tensor: Any) -> tuple[int, int] | None:
    """Address and form of a tensor; None if it is no plain one with memory of its own.

    A form is one number for dtype, device, shape and strides: equal for tensors whose elements lie alike.

    Example:
        >>> import torch
        >>> square = torch.zeros(3, 3)
        >>> form(square)[0] == square.data_ptr(), form(square)[1] == form(square + 1)[1]
        (True, True)
    """
    library, calls = _library()
    address, kind = ctypes.c_uint64(), ctypes.c_uint64()
    plain = library.optkit_form(calls, tensor, ctypes.byref(address), ctypes.byref(kind))
    return (address.value, kind.value) if plain else None


def check() -> None:
    """Raise if tensors cannot be looked at here.

    Raises:
        Unavailable: As for `Watch`.
    """
    _library()


class _Calls(ctypes.Structure):
    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("look", "item", "entry", "type", "release", "append", "forgive")
        ),
        ("types", ctypes.c_void_p * 2),
    )


@cache
def _library() -> tuple[Any, Any]:
    import torch

    python = ctypes.pythonapi
    names = ("PyList_GetItem", "PyDict_GetItem", "PyObject_Type", "Py_DecRef", "PyList_Append", "PyErr_Clear")
    functions = [ctypes.cast(getattr(python, name), ctypes.c_void_p).value for name in names]
    types = (ctypes.c_void_p * 2)(id(torch.Tensor), id(torch.nn.Parameter))
    calls = ctypes.byref(_Calls(_torchs_look(torch), *functions, types))
    library = ctypes.PyDLL(str(build(_SOURCE).file))  # unlike the kernels it keeps Python's lock
    pointer, whole, thing = ctypes.c_void_p, ctypes.c_longlong, ctypes.py_object
    library.optkit_form.argtypes = [pointer, thing, pointer, pointer]
    everything = [pointer, thing, thing, whole, thing, whole, pointer, pointer]
    library.optkit_look.argtypes = [*everything, pointer]
    library.optkit_watch.argtypes = [*everything, pointer, thing, pointer]
    library.optkit_watch.restype = ctypes.c_double
    # A table of another make would be noticed here, and not by a wrong step.
    probe, address, kind = torch.zeros(3, 5)[1:, ::2], ctypes.c_uint64(), ctypes.c_uint64()
    if not library.optkit_form(calls, probe, ctypes.byref(address), ctypes.byref(kind)) or (
        address.value != probe.data_ptr()
    ):
        raise Unavailable(
            f"the exchange table of torch {torch.__version__} does not tell where a tensor lies"
        )
    return library, calls


def _torchs_look(torch: Any) -> int:
    """The address of torch's function that fills a DLTensor."""
    capsule = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
    if capsule is None:
        raise Unavailable(f"torch {torch.__version__} has no __dlpack_c_exchange_api__")
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    try:
        table = pointer(capsule, b"dlpack_exchange_api")
    except ValueError as error:
        raise Unavailable(f"torch {torch.__version__} has another exchange table: {error}") from error
    # DLPackExchangeAPI: major and minor version, the older table, and the functions; ours is the fourth.
    major = ctypes.c_uint32.from_address(table).value
    if major != 1:
        raise Unavailable(f"the exchange table of torch {torch.__version__} is of version {major}, not 1")
    look = ctypes.c_void_p.from_address(table + 8 + 8 + 3 * 8).value
    if not look:
        raise Unavailable(f"the exchange table of torch {torch.__version__} cannot look at tensors")
    return look
