"""Colours for dark ground: the same hue, light enough to be seen there."""

from __future__ import annotations

GROUND = "#14181e"  # the theme's dark page
ENOUGH = 4.5


def on_dark(colour: str) -> str:
    """The colour mixed with just as much white as gives it a contrast of 4.5 to 1 on the dark page.

    Example:
        >>> on_dark("#0072b2")
        '#2989be'
    """
    red, green, blue = _channels(colour)
    for parts in range(101):
        share = parts / 100
        mixed = tuple(round(c + (255 - c) * share) for c in (red, green, blue))
        lighter = "#{:02x}{:02x}{:02x}".format(*mixed)
        if contrast(lighter, GROUND) >= ENOUGH:
            return lighter
    raise AssertionError("white is light enough on any dark ground")


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2 defines it.

    Example:
        >>> contrast("#ffffff", "#000000")
        21.0
    """
    lights = sorted((_luminance(first), _luminance(second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
