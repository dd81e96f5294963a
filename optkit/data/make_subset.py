"""Make the part of Fashion-MNIST that comes with optkit: `python -m optkit.data.make_subset [FILE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from optkit.atomic import atomic_write
from optkit.data.dataset import Dataset, stratified
from optkit.data.published import whole_fashion_mnist
from optkit.data.shipped import SUBSET

__all__ = ["choose"]

SEED = 2017  # the year of Fashion-MNIST; any fixed number does
TRAIN_PER_CLASS = 1_000
TEST_PER_CLASS = 200


def choose(whole: Dataset) -> dict[str, np.ndarray]:
    """Return the arrays of the shipped part, in the order of the published set, all uint8 but the positions.

    The positions of the chosen images in the published set are kept beside them.

    Args:
        whole: `fashion_mnist(whole=True)`.
    """
    train = stratified(whole.train_labels, TRAIN_PER_CLASS, seed=SEED)
    test = stratified(whole.test_labels, TEST_PER_CLASS, seed=SEED)
    return {
        "train_images": whole.train_images[train, 0],
        "train_labels": whole.train_labels[train].astype(np.uint8),
        "train_positions": train.astype(np.uint16),
        "test_images": whole.test_images[test, 0],
        "test_labels": whole.test_labels[test].astype(np.uint8),
        "test_positions": test.astype(np.uint16),
    }


def main(arguments: list[str] | None = None) -> None:
    """Write the part, from the whole set found in one of the places that `fashion_mnist` searches."""
    parser = argparse.ArgumentParser(prog="python -m optkit.data.make_subset", description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=SUBSET, help="to write (default: the shipped one)"
    )
    parser.add_argument("--download", action="store_true", help="allow a download of the whole set, 31 MB")
    options = parser.parse_args(arguments)
    arrays = choose(whole_fashion_mnist(download=options.download))
    with atomic_write(options.file) as file:
        np.savez_compressed(file, **arrays)
    print(f"{options.file}: {options.file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
