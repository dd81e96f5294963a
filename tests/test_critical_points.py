"""Critical points are those that the problems name, and the boxed steps are those of the paths."""

from itertools import pairwise

import numpy as np
import pytest

from optkit.language import formula
from optkit.newton import critical_points, find_root, minimise, newton_root_step, newton_step
from optkit.problems import PROBLEMS, problem


@pytest.mark.parametrize("name", ["himmelblau", "saddle", "beale", "rosenbrock", "quadratic"])
def test_the_known_points_are_found_with_their_kind(name):
    landscape = PROBLEMS[name]
    found = {kind: [p for p, k in critical_points(landscape) if k == kind] for kind in ("minimum", "saddle")}
    for kind, known in (("minimum", landscape.minima), ("saddle", landscape.saddles)):
        np.testing.assert_allclose(sorted(found[kind]), sorted(known), atol=1e-7)


def test_a_maximum_is_one_and_a_singular_point_is_left_out():
    hill = problem(hill_function, start=(0.5,), window=((-2.0, 2.0),))
    assert critical_points(hill) == [((0.0,), "maximum")]
    assert [kind for _, kind in critical_points(PROBLEMS["himmelblau"])].count("maximum") == 1


def hill_function(x):
    """A hill."""
    return -x * x


def test_fewer_than_two_starts_are_refused():
    with pytest.raises(ValueError, match="points must be >= 2, got 1"):
        critical_points(PROBLEMS["saddle"], points=1)


@formula
def square_less_two(x):
    """Its root is √2."""
    return x * x - 2


def test_the_boxed_root_step_is_the_step_of_find_root():
    points = find_root(square_less_two, 1.0).points[:, 0]
    for here, there in pairwise(points):
        assert newton_root_step(here, here * here - 2, 2 * here) == pytest.approx(there, rel=1e-15)


def test_the_boxed_step_is_the_step_of_minimise():
    well = problem(one_well, start=(1.5,), window=((-2.0, 2.0),))
    points = minimise(well).points
    for here, there in pairwise(points):
        slope, curvature = well.gradient(here)[0], well.hessian(here)[0, 0]
        assert newton_step(here[0], slope, curvature) == pytest.approx(there[0], rel=1e-14, abs=1e-300)


def one_well(theta):
    """One minimum."""
    return theta * theta * theta * theta + theta * theta
