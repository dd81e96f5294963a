"""Real data: a part of Fashion-MNIST that comes with optkit, the digits, and whole published sets.

>>> from optkit.data import fashion_mnist
>>> data = fashion_mnist()
>>> [tuple(part.shape) for part in data.tensors()]
[(10000, 1, 28, 28), (10000,), (2000, 1, 28, 28), (2000,)]
"""

from optkit.data.by_name import by_name
from optkit.data.dataset import DamagedData, DataError, Dataset, MissingData, Tensors, stratified
from optkit.data.download import DownloadError
from optkit.data.published import cifar10, cifar100, mnist
from optkit.data.shipped import digits, fashion_mnist

__all__ = [
    "DamagedData",
    "DataError",
    "Dataset",
    "DownloadError",
    "MissingData",
    "Tensors",
    "by_name",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "mnist",
    "stratified",
]
