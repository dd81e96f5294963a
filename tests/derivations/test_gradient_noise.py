"""The identities of the chapter on gradient noise: each box and each step that a reader has to believe."""

from itertools import combinations

import numpy as np
import pytest
import sympy

from optkit.noise import (
    examples_over_least,
    expected_square,
    sampled_with_replacement,
    sampled_without_replacement,
    settled_square,
    steps_over_least,
)

lr, lam, sigma, m, q, B = sympy.symbols("epsilon lambda sigma m q B", positive=True)


def spread(values):
    return float(np.mean((np.asarray(values) - np.mean(values)) ** 2))


def test_all_mini_batches_of_a_small_set_have_the_noise_of_the_boxes():
    gradients = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0])
    count, one = len(gradients), spread(gradients) ** 0.5
    for size in range(1, count + 1):
        once = [gradients[list(chosen)].mean() for chosen in combinations(range(count), size)]
        again = np.array(np.meshgrid(*[gradients] * size)).reshape(size, -1).mean(axis=0)
        assert np.mean(once) == pytest.approx(gradients.mean())
        assert np.mean(again) == pytest.approx(gradients.mean())
        assert spread(again) ** 0.5 == pytest.approx(sampled_with_replacement(sigma=one, m=size))
        expected = sampled_without_replacement(sigma=one, m=size, N=count)
        assert spread(once) ** 0.5 == pytest.approx(expected, abs=1e-12)


def test_two_examples_drawn_without_replacement_repel_each_other():
    gradients = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0])
    apart = gradients - gradients.mean()
    pairs = [apart[i] * apart[j] for i in range(6) for j in range(6) if i != j]
    assert np.mean(pairs) == pytest.approx(-spread(gradients) / 5)


def test_the_square_settles_where_a_step_changes_nothing():
    step = (1 - lr * lam) ** 2 * q + lr**2 * sigma**2 / m
    (fixed,) = sympy.solve(sympy.Eq(step, q), q)
    assert sympy.simplify(fixed - lr * sigma**2 / (m * lam * (2 - lr * lam))) == 0
    numbers = {"lr": 0.3, "sigma": 2.0, "m": 5}
    settled = settled_square(1.7, **numbers)
    assert settled == pytest.approx(float(fixed.subs({lr: 0.3, lam: 1.7, sigma: 2.0, m: 5})))
    assert expected_square(settled, 1.7, **numbers) == pytest.approx(settled)


def test_the_best_rate_and_the_best_step_with_noise():
    slope, bend, noisy = sympy.symbols("G2 GHG trHS", positive=True)
    gain = lr * slope - lr**2 / 2 * (bend + noisy / m)
    (best,) = sympy.solve(sympy.diff(gain, lr), lr)
    scale = noisy / bend
    assert sympy.simplify(best - (slope / bend) / (1 + scale / m)) == 0
    assert sympy.simplify(gain.subs(lr, best) - slope**2 / (2 * bend) / (1 + scale / m)) == 0


def test_steps_and_examples_lie_on_a_hyperbola():
    for size in (1, 8, 100):
        steps, examples = (f(m=size, noise_scale=40.0) for f in (steps_over_least, examples_over_least))
        assert (steps - 1) * (examples - 1) == pytest.approx(1)
        assert steps * size / 40 == pytest.approx(examples)  # examples are m times the steps
    assert steps_over_least(m=40, noise_scale=40.0) == examples_over_least(m=40, noise_scale=40.0) == 2


def test_two_batch_sizes_give_the_noise_scale():
    square, noise, small, big = sympy.symbols("G2 S b B", positive=True)
    short, long = square + noise / small, square + noise / big
    assert sympy.simplify((big * long - small * short) / (big - small) - square) == 0
    assert sympy.simplify((short - long) / (1 / small - 1 / big) - noise) == 0
