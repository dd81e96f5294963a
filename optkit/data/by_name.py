"""The data sets by name, for declarations and the command line."""

from __future__ import annotations

from optkit.data.dataset import Dataset
from optkit.data.published import cifar10, cifar100, mnist
from optkit.data.shipped import digits, fashion_mnist

__all__ = ["NAMES", "by_name"]

NAMES = ("fashion_mnist", "fashion_mnist_whole", "mnist", "cifar10", "cifar100", "digits")


def by_name(name: str) -> Dataset:
    """Load a data set by its name.

    Args:
        name: One of `NAMES`.

    Raises:
        ValueError: There is no set of this name.
        MissingData: It is not on this machine; the message lists places and remedies.

    Example:
        >>> by_name("digits").image_shape
        (1, 8, 8)
    """
    if name not in NAMES:
        raise ValueError(f"data must be one of {', '.join(NAMES)}, got {name!r}")
    if name == "fashion_mnist_whole":
        return fashion_mnist(whole=True)
    loaders = {"fashion_mnist": fashion_mnist, "digits": digits}
    return (loaders | {"mnist": mnist, "cifar10": cifar10, "cifar100": cifar100})[name]()
