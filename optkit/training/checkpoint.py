"""Checkpoints: everything a run needs to go on bit for bit, in a file that is whole or not there."""

from __future__ import annotations

import os
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optkit.atomic import atomic_write

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from optkit.data import Tensors

__all__ = [
    "CheckpointError",
    "compare",
    "describe_data",
    "describe_model",
    "describe_optimizer",
    "read",
    "write",
]

FORMAT = 1
PARTS = frozenset(
    (
        "format",
        "settings",
        "step",
        "gradients",
        "seconds",
        "history",
        "model",
        "optimizer",
        "schedule",
        "random",
    )
)
UNREADABLE = (
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    OSError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


class CheckpointError(Exception):
    """A checkpoint is damaged, belongs to another run, or cannot be kept."""


def write(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a checkpoint, once it was read back; until then `path` holds the one before.

    Raises:
        CheckpointError: the state holds objects that `torch.load(weights_only=True)` refuses, or the disk is
            full or read-only.
    """
    import torch

    try:
        with atomic_write(path) as file:
            torch.save({"format": FORMAT, **state}, file)
            file.seek(0)
            torch.load(file, weights_only=True)
    except (pickle.PickleError, AttributeError, TypeError) as error:  # the last two: pickle, of local objects
        raise CheckpointError(
            f"{path} was not written: the state of the model, optimizer or schedule must consist of "
            f"tensors, numbers, texts, lists and dicts, got something else: {error}"
        ) from error
    except (OSError, RuntimeError) as error:  # the last: torch, when it closes a file that takes no more
        reason = error.__context__ if isinstance(error.__context__, OSError) else error
        raise CheckpointError(
            f"{path} was not written: {reason}. What stood there before still does. Make room, or name a "
            "file in another folder."
        ) from error


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint without running anything in it (weights_only=True), on the CPU.

    Raises:
        CheckpointError: the file is truncated, corrupted, or no checkpoint of this version.
    """
    import torch

    expected = f"{path}: expected a checkpoint written by optkit.training.train"
    if Path(path).is_dir():
        raise CheckpointError(f"{expected}, got a folder. Name a file in it.")
    try:
        # torch.load does not compare the stored checksums: a flipped bit would go on as a weight.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is None:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (*UNREADABLE, zlib.error) as error:
        raise CheckpointError(
            f"{expected}, but it cannot be read ({error}). Delete it to start again."
        ) from error
    if damaged is not None:
        raise CheckpointError(f"{expected}, but {damaged} in it is corrupted. Delete it to start again.")
    if not isinstance(state, dict) or state.get("format") != FORMAT or set(state) != PARTS:
        raise CheckpointError(f"{expected}, format {FORMAT}, but it holds something else.")
    return state


def compare(path: str | os.PathLike[str], stored: dict[str, str], given: dict[str, str]) -> None:
    """Compare the settings of a checkpoint with those of the run that wants to go on from it.

    Raises:
        CheckpointError: the first difference, by name.
    """
    for name in sorted(set(stored) | set(given)):
        if stored.get(name) != given.get(name):
            raise CheckpointError(
                f"{path} belongs to another run: {name} was {stored.get(name)} there and is "
                f"{given.get(name)} here. Use the same {name.partition(' ')[0]}, or another checkpoint file."
            )


def describe_model(model: nn.Module) -> dict[str, str]:
    """Return the names, shapes and types of a model's weights and buffers, for `compare`."""
    entries = {
        f"model {name}": f"{tuple(value.shape)} {value.dtype}".replace("torch.", "")
        for name, value in model.state_dict().items()
        if hasattr(value, "shape")
    }
    return {"model": type(model).__name__, **entries}


def describe_optimizer(optimizer: Optimizer) -> dict[str, str]:
    """Return the class and the options of each group of an optimizer, for `compare`."""
    described = {"optimizer": type(optimizer).__name__}
    if hasattr(optimizer, "base"):  # SAM, around another optimizer
        described["optimizer base"] = type(optimizer.base).__name__
        for name in ("rho", "adaptive", "eta", "eps", "devices"):
            described[f"optimizer {name}"] = repr(getattr(optimizer, name))
    for i, group in enumerate(optimizer.param_groups):
        described[f"optimizer group {i} tensors"] = str(len(group["params"]))
        for name, value in group.items():
            if name not in ("params", "param_names"):
                plain = value.tolist() if hasattr(value, "tolist") else value
                described[f"optimizer group {i} {name}"] = repr(plain)
    return described


def describe_data(tensors: Tensors) -> dict[str, str]:
    """Return the sizes and a checksum of the training data, for `compare`."""
    checksum = 0
    for tensor in (tensors.train_images, tensors.train_labels):
        checksum = zlib.crc32(tensor.detach().cpu().contiguous().numpy(), checksum)
    return {"data": f"{tuple(tensors.train_images.shape)} with checksum {checksum:08x}"}
