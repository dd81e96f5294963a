"""Whole sets in their published formats: found, checked, refused; and the shipped part made from one."""

import dataclasses
import gzip
import hashlib
import io
import struct
import tarfile

import numpy as np
import pytest

from optkit.data import (
    DamagedData,
    MissingData,
    catalogue,
    fashion_mnist,
    make_subset,
    mnist,
    places,
    published,
)
from optkit.data.catalogue import PublishedFile, PublishedSet
from optkit.data.cifar import PIXELS, read_archive
from optkit.data.idx import parse_idx
from optkit.data.published import CIFAR10_LAYOUT, CIFAR100_LAYOUT, CifarLayout, load_cifar, load_idx
from optkit.data.shipped import PARTS, SUBSET, read_subset


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No set is found but those that a test puts below the folder returned."""
    monkeypatch.setenv("OPTKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(places, "DEBIAN_ROOT", tmp_path / "debian")
    monkeypatch.setattr(places, "cache_root", lambda: tmp_path / "cache")
    return tmp_path / "data"


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_set(train=20, test=10):
    """Return a small set in MNIST's layout, and the contents of its files."""
    random = np.random.default_rng(0)
    contents = {}
    for part, count in (("train", train), ("t10k", test)):
        contents[f"{part}-images-idx3-ubyte.gz"] = idx(random.integers(0, 256, (count, 5, 4), dtype=np.uint8))
        contents[f"{part}-labels-idx1-ubyte.gz"] = idx((np.arange(count) % 10).astype(np.uint8))
    files = tuple(
        PublishedFile(name, f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
        for name, data in contents.items()
    )
    return dataclasses.replace(catalogue.MNIST, folder="small", files=files), contents


def put(folder, contents, compress=True):
    folder.mkdir(parents=True)
    for name, data in contents.items():
        if compress:
            (folder / name).write_bytes(gzip.compress(data))
        else:
            (folder / name.removesuffix(".gz")).write_bytes(data)


@pytest.mark.parametrize("compress", [True, False])
def test_idx_files_are_read_compressed_or_not(nowhere, compress):
    small, contents = idx_set()
    put(nowhere / "small", contents, compress)
    data = load_idx(small)
    raw = np.frombuffer(contents["train-images-idx3-ubyte.gz"], np.uint8)[16:].reshape(20, 1, 5, 4)
    assert (data.train_images == raw).all()
    assert data.test_labels.tolist() == list(range(10))


def test_a_file_that_was_decompressed_but_kept_its_name_is_read(nowhere):
    small, contents = idx_set()
    put(nowhere / "small", contents)
    for name, data in contents.items():
        (nowhere / "small" / name).write_bytes(data)
    assert len(load_idx(small).train_images) == 20


@pytest.mark.parametrize("where", ["data", "debian", "cache"])
def test_each_place_is_searched(nowhere, where):
    small, contents = idx_set()
    put(nowhere.parent / where / "small", contents)
    assert len(load_idx(small).train_images) == 20


def test_the_variable_goes_before_the_other_places(nowhere):
    small, contents = idx_set()
    put(nowhere / "small", contents)
    put(nowhere.parent / "cache" / "small", dict.fromkeys(contents, b"damaged"))
    assert len(load_idx(small).train_images) == 20


def damages():
    def truncated_gzip(path):
        path.write_bytes(path.read_bytes()[:-20])

    def flipped_bit(path):
        contents = bytearray(gzip.decompress(path.read_bytes()))
        contents[-1] ^= 1
        path.write_bytes(gzip.compress(bytes(contents)))

    def truncated_contents(path):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))

    def other_file(path):
        path.write_bytes(b"<html>not found</html>")

    def emptied(path):
        path.write_bytes(b"")

    def damaged_gzip(path):
        contents = bytearray(path.read_bytes())
        contents[len(contents) // 2] ^= 0xFF
        path.write_bytes(contents)

    return [truncated_gzip, flipped_bit, truncated_contents, other_file, emptied, damaged_gzip]


@pytest.mark.parametrize("damage", damages(), ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("position", range(4))
def test_a_damaged_idx_file_is_named_with_what_was_expected(nowhere, damage, position):
    small, contents = idx_set()
    put(nowhere / "small", contents)
    file = small.files[position]
    path = nowhere / "small" / file.name
    damage(path)
    with pytest.raises(DamagedData) as error:
        load_idx(small)
    assert str(path) in str(error.value)
    assert f"{file.size:,} bytes" in str(error.value) and file.checksum in str(error.value)


def test_missing_data_lists_the_places_and_the_remedies(nowhere):
    (nowhere / "fashion-mnist").mkdir(parents=True)
    (nowhere / "fashion-mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(MissingData) as error:
        fashion_mnist(whole=True)
    message = str(error.value)
    for root in ("data", "debian", "cache"):
        assert str(nowhere.parent / root / "fashion-mnist") in message
    assert "lacks train-labels-idx1-ubyte.gz, t10k" in message
    assert "download=True" in message and "OPTKIT_DATA" in message and "dataset-fashion-mnist" in message


def test_a_file_in_the_place_of_the_folder_is_said(nowhere, monkeypatch):
    file = nowhere.with_name("file")
    file.write_text("no folder")
    monkeypatch.setenv("OPTKIT_DATA", str(file))
    with pytest.raises(MissingData, match=r"file is a file, not a folder"):
        mnist()


def test_nothing_is_downloaded_without_consent(nowhere, monkeypatch):
    monkeypatch.setattr(published, "download_file", lambda *a, **k: pytest.fail("it asked the network"))
    for load in (mnist, published.cifar10, published.cifar100, lambda: fashion_mnist(whole=True)):
        with pytest.raises(MissingData):
            load()
    assert not nowhere.exists()


def test_download_without_whole_is_refused():
    with pytest.raises(ValueError, match="add whole=True"):
        fashion_mnist(download=True)


def test_the_cache_folder_is_the_operating_systems(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.delenv("OPTKIT_DATA", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: tmp_path / name)
    assert places.target() == tmp_path / "optkit"
    assert [place.root for place in places.places()] == [places.DEBIAN_ROOT, tmp_path / "optkit"]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (b"", "no bytes"),
        (b"\x00\x00\x09\x01\x00\x00\x00\x01\x07", "got 00 00 09 01"),
        (b"\x00\x00\x08\x03\x00\x00", "expected a header of 16 bytes, got 6"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x02\x07", "expected 10 bytes for shape 2, got 9"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01\x07\x07", "expected 9 bytes for shape 1, got 10"),
    ],
)
def test_parse_idx_refuses_what_is_no_idx(contents, expected):
    with pytest.raises(DamagedData, match=f"labels: .*{expected}"):
        parse_idx(contents, "labels")


def cifar_set(label_bytes):
    """Return a small set in CIFAR's layout, and the contents of the files in its archive."""
    layout = CifarLayout("small-bin", ("one.bin", "two.bin"), "test.bin", label_bytes, 6, 4)
    random = np.random.default_rng(0)
    contents = {}
    for name in (*layout.train, layout.test):
        count = layout.test_records if name == layout.test else layout.train_records
        records = random.integers(0, 256, (count, label_bytes + PIXELS), dtype=np.uint8)
        records[:, label_bytes - 1] = np.arange(count) % 2
        contents[f"small-bin/{name}"] = records.tobytes()
    return layout, contents


def tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def small_cifar(archive: bytes) -> PublishedSet:
    file = PublishedFile("small.tar.gz", f"md5:{hashlib.md5(archive).hexdigest()}", len(archive))
    return dataclasses.replace(catalogue.CIFAR10, folder="small", files=(file,), classes=("no", "yes"))


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize("label_bytes", [1, 2])
def test_cifar_is_read_from_the_archive_or_unpacked(nowhere, label_bytes, unpacked):
    layout, contents = cifar_set(label_bytes)
    archive = tar({"small-bin/readme.html": b"", **contents})
    folder = nowhere / "small"
    (folder / "small-bin").mkdir(parents=True)
    if unpacked:
        for name, data in contents.items():
            (folder / name).write_bytes(data)
    else:
        (folder / "small.tar.gz").write_bytes(archive)
    data = load_cifar(small_cifar(archive), layout)
    records = np.frombuffer(contents["small-bin/two.bin"], np.uint8).reshape(6, -1)
    # The last image of the second file: red plane first, each row by row.
    image = records[5, label_bytes:]
    assert data.train_images.shape == (12, 3, 32, 32) and data.test_images.shape == (4, 3, 32, 32)
    assert data.train_images[11, 0, 0, 1] == image[1]
    assert data.train_images[11, 0, 1, 0] == image[32]
    assert data.train_images[11, 2, 31, 31] == image[3071]
    assert data.train_labels.tolist() == [0, 1] * 6


def test_an_archive_with_another_checksum_is_refused_before_it_is_opened(nowhere, monkeypatch):
    layout, contents = cifar_set(1)
    archive = tar(contents)
    put(nowhere / "small", {})
    (nowhere / "small" / "small.tar.gz").write_bytes(tar(contents | {"small-bin/extra": b"x"}))
    monkeypatch.setattr(published, "read_archive", lambda *a: pytest.fail("it was opened"))
    wanted = hashlib.md5(archive).hexdigest()
    with pytest.raises(DamagedData, match=f"small.tar.gz is not the published file: expected .*md5:{wanted}"):
        load_cifar(small_cifar(archive), layout)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data[:-1], "expected 18,438 bytes .6 records of 3,073., got 18,437"),
        (lambda data: bytes([2]) + data[1:], "expected labels 0 … 1, got 2"),
        (lambda data: bytes([1]) + data[1:], "expected 6 training images of each class, got 5 to 7"),
    ],
)
def test_damaged_unpacked_cifar_is_refused(nowhere, change, expected):
    layout, contents = cifar_set(1)
    folder = nowhere / "small"
    (folder / "small-bin").mkdir(parents=True)
    for name, data in contents.items():
        (folder / name).write_bytes(change(data) if name.endswith("one.bin") else data)
    with pytest.raises(DamagedData, match=expected):
        load_cifar(small_cifar(tar(contents)), layout)


