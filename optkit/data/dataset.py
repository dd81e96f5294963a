"""What every loader returns: images, labels, and how to normalise them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["DamagedData", "DataError", "Dataset", "MissingData", "Tensors", "stratified"]


class DataError(Exception):
    """Something is wrong with the files of a data set."""


class MissingData(DataError, FileNotFoundError):
    """The files of a data set are in none of the places searched."""


class DamagedData(DataError, ValueError):
    """A file is truncated, corrupted, or not the file that its name says."""


class Tensors(NamedTuple):
    """Normalised images and their labels as torch tensors, ready for `optkit.training.train`."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images, split into a training and a test part.

    Args:
        name: what the set is called in tables and captions.
        train_images: uint8, shape (N, channels, height, width).
        train_labels: int64, shape (N,), each in 0 … len(classes) − 1.
        test_images: uint8, shape (M, channels, height, width).
        test_labels: int64, shape (M,).
        classes: the name of each label.
        full_scale: the value of a white pixel (255; 16 for the digits).
        licence: under which terms the images may be used and passed on.
        source: the address of the authors' page.
        citation: key of the bibliography.

    Raises:
        ValueError: shapes, types or labels are not as above.

    Example:
        >>> from optkit.data import fashion_mnist
        >>> data = fashion_mnist()
        >>> data
        Dataset(Fashion-MNIST 12k: 10,000 train + 2,000 test images of 1×28×28, 10 classes)
        >>> data.classes[data.train_labels[0]]
        'Sandal'
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    full_scale: int
    licence: str
    source: str
    citation: str

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.ndim != 4 or images.dtype != np.uint8:
                raise ValueError(
                    f"{part}_images must be uint8 of shape (N, channels, height, width), "
                    f"got {images.dtype} of shape {images.shape}"
                )
            if labels.shape != images.shape[:1] or labels.dtype != np.int64:
                raise ValueError(
                    f"{part}_labels must be int64 of shape {images.shape[:1]}, one for each image, "
                    f"got {labels.dtype} of shape {labels.shape}"
                )
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise ValueError(
                    f"{part}_labels must lie in 0 … {len(self.classes) - 1}, "
                    f"got {labels.min()} … {labels.max()}"
                )
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"test_images must have the shape of train_images, {self.image_shape} each, "
                f"got {self.test_images.shape[1:]}"
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.train_images.shape[1:]

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        # Sums of integers are exact, so the result does not depend on how NumPy groups them.
        sums = np.zeros(self.image_shape[0], dtype=np.uint64)
        squares = np.zeros_like(sums)
        for start in range(0, len(self.train_images), 5_000):
            pixels = self.train_images[start : start + 5_000].astype(np.uint64)
            sums += pixels.sum(axis=(0, 2, 3))
            squares += (pixels * pixels).sum(axis=(0, 2, 3))
        count = self.train_images.size // self.image_shape[0]
        mean = sums / count
        return mean / self.full_scale, np.sqrt(squares / count - mean * mean) / self.full_scale

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean of the training pixels of each channel, white = 1."""
        return tuple(self._moments[0].tolist())

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of the training pixels of each channel, white = 1."""
        return tuple(self._moments[1].tolist())

    def tensors(self, *, dtype: torch.dtype | None = None, device: Any = None) -> Tensors:
        """Return torch tensors, images normalised as (pixel/white − mean)/std with the TRAINING mean and std.

        Args:
            dtype: of the images; default torch.float32.
            device: where to put them; default the CPU.

        Returns:
            `Tensors`: images of shape (N, channels, height, width), labels int64 of shape (N,).

        Example:
            >>> from optkit.data import digits
            >>> images = digits().tensors().train_images
            >>> tuple(images.shape), abs(float(images.mean())) < 1e-5
            ((1497, 1, 8, 8), True)
        """
        import torch

        dtype = dtype or torch.float32
        mean, std = (np.asarray(x).reshape(-1, 1, 1) for x in self._moments)
        # A constant channel has std 0: leave it at 0 instead of dividing 0 by 0.
        scale = 1.0 / np.where(std > 0, std, 1.0)

        def normalised(images: np.ndarray) -> torch.Tensor:
            # One value for each of the 256 pixel values: quicker, and float64 until the last rounding.
            levels = np.arange(256, dtype=np.float64).reshape(-1, 1, 1, 1) / self.full_scale
            table = torch.from_numpy(((levels - mean) * scale).reshape(256, -1)).to(dtype)
            channels = [table[:, c][torch.from_numpy(images[:, c]).int()] for c in range(images.shape[1])]
            return torch.stack(channels, dim=1).to(device)

        def as_labels(labels: np.ndarray) -> torch.Tensor:
            return torch.tensor(labels, dtype=torch.int64, device=device)

        return Tensors(
            normalised(self.train_images),
            as_labels(self.train_labels),
            normalised(self.test_images),
            as_labels(self.test_labels),
        )

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.image_shape))
        return (
            f"Dataset({self.name}: {len(self.train_images):,} train + {len(self.test_images):,} test "
            f"images of {shape}, {len(self.classes)} classes)"
        )


def stratified(labels: np.ndarray, per_class: int, *, seed: int) -> np.ndarray:
    """Return the positions of `per_class` randomly chosen items of each class, in ascending order.

    Args:
        labels: integers, shape (N,).
        per_class: how many of each class, at least 1.
        seed: of the choice, 0 … 2³² − 1.

    Returns:
        int64, shape (number of classes · per_class,).

    Raises:
        ValueError: a class has fewer items.

    Example:
        >>> stratified(np.array([0, 0, 1, 1, 1, 0]), 2, seed=0).tolist()
        [1, 2, 4, 5]
    """
    if per_class < 1:
        raise ValueError(f"per_class must be >= 1, got {per_class}")
    # RandomState, not default_rng: NumPy promises that its stream never changes.
    random = np.random.RandomState(seed)
    chosen = []
    for label in np.unique(labels):
        positions = np.flatnonzero(labels == label)
        if len(positions) < per_class:
            raise ValueError(
                f"per_class must be <= {len(positions)}, the size of class {label}, got {per_class}"
            )
        chosen.append(random.permutation(positions)[:per_class])
    return np.sort(np.concatenate(chosen))
