"""One face for each optimizer, told apart by more than colour, visible on white, cited."""

import itertools
import re
from pathlib import Path

import pytest

from optkit.figures.palette import FACES, RAW, SERIES, face, series
from optkit.rules import RULES

ROOT = Path(__file__).parent.parent.parent
EVERY = {**FACES, **{f"series {i}": one for i, one in enumerate(SERIES)}}


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_rule_has_a_face_and_every_face_a_rule():
    assert set(FACES) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_face_and_rule_cite_the_same_work(name):
    assert face(name).citation == RULES[name].citation


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(FACES, 2)))
def test_faces_differ_in_label_colour_and_marker(one, other):
    assert FACES[one].label != FACES[other].label
    assert FACES[one].colour != FACES[other].colour
    assert FACES[one].marker != FACES[other].marker


def test_the_lines_of_a_series_differ_in_all_three():
    for look in ("colour", "marker", "dash"):
        assert len({str(getattr(one, look)) for one in SERIES}) == len(SERIES)


@pytest.mark.parametrize("name", EVERY)
def test_colours_stand_out_on_white(name):
    assert 1.05 / (luminance(EVERY[name].colour) + 0.05) >= 3
    assert 1.05 / (luminance(RAW.colour) + 0.05) >= 3


def test_the_three_momentum_forms_differ_in_dash_too():
    forms = [name for name in FACES if name.startswith("momentum_")]
    assert len({str(FACES[name].dash) for name in forms}) == len(forms) == 3


def test_every_citation_is_in_the_bibliography():
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert {rule.citation for rule in RULES.values() if rule.citation} <= set(keys)


def test_unknown_faces_are_refused():
    with pytest.raises(KeyError, match="no face for 'adamw'; faces exist for"):
        face("adamw")
    with pytest.raises(IndexError, match="draw fewer lines"):
        series(len(SERIES))
