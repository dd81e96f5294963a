"""One face for each optimizer: the label, colour, marker and dash it has in every plot and table.

Colours have a contrast of at least 3 to 1 on white. Lines that share a plot differ in dash and marker as
well as in colour, so that they can be told apart in grey print and by colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Dash = str | tuple[float, tuple[float, ...]]

LONG_DASH: Dash = (0, (7.0, 2.0))
SHORT_DASH: Dash = (0, (3.0, 1.5))
DASH_DOT: Dash = (0, (6.0, 1.5, 1.2, 1.5))
DASH_DOT_DOT: Dash = (0, (6.0, 1.5, 1.2, 1.5, 1.2, 1.5))
DOTTED: Dash = (0, (1.2, 1.4))


@dataclass(frozen=True)
class Face:
    """How one line looks wherever it appears.

    Attributes:
        label: What a legend or a table calls it.
        colour: Hexadecimal sRGB.
        marker: matplotlib's marker.
        dash: matplotlib's line style.
        citation: Key in ``references.bib``, or None for a line that is no optimizer.

    Example:
        >>> face("adam").label
        'Adam'
    """

    label: str
    colour: str
    marker: str
    dash: Dash
    citation: str | None = None

    def line(self, *, label: str | None = None, markers: bool = True) -> dict[str, Any]:
        """Keyword arguments for ``Axes.plot``, with about ten markers on the line."""
        look: dict[str, Any] = {
            "label": self.label if label is None else label,
            "color": self.colour,
            "linestyle": self.dash,
        }
        return look | ({"marker": self.marker, "markevery": 0.1} if markers else {})


FACES: Mapping[str, Face] = {
    "gradient_descent": Face("Gradient descent", "#4d4d4d", "o", "solid", "cauchy1847methode"),
    "momentum_standard": Face("Momentum (standard form)", "#0072b2", "s", "solid", "polyak1964some"),
    "momentum_ewma": Face("Momentum (EWMA form)", "#c44e00", "^", LONG_DASH, "polyak1964some"),
    "momentum_common": Face("Momentum (common form)", "#007a87", "v", DASH_DOT, "sutskever2013importance"),
    "nesterov": Face("Nesterov", "#7b3fa0", "D", SHORT_DASH, "nesterov1983method"),
    "nesterov_torch": Face("Nesterov (torch's form)", "#a03f8c", "d", DOTTED, "sutskever2013importance"),
    "adagrad": Face("AdaGrad", "#8c5a00", "P", LONG_DASH, "duchi2011adaptive"),
    "rmsprop": Face("RMSProp", "#d0541a", "X", SHORT_DASH, "tieleman2012rmsprop"),
    "adam": Face("Adam", "#b3203a", "p", "solid", "kingma2015adam"),
    "radam": Face("RAdam", "#d6417b", "h", DASH_DOT, "liu2020variance"),
    "inna": Face("INNA", "#00774f", "*", "solid", "castera2021inertial"),
    "inna_m": Face("INNA (momentum form)", "#4c8200", ">", DASH_DOT_DOT, "castera2021inertial"),
    "sam_perturbation": Face("SAM", "#1b3a8c", "<", LONG_DASH, "foret2021sharpness"),
}

# Lines that are no optimizer: several settings of one thing, or data and what is made of it.
SERIES: tuple[Face, ...] = (
    Face("first", "#0072b2", "o", "solid"),
    Face("second", "#c44e00", "s", LONG_DASH),
    Face("third", "#00774f", "^", DASH_DOT),
    Face("fourth", "#a03f8c", "D", SHORT_DASH),
    Face("fifth", "#8c5a00", "v", DASH_DOT_DOT),
    Face("sixth", "#4d4d4d", "X", DOTTED),
)
RAW = Face("data", "#767676", ".", "solid")
INK = "#1a1a1a"


def face(name: str) -> Face:
    """Return the face of the rule with this name.

    Raises:
        KeyError: No rule of this name has a face.

    Example:
        >>> face("inna").citation
        'castera2021inertial'
    """
    if name not in FACES:
        raise KeyError(f"no face for {name!r}; faces exist for {', '.join(FACES)}")
    return FACES[name]


def series(index: int) -> Face:
    """Return the face of the line number ``index`` (from 0) among lines that are no optimizers.

    Raises:
        IndexError: More lines than one plot can keep apart.

    Example:
        >>> series(0).dash
        'solid'
    """
    if not 0 <= index < len(SERIES):
        raise IndexError(f"index must be in 0..{len(SERIES) - 1}, got {index}: draw fewer lines in one plot")
    return SERIES[index]
