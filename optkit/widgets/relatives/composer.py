"""A schedule from its parts: warm-up, linear scaling, a decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from optkit.problems import PROBLEMS
from optkit.rules import RULES
from optkit.schedules import SCHEDULES, Schedule, linear_scaling, warmup
from optkit.trajectories import Trajectory, run
from optkit.widgets.formulas import DECAYS, composed
from optkit.widgets.relatives.base import Choice, Flag, Number, Relative, Whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REFERENCE = 256
REST = "rest"
"""In place of a setting: the steps that are left after the warm-up."""
SETTINGS = {
    "step_decay": {"every": "every", "decay": "drop"},
    "exponential": {"decay": "shrink"},
    "inverse_time": {"decay": "soon"},
    "power": {"q": "q"},
    "log_power": {"eta": "eta"},
    "cosine": {"steps": REST, "end": "end"},
}
"""Decay → its hyper-parameter → the setting of the figure that it takes."""


class ScheduleComposer(Relative):
    """A learning-rate schedule joined from a warm-up, the linear scaling rule and a decay.

    Args:
        decay: The family that follows: a name in ``optkit.widgets.formulas.DECAYS``.
        steps: Length of the run, 20 to 5,000. The cosine ends with it.
        lr: ε, the learning rate that the schedule multiplies, in (0, 10].
        warm: Whether there is a warm-up.
        warmup: Its steps, 1 to 5,000.
        start: Its factor before the first step, 0 to 1.
        scale: k: the batch is k times 256, and the rate k times as large.
        every: Steps between the drops of step_decay.
        drop: Factor of each of them.
        shrink: Factor of each step of exponential.
        soon: How soon inverse_time falls.
        q: Exponent of power.
        eta: η of log_power.
        end: Last factor of cosine.
        logarithmic: Draw the rate on a logarithmic axis.
        seed: Of the noise under which the run is drawn.

    Example:
        >>> ScheduleComposer(decay="cosine", steps=60, warmup=10).schedule
        linear_scaling(batch_size=256, reference=256) * warmup(steps=10, start=0.0).then(cosine(steps=50,
        end=0.0), after=10)
    """

    kind: ClassVar[str] = "composer"

    decay = Choice("cosine", DECAYS, "What follows the warm-up.")
    steps = Whole(300, 20, 5000, "Length of the run.")
    lr = Number(0.1, 0.0, 10.0, "Learning rate.", low_open=True)
    warm = Flag(True, "Whether there is a warm-up.")
    warmup = Whole(30, 1, 5000, "Steps of the warm-up.")
    start = Number(0.0, 0.0, 1.0, "Factor before the first step.")
    scale = Whole(1, 1, 64, "Batch size in multiples of 256.")
    every = Whole(80, 1, 5000, "Steps between drops.")
    drop = Number(0.3, 0.0, 1.0, "Factor of each drop.", low_open=True)
    shrink = Number(0.99, 0.0, 1.0, "Factor of each step.", low_open=True)
    soon = Number(0.03, 0.0, 1000.0, "How soon it falls.")
    q = Number(0.5, 0.0, 10.0, "Exponent.")
    eta = Number(0.1, 0.0, 100.0, "Faster than 1/log by.", low_open=True)
    end = Number(0.0, 0.0, 1.0, "Last factor.")
    logarithmic = Flag(False, "Logarithmic rate.")
    seed = Whole(0, 0, 2**32 - 1, "Of the noise.")

    @property
    def schedule(self) -> Schedule:
        """The schedule itself, ready for any optimizer."""
        rest = max(1, self.steps - (self.warmup if self.warm else 0))
        chosen = SETTINGS.get(self.decay, {})
        values = {name: rest if own == REST else getattr(self, own) for name, own in chosen.items()}
        decay = SCHEDULES[self.decay](**values)
        if self.warm:
            decay = warmup(steps=self.warmup, start=self.start).then(decay, after=self.warmup)
        return linear_scaling(batch_size=self.scale * REFERENCE, reference=REFERENCE) * decay

    @property
    def trajectory(self) -> Trajectory:
        """Gradient descent under it on the noisy quadratic, whose noise has deviation 1/√k: what is drawn."""
        return run(
            RULES["gradient_descent"],
            PROBLEMS["noisy_quadratic"],
            steps=self.steps,
            schedule=self.schedule,
            batch_size=self.scale,
            lr=self.lr,
            seed=self.seed,
        )

    @classmethod
    def _constants(cls) -> dict[str, Any]:
        decays = [{"value": n, "label": n.replace("_", " ").capitalize()} for n in DECAYS]
        return {**super()._constants(), "decays": decays, "names": {n: _names(n) for n in DECAYS}}

    def _static(self) -> tuple[Figure, str]:
        from optkit.figures.curves import curves
        from optkit.figures.palette import series

        lines = {
            "composed schedule": [self.lr * f for f in self.schedule.factors(self.steps)],
            "constant rate": [self.lr] * self.steps,
        }
        faces = dict(zip(lines, (series(0), series(5)), strict=True))
        return curves(lines, faces=faces, y_label="learning rate", compare=False)


def _names(decay: str) -> list[tuple[str, str, str]]:
    """(setting, its name in the joined formula without a warm-up, and with one) of each hyper-parameter."""
    own = list(SCHEDULES[decay].hyperparameters)
    # A joined schedule lists the hyper-parameters of its last part last, some under a name with a number.
    ends = [list(composed(decay, warm=warm).hyper)[-len(own) :] for warm in (False, True)]
    places = {name: place for place, name in enumerate(own)}
    chosen = SETTINGS.get(decay, {})
    return [(setting, *(end[places[name]] for end in ends)) for name, setting in chosen.items()]
