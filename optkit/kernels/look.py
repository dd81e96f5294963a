"""Where many tensors lie, and whether that has changed: one call, without a Python object for any answer.

Where nothing has changed the same call can go on and step them.

Asked in Python, four questions to each of a hundred parameters take longer than stepping them. torch answers
them in C through the table that DLPack calls ``__dlpack_c_exchange_api__``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from optkit.kernels.compiler import Unavailable, build

if TYPE_CHECKING:
    from optkit.kernels.cpu import Kernel, Table

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
    int (*append)(void* list, void* object);
    long long (*size)(void* list);
    int (*next)(void* dict, long long* position, void** key, void** value);
    void (*forgive)(void);
    void* (*unlock)(void);              /* Python's lock */
    void (*lock)(void* thread);
    long long type_at;
    void* types[2];
} calls_t;
typedef struct {            /* what a Watch looks at */
    const calls_t* call;
    void *params, *entries, *names;     /* lists */
    long long count, keys, counted;     /* lengths; whether the last key is that of the step counts */
    long long known, places, *owners;   /* entries in the state; for each place there the entry, or -1 */
    whole *addresses, *forms;           /* of the parameters, and of the values of each key */
    whole *present;                     /* room for what optkit_watch writes */
} job_t;
typedef void step_t(long long, const long long*, long long, void* const*, const double*, int);

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
    void* type = object ? *(void**)((char*)object + call->type_at) : 0;
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

/* Looks at the parameters and then, for each key, at the entries' values; whether all are plain. It writes
   their addresses and forms, or, given a list to hold the values, compares with those at hand. */
int optkit_look(const job_t* job, void* held)
{
    const calls_t* call = job->call;
    whole address, kind, *addresses = job->addresses, *forms = job->forms;
    for (long long column = 0; column <= job->keys; column++) {
        void* key = column ? call->item(job->names, column - 1) : 0;
        for (long long k = 0; k < job->count; k++, addresses++, forms++) {
            void* object = call->item(column ? job->entries : job->params, k);
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

/* The same, and whether these are the parameters still, the values of the state their entries, and whether
   the gradients have their forms. Writes where parameters, gradients and the entries' values lie, in this
   order, without the step counts. Returned is the count that all share, -1 if anything is otherwise. */
double optkit_watch(const job_t* job, void* params, void* state, void* gradients, void* held, whole* present)
{
    const calls_t* call = job->call;
    const long long n = job->count, columns = job->keys + 1 - job->counted;
    void *key, *value;
    whole kind;
    if (call->size(params) != n || call->size(gradients) != n) {
        call->forgive();  /* what is no list has no size */
        return -1;
    }
    for (long long k = 0; k < n; k++)
        if (call->item(params, k) != call->item(job->params, k)) return -1;
    long long left = job->known, position = 0;
    for (long long place = 0; left && place < job->places; place++) {
        if (!call->next(state, &position, &key, &value)) return -1;
        if (job->owners[place] < 0) continue;
        if (value != call->item(job->entries, job->owners[place])) return -1;
        left--;
    }
    if (left || !optkit_look(job, held)) return -1;
    for (long long k = 0; k < n; k++)
        if (!see(call, call->item(gradients, k), present + n + k, &kind) || kind != job->forms[k]) return -1;
    for (long long k = 0; k < columns * n; k++) present[k < n ? k : k + n] = job->addresses[k];
    if (!job->counted) return 0;
    double* const* counts = (double* const*)(job->addresses + columns * n);
    for (long long k = 1; k < n; k++)
        if (*counts[k] != *counts[0]) return -1;
    return *counts[0];
}

/* Looks, and if all is as it was and the step counts are these, steps and counts without Python's lock.
   Whether it did; if not, nothing has changed. For step and what it takes see optkit_run. */
int optkit_again(const job_t* job, void* params, void* state, void* gradients, void* held, double count,
                 step_t* step, long long chunks, const long long* table, const double* scalars, int threads)
{
    if (optkit_watch(job, params, state, gradients, held, job->present) != count) return 0;
    double* const* counts = (double* const*)(job->addresses + job->keys * job->count);
    void* thread = job->call->unlock();
    step(chunks, table, job->count, (void* const*)job->present, scalars, threads);
    for (long long k = 0; k < job->count; k++) *counts[k] += 1;
    job->call->lock(thread);
    return 1;
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
        keys: The keys to look at.
        counted: Whether the last key is that of the step counts, which are float64 on the CPU.
        state: A dict that holds the entries among its values; None if nothing need be held by another.

    Attributes:
        addresses: Address of the first element of every parameter, then of every entry of the first key, …
        plain: Whether all are plain: of the type ``torch.Tensor`` or ``torch.nn.Parameter``, with memory of
            their own. If not, nothing else here means anything.

    Raises:
        Unavailable: There is no compiler, or this torch has no such table.
    """

    def __init__(
        self,
        params: Sequence[Any],
        entries: Sequence[dict[str, Any]],
        keys: Sequence[str],
        *,
        counted: bool = True,
        state: Mapping[Any, Any] | None = None,
    ) -> None:
        self._library, calls = _library()
        held = [] if state is None else list(state.values())
        owners = {id(entry): k for k, entry in enumerate(entries)} if held else {}
        places = (ctypes.c_longlong * len(held))(*[owners.get(id(value), -1) for value in held])
        count, total = len(params), len(params) * (1 + len(keys))
        self._addresses, forms = (ctypes.c_uint64 * total)(), (ctypes.c_uint64 * total)()
        lists = [list(params), list(entries), list(keys)]
        self._present = ctypes.c_uint64 * (count * (2 + len(keys) - counted))
        room = self._present()
        self._job = _Job(
            ctypes.addressof(calls), *map(id, lists), count, len(keys), counted, len(owners), len(held),
            *map(ctypes.addressof, (places, self._addresses, forms, room)),
        )  # fmt: skip
        self._kept = calls, lists, places, forms, room  # the job holds addresses only
        self._at = ctypes.addressof(self._job)
        self.plain = bool(self._library.optkit_look(self._at, None))
        self.addresses = list(self._addresses)

    def count(
        self, params: list[Any], gradients: list[Any], state: dict[Any, Any] | None = None
    ) -> tuple[int, Any, list[Any]] | None:
        """The step count that all share, the addresses of all but the counts, and the values of all keys.

        The addresses, a ctypes array, are those of the parameters, of the gradients, and of the values of
        each key; they are good while the parameters, the gradients and the list of values live. None if the
        counts differ, or if anything has moved. Without counts the count is 0.

        Args:
            params: What must still be the parameters.
            gradients: What must lie as the parameters do, and be plain as they are.
            state: What must still hold the entries in their places; None only if none was given before.
        """
        present, held = self._present(), []
        found = self._library.optkit_watch(self._at, params, state, gradients, held, present)
        return None if found < 0 else (int(found), present, held)

    def step(
        self,
        params: list[Any],
        gradients: list[Any],
        state: dict[Any, Any],
        count: int,
        kernel: Kernel,
        table: Table,
        scalars: Any,
        threads: int,
    ) -> bool:
        """Step what is watched, and count it, if nothing has moved. If not, nothing is changed.

        Only for what is counted; one call at a time.

        Args:
            params: As for `count`.
            gradients: As for `count`.
            state: As for `count`.
            count: What the step counts must be.
            kernel: What to call.
            table: How the parameters are cut into chunks.
            scalars: What ``kernel.row`` made.
            threads: As for `Kernel.step`.

        Returns:
            Whether the step was made.
        """
        cut = table.chunks, table.starts, scalars, table.threads(threads)
        again = self._library.optkit_again
        return bool(again(self._at, params, state, gradients, [], count, kernel.address, *cut))

    def same(self) -> list[Any] | None:
        """The values of all keys, if neither they nor the parameters have moved; else None."""
        held: list[Any] = []
        return held if self._library.optkit_look(self._at, id(held)) else None


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
    plain = library.optkit_form(ctypes.byref(calls), tensor, ctypes.byref(address), ctypes.byref(kind))
    return (address.value, kind.value) if plain else None


