"""Flat views: the elements of several tensors of one shape, as vectors in one common memory order."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, empty_strided


def flat_views(tensors: Sequence[Tensor]) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
    """Vectors over the elements of tensors of one shape, in the memory order of the first.

    Writing to a vector writes to its tensor, but for those that had to be copied.

    Args:
        tensors: Strided real tensors of one shape, on one device; dtypes may differ.

    Returns:
        One vector for each tensor, and the pairs (tensor, copy) of those whose memory order differs from the
        first one's: who writes to such a vector copies the second of the pair back into the first.

    Example:
        >>> import torch
        >>> weight = torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last)
        >>> (vector,), copied = flat_views([weight])
        >>> vector.shape, vector.data_ptr() == weight.data_ptr(), copied
        (torch.Size([96]), True, [])
    """
    if all(tensor.is_contiguous() for tensor in tensors):
        return [tensor.view(-1) for tensor in tensors], []
    first = tensors[0]
    strides = first.stride() if is_dense(first) else _row_major(first.shape)
    copied: list[tuple[Tensor, Tensor]] = []
    vectors = []
    for tensor in tensors:
        dense = tensor
        if not _same_order(tensor.shape, tensor.stride(), strides):
            dense = empty_strided(tensor.shape, strides, dtype=tensor.dtype, device=tensor.device)
            dense.copy_(tensor)
            copied.append((tensor, dense))
        vectors.append(dense.as_strided((dense.numel(),), (1,)))
    return vectors, copied


def is_dense(tensor: Tensor) -> bool:
    """Whether the elements fill one gapless stretch of memory, each place once, in whatever order.

    Example:
        >>> import torch
        >>> is_dense(torch.zeros(2, 3).t()), is_dense(torch.zeros(2, 3)[:, ::2])
        (True, False)
    """
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def _row_major(shape: Sequence[int]) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * max(shape[i + 1], 1)
    return tuple(strides)


def _same_order(shape: Sequence[int], a: Sequence[int], b: Sequence[int]) -> bool:
    return all(size == 1 or i == j for size, i, j in zip(shape, a, b, strict=True))
