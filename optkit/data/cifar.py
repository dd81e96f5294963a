"""The binary version of CIFAR-10 and CIFAR-100: records of label bytes and 3 × 32 × 32 pixels."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from optkit.data.dataset import DamagedData

__all__ = ["PIXELS", "parse_records", "read_archive"]

PIXELS = 3 * 32 * 32


def parse_records(
    contents: bytes, name: str, *, label_bytes: int, records: int, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels in a file of CIFAR records.

    A record is one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100; the fine one is returned),
    then the red, the green and the blue plane, each row by row.

    Args:
        contents: of the file.
        name: of the file, for the error.
        label_bytes: 1 or 2.
        records: how many the published file has.
        classes: labels must be below.

    Returns:
        Images, uint8 of shape (records, 3, 32, 32); labels, int64 of shape (records,).

    Raises:
        DamagedData: the length or a label is impossible.

    Example:
        >>> images, labels = parse_records(
        ...     bytes([6]) + bytes(PIXELS), "one.bin", label_bytes=1, records=1, classes=10
        ... )
        >>> images.shape, labels.tolist()
        ((1, 3, 32, 32), [6])
    """
    expected = records * (label_bytes + PIXELS)
    if len(contents) != expected:
        raise DamagedData(
            f"{name}: expected {expected:,} bytes ({records:,} records of {label_bytes + PIXELS:,}), "
            f"got {len(contents):,}"
        )
    table = np.frombuffer(contents, dtype=np.uint8).reshape(records, label_bytes + PIXELS)
    labels = table[:, label_bytes - 1].astype(np.int64)
    if labels.max() >= classes:
        raise DamagedData(f"{name}: expected labels 0 … {classes - 1}, got {labels.max()}")
    return table[:, label_bytes:].reshape(records, 3, 32, 32), labels


def read_archive(path: Path, members: Sequence[str]) -> dict[str, bytes]:
    """Return the contents of the named members of a .tar.gz, read from the archive: nothing is unpacked.

    Members that are not asked for are passed over, whatever their names, so an archive cannot write anywhere.

    Args:
        path: of the archive.
        members: names in the archive.

    Raises:
        DamagedData: not a .tar.gz, truncated, or without one of the members.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                if member.name in members and member.isreg():
                    stream = archive.extractfile(member)
                    assert stream is not None  # a regular file always has one
                    found[member.name] = stream.read()
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedData(
            f"{path}: expected a whole .tar.gz archive, but it cannot be read: {error}"
        ) from error
    missing = [name for name in members if name not in found]
    if missing:
        raise DamagedData(f"{path}: expected the members {', '.join(members)}; missing: {', '.join(missing)}")
    return found
