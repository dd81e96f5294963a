"""Start ``optkit train`` in several processes of this machine, from Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from optkit.training.history import History

__all__ = ["train_in_processes"]


def train_in_processes(processes: int, words: Sequence[str]) -> History:
    """Train a net by several processes under torchrun, one thread each, and return the table of the run.

    The same as ``torchrun --standalone --nproc-per-node PROCESSES -m optkit train WORDS``.

    Args:
        processes: At least 1. More than the processor has cores work, too, only not faster.
        words: Of ``optkit train``, without ``--history``.

    Raises:
        ValueError: ``processes`` is below 1.
        RuntimeError: The run failed; the message holds what the processes wrote.

    Example:
        >>> words = "--data digits --model logistic_regression --steps 2".split()
        >>> len(train_in_processes(1, words))  # the row before the first step, and two
        3
    """
    if processes < 1:
        raise ValueError(f"processes must be >= 1, got {processes}")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.json"
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--log-dir", str(Path(folder) / "log"), "--redirects", "2"]  # stderr, to files
        command += [f"--nproc-per-node={processes}", "-m", "optkit", "train", *words, "--history", str(path)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            written = [file.read_text() for file in sorted(Path(folder).glob("log/**/stderr.log"))]
            said = dict.fromkeys(text[-2000:].strip() for text in written if text.strip())
            # Without a word of theirs it was torchrun itself that failed.
            raise RuntimeError(
                f"training by {processes} processes failed:\n" + "\n".join(said or [done.stderr[-2000:]])
            )
        return History.from_json(path)
