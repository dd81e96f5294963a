"""Download one file: checked, resumed after a break, and written whole or not at all."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO

from optkit.atomic import atomic_write
from optkit.data.dataset import DamagedData, DataError

__all__ = ["DownloadError", "download"]

CHUNK = 1 << 16


class DownloadError(DataError, OSError):
    """None of the addresses gave the file."""


class _Refused(Exception):
    """The server will not give this file however often it is asked."""


class _Unwritable(Exception):
    """The disk does not take what was received: to ask again would not help."""


def download(
    addresses: Sequence[str],
    path: Path,
    *,
    check: Callable[[Path], object],
    tries: int = 6,
    pause: float = 1.0,
    timeout: float = 30.0,
    progress: bool = True,
) -> Path:
    """Download a file from the first address that gives it, and return its path.

    A broken connection is taken up where it broke (HTTP Range), after pauses of 1, 2, 4 … × `pause` seconds.
    Only contents that pass `check` take the name `path`; otherwise nothing is left behind.

    Args:
        addresses: of the same file, tried in this order.
        path: to write.
        check: called with the path of the received file; raises DamagedData if it is not the expected one.
        tries: for each address, at least 1.
        pause: seconds before the second try, >= 0.
        timeout: seconds to wait for the server to say anything.
        progress: draw a bar on the terminal; nothing is drawn where the output is not a terminal.

    Raises:
        DownloadError: no address gave the expected file, and why for each; or the disk does not take it.
        ValueError: `tries` is below 1.
    """
    if tries < 1:
        raise ValueError(f"tries must be >= 1, got {tries}")
    reasons = []
    for address in addresses:
        try:
            with atomic_write(path) as file:
                _fetch(address, file, check, tries, pause, timeout, progress)
            return path
        except (_Refused, DamagedData) as error:
            reasons.append(f"  {address}: {error}")
        except (_Unwritable, OSError) as error:  # of the disk: those of the network are _Refused by now
            raise DownloadError(
                f"{path} cannot be written, and nothing was: {error}. Make room or a folder for it, or set "
                "OPTKIT_DATA to another folder."
            ) from error
    raise DownloadError(
        "\n".join([f"{path.name} could not be downloaded; nothing was written to {path.parent}.", *reasons])
    )


def _fetch(
    address: str,
    file: BinaryIO,
    check: Callable[[Path], object],
    tries: int,
    pause: float,
    timeout: float,
    progress: bool,
) -> None:
    """Fill `file` from one address; raise _Refused or DamagedData when that fails for good."""
    for attempt in range(1, tries + 1):
        if attempt > 1:
            time.sleep(pause * 2 ** (attempt - 2))
        resumed = file.tell() > 0
        try:
            _receive(address, file, timeout, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if (
                error.code == 416 and resumed
            ):  # nothing left in that range: what was received is no part of this file
                _empty(file)
            elif error.code < 500 and error.code not in (408, 429):
                raise _Refused(f"the server answered {error.code} {error.reason}") from error
            failure: Exception = error
        except (OSError, HTTPException) as error:  # URLError, timeouts and broken connections are OSErrors
            failure = error
        else:
            file.flush()
            try:
                check(Path(file.name))
                return
            except DamagedData as error:
                # Parts from before and after a break may be of different versions: once more from the start.
                if not resumed:
                    raise
                _empty(file)
                failure = error
    raise _Refused(f"gave up after {tries} tries, {file.tell():,} bytes received; last: {failure}")


def _receive(address: str, file: BinaryIO, timeout: float, progress: bool) -> None:
    """Append to `file` what it lacks of the contents at `address`; raise OSError if the answer breaks off."""
    from tqdm import tqdm

    have = file.tell()
    request = urllib.request.Request(address, headers={"User-Agent": "optkit", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        if have and not _continues(answer, have):
            _empty(file)
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        bar: Any = tqdm(
            desc=Path(address).name,
            total=total,
            initial=have,
            unit="B",
            unit_scale=True,
            disable=None if progress else True,
        )
        with bar:
            while chunk := answer.read(CHUNK):
                try:
                    file.write(chunk)
                except OSError as error:
                    raise _Unwritable(error) from error
                bar.update(len(chunk))
    if total is not None and file.tell() < total:
        raise OSError(f"the connection closed after {file.tell():,} of {total:,} bytes")


def _continues(answer: HTTPResponse, have: int) -> bool:
    """Say whether the answer begins at byte `have`; a server may ignore Range and send everything (200)."""
    return answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()
