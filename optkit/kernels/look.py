"""Where many tensors lie, and whether that has changed: one call, without a Python object for any answer.

Asked in Python, four questions to each of a hundred parameters take longer than stepping them. torch answers
them in C through the table that DLPack calls ``__dlpack_c_exchange_api__``.
"""

from __future__ import annotations

import ctypes
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
    void* (*type)(void* object);
    void (*release)(void* object);
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

/* Look at item k of a list; whether it is a plain tensor with memory of its own. */
static int see(const calls_t* call, void* list, long long k, whole* address, whole* kind)
{
    void* object = call->item(list, k);
    void* type = call->type(object);
    call->release(type);
    tensor_t t;
    if ((type != call->types[0] && type != call->types[1]) || call->look(object, &t) != 0) {
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

/* Writes addresses and forms of n tensors; returns whether all are plain. */
int optkit_look(const calls_t* call, void* list, long long n, whole* addresses, whole* forms)
{
    int plain = 1;
    for (long long k = 0; k < n; k++) plain &= see(call, list, k, addresses + k, forms + k);
    return plain;
}

/* Whether n tensors are where they were, and m gradients have the forms of the first m; writes the addresses
   of the gradients. The last m tensors are counts: returned is the count that all share, -1 if they differ,
   -2 if anything has moved. */
double optkit_watch(const calls_t* call, void* list, long long n, const whole* addresses, const whole* forms,
                    void* gradients, long long m, whole* present)
{
    whole address, kind;
    for (long long k = 0; k < n; k++)
        if (!see(call, list, k, &address, &kind) || address != addresses[k] || kind != forms[k]) return -2;
    for (long long k = 0; k < m; k++)
        if (!see(call, gradients, k, present + k, &kind) || kind != forms[k]) return -2;
    double first = *(const double*)addresses[n - m];
    for (long long k = n - m; k < n; k++)
        if (*(const double*)addresses[k] != first) return -1;
    return first;
}
#ifdef __cplusplus
}
#endif
"""


class Watch:
    """Tensors whose memory is to stay where it is, with a gradient each that may move.

    Args:
        tensors: The parameters, then their state, then their step counts, which are float64.
        count: How many parameters there are.

    Attributes:
        addresses: Address of the first element of each tensor.

    Raises:
        Unavailable: There is no compiler, or this torch has no such table.
    """

    def __init__(self, tensors: list[Any], count: int) -> None:
        self._library, self._calls = _library()
        self._tensors, self._count = len(tensors), count
        self._addresses, self._forms = (ctypes.c_uint64 * len(tensors))(), (ctypes.c_uint64 * len(tensors))()
        self._library.optkit_look(self._calls, tensors, len(tensors), self._addresses, self._forms)
        self.addresses = list(self._addresses)
        self._present = ctypes.c_uint64 * count

    def count(self, tensors: list[Any], gradients: list[Any]) -> tuple[int, Any] | None:
        """The step count that all parameters share, and the addresses of the gradients as ctypes array.

        None if the counts differ, or if anything has moved.

        Args:
            tensors: What must be where the tensors were at first, with the same dtypes, shapes and strides.
            gradients: What must lie as the parameters do. Like the others they must be plain: of the type
                ``torch.Tensor`` or ``torch.nn.Parameter``, and with memory of their own.
        """
        if (len(tensors), len(gradients)) != (self._tensors, self._count):
            return None
        present = self._present()
        found = self._library.optkit_watch(
            self._calls, tensors, self._tensors, self._addresses, self._forms,
            gradients, self._count, present,
        )  # fmt: skip
        return None if found < 0 else (int(found), present)


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
    plain = library.optkit_look(calls, [tensor], 1, ctypes.byref(address), ctypes.byref(kind))
    return (address.value, kind.value) if plain else None


def check() -> None:
    """Raise if tensors cannot be looked at here.

    Raises:
        Unavailable: As for `Watch`.
    """
    _library()


class _Calls(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("look", "item", "type", "release", "forgive")),
        ("types", ctypes.c_void_p * 2),
    )


@cache
def _library() -> tuple[Any, Any]:
    import torch

    capsule = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
    if capsule is None:
        raise Unavailable(f"torch {torch.__version__} has no __dlpack_c_exchange_api__")
    python = ctypes.pythonapi
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", python)
    )
    # DLPackExchangeAPI: major and minor version, the older table, and the functions; ours is the fourth.
    table = pointer(capsule, b"dlpack_exchange_api")
    major = ctypes.c_uint32.from_address(table).value
    if major != 1:
        raise Unavailable(f"the exchange table of torch {torch.__version__} is of version {major}, not 1")
    look = ctypes.c_void_p.from_address(table + 8 + 8 + 3 * 8).value
    names = ("PyList_GetItem", "PyObject_Type", "Py_DecRef", "PyErr_Clear")
    functions = [ctypes.cast(getattr(python, name), ctypes.c_void_p).value for name in names]
    types = (ctypes.c_void_p * 2)(id(torch.Tensor), id(torch.nn.Parameter))
    calls = _Calls(look, *functions, types)
    library = ctypes.PyDLL(str(build(_SOURCE).file))  # unlike the kernels it keeps Python's lock
    pointer, whole, thing = ctypes.c_void_p, ctypes.c_longlong, ctypes.py_object
    library.optkit_look.argtypes = [pointer, thing, whole, pointer, pointer]
    library.optkit_watch.argtypes = [pointer, thing, whole, pointer, pointer, thing, whole, pointer]
    library.optkit_watch.restype = ctypes.c_double
    return library, ctypes.byref(calls)
