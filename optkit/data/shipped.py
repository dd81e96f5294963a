"""The two sets that are there without a download: a part of Fashion-MNIST, and scikit-learn's digits."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from optkit.data.catalogue import FASHION_MNIST
from optkit.data.dataset import DamagedData, Dataset, stratified
from optkit.data.published import whole_fashion_mnist

__all__ = ["SUBSET", "digits", "fashion_mnist", "read_subset"]

SUBSET = Path(__file__).parent / "files" / "fashion_mnist_12k.npz"
PARTS = ("train_images", "train_labels", "test_images", "test_labels")


def fashion_mnist(*, whole: bool = False, download: bool = False, progress: bool = True) -> Dataset:
    """Return Fashion-MNIST: photographs of clothes in 10 classes, 1×28×28.

    The default is a part that comes with optkit: 1,000 training and 200 test images of each class, chosen at
    random with a fixed seed, the training images from the published training set and the test images from the
    published test set. `python -m optkit.data.make_subset` makes it again.

    Args:
        whole: all 60,000 + 10,000 images instead, from `$OPTKIT_DATA/fashion-mnist`, the folder of the Debian
            package dataset-fashion-mnist, or the user's cache.
        download: with whole=True, allow a download of 31 MB when it is not found.
        progress: draw a bar on the terminal while downloading.

    Returns:
        `Dataset`, images uint8 of shape (N, 1, 28, 28).

    Raises:
        ValueError: download=True without whole=True.
        MissingData: the whole set is not found, no download allowed; the message lists places and remedies.
        DamagedData: a file is not what it should be.
        DownloadError: the download failed.

    Example:
        >>> data = fashion_mnist()
        >>> len(data.train_images), len(data.test_images), round(data.mean[0], 3)
        (10000, 2000, 0.285)

    Source: xiao2017fashion.
    """
    if whole:
        return whole_fashion_mnist(download=download, progress=progress)
    if download:
        raise ValueError(
            "download must be False for the part that comes with optkit; add whole=True, got False"
        )
    arrays = read_subset(SUBSET)
    return Dataset(
        name="Fashion-MNIST 12k",
        train_images=arrays["train_images"][:, np.newaxis],
        train_labels=arrays["train_labels"].astype(np.int64),
        test_images=arrays["test_images"][:, np.newaxis],
        test_labels=arrays["test_labels"].astype(np.int64),
        classes=FASHION_MNIST.classes,
        full_scale=255,
        licence=FASHION_MNIST.licence,
        source=FASHION_MNIST.source,
        citation=FASHION_MNIST.citation,
    )


def digits() -> Dataset:
    """Return scikit-learn's digits: 1,797 handwritten digits of 1×8×8, 30 of each class kept for testing.

    Returns:
        `Dataset`, images uint8 of shape (N, 1, 8, 8) with values 0 … 16: 1,497 to train, 300 to test.

    Example:
        >>> digits()
        Dataset(digits: 1,497 train + 300 test images of 1×8×8, 10 classes)

    Source: alpaydin1998optical.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    test[stratified(labels, 30, seed=0)] = True
    return Dataset(
        name="digits",
        train_images=images[~test],
        train_labels=labels[~test],
        test_images=images[test],
        test_labels=labels[test],
        classes=tuple("0123456789"),
        full_scale=16,
        licence="CC BY 4.0 (UCI), distributed with scikit-learn under BSD-3-Clause",
        source="https://archive.ics.uci.edu/dataset/80",
        citation="alpaydin1998optical",
    )


def read_subset(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of the shipped part; the archive's own checksums (CRC-32) are compared on reading.

    Raises:
        DamagedData: missing, truncated, corrupted, or without one of the arrays.
    """
    expected = f"expected an .npz archive with {', '.join(PARTS)}"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in PARTS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DamagedData(
            f"{path}: {expected}, but it cannot be read: {error}. Install optkit again."
        ) from error
    return arrays
