"""Published files are used only after their length and checksum were compared with the catalogue."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from optkit.data.catalogue import PublishedFile
from optkit.data.dataset import DamagedData

__all__ = ["check_file", "decompressed"]

REMEDY = "Delete the file, or put the published one in its place."


def decompressed(path: Path, published: PublishedFile) -> bytes:
    """Return the contents of a file, decompressed if they are gzip, once they agree with the catalogue.

    Raises:
        DamagedData: truncated, corrupted or another file; the message names it and what was expected.
    """
    contents = path.read_bytes()
    expected = f"expected {published.size:,} bytes once decompressed, {published.checksum}"
    if (
        contents[:2] == b"\x1f\x8b"
    ):  # by its content: a browser may have decompressed a file but kept its name
        try:
            contents = gzip.decompress(contents)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DamagedData(
                f"{path} is truncated or corrupted: {expected}, but it cannot be decompressed ({error}). "
                f"{REMEDY}"
            ) from error
    _compare(path, expected, published, len(contents), _hash(published, contents).hexdigest())
    return contents


def check_file(path: Path, published: PublishedFile) -> None:
    """Raise DamagedData unless a file, as it lies there, agrees with the catalogue."""
    digest = _hash(published)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    expected = f"expected {published.size:,} bytes, {published.checksum}"
    _compare(path, expected, published, path.stat().st_size, digest.hexdigest())


def _hash(published: PublishedFile, contents: bytes = b"") -> hashlib._Hash:
    # The published md5 sums guard against accidents, not attackers; the flag lets them work on FIPS systems.
    return hashlib.new(published.checksum.partition(":")[0], contents, usedforsecurity=False)


def _compare(path: Path, expected: str, published: PublishedFile, size: int, digest: str) -> None:
    kind, _, wanted = published.checksum.partition(":")
    if size != published.size or digest != wanted:
        raise DamagedData(
            f"{path} is not the published file: {expected}; got {size:,} bytes, {kind}:{digest}. {REMEDY}"
        )
