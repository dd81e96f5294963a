"""Newton's method: one step on a quadratic, and what happens where it has no good step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optkit.language import formula
from optkit.newton import basins, find_root, minimise
from optkit.problems import PROBLEMS, problem

SADDLE, QUADRATIC, MONKEY = PROBLEMS["saddle"], PROBLEMS["quadratic"], PROBLEMS["monkey_saddle"]


@formula
def cubic(x):
    """Three roots: −1, 0 and 1."""
    return x * x * x - x


@formula
def cycling(x):
    """From 0 Newton's method goes to 1 and back for ever."""
    return x * x * x - 2 * x + 2


@given(
    condition=st.floats(1, 1e6),
    angle=st.floats(-3, 3),
    x=st.floats(-100, 100),
    y=st.floats(-100, 100),
    how=st.sampled_from(["refuse", "damp", "follow"]),
)
def test_a_quadratic_takes_one_step(condition, angle, x, y, how):
    bowl = QUADRATIC.replace(condition=condition, angle=angle)
    path = minimise(bowl, (x, y), on_indefinite=how, max_steps=1, tolerance=0.0)
    # The last summand is for subnormal starts, whose rounding is not relative.
    assert np.abs(path.point).max() <= 1e-13 * condition * max(abs(x), abs(y)) + 1e-300


def test_on_an_axis_parallel_quadratic_the_step_is_exact():
    path = minimise(QUADRATIC)
    assert path.points.tolist() == [[-4.0, 1.5], [0.0, 0.0]]
    assert (path.status, path.steps, path.converged) == ("converged", 1, True)
    np.testing.assert_array_equal(path.eigenvalues, [1.0, 10.0])


def test_convergence_is_quadratic():
    path = find_root(lambda x: x * x - 2, 2.0, derivative=lambda x: 2 * x)
    errors = np.abs(path.points[:, 0] - math.sqrt(2))
    # e⁺ = e²/(2x), exactly, for this function.
    np.testing.assert_allclose(errors[1:4], errors[:3] ** 2 / (2 * path.points[:3, 0]), rtol=1e-6)


@pytest.mark.parametrize(("start", "root"), [(2.0, 1.0), (-0.7, -1.0), (0.2, 0.0)])
def test_the_start_decides_the_root(start, root):
    path = find_root(cubic, start)
    assert path.converged
    assert path.point[0] == pytest.approx(root, abs=1e-12)


def test_functions_of_the_math_module_will_do():
    path = find_root(math.cos, 1.0, derivative=lambda x: -math.sin(x))
    assert path.point[0] == pytest.approx(math.pi / 2, abs=1e-12)


def test_a_flat_point_stops_the_search_for_a_root():
    path = find_root(lambda x: x * x + 1, 0.0, derivative=lambda x: 2 * x)
    assert (path.status, path.steps) == ("singular", 0)
    assert "there is no Newton step" in path.reason


def test_a_cycle_ends_with_the_steps():
    path = find_root(cycling, 0.0, max_steps=20)
    assert path.points[:, 0].tolist() == [0.0, 1.0] * 10 + [0.0]
    assert path.status == "max_steps"
    assert path.reason.startswith("after 20 step(s): the steps ran out")


def test_divergence_is_named():
    """x^(1/3) sends Newton's method from x to −2x."""
    path = find_root(
        lambda x: math.copysign(abs(x) ** (1 / 3), x),
        1.0,
        derivative=lambda x: abs(x) ** (-2 / 3) / 3,
        max_steps=100,
    )
    np.testing.assert_allclose(path.points[:5, 0], [1, -2, 4, -8, 16])
    assert path.status == "diverged"
    assert path.steps == 40  # 2⁴⁰ > 1e12
    assert np.isnan(path.eigenvalues).all()


def test_indefinite_hessian_refused_damped_or_followed():
    start = (0.5, 0.1)  # here the curvature in y is negative
    refused = minimise(SADDLE, start, on_indefinite="refuse")
    assert (refused.status, refused.steps) == ("indefinite", 0)
    followed = minimise(SADDLE, start, on_indefinite="follow")
    assert followed.converged
    np.testing.assert_allclose(followed.point, [0, 0], atol=1e-10)
    assert followed.eigenvalues[0] < 0 < followed.eigenvalues[1]
    damped = minimise(SADDLE, start, on_indefinite="damp", damping=0.5, max_steps=200)
    assert damped.converged
    np.testing.assert_allclose(damped.point, [0, 1], atol=1e-9)
    assert damped.eigenvalues[0] > 0


