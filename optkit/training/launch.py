"""Start ``optkit train`` in several processes of this machine, from Python."""

from __future__ import annotations

import os
import re
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
            code = re.search(r"exitcode: (-?\d+)", done.stderr)  # negative: killed by that signal
            raise RuntimeError(
                f"training by {processes} processes failed{f' with exit code {code[1]}' if code else ''}:\n"
                # Without a word of theirs it was torchrun itself that failed.
                + "\n".join(_said(Path(folder) / "log") or [done.stderr[-2000:]])
            )
        return History.from_json(path)


def _said(folder: Path) -> list[str]:
    """The end of what each process wrote to stderr, once where several wrote the same."""
    files = sorted(folder.glob("**/stderr.log"))
    texts = [file.read_text(encoding="utf-8", errors="replace")[-2000:].strip() for file in files]
    return list(dict.fromkeys(text for text in texts if text))
