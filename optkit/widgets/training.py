"""Nets that train while one watches: live in a notebook; on a page, which has no Python, the stored run."""

from __future__ import annotations

import asyncio
import base64
import html
import threading
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from optkit.figures.show import check_texts, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn
    from torch.optim import Optimizer

    from optkit.data import Dataset, Tensors
    from optkit.training import History

REST = 0.4  # seconds between two drawings of the curves, which cost about 0.1 s each
MOST = 2**31 - 1

Run = Callable[[int], "tuple[nn.Module, Optimizer]"]


class LiveTraining(ipywidgets.VBox):
    """Train nets one after the other, and draw the loss over all training images while they train.

    In a notebook it has a button to train, one to stop, a seed, a bar of progress and the curves. The page of
    the book has no Python: there stands the picture of the stored run, made when the cell was run with the
    first seed. The same seed gives the same curves.

    The nets train in a thread of their own, so that the notebook stays free. Cells that are run meanwhile and
    draw from torch's own random stream find it seeded by the training.

    Args:
        runs: Label → function from a seed to a fresh net and its optimizer. A label that names a rule
            (``"adam"``) takes its face.
        data: What `optkit.training.train` takes.
        steps: Steps of each net, at least 1.
        batch_size: Images in a mini-batch, at least 1.
        every: Steps between two points of a curve, at least 1; by default a twentieth of ``steps``.
        seed: Of nets and of the order of the images, 0 … 2³¹ − 1; the reader may change it.

    Attributes:
        history: Label → `History` of the last run: the stored one until a live one has begun.
        running: Whether a live run is under way.

    Raises:
        TypeError: ``runs`` is no mapping of functions.
        ValueError: A number is out of range, or there is no run.

    Example:
        >>> import torch
        >>> from optkit.data import digits
        >>> from optkit.models import logistic_regression
        >>> def plain(seed):
        ...     net = logistic_regression(input_shape=(1, 8, 8), seed=seed)
        ...     return net, torch.optim.SGD(net.parameters(), lr=0.1)
        >>> live = LiveTraining({"gradient_descent": plain}, digits(), steps=20)
        >>> live.history["gradient_descent"].final("train_accuracy") > 0.8
        True
    """

    seed = traitlets.Int()
    running = traitlets.Bool(read_only=True)

    def __init__(
        self,
        runs: Mapping[str, Run],
        data: Dataset | Tensors,
        *,
        steps: int,
        batch_size: int = 64,
        every: int | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(runs, Mapping) or not all(callable(run) for run in runs.values()):
            raise TypeError(f"runs must map labels to functions of a seed, got {runs!r}")
        if not runs:
            raise ValueError("runs must hold at least 1 run, got none")
        _check("steps", steps, 1)
        _check("batch_size", batch_size, 1)
        _check("every", 1 if every is None else every, 1)
        _check("seed", seed, 0)
        self._runs = dict(runs)
        self._data = data
        self._plan = {"steps": steps, "batch_size": batch_size}
        self._plan["evaluate_every"] = max(1, steps // 20) if every is None else every
        self._history: dict[str, Any] = {}
        self._titles: tuple[str, str] | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._halt = threading.Event()
        self._drawn = 0.0
        self._train = ipywidgets.Button(description="Train", icon="play", tooltip="Train the nets anew")
        self._stop = ipywidgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="Stop training"
        )
        number = ipywidgets.BoundedIntText(
            seed, min=0, max=MOST, description="seed", layout={"width": "12em"}
        )
        self._bar = ipywidgets.IntProgress(max=steps * len(runs), description="steps")
        self._status = ipywidgets.HTML()
        self._curve = ipywidgets.HTML()
        buttons = ipywidgets.HBox(
            [self._train, self._stop, number, self._bar], layout={"flex_flow": "row wrap"}
        )
        super().__init__([buttons, self._status, self._curve], seed=seed)
        traitlets.link((number, "value"), (self, "seed"))
        self._train.on_click(lambda _: self.start())
        self._stop.on_click(lambda _: self.stop())

    @property
    def history(self) -> dict[str, History]:
        """Label → `History` of the last run; the stored run is made when it is first asked for."""
        if not self._history:
            for name in self._runs:
                self._history[name] = self._one(name, self.seed, lambda row: False)
        return dict(self._history)

    def start(self) -> None:
        """Train the nets anew with the seed of this moment; a run under way goes on instead."""
        if self.running:
            return
        try:
            self._loop = asyncio.get_running_loop()  # in a notebook what is drawn is drawn between its cells
        except RuntimeError:
            self._loop = None
        self._halt.clear()
        self.set_trait("running", True)
        self._train.disabled, self._stop.disabled = True, False
        self._history, self._bar.value, self._drawn = {}, 0, 0.0
        self._thread = threading.Thread(target=self._work, args=(self.seed,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop a live run after its next step; what it has shown stays."""
        self._halt.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a live run has ended, at most so many seconds; whether none is under way then."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def titled(self, name: str, caption: str) -> LiveTraining:
        """Give the stored run's picture a number and a caption on the page of the book.

        Args:
            name: ``fig-`` and words in lower case joined by hyphens; unique in the book.
            caption: One paragraph of MyST Markdown.

        Returns:
            The widget itself, to stand in the last line of a cell.

        Raises:
            ValueError: A name or caption that the book would refuse.
        """
        check_texts(name, caption)
        self._titles = (name, caption)
        return self

    def _one(self, name: str, seed: int, watch: Callable[[Mapping[str, Any]], bool]) -> History:
        from optkit.training import train

        net, optimizer = self._runs[name](seed)
        return train(net, self._data, optimizer, seed=seed, progress=False, watch=watch, **self._plan)

    def _work(self, seed: int) -> None:
        """What the thread does; all that is shown is shown by the loop of the notebook."""
        from optkit.training import History

        fault = ""
        try:
            for place, name in enumerate(self._runs):
                if self._halt.is_set():
                    break
                rows = self._history[name] = History()

                def watch(row: Mapping[str, Any], rows: History = rows, place: int = place) -> bool:
                    rows.append(row)
                    now = time.monotonic()
                    if now - self._drawn > REST:
                        self._drawn = now
                        self._tell(self._show, place, int(row["step"]), "")
                    return self._halt.is_set()

                self._one(name, seed, watch)
        except Exception as error:  # shown in the figure: a thread's error is seen nowhere else
            fault = f"{type(error).__name__}: {error}"
        finally:
            self._tell(self._end, fault)

    def _tell(self, show: Callable[..., None], *arguments: Any) -> None:
        if self._loop is None or self._loop.is_closed():
            show(*arguments)
        else:
            self._loop.call_soon_threadsafe(show, *arguments)

    def _show(self, place: int, step: int, said: str) -> None:
        self._bar.value = place * self._plan["steps"] + step
        names = list(self._history)
        text = said or f"{_label(names[-1])}: step {step} of {self._plan['steps']}"
        self._status.value = f'<span role="status">{html.escape(text)}</span>'
        if any(len(rows.curve("train_loss")[0]) for rows in self._history.values()):
            figure, alt = self._figure(dict(self._history))
            image = BytesIO()
            figure.savefig(image, format="png", dpi=figure.get_dpi())
            data = base64.b64encode(image.getvalue()).decode("ascii")
            self._curve.value = (
                f'<img style="max-width: 100%; background: white" alt="{html.escape(alt)}" '
                f'src="data:image/png;base64,{data}">'
            )

    def _end(self, fault: str) -> None:
        rows = list(self._history.values())[-1:]
        step = int(rows[0]["step"][-1]) if rows and len(rows[0].rows) else 0
        how = f"ended by {fault}" if fault else "stopped" if self._halt.is_set() else "trained"
        self._show(len(self._history) - 1, step, f"{how}, seed {self.seed}, {self._ends()}")
        self._train.disabled, self._stop.disabled = False, True
        self.set_trait("running", False)

    def _ends(self) -> str:
        """The last loss of each run, in words."""
        curves = {name: rows.curve("train_loss")[1] for name, rows in self._history.items()}
        return "; ".join(f"{_label(name)} {losses[-1]:.3g}" for name, losses in curves.items() if len(losses))

    def _figure(self, history: Mapping[str, History]) -> tuple[Figure, str]:
        from optkit.figures.curves import curves

        found = {name: rows.curve("train_loss") for name, rows in history.items()}
        found = {name: pair for name, pair in found.items() if len(pair[0])}
        steps = {name: pair[0] for name, pair in found.items()}
        losses = {name: pair[1] for name, pair in found.items()}
        return curves(losses, steps=steps, y_label="training loss", log=True)

    def __repr__(self) -> str:
        return f"LiveTraining({', '.join(self._runs)})"

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        figure, alt = self._figure(self.history)
        if not self._curve.value:
            self._show(
                len(self._runs) - 1, self._plan["steps"], f"stored run, seed {self.seed}, {self._ends()}"
            )
        name, caption = self._titles or ("fig-live-training", "The stored run.")
        data, metadata = picture(figure, name=name, caption=caption, alt=alt)._repr_mimebundle_()
        live = super()._repr_mimebundle_(**arguments) or {}
        if self._titles is None:
            metadata.pop("optkit")
        return {**live, **data, "text/plain": repr(self)}, metadata


def _label(name: str) -> str:
    from optkit.figures.palette import FACES

    return FACES[name].label if name in FACES else name


def _check(name: str, value: Any, low: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value <= MOST:
        raise ValueError(f"{name} must be a whole number in {low}..{MOST}, got {value!r}")