def check() -> None:
    """Raise if tensors cannot be looked at here.

    Raises:
        Unavailable: As for `Watch`.
    """
    _library()


class _Calls(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("look", "item", "entry", "append", "size", "next", "forgive")),
        *((name, ctypes.c_void_p) for name in ("unlock", "lock")),
        ("type_at", ctypes.c_longlong),
        ("types", ctypes.c_void_p * 2),
    )


class _Job(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("call", "params", "entries", "names")),
        *((name, ctypes.c_longlong) for name in ("count", "keys", "counted", "known", "places")),
        *((name, ctypes.c_void_p) for name in ("owners", "addresses", "forms", "present")),
    )


@cache
def _library() -> tuple[Any, Any]:
    import torch

    python = ctypes.pythonapi
    names = (
        "PyList_GetItem", "PyDict_GetItemWithError", "PyList_Append", "PyList_Size", "PyDict_Next",
        "PyErr_Clear", "PyEval_SaveThread", "PyEval_RestoreThread",
    )  # fmt: skip
    functions = [ctypes.cast(getattr(python, name), ctypes.c_void_p).value for name in names]
    types = (ctypes.c_void_p * 2)(id(torch.Tensor), id(torch.nn.Parameter))
    type_at = object.__basicsize__ - ctypes.sizeof(ctypes.c_void_p)  # the last thing in any object's head
    calls = _Calls(_torchs_look(torch), *functions, type_at, types)
    library = ctypes.PyDLL(str(build(_SOURCE).file))  # unlike the kernels it keeps Python's lock
    pointer, thing = ctypes.c_void_p, ctypes.py_object
    library.optkit_form.argtypes = [pointer, thing, pointer, pointer]
    library.optkit_look.argtypes = [pointer, pointer]
    library.optkit_watch.argtypes = [pointer, *[thing] * 4, pointer]
    library.optkit_watch.restype = ctypes.c_double
    library.optkit_again.argtypes = [
        pointer, *[thing] * 4, ctypes.c_double, pointer, ctypes.c_longlong, pointer, pointer, ctypes.c_int,
    ]  # fmt: skip
    # A table of another make would be noticed here, and not by a wrong step.
    probe, address, kind = torch.zeros(3, 5)[1:, ::2], ctypes.c_uint64(), ctypes.c_uint64()
    if not library.optkit_form(ctypes.byref(calls), probe, ctypes.byref(address), ctypes.byref(kind)) or (
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