def test_incompletely_unpacked_cifar_counts_as_missing(nowhere):
    layout, contents = cifar_set(1)
    (nowhere / "small" / "small-bin").mkdir(parents=True)
    with pytest.raises(
        MissingData, match=r"lacks small-bin/one\.bin, small-bin/two\.bin, small-bin/test\.bin"
    ):
        load_cifar(small_cifar(tar(contents)), layout)


def test_reading_an_archive_writes_nothing_whatever_its_members_are_called(tmp_path):
    (tmp_path / "inside").mkdir()
    path = tmp_path / "inside" / "evil.tar.gz"
    path.write_bytes(tar({"../outside": b"x", "/tmp/optkit-outside": b"x", "wanted": b"yes"}))
    assert read_archive(path, ["wanted"]) == {"wanted": b"yes"}
    assert [entry.name for entry in tmp_path.rglob("*")] == ["inside", "evil.tar.gz"]


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"not an archive"])
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(damage(tar({"wanted": np.random.default_rng(0).bytes(100_000)})))
    with pytest.raises(DamagedData, match=r"broken\.tar\.gz: expected"):
        read_archive(path, ["wanted"])


def test_an_archive_without_a_member_is_refused(tmp_path):
    path = tmp_path / "other.tar.gz"
    path.write_bytes(tar({"something": b""}))
    with pytest.raises(DamagedData, match=r"other\.tar\.gz: .* missing: wanted"):
        read_archive(path, ["wanted"])


