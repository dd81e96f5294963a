"""The published sets: their files, checksums, addresses, licences and classes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CIFAR10", "CIFAR100", "FASHION_MNIST", "MNIST", "PublishedFile", "PublishedSet"]


@dataclass(frozen=True)
class PublishedFile:
    """One file as its authors publish it.

    Args:
        name: of the file on the authors' site.
        checksum: "sha256:…" or "md5:…"; of the DECOMPRESSED contents of an IDX file, since distributors
            compress it anew, and of the archive itself for CIFAR, since that is what its authors publish.
        size: in bytes, of what the checksum is of.
    """

    name: str
    checksum: str
    size: int


@dataclass(frozen=True)
class PublishedSet:
    """One published data set, and where it may be found.

    Args:
        title: what the set is called in tables and captions.
        folder: its folder below each of the places searched.
        call: how the user asks for it to be downloaded.
        files: to download.
        addresses: of the folders that hold the files, tried in this order.
        megabytes: the size of the download.
        debian_package: that holds it, if there is one.
        licence, source, citation, classes: as in `optkit.data.Dataset`.
    """

    title: str
    folder: str
    call: str
    files: tuple[PublishedFile, ...]
    addresses: tuple[str, ...]
    megabytes: int
    licence: str
    source: str
    citation: str
    classes: tuple[str, ...]
    debian_package: str | None = None


def idx_files(*checksums: str) -> tuple[PublishedFile, ...]:
    """Return the four files of MNIST's layout: train images and labels, test images and labels."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    sizes = (47_040_016, 60_008, 7_840_016, 10_008)
    return tuple(
        PublishedFile(f"{name}-ubyte.gz", f"sha256:{checksum}", size)
        for name, checksum, size in zip(names, checksums, sizes, strict=True)
    )


FASHION_MNIST = PublishedSet(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    call="fashion_mnist(whole=True, download=True)",
    files=idx_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    addresses=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",),
    megabytes=31,
    licence="MIT, © 2017 Zalando SE",
    source="https://github.com/zalandoresearch/fashion-mnist",
    citation="xiao2017fashion",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    debian_package="dataset-fashion-mnist",
)

MNIST = PublishedSet(
    title="MNIST",
    folder="mnist",
    call="mnist(download=True)",
    files=idx_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    # The authors' own page no longer answers reliably: the two copies named first are kept for that reason.
    addresses=(
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "http://yann.lecun.com/exdb/mnist",
    ),
    megabytes=12,
    licence="not stated by its authors: fetched by each user, never passed on with optkit",
    source="http://yann.lecun.com/exdb/mnist",
    citation="lecun1998gradient",
    classes=tuple("0123456789"),
)

CIFAR10 = PublishedSet(
    title="CIFAR-10",
    folder="cifar-10",
    call="cifar10(download=True)",
    files=(PublishedFile("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530", 170_052_171),),
    addresses=("https://www.cs.toronto.edu/~kriz",),
    megabytes=170,
    licence="not stated by its authors: fetched by each user, never passed on with optkit",
    source="https://www.cs.toronto.edu/~kriz/cifar.html",
    citation="krizhevsky2009learning",
    classes=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
)

CIFAR100 = PublishedSet(
    title="CIFAR-100",
    folder="cifar-100",
    call="cifar100(download=True)",
    files=(PublishedFile("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8", 168_513_733),),
    addresses=("https://www.cs.toronto.edu/~kriz",),
    megabytes=169,
    licence="not stated by its authors: fetched by each user, never passed on with optkit",
    source="https://www.cs.toronto.edu/~kriz/cifar.html",
    citation="krizhevsky2009learning",
    classes=tuple(
        """
        apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
        camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
        cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
        lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
        oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
        possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
        spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
        train trout tulip turtle wardrobe whale willow_tree wolf woman worm
        """.split()
    ),
)
