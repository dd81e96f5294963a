"""The checks accept the solution, refuse the stub, and name each typical mistake."""

import math

import pytest

from optkit.exercises import check_greedy_rate, check_warmup_then_cosine
from optkit.schedules import cosine, warmup


def half(progress):
    return (1 + math.cos(math.pi * progress)) / 2


def joined(rise, fall):
    return lambda t, warm, total: rise(t, warm) if t <= warm else fall(t, warm, total)


def line(t, warm):
    return t / warm


def test_the_solutions_are_accepted():
    solution = joined(line, lambda t, w, n: half((t - w - 1) / (n - w)))
    assert check_warmup_then_cosine(solution).is_right
    assert check_warmup_then_cosine(
        lambda t, warm, total: warmup(steps=warm).then(cosine(steps=total - warm))(t)
    ).is_right
    assert check_greedy_rate(lambda q, lam, sigma: lam * q / (lam**2 * q + sigma**2)).is_right


@pytest.mark.parametrize("check", [check_greedy_rate, check_warmup_then_cosine])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert not check(lambda *arguments: 7.0).is_right


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda t, w, n: t / w, "goes on beyond 1"),
        (joined(lambda t, w: (t - 1) / w, lambda t, w, n: half((t - w - 1) / (n - w))), "first step is lost"),
        (joined(lambda t, w: 1.0, lambda t, w, n: half((t - w - 1) / (n - w))), "warm-up is missing"),
        (joined(line, lambda t, w, n: half((t - 1) / n)), "counts from the start"),
        (joined(line, lambda t, w, n: half((t - w - 1) / n)), "as long as the whole run"),
        (joined(line, lambda t, w, n: half((t - w) / (n - w))), "still has the factor 1"),
        (joined(line, lambda t, w, n: 1 - (t - w - 1) / (n - w)), "straight line leads down"),
        (joined(line, lambda t, w, n: math.cos(math.pi * (t - w - 1) / (n - w))), "down to −1"),
        (joined(line, lambda t, w, n: 1 - half((t - w - 1) / (n - w))), "The cosine rises"),
        (joined(line, lambda t, w, n: half((t - w - 1) / (n - w - 1))), "0 in the last step"),
        (lambda t, w, n: min(t / w, 1) * half((t - 1) / n), "multiplied the two"),
        (lambda t, w, n: 0.5, "Two cases"),
    ],
)
def test_mistakes_of_the_schedule(answer, hint):
    said = check_warmup_then_cosine(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda q, lam, sigma: 1 / lam, "without noise"),
        (lambda q, lam, sigma: lam * q / (lam**2 * q + sigma), "as a variance"),
        (lambda q, lam, sigma: lam * q / (lam * q + sigma**2), "belongs to the square"),
        (lambda q, lam, sigma: lam * q**2 / (lam**2 * q**2 + sigma**2), "do not square it again"),
        (lambda q, lam, sigma: lam**2 * q / (lam**2 * q + sigma**2), "share of the signal"),
        (lambda q, lam, sigma: lam * q / (lam**2 * q - sigma**2), "A sign"),
        (lambda q, lam, sigma: q * sigma**2 / (lam**2 * q + sigma**2), "mean square itself"),
        (lambda q, lam, sigma: 0.1, "Differentiate"),
    ],
)
def test_mistakes_of_the_rate(answer, hint):
    said = check_greedy_rate(answer)
    assert not said.is_right and hint in said.text