def test_refusal_is_the_default_and_a_maximum_attracts_who_follows():
    hill = problem(_hill, start=(0.3, 0.2), window=[(-1, 1)] * 2)
    assert minimise(hill).status == "indefinite"
    top = minimise(hill, on_indefinite="follow")
    np.testing.assert_allclose(top.point, 0, atol=1e-9)
    assert (top.eigenvalues < 0).all()


def _hill(x, y):
    return 1 / (1 + x * x + y * y)


def test_singular_hessian():
    assert minimise(MONKEY, (0.0, 0.0)).status == "converged"  # the gradient is 0: nothing is left to do
    flat = {
        "start": (1.0, 0.0),
        "gradient": lambda p: np.array([4 * p[0] ** 3, 1.0]),
        "hessian": lambda p: np.diag([12 * p[0] ** 2, 0.0]),
    }
    for how in ("refuse", "follow"):
        assert minimise(on_indefinite=how, **flat).status == "singular"
    damped = minimise(on_indefinite="damp", max_steps=3, **flat)
    assert damped.status == "max_steps"
    assert (np.diff(damped.points[:, 1]) < 0).all()


@pytest.mark.parametrize("damping", [1e-3, 0.1, 1.0])
@given(x=st.floats(-2, 2), y=st.floats(-0.55, 0.55).filter(lambda v: abs(v) > 1e-6))
def test_a_damped_step_points_downhill(damping, x, y):
    path = minimise(SADDLE, (x, y), on_indefinite="damp", damping=damping, max_steps=1)
    if path.steps:
        assert (path.points[1] - path.points[0]) @ SADDLE.gradient(path.points[0]) < 0


def test_callables_as_a_problem():
    rosenbrock = PROBLEMS["rosenbrock"]
    one = minimise(rosenbrock, on_indefinite="follow")
    two = minimise(
        start=rosenbrock.start,
        gradient=rosenbrock.gradient,
        hessian=rosenbrock.hessian,
        on_indefinite="follow",
    )
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_allclose(one.point, [1, 1], atol=1e-12)


def test_basins_equal_single_runs():
    himmelblau = PROBLEMS["himmelblau"]
    targets = [*himmelblau.minima, *himmelblau.saddles]
    axes = [np.linspace(low, high, 12) for low, high in himmelblau.window]
    starts = np.stack(np.meshgrid(*axes), -1)
    for how in ("refuse", "damp", "follow"):
        found = basins(himmelblau, starts, targets, on_indefinite=how)
        assert found.shape == (12, 12)
        for place in np.ndindex(12, 12):
            path = minimise(himmelblau, starts[place], on_indefinite=how)
            near = [
                i for i, p in enumerate(targets) if path.converged and np.allclose(path.point, p, atol=1e-4)
            ]
            assert found[place] == (near[0] if near else -1)
    assert {0, 1, 2, 3} < set(found.ravel())  # who follows reaches minima and saddles


def test_basins_of_roots():
    starts = np.array([[2.0], [0.2], [-0.7], [1 / math.sqrt(3)]])
    assert basins(cubic, starts, [[-1.0], [0.0], [1.0]]).tolist()[:3] == [2, 1, 0]
    assert basins(cycling, [[0.0]], [[-1.7692923542386314]]).tolist() == [-1]


def test_clear_errors():
    for arguments, message in (
        ({"on_indefinite": "ignore"}, "on_indefinite must be one of refuse, damp, follow, got 'ignore'"),
        ({"max_steps": -1}, "max_steps must be a whole number >= 0, got -1"),
        ({"tolerance": -1.0}, "tolerance must be >= 0"),
        ({"on_indefinite": "damp", "damping": 0.0}, "damping must be > 0"),
        ({"start": (math.nan, 0.0)}, "start must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            minimise(QUADRATIC, **arguments)
    with pytest.raises(TypeError, match="give a problem, or all of start, gradient and hessian"):
        minimise(gradient=QUADRATIC.gradient)
    with pytest.raises(TypeError, match="derivative must be given"):
        find_root(math.sin, 1.0)
    with pytest.raises(ValueError, match=r"starts and targets must have 2 coordinate\(s\)"):
        basins(QUADRATIC, [[1.0]], [[0.0, 0.0]])
