"""Small figures for one question each, made of the playground's parts."""

from optkit.widgets.relatives.averages import Averages
from optkit.widgets.relatives.ball import InnaBall
from optkit.widgets.relatives.composer import ScheduleComposer
from optkit.widgets.relatives.correction import BiasCorrection
from optkit.widgets.relatives.roots import MomentumRoots
from optkit.widgets.relatives.valleys import SharpAndFlat

RELATIVES = {
    figure.kind: figure
    for figure in (Averages, MomentumRoots, ScheduleComposer, BiasCorrection, SharpAndFlat, InnaBall)
}

__all__ = ["RELATIVES", *(figure.__name__ for figure in RELATIVES.values())]
