"""Figures: the house style, one face for each optimizer, and how a figure is shown with its texts."""

from optkit.figures.canvas import canvas, style
from optkit.figures.palette import FACES, INK, RAW, SERIES, Face, face
from optkit.figures.show import Picture, picture, show

__all__ = [
    "FACES",
    "INK",
    "RAW",
    "SERIES",
    "Face",
    "Picture",
    "canvas",
    "face",
    "picture",
    "show",
    "style",
]
