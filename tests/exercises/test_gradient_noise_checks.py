"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_batch_for_noise, check_noise_scale

CHECKS = [check_batch_for_noise, check_noise_scale]


def parts(short, long, small, big):
    return (short - long) / (1 / small - 1 / big), (big * long - small * short) / (big - small)


def scale(short, long, small, big):
    noise, square = parts(short, long, small, big)
    return noise.mean() / square.mean()


def test_the_solutions_are_accepted():
    assert check_batch_for_noise(lambda m, share: m / share**2).is_right
    assert check_batch_for_noise(lambda m, share: round(m / share**2)).is_right
    assert check_noise_scale(scale).is_right
    # Averaging first is the same: both estimates are linear.
    assert check_noise_scale(lambda a, b, small, big: scale(a.mean(), b.mean(), small, big)).is_right


@pytest.mark.parametrize("check", CHECKS)
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right
    assert not check(lambda *arguments: np.ones(6)).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda m, share: m / share, "VARIANCE"),
        (lambda m, share: m * share**2, "LARGER"),
        (lambda m, share: m * share, "without the square"),
        (lambda m, share: m / share**0.5, "a root where a square"),
        (lambda m, share: 1 / share**2, "Multiply it by m"),
        (lambda m, share: share / m**0.5, "not a batch size"),
        (lambda m, share: [m], "Return one number"),
        (lambda m, share: m + share, "square both sides"),
    ],
)
def test_mistakes_of_the_batch(answer, hint):
    said = check_batch_for_noise(answer)
    assert not said.is_right and hint in said.text


def of_parts(function):
    return lambda *given: function(*parts(*given))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (of_parts(lambda s, g: s / g), "for each draw"),
        (of_parts(lambda s, g: (s / g).mean()), "mean of the ratios"),
        (of_parts(lambda s, g: np.median(s / g)), "median"),
        (of_parts(lambda s, g: g.mean() / s.mean()), "Upside down"),
        (of_parts(lambda s, g: s.mean()), "This is σ²"),
        (of_parts(lambda s, g: g.mean()), "This is ‖g‖²"),
        (of_parts(lambda s, g: -s.mean() / g.mean()), "A sign"),
        (lambda a, b, *m: parts(a, b, *m)[0].mean() / b.mean(), "big batches"),
        (lambda a, b, *m: parts(a, b, *m)[0].mean() / a.mean(), "small batches"),
        (lambda a, b, *m: (a - b).mean() / parts(a, b, *m)[1].mean(), "difference alone"),
        (lambda *given: scale(*given) ** 0.5, "This is the root"),
        (lambda a, b, *m: scale(a**2, b**2, *m), "squares already"),
        (lambda a, b, *m: scale(np.median(a), np.median(b), *m), "medians"),
        (of_parts(lambda s, g: (s.mean(), g.mean())), "Return one number"),
        (lambda a, b, *m: a.mean() / b.mean(), "two equations"),
    ],
)
def test_mistakes_of_the_noise_scale(answer, hint):
    said = check_noise_scale(answer)
    assert not said.is_right and hint in said.text
