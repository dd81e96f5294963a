"""From one convention of a method to another: the same learning rate does not mean the same step.

`to_library` turns the settings of a rule into the arguments of torch, optax or Keras, or into the letters of
a paper, and `from_library` goes back. `convert_momentum` goes between the three forms of momentum. Where
no setting makes two implementations agree, both say so.
"""

from optkit.conventions.convert import from_library, to_library
from optkit.conventions.listing import calls, notes, parameters
from optkit.conventions.momentum import MOMENTUM_FORMS, MomentumSetting, convert_momentum, convert_velocity
from optkit.conventions.table import LIBRARIES, ROWS, Library
from optkit.conventions.translator import Call, Row, RuleSetting, WeightDecay, corrected_eps, uncorrected_eps

__all__ = [
    "LIBRARIES",
    "MOMENTUM_FORMS",
    "ROWS",
    "Call",
    "Library",
    "MomentumSetting",
    "Row",
    "RuleSetting",
    "WeightDecay",
    "calls",
    "convert_momentum",
    "convert_velocity",
    "corrected_eps",
    "from_library",
    "notes",
    "parameters",
    "to_library",
    "uncorrected_eps",
]