def test_the_catalogue_is_that_of_the_authors():
    # The md5 sums that the authors of CIFAR publish, and the counts that all four sets are known for.
    assert catalogue.CIFAR10.files[0].checksum == "md5:c32a1d4ab5d03f1284b67883e8d87530"
    assert catalogue.CIFAR100.files[0].checksum == "md5:03b5dce01913d631647c71ecec9e9cb8"
    assert CIFAR10_LAYOUT.train_records * len(CIFAR10_LAYOUT.train) == 50_000
    assert CIFAR100_LAYOUT.train_records * len(CIFAR100_LAYOUT.train) == 50_000
    for entry, classes in (
        (catalogue.FASHION_MNIST, 10),
        (catalogue.MNIST, 10),
        (catalogue.CIFAR10, 10),
        (catalogue.CIFAR100, 100),
    ):
        assert len(set(entry.classes)) == classes
    for entry in (catalogue.FASHION_MNIST, catalogue.MNIST):
        assert [file.size for file in entry.files] == [
            16 + 60_000 * 784,
            8 + 60_000,
            16 + 10_000 * 784,
            8 + 10_000,
        ]
        assert len({file.checksum for file in entry.files}) == 4


def test_the_shipped_part_comes_from_the_whole_set_bit_for_bit(tmp_path):
    """Where the whole set is found; elsewhere, that the maker says so and writes nothing."""
    made = tmp_path / "made.npz"
    try:
        whole = fashion_mnist(whole=True)
    except MissingData:
        with pytest.raises(MissingData, match="Remedies"):
            make_subset.main([str(made)])
        assert not made.exists()
        return
    digest = hashlib.md5(idx(whole.train_images[:, 0])).hexdigest()
    assert digest == "f4a8712d7a061bf5bd6d2ca38dc4d50a"  # as published, of the decompressed file
    np.testing.assert_allclose((whole.mean[0], whole.std[0]), (0.2860, 0.3530), atol=5e-5)
    make_subset.main([str(made)])
    with np.load(made) as again, np.load(SUBSET) as shipped:
        assert again.files == shipped.files
        for name in shipped.files:
            assert again[name].dtype == shipped[name].dtype
            np.testing.assert_array_equal(again[name], shipped[name])
        # Independently of the maker: each shipped image is the one at its stored position.
        positions = shipped["train_positions"]
        np.testing.assert_array_equal(whole.train_images[positions, 0], shipped["train_images"])
        np.testing.assert_array_equal(whole.train_labels[positions], shipped["train_labels"])


@pytest.mark.parametrize("where", [100, 2_000_000, -100])
def test_a_damaged_shipped_part_is_refused(tmp_path, where):
    contents = bytearray(SUBSET.read_bytes())
    contents[where] ^= 0xFF
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(contents)
    with pytest.raises(DamagedData, match=r"damaged\.npz: expected an \.npz archive with train_images"):
        read_subset(damaged)


def test_a_truncated_or_absent_shipped_part_is_refused(tmp_path):
    truncated = tmp_path / "truncated.npz"
    truncated.write_bytes(SUBSET.read_bytes()[:100_000])
    for path in (truncated, tmp_path / "absent.npz"):
        with pytest.raises(DamagedData, match=path.name):
            read_subset(path)
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(DamagedData, match=PARTS[0]):
        read_subset(tmp_path / "other.npz")
