"""The checks of chapter 9 accept the solution, refuse the stub, and name each typical mistake."""

import numpy as np
import pytest

from optkit.exercises import check_ghost_normalised, check_mean_of_shares
from optkit.exercises import large_batch as checks


def ghosts(x, ghost_size):
    parts = np.split(x, range(ghost_size, len(x), ghost_size))
    return np.vstack([(part - part.mean(axis=0)) / part.std(axis=0) for part in parts])


def test_the_solutions_are_accepted():
    assert check_mean_of_shares(
        lambda means, sizes: np.average(np.array(means), axis=0, weights=sizes)
    ).is_right
    assert check_ghost_normalised(ghosts).is_right


@pytest.mark.parametrize("check", [check_mean_of_shares, check_ghost_normalised])
def test_stub_and_nonsense_are_refused(check):
    assert "replace the ..." in check(lambda *arguments: ...).text
    assert "write check(f)" in check(3.0).text
    assert "raised ZeroDivisionError" in check(lambda *arguments: 1 / 0).text
    assert "shape" in check(lambda *arguments: 7.0).text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda means, sizes: np.mean(means, axis=0), "the mean of the means"),
        (lambda means, sizes: np.sum(means, axis=0), "the sum of the means"),
        (lambda means, sizes: np.array(sizes) @ np.array(means), "divide by their number"),
        (lambda means, sizes: np.array(sizes) @ np.array(means) / len(sizes), "by the number of examples"),
        (lambda means, sizes: np.average(means, axis=0, weights=1 / np.array(sizes)), "not less"),
        (lambda means, sizes: means[0], "A mean times its size"),
    ],
)
def test_mistakes_of_the_mean(answer, hint):
    said = check_mean_of_shares(answer)
    assert not said.is_right and hint in said.text


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda x, size: (x - x.mean(axis=0)) / x.std(axis=0), "the whole batch"),
        (lambda x, size: checks._by_parts(x, size, ddof=1), "n − 1"),
        (lambda x, size: checks._by_parts(x, size, axis=None), "axis 0"),
        (lambda x, size: checks._by_parts(x, size, power=1.0), "the root is missing"),
        (checks._interleaved, "contiguous parts"),
        (lambda x, size: checks._by_parts(x, -(-len(x) // size)), "not the number of ghosts"),
        (lambda x, size: checks._by_parts(x, size, power=0.0), "must also be divided"),
        (lambda x, size: ghosts(x, size) * (1 - 1e-5), "a small δ below the line"),
        (lambda x, size: x, "For start in range"),
        (lambda x, size: ghosts(x, size)[:4], "of the shape of x"),
        (
            lambda x, size: ghosts(x.reshape(-1, size, x.shape[1]).reshape(x.shape), size),
            "11 examples do not fill ghosts of 4: the last is smaller. Your function raised ValueError",
        ),
    ],
)
def test_mistakes_of_the_ghosts(answer, hint):
    said = check_ghost_normalised(answer)
    assert not said.is_right and hint in said.text
