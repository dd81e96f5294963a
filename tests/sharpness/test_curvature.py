"""Eigenvalues, trace and spectral density: against dense matrices, and the dense Hessian of a small net."""

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

from optkit.sharpness import spectral_density, top_eigenvalues, trace


def symmetric(eigenvalues, seed=0):
    n = len(eigenvalues)
    rotation, _ = np.linalg.qr(np.random.RandomState(seed).standard_normal((n, n)))
    return rotation * eigenvalues @ rotation.T


def test_the_top_five_are_those_of_the_dense_hessian(surface, dense):
    found = top_eigenvalues(surface.hessian(), k=5)
    values, vectors = np.linalg.eigh(dense)
    np.testing.assert_allclose(found.values, values[::-1][:5], rtol=1e-4)
    overlap = np.abs((found.vectors * vectors[:, ::-1][:, :5]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-3)


def test_the_smallest_keep_their_sign(surface, dense):
    values = np.linalg.eigvalsh(dense)
    assert values[0] < -1e-6
    np.testing.assert_allclose(
        top_eigenvalues(surface.hessian(), k=2, end="smallest").values, values[:2], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("end", "expected"), [("largest", [9, 5, 3]), ("smallest", [-20, -2, 0]), ("magnitude", [-20, 9, 5])]
)
@pytest.mark.parametrize("size", [6, 60])
def test_each_end_of_a_known_spectrum(end, expected, size):
    eigenvalues = np.concatenate([[9.0, 5.0, 3.0, -20.0, -2.0], np.zeros(size - 5)])
    found = top_eigenvalues(symmetric(eigenvalues), k=3, end=end)
    np.testing.assert_allclose(found.values, expected, atol=1e-4)


def test_the_residual_says_how_far_an_eigenvalue_is_off():
    matrix = symmetric(np.linspace(1, 2, 200))  # close together: hard for Lanczos
    found = top_eigenvalues(matrix, k=3, tolerance=1e-2)
    exact = np.linalg.eigvalsh(matrix)
    apart = np.linalg.norm(matrix @ found.vectors - found.values * found.vectors, axis=0)
    np.testing.assert_allclose(found.residuals, apart, rtol=1e-6, atol=1e-12)
    nearest = np.abs(exact[:, None] - found.values).min(axis=0)
    assert (nearest <= found.residuals + 1e-12).all() and found.residuals.max() > 1e-6


def test_products_are_counted():
    calls, matrix = [], symmetric(np.arange(50.0))

    def product(vector):
        calls.append(1)
        return matrix @ vector

    operator = LinearOperator((50, 50), matvec=product, dtype=float)
    assert top_eigenvalues(operator, k=2).products == len(calls)


def test_what_lanczos_cannot_do_is_said():
    matrix = symmetric(np.linspace(1, 1.001, 400))
    with pytest.raises(RuntimeError, match=r"of 5 eigenvalues found after \d+ products; raise max_products"):
        top_eigenvalues(matrix, k=5, tolerance=1e-12, max_products=20)
    operator = LinearOperator((50, 50), matvec=lambda v: v * np.nan, dtype=float)
    with pytest.raises(RuntimeError, match="product 1 with the matrix is not finite"):
        top_eigenvalues(operator)
    for options, message in (
        ({"k": 0}, "k must be in 1 … 3, the size of the matrix, got 0"),
        ({"k": 4}, "got 4"),
        ({"k": 1, "end": "top"}, "end must be 'largest', 'smallest' or 'magnitude', got 'top'"),
        ({"k": 1, "tolerance": 0.0}, "tolerance must be > 0"),
    ):
        with pytest.raises(ValueError, match=message):
            top_eigenvalues(np.eye(3), **options)
    for function in (top_eigenvalues, trace, spectral_density):
        with pytest.raises(ValueError, match=r"matrix must be square, got shape \(2, 3\)"):
            function(np.ones((2, 3)))


@pytest.mark.parametrize("method", ["hutchinson", "hutch++"])
def test_the_trace_of_the_net_is_within_three_standard_errors(surface, dense, method):
    found = trace(surface.hessian(), products=120, method=method)
    assert abs(found.value - np.trace(dense)) < 3 * found.standard_error
    assert found.standard_error < 0.2 * abs(np.trace(dense)) and found.products == 120


@pytest.mark.parametrize("method", ["hutchinson", "hutch++"])
def test_the_standard_error_is_honest(method):
    matrix = symmetric(np.concatenate([np.full(4, 50.0), np.random.RandomState(3).standard_normal(56)]))
    runs = [trace(matrix, products=60, method=method, seed=seed) for seed in range(300)]
    errors = np.array([run.value - np.trace(matrix) for run in runs])
    claimed = np.sqrt(np.mean([run.standard_error**2 for run in runs]))
    assert errors.std() == pytest.approx(claimed, rel=0.15)
    assert abs(errors.mean()) < 4 * errors.std() / np.sqrt(300)


def test_hutchpp_gains_where_few_eigenvalues_make_the_trace():
    matrix = symmetric(np.concatenate([np.full(4, 50.0), np.zeros(56)]))
    assert trace(matrix, products=60, method="hutch++").value == pytest.approx(200, rel=1e-9)
    assert trace(matrix, products=60).standard_error > 1


def test_trace_refuses_too_few_products():
    with pytest.raises(ValueError, match="products must be >= 6 for hutch\\+\\+, got 5"):
        trace(np.eye(3), products=5, method="hutch++")
    with pytest.raises(ValueError, match="products must be >= 2 for hutchinson, got 1"):
        trace(np.eye(3), products=1)
    with pytest.raises(ValueError, match="method must be 'hutchinson' or 'hutch\\+\\+', got 'exact'"):
        trace(np.eye(3), method="exact")


def test_the_density_of_a_known_matrix():
    eigenvalues = np.concatenate([np.linspace(-1, 1, 380), np.full(20, 6.0)])
    found = spectral_density(symmetric(eigenvalues), probes=40, steps=60)
    points = np.linspace(-2, 7, 50)
    exact = np.exp(-(((points[:, None] - eigenvalues) / 0.3) ** 2) / 2).mean(axis=1) / (
        0.3 * np.sqrt(2 * np.pi)
    )
    np.testing.assert_allclose(found.smoothed(points, 0.3), exact, atol=0.03)
    assert found.below(3.0) == pytest.approx(0.95, abs=0.02) and found.below(7.0) == pytest.approx(1.0)
    assert found.weights.sum() == pytest.approx(1.0) and found.below(-3.0) == 0


def test_the_quadrature_is_exact_for_polynomials():
    matrix = symmetric(np.random.RandomState(2).standard_normal(30))
    found = spectral_density(matrix, probes=1, steps=4, seed=5)
    v = np.random.RandomState(5).standard_normal(30)
    v /= np.linalg.norm(v)
    for degree in range(8):  # up to 2 · 4 − 1
        expected = v @ np.linalg.matrix_power(matrix, degree) @ v
        assert found.mean(lambda x, degree=degree: x**degree) == pytest.approx(expected, abs=1e-10)


def test_lanczos_stops_where_nothing_is_left():
    found = spectral_density(symmetric(np.repeat([1.0, 4.0], 20)), probes=3, steps=30)
    assert len(found.nodes) == 6
    np.testing.assert_allclose(np.unique(found.nodes.round(8)), [1, 4])
    zero = spectral_density(np.zeros((5, 5)), probes=1)
    assert zero.nodes.tolist() == [0.0] and zero.weights.tolist() == [1.0]


def test_the_density_of_the_net(surface, dense):
    found = spectral_density(surface.hessian(), probes=30, steps=surface.dim)
    exact = np.linalg.eigvalsh(dense)
    assert found.nodes.max() == pytest.approx(exact[-1], rel=1e-6)
    assert found.mean(lambda x: x) == pytest.approx(exact.mean(), abs=4 * exact.std() / 30**0.5)


def test_density_refuses_numbers_out_of_range():
    for name in ("probes", "steps"):
        with pytest.raises(ValueError, match=f"{name} must be >= 1, got 0"):
            spectral_density(np.eye(3), **{name: 0})
    with pytest.raises(ValueError, match="width must be > 0, got 0"):
        spectral_density(np.eye(3), probes=1).smoothed([0.0], 0.0)
