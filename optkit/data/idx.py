"""The IDX format of MNIST and Fashion-MNIST: a header of big-endian integers, then the bytes."""

from __future__ import annotations

import math
import struct

import numpy as np

from optkit.data.dataset import DamagedData

__all__ = ["parse_idx"]

UNSIGNED_BYTE = 0x08


def parse_idx(contents: bytes, name: str) -> np.ndarray:
    """Return the array in an IDX file of unsigned bytes.

    The format: two zero bytes, the type (8: unsigned byte), the number n of dimensions, n sizes as big-endian
    32-bit integers, the values in row-major order.

    Args:
        contents: of the file, decompressed.
        name: of the file, for the error.

    Returns:
        uint8, of the shape that the header gives.

    Raises:
        DamagedData: the bytes are not such a file.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), "three-labels").tolist()
        [7, 8, 9]
    """
    if len(contents) < 4 or contents[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise DamagedData(
            f"{name}: not an IDX file of unsigned bytes: expected it to begin with 00 00 08, "
            f"got {contents[:4].hex(' ') or 'no bytes'}"
        )
    dimensions = contents[3]
    header = 4 + 4 * dimensions
    if len(contents) < header:
        raise DamagedData(f"{name}: truncated: expected a header of {header} bytes, got {len(contents)}")
    shape = struct.unpack(f">{dimensions}I", contents[4:header])
    expected = header + math.prod(shape)
    if len(contents) != expected:
        raise DamagedData(
            f"{name}: expected {expected:,} bytes for shape {'×'.join(map(str, shape))}, "
            f"got {len(contents):,}"
        )
    return np.frombuffer(contents, dtype=np.uint8, offset=header).reshape(shape)
