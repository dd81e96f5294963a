"""Train a model: one loop for every chapter and every study."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from optkit.data import Dataset, Tensors
from optkit.progress import Progress
from optkit.progress import bar as progress_bar
from optkit.training import checkpoint as checkpoints
from optkit.training.distributed import Share
from optkit.training.evaluation import evaluate, mode
from optkit.training.history import History
from optkit.training.pace import Pace
from optkit.training.run import Run

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

    from optkit.training.pace import Schedule

__all__ = ["train"]


def train(
    model: nn.Module,
    data: Dataset | Tensors,
    optimizer: Optimizer,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 64,
    seed: int = 0,
    schedule: Schedule | None = None,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    evaluate_every: int | Literal["epoch"] | None = "epoch",
    progress: Progress = True,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | Literal["epoch"] = "epoch",
    resume: bool = False,
    watch: Callable[[Mapping[str, float | None]], object] | None = None,
) -> History:
    """Train a model on mini-batches, and return the table of the run.

    Each epoch visits every training image once, in an order that depends on `seed` and the epoch only; the
    last mini-batch may be smaller. The same arguments, first weights and number of threads give the same
    weights, bit for bit. The caller's random streams, the modules' training flags and, after a schedule that
    is a function, the groups' lr come back as they were.

    A `DistributedDataParallel` net, one in each process of a group, becomes the net of a single process, up
    to rounding: each process takes its share of every mini-batch of ``batch_size`` images. But batch
    normalisation sees a share alone, and random layers draw a stream for each process. The first process
    writes the checkpoints; one gone on from gives all processes the random stream of the first.

    The run ends early when a loss is no longer finite: the history is marked `diverged`, and no step is made
    with such a loss.

    Args:
        model: from images to logits, (N, channels, height, width) to (N, classes). Trained in place.
        data: a `Dataset`, normalised here, or the `Tensors` of one, on the model's device.
        optimizer: of the model's parameters; its `step` is given a closure, as torch allows.
        epochs: how often to visit each training image, at least 1. Give this or `steps`.
        steps: how many steps to make, at least 1.
        batch_size: images in a mini-batch, at least 1.
        seed: of the order of the images and of random layers (dropout), at least 0.
        schedule: None; a function from the step t = 1, 2, … to a factor of each group's lr; or a torch
            scheduler of this optimizer, which takes a step after EACH step (in torch often once an epoch).
        loss: from logits and labels to their MEAN loss; default cross-entropy.
        evaluate_every: steps between evaluations on all training and all test images: a number, "epoch", or
            None for the last step alone. If not None, also before the first step (row 0).
        progress: draw a bar where the output is a terminal; "always" also elsewhere, such as in a notebook.
        checkpoint: file to write regularly, and at the end, so that a killed run can go on.
        checkpoint_every: steps between two checkpoints: a number or "epoch".
        resume: go on from `checkpoint` if that file exists (else start). The weights are those of a run that
            never stopped, bit for bit; `epochs` or `steps` may be larger than before.
        watch: called with each row of the history; a true answer ends the run there.

    Returns:
        `History`: step, epoch, loss, lr, gradients, train and test loss and accuracy, seconds.

    Raises:
        TypeError: data or schedule is of another kind, or the optimizer's `step` takes no closure.
        ValueError: an argument is outside its range.
        RuntimeError: the optimizer's `step` does not call its closure.
        FileExistsError: `checkpoint` exists, and resume is False.
        CheckpointError: the checkpoint is damaged or belongs to a run with other settings.

    Example:
        >>> import torch
        >>> from optkit.data import digits
        >>> from optkit.models import mlp
        >>> model = mlp(input_shape=(1, 8, 8), hidden=(32,), seed=1)
        >>> adam = torch.optim.Adam(model.parameters(), lr=1e-2)
        >>> history = train(model, digits(), adam, steps=50, schedule=lambda t: t**-0.5, evaluate_every=25)
        >>> history.curve("test_accuracy")[0].tolist()
        [0, 25, 50]
    """
    import torch

    _check(batch_size, seed, evaluate_every, checkpoint_every, checkpoint, resume, progress)
    pace = Pace(optimizer, schedule)
    parameter = _parameter(model, optimizer)
    tensors = (
        data.tensors(dtype=parameter.dtype, device=parameter.device) if isinstance(data, Dataset) else data
    )
    if not isinstance(tensors, tuple) or len(tensors) != 4:
        raise TypeError(f"data must be a Dataset or the Tensors of one, got {type(data).__name__}")
    images, labels, test_images, test_labels = tensors
    for part, some, theirs in (("train", images, labels), ("test", test_images, test_labels)):
        if len(some) == 0 or len(some) != len(theirs):
            raise ValueError(
                f"data must hold at least 1 {part} image and a label for each, got {len(some)}, {len(theirs)}"
            )
    share = Share(model)
    in_epoch = math.ceil(len(images) / batch_size)
    total = _total(epochs, steps, in_epoch)
    loss = loss or torch.nn.functional.cross_entropy

    def due(every: int | str | None, step: int) -> bool:
        return step == total or (every is not None and step % (in_epoch if every == "epoch" else every) == 0)

    def evaluation() -> dict[str, float]:
        train_loss, train_accuracy = evaluate(share.net, images, labels, loss=loss)
        test_loss, test_accuracy = evaluate(share.net, test_images, test_labels, loss=loss)
        return {
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
        }

    def note(row: dict[str, float | None]) -> bool:
        run.history.append(row)
        return watch is not None and bool(watch(row))

    settings: dict[str, str] = {}
    if checkpoint is not None:
        settings = {
            "batch_size": str(batch_size),
            "seed": str(seed),
            "schedule": pace.kind,
            "loss": getattr(loss, "__qualname__", type(loss).__name__),
            "evaluate_every": str(evaluate_every),
            **checkpoints.describe_model(share.net),
            **checkpoints.describe_optimizer(optimizer),
            **checkpoints.describe_data(tensors),
        }
    run = Run(model, optimizer, pace, settings, share)
    order: torch.Tensor | None = None
    stopped = False
    with _streams(parameter.device, _stream(seed, 0, share.rank)), mode(model, training=True), pace.kept():
        if resume and checkpoint is not None and Path(checkpoint).exists():
            run.load(checkpoint, total, parameter.device)
        elif evaluate_every is not None:
            stopped = note({"step": 0, "epoch": 0, "gradients": 0, "seconds": 0.0, **evaluation()})
        shown = progress if share.rank == 0 else False
        with progress_bar(total, "training", "step", shown, initial=run.step) as bar:
            while run.step < total and not run.history.diverged and not stopped:
                epoch, place = divmod(run.step, in_epoch)
                if place == 0 or order is None:
                    order = _order(len(images), seed, epoch + 1).to(images.device)
                batch = order[place * batch_size : (place + 1) * batch_size]
                row = {"epoch": epoch + 1, **run.advance(images[batch], labels[batch], loss)}
                if due(evaluate_every, run.step) and math.isfinite(row["loss"]):
                    row |= evaluation()
                stopped = note(row)
                bar.set_postfix(loss=f"{row['loss']:.3g}", refresh=False)
                bar.update()
                if (
                    share.rank == 0
                    and checkpoint is not None
                    and (due(checkpoint_every, run.step) or run.history.diverged or stopped)
                ):
                    run.save(checkpoint, parameter.device)
    return run.history


def _check(
    batch_size: int,
    seed: int,
    evaluate_every: int | str | None,
    checkpoint_every: int | str,
    checkpoint: str | os.PathLike[str] | None,
    resume: bool,
    progress: bool | str,
) -> None:
    _check_whole("batch_size", batch_size, 1)
    _check_whole("seed", seed, 0)
    if not (isinstance(progress, bool) or progress == "always"):
        raise ValueError(f'progress must be True, False or "always", got {progress!r}')
    for name, every in (("evaluate_every", evaluate_every), ("checkpoint_every", checkpoint_every)):
        number = isinstance(every, int) and not isinstance(every, bool) and every >= 1
        if not (number or every == "epoch" or (every is None and name == "evaluate_every")):
            also = " or None" if name == "evaluate_every" else ""
            raise ValueError(f'{name} must be a number of steps >= 1, "epoch"{also}, got {every!r}')
    if resume and checkpoint is None:
        raise ValueError("checkpoint must name a file to resume from, got None")
    if checkpoint is not None and not resume and Path(checkpoint).exists():
        raise FileExistsError(f"{checkpoint} exists: pass resume=True to go on from it, or delete it")


def _check_whole(name: str, value: Any, low: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < low:
        raise ValueError(f"{name} must be a whole number >= {low}, got {value!r}")


def _parameter(model: nn.Module, optimizer: Optimizer) -> nn.Parameter:
    """Return a parameter of the model that the optimizer holds; it shows device and dtype."""
    try:
        inspect.signature(optimizer.step).bind(None)
    except TypeError:
        raise TypeError(
            f"optimizer must have a step that takes a closure, got {type(optimizer).__name__}.step"
            f"{inspect.signature(optimizer.step)}; write def step(self, closure=None), and call it first"
        ) from None
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for parameter in model.parameters():
        if id(parameter) in held:
            return parameter
    raise ValueError("optimizer must hold parameters of model, got an optimizer of other parameters")


def _total(epochs: int | None, steps: int | None, in_epoch: int) -> int:
    if (epochs is None) == (steps is None):
        raise ValueError(f"epochs or steps must be given, and not both, got epochs={epochs}, steps={steps}")
    name, number = ("epochs", epochs) if steps is None else ("steps", steps)
    _check_whole(name, number, 1)
    return number * in_epoch if steps is None else number


def _order(images: int, seed: int, epoch: int) -> torch.Tensor:
    """Return the order of an epoch, a function of its arguments alone: to resume needs no state of it."""
    import torch

    return torch.randperm(images, generator=torch.Generator().manual_seed(_stream(seed, epoch)))


def _stream(seed: int, epoch: int, rank: int = 0) -> int:
    # Hashed, since seed + epoch would give seed 1 the orders that seed 0 has an epoch later.
    numbers = [seed, epoch, rank] if rank else [seed, epoch]
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextmanager
def _streams(device: torch.device, stream: int) -> Iterator[None]:
    """Seed what random layers draw from, ask cuDNN for repeatable results, and put all back at the end."""
    import torch

    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(stream)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(stream)
        cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            cudnn.deterministic, cudnn.benchmark = before
