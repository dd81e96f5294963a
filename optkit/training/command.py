"""``optkit train``: a training run from the command line, by one process or those of torchrun."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["add_train"]

DESCRIPTION = """\
Train a net of optkit.models, and print how it ends.

With several processes, each takes its share of every mini-batch, and the net is that of one process:
    torchrun --nproc-per-node 2 -m optkit train --model lenet --epochs 2
on CPUs by gloo, with --device cuda on as many GPUs by NCCL; on several machines with torchrun's --nnodes.
"""


def add_train(commands: Any) -> None:
    """Add ``optkit train`` to the commands of a parser."""
    from optkit.data.by_name import NAMES

    parser = commands.add_parser(
        "train",
        help="train a net, also by several processes under torchrun",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", choices=NAMES, default="fashion_mnist", help="default fashion_mnist, the shipped part")
    add("--model", default="lenet", help="a net of optkit.models (default lenet)")
    add("--optimizer", default="SGD", help="a class of optkit.optim (default SGD)")
    add("--lr", type=float, help="learning rate (default: the optimizer's own)")
    add(
        "--option", action="append", default=[], metavar="NAME=VALUE",
        help="another option of the optimizer, such as momentum=0.9; may be given again",
    )  # fmt: skip
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, help="default 1")
    length.add_argument("--steps", type=int)
    add("--batch-size", type=int, default=64, help="images in a mini-batch, over all processes (default 64)")
    add("--seed", type=int, default=0, help="of first weights and order of images (default 0)")
    add("--device", choices=["cpu", "cuda"], default="cpu", help="default cpu")
    add("--history", type=Path, metavar="FILE", help="write every step to a .csv or .json file")
    add("--checkpoint", type=Path, metavar="FILE", help="written every epoch; gone on from if it exists")
    parser.set_defaults(run=_train)


def _train(words: argparse.Namespace) -> int:
    from optkit import models, optim
    from optkit.data import DataError, by_name
    from optkit.training import CheckpointError, train
    from optkit.training.distributed import process_group

    try:
        make = getattr(models, _one_of(models.__all__, words.model, "model"))
        optimizer = getattr(optim, _one_of(_optimizers(), words.optimizer, "optimizer"))
        options = dict(_option(text) for text in words.option)
        if words.lr is not None:
            options["lr"] = words.lr
        if words.history is not None and words.history.suffix not in (".csv", ".json"):
            raise ValueError(f"history must end in .csv or .json, got {words.history}")
        data = by_name(words.data)
        with process_group(words.device) as (rank, processes, device):
            net = make(input_shape=data.image_shape, classes=len(data.classes), seed=words.seed).to(device)
            if processes > 1:
                from torch.nn.parallel import DistributedDataParallel

                net = DistributedDataParallel(net, device_ids=None if device == "cpu" else [device])
            history = train(
                net,
                data,
                optimizer(net.parameters(), **options),
                epochs=1 if words.epochs is None and words.steps is None else words.epochs,
                steps=words.steps,
                batch_size=words.batch_size,
                seed=words.seed,
                checkpoint=words.checkpoint,
                resume=words.checkpoint is not None,
            )
            if rank == 0:
                print(f"{processes} process{'es' if processes > 1 else ''} on {words.device}: {history!r}")
                if words.history is not None:
                    write = history.to_csv if words.history.suffix == ".csv" else history.to_json
                    write(words.history)
    except (ValueError, TypeError, DataError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _optimizers() -> list[str]:
    """Names of the classes that need nothing but parameters: SAM, which wraps another, is none of them."""
    from optkit import optim

    classes = {name: getattr(optim, name) for name in optim.__all__}
    return [
        name
        for name, one in classes.items()
        if isinstance(one, type) and optim.RuleOptimizer in one.__bases__
    ]


def _one_of(names: Sequence[str], name: str, what: str) -> str:
    if name not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {name!r}")
    return name


def _option(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise ValueError(f"option must be NAME=VALUE, got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
