"""Data sets: shapes, normalisation, the stratified choice."""

import dataclasses

import numpy as np
import pytest

from optkit.data import Dataset, digits, fashion_mnist, stratified
from optkit.data.shipped import SUBSET


@pytest.fixture(scope="module")
def fashion():
    return fashion_mnist()


def small(**changes):
    random = np.random.default_rng(0)
    fields = {
        "name": "small",
        "train_images": random.integers(0, 256, (20, 3, 4, 5), dtype=np.uint8),
        "train_labels": np.arange(20) % 2,
        "test_images": random.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8),
        "test_labels": np.arange(6) % 2,
        "classes": ("even", "odd"),
        "full_scale": 255,
        "licence": "none",
        "source": "nowhere",
        "citation": "nobody",
    }
    return Dataset(**(fields | changes))


def test_the_shipped_part_is_stratified(fashion):
    assert np.bincount(fashion.train_labels).tolist() == [1_000] * 10
    assert np.bincount(fashion.test_labels).tolist() == [200] * 10
    assert fashion.train_images.shape == (10_000, 1, 28, 28)
    assert fashion.test_images.shape == (2_000, 1, 28, 28)


def test_the_shipped_part_is_small_and_has_its_licence_beside_it():
    assert SUBSET.stat().st_size < 6_000_000
    notice = (SUBSET.parent / "LICENSE-fashion-mnist").read_text(encoding="utf-8")
    assert "Zalando SE" in notice and "The above copyright notice and this permission notice shall" in notice


def test_no_training_image_of_the_shipped_part_is_a_test_image(fashion):
    train = {image.tobytes() for image in fashion.train_images}
    assert len(train) > 9_900 and not any(image.tobytes() in train for image in fashion.test_images)


def test_digits_are_split_by_class():
    data = digits()
    assert np.bincount(data.test_labels).tolist() == [30] * 10
    assert data.train_images.max() == data.full_scale == 16
    assert len(data.train_images) + len(data.test_images) == 1_797


def test_mean_and_std_are_those_of_the_training_pixels_of_each_channel():
    data = small()
    pixels = data.train_images / 255
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_tensors_are_normalised_with_the_training_mean_and_std(dtype):
    import torch

    data = small()
    tensors = data.tensors(dtype=getattr(torch, dtype))
    mean, std = (np.array(x).reshape(3, 1, 1) for x in (data.mean, data.std))
    for part in ("train", "test"):
        images = getattr(tensors, f"{part}_images")
        expected = torch.from_numpy((getattr(data, f"{part}_images") / 255 - mean) / std)
        assert images.dtype == getattr(torch, dtype)
        tolerance = 4 * torch.finfo(images.dtype).eps
        torch.testing.assert_close(images.double(), expected, rtol=tolerance, atol=tolerance)
        assert getattr(tensors, f"{part}_labels").tolist() == getattr(data, f"{part}_labels").tolist()


def test_a_constant_channel_becomes_zero_and_not_nan():
    data = small(train_images=np.full((20, 3, 4, 5), 7, dtype=np.uint8))
    assert (data.tensors().train_images == 0).all()


def test_tensors_do_not_share_memory_with_the_dataset():
    data = small()
    data.tensors().train_labels[0] = 1
    assert data.train_labels[0] == 0


def test_a_dataset_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        small().name = "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": np.zeros((20, 4, 5), np.uint8)}, "train_images must be uint8 of shape"),
        ({"train_images": np.zeros((20, 3, 4, 5))}, "got float64"),
        ({"test_labels": np.zeros(5, np.int64)}, r"test_labels must be int64 of shape \(6,\)"),
        ({"train_labels": np.full(20, 2)}, "train_labels must lie in 0 … 1, got 2 … 2"),
        (
            {"test_images": np.zeros((6, 1, 4, 5), np.uint8)},
            "test_images must have the shape of train_images",
        ),
    ],
)
def test_a_dataset_refuses_arrays_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_the_stratified_choice_depends_on_the_seed_and_repeats():
    labels = np.random.default_rng(0).integers(0, 3, 1_000)
    chosen = stratified(labels, 50, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [50, 50, 50]
    assert len(set(chosen.tolist())) == 150 and (np.diff(chosen) > 0).all()
    assert (chosen == stratified(labels, 50, seed=1)).all()
    assert (chosen != stratified(labels, 50, seed=2)).any()


@pytest.mark.parametrize(
    ("per_class", "message"), [(0, ">= 1, got 0"), (3, "<= 2, the size of class 1, got 3")]
)
def test_the_stratified_choice_refuses_what_is_not_there(per_class, message):
    with pytest.raises(ValueError, match=f"per_class must be {message}"):
        stratified(np.array([0, 0, 0, 1, 1]), per_class, seed=0)
