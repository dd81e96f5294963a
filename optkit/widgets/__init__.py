"""Figures that answer: the playground and its relatives, alive in the page and in a notebook.

>>> from optkit.widgets import Playground
>>> Playground("rosenbrock", ["adam", "momentum_common"])
Playground('rosenbrock', ['adam', 'momentum_common'])
"""

from optkit.widgets.playground import Playground
from optkit.widgets.presets import PRESETS, Preset, preset
from optkit.widgets.relatives import (
    Averages,
    BiasCorrection,
    InnaBall,
    MomentumRoots,
    ScheduleComposer,
    SharpAndFlat,
)
from optkit.widgets.training import LiveTraining

__all__ = [
    "PRESETS",
    "Averages",
    "BiasCorrection",
    "InnaBall",
    "LiveTraining",
    "MomentumRoots",
    "Playground",
    "Preset",
    "ScheduleComposer",
    "SharpAndFlat",
    "preset",
]
