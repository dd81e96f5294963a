"""The whole data sets, in the formats in which their authors publish them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optkit.data.catalogue import CIFAR10, CIFAR100, FASHION_MNIST, MNIST, PublishedFile, PublishedSet
from optkit.data.cifar import parse_records, read_archive
from optkit.data.dataset import DamagedData, Dataset, MissingData
from optkit.data.download import download as download_file
from optkit.data.idx import parse_idx
from optkit.data.places import find, target
from optkit.data.verify import check_file, decompressed

__all__ = ["cifar10", "cifar100", "load_cifar", "load_idx", "mnist", "whole_fashion_mnist"]


@dataclass(frozen=True)
class CifarLayout:
    """How a CIFAR archive is laid out: its folder, its files, and the records in each file."""

    folder: str
    train: tuple[str, ...]
    test: str
    label_bytes: int
    train_records: int
    test_records: int


CIFAR10_LAYOUT = CifarLayout(
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    test="test_batch.bin",
    label_bytes=1,
    train_records=10_000,
    test_records=10_000,
)
CIFAR100_LAYOUT = CifarLayout(
    folder="cifar-100-binary",
    train=("train.bin",),
    test="test.bin",
    label_bytes=2,
    train_records=50_000,
    test_records=10_000,
)


def whole_fashion_mnist(*, download: bool = False, progress: bool = True) -> Dataset:
    """Return all 60,000 + 10,000 images of Fashion-MNIST; see `optkit.data.fashion_mnist`."""
    return load_idx(FASHION_MNIST, download=download, progress=progress)


def mnist(*, download: bool = False, progress: bool = True) -> Dataset:
    """Return MNIST: 60,000 + 10,000 handwritten digits, 1×28×28.

    Searched for in `$OPTKIT_DATA/mnist` and the user's cache, as the four published IDX files, compressed or
    not.

    Args:
        download: allow a download of 12 MB when it is not found.
        progress: draw a bar on the terminal while downloading.

    Returns:
        `Dataset`, images uint8 of shape (N, 1, 28, 28).

    Raises:
        MissingData: not found, and no download allowed; the message lists the places and the remedies.
        DamagedData: a file is not the published one.
        DownloadError: the download failed.

    Source: lecun1998gradient.
    """
    return load_idx(MNIST, download=download, progress=progress)


def cifar10(*, download: bool = False, progress: bool = True) -> Dataset:
    """Return CIFAR-10: 50,000 + 10,000 colour photographs in 10 classes, 3×32×32.

    Searched for in `$OPTKIT_DATA/cifar-10` and the user's cache, as the published cifar-10-binary.tar.gz
    (checked against the published checksum) or unpacked as ``cifar-10-batches-bin/*.bin`` (checked by length,
    labels and the number of images of each class: no checksums of these are published). Nothing is ever
    unpickled.

    Args:
        download: allow a download of 170 MB when it is not found.
        progress: draw a bar on the terminal while downloading.

    Returns:
        `Dataset`, images uint8 of shape (N, 3, 32, 32), channels red, green, blue.

    Raises:
        MissingData, DamagedData, DownloadError: as for `mnist`.

    Source: krizhevsky2009learning.
    """
    return load_cifar(CIFAR10, CIFAR10_LAYOUT, download=download, progress=progress)


def cifar100(*, download: bool = False, progress: bool = True) -> Dataset:
    """Return CIFAR-100: 50,000 + 10,000 colour photographs in 100 (fine) classes, 3×32×32.

    Searched for in `$OPTKIT_DATA/cifar-100` and the user's cache, as cifar-100-binary.tar.gz or unpacked as
    ``cifar-100-binary/*.bin``; all else as for `cifar10`.

    Args:
        download: allow a download of 169 MB when it is not found.
        progress: draw a bar on the terminal while downloading.

    Returns:
        `Dataset`, images uint8 of shape (N, 3, 32, 32), channels red, green, blue.

    Raises:
        MissingData, DamagedData, DownloadError: as for `mnist`.

    Source: krizhevsky2009learning.
    """
    return load_cifar(CIFAR100, CIFAR100_LAYOUT, download=download, progress=progress)


def load_idx(published: PublishedSet, *, download: bool = False, progress: bool = True) -> Dataset:
    """Find, check and read a set of four IDX files: `mnist` and `fashion_mnist(whole=True)`."""

    def present(folder: Path, file: PublishedFile) -> Path | None:
        candidates = (folder / file.name, folder / file.name.removesuffix(".gz"))
        return next((path for path in candidates if path.is_file()), None)

    def missing_in(folder: Path) -> list[str]:
        return [file.name for file in published.files if present(folder, file) is None]

    folder = _find_or_download(published, missing_in, decompressed, download, progress)
    arrays = []
    for file in published.files:
        path = present(folder, file)
        assert path is not None  # missing_in said so
        arrays.append(parse_idx(decompressed(path, file), str(path)))
    train_images, train_labels, test_images, test_labels = arrays
    return _dataset(
        published,
        train_images[:, np.newaxis],
        train_labels.astype(np.int64),
        test_images[:, np.newaxis],
        test_labels.astype(np.int64),
    )


def load_cifar(
    published: PublishedSet, layout: CifarLayout, *, download: bool = False, progress: bool = True
) -> Dataset:
    """Find, check and read a set in CIFAR's binary format: `cifar10` and `cifar100`."""
    (archive,) = published.files
    names = (*layout.train, layout.test)

    def missing_in(folder: Path) -> list[str]:
        if (folder / archive.name).is_file():
            return []
        unpacked = folder / layout.folder
        if unpacked.is_dir():
            return [f"{layout.folder}/{name}" for name in names if not (unpacked / name).is_file()]
        return [f"{archive.name} (or {layout.folder}/ unpacked from it)"]

    folder = _find_or_download(published, missing_in, check_file, download, progress)
    if (folder / archive.name).is_file():
        check_file(folder / archive.name, archive)
        members = read_archive(folder / archive.name, [f"{layout.folder}/{name}" for name in names])
        where = f"{folder / archive.name}: {layout.folder}"
        contents = [members[f"{layout.folder}/{name}"] for name in names]
    else:
        where = str(folder / layout.folder)
        contents = [(folder / layout.folder / name).read_bytes() for name in names]
    parts = [
        parse_records(
            data,
            f"{where}/{name}",
            label_bytes=layout.label_bytes,
            records=layout.test_records if name == layout.test else layout.train_records,
            classes=len(published.classes),
        )
        for name, data in zip(names, contents, strict=True)
    ]
    images = np.concatenate([images for images, _ in parts[:-1]])
    labels = np.concatenate([labels for _, labels in parts[:-1]])
    for part, found in (("training", labels), ("test", parts[-1][1])):
        counts = np.bincount(found, minlength=len(published.classes))
        if (counts != len(found) // len(published.classes)).any():
            raise DamagedData(
                f"{where}: expected {len(found) // len(published.classes):,} {part} images of each class, "
                f"got {counts.min():,} to {counts.max():,}"
            )
    return _dataset(published, images, labels, *parts[-1])


def _find_or_download(
    published: PublishedSet,
    missing_in: Callable[[Path], list[str]],
    check: Callable[[Path, PublishedFile], object],
    download: bool,
    progress: bool,
) -> Path:
    try:
        return find(published, missing_in)
    except MissingData:
        if not download:
            raise
    folder = target() / published.folder
    missing = set(missing_in(folder))
    for file in published.files:
        if file.name in missing or len(published.files) == 1:
            download_file(
                [f"{address}/{file.name}" for address in published.addresses],
                folder / file.name,
                check=lambda path, file=file: check(path, file),
                progress=progress,
            )
    return folder


def _dataset(
    published: PublishedSet,
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
) -> Dataset:
    return Dataset(
        name=published.title,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        classes=published.classes,
        full_scale=255,
        licence=published.licence,
        source=published.source,
        citation=published.citation,
    )
