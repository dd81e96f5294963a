"""Every paper's row of the translator: a transcription of the paper, in its own letters, against the rule."""

from math import sqrt as scalar_root

import numpy as np
import pytest
from numpy import sqrt

from optkit.conventions import ROWS, to_library
from optkit.rules import RULES

STEPS, SIZE = 30, 5
CURVATURE = np.array([0.5, 1.0, 2.0, 3.0, 5.0])
HYPER = {"lr": 0.03, "momentum": 0.8, "rho": 0.7, "beta1": 0.8, "beta2": 0.9, "eps": 1e-7, "alpha": 1.3}
PAPERS = [row for row in ROWS if row.is_paper]


def polyak(gradient, start, letters):
    """x⁺ = x − α∇f(x) + β(x − x⁻)."""
    x, before = start, start
    for t, given in enumerate(letters):
        x, before = x - given["α"] * gradient(t, x) + given["β"] * (x - before), x
        yield x


def classical_momentum(gradient, start, letters):
    """v⁺ = μv − ε∇f(θ), θ⁺ = θ + v⁺."""
    theta, v = start, 0 * start
    for t, given in enumerate(letters):
        v = given["μ"] * v - given["ε"] * gradient(t, theta)
        theta = theta + v
        yield theta


def accelerated(gradient, start, letters):
    """v⁺ = μv − ε∇f(θ + μv), θ⁺ = θ + v⁺."""
    theta, v = start, 0 * start
    for t, given in enumerate(letters):
        v = given["μ"] * v - given["ε"] * gradient(t, theta + given["μ"] * v)
        theta = theta + v
        yield theta


def duchi(gradient, start, letters):
    """s = the norm of each coordinate's gradients so far; x⁺ = x − η g/(δ + s)."""
    x, seen = start, []
    for t, given in enumerate(letters):
        seen.append(gradient(t, x))
        x = x - given["η"] * seen[-1] / (given["δ"] + np.linalg.norm(seen, axis=0))
        yield x


def tieleman(gradient, start, letters):
    """MeanSquare ← 0.9 MeanSquare + 0.1 g²; divide the gradient by its root."""
    w, mean_square = start, 0 * start
    for t, given in enumerate(letters):
        g, kept = gradient(t, w), given["weight of the old MeanSquare"]
        mean_square = kept * mean_square + (1 - kept) * g**2
        w = w - given["learning rate"] * g / sqrt(mean_square)
        yield w


def kingma(gradient, start, letters):
    theta, m, v = start, 0 * start, 0 * start
    for t, given in enumerate(letters, 1):
        g = gradient(t - 1, theta)
        m = given["β₁"] * m + (1 - given["β₁"]) * g
        v = given["β₂"] * v + (1 - given["β₂"]) * g**2
        m_hat, v_hat = m / (1 - given["β₁"] ** t), v / (1 - given["β₂"] ** t)
        theta = theta - given["α"] * m_hat / (sqrt(v_hat) + given["ε"])
        yield theta


def kingma_faster(gradient, start, letters):
    """α_t = α √(1 − β₂ᵗ)/(1 − β₁ᵗ), θ ← θ − α_t m/(√v + ε̂)."""
    theta, m, v = start, 0 * start, 0 * start
    for t, given in enumerate(letters, 1):
        g = gradient(t - 1, theta)
        m = given["β₁"] * m + (1 - given["β₁"]) * g
        v = given["β₂"] * v + (1 - given["β₂"]) * g**2
        rate = given["α"] * scalar_root(1 - given["β₂"] ** t) / (1 - given["β₁"] ** t)
        theta = theta - rate * m / (sqrt(v) + given["ε̂"])
        yield theta


def liu(gradient, start, letters):
    theta, m, v = start, 0 * start, 0 * start
    for t, given in enumerate(letters, 1):
        g, beta2 = gradient(t - 1, theta), given["β₂"]
        v = beta2 * v + (1 - beta2) * g**2
        m = given["β₁"] * m + (1 - given["β₁"]) * g
        m_hat = m / (1 - given["β₁"] ** t)
        longest = 2 / (1 - beta2) - 1
        rho = longest - 2 * t * beta2**t / (1 - beta2**t)
        if rho > 4:
            adaptive = sqrt((1 - beta2**t) / v)
            r = scalar_root((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            theta = theta - given["α"] * r * m_hat * adaptive
        else:
            theta = theta - given["α"] * m_hat
        yield theta


def castera(gradient, start, letters):
    """Both lines with the old (θ, ψ); ψ₀ = (1 − αβ)θ₀ − (β² − β)g₀."""
    theta, psi = start, None
    for t, given in enumerate(letters):
        g, alpha, beta, gamma = gradient(t, theta), given["α"], given["β"], given["γ"]
        if psi is None:
            psi = (1 - alpha * beta) * theta - (beta**2 - beta) * g
        drift = (1 / beta - alpha) * theta - psi / beta
        theta, psi = theta + gamma * (drift - beta * g), psi + gamma * drift
        yield theta


def foret(gradient, start, letters):
    w = start
    for t, given in enumerate(letters):
        g = gradient(t, w)
        w = w + given["ρ"] * g / np.linalg.norm(g)
        yield w


TRANSCRIPTIONS = {
    ("polyak1964some", "heavy ball"): polyak,
    ("sutskever2013importance", "classical momentum"): classical_momentum,
    ("sutskever2013importance", "Nesterov's accelerated gradient"): accelerated,
    ("duchi2011adaptive", "diagonal form"): duchi,
    ("tieleman2012rmsprop", "the lecture"): tieleman,
    ("kingma2015adam", "algorithm 1"): kingma,
    ("kingma2015adam", "the faster order below algorithm 1"): kingma_faster,
    ("liu2020variance", "algorithm 2"): liu,
    ("castera2021inertial", "algorithm 1"): castera,
    ("foret2021sharpness", "the climb, p = 2"): foret,
}


def gradients(scale):
    noise = np.random.default_rng(3).standard_normal((STEPS, SIZE)) + 0.3
    return lambda t, x: scale * (CURVATURE * x + noise[t])


def follow(rule, gradient, **hyper):
    theta = np.zeros(SIZE)
    state = [np.zeros(SIZE) for _ in rule.state]
    for t in range(1, STEPS + 1):
        at = (
            theta if rule.gradient_at is None else rule.gradient_at(theta, *state, momentum=hyper["momentum"])
        )
        g = gradient(t - 1, at)
        inputs = {"grad_norm": np.linalg.norm(g)} if rule.inputs else {}
        theta, *state = rule(theta, g, *state, t, **hyper, **inputs)
        yield theta


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
@pytest.mark.parametrize("row", PAPERS, ids=lambda row: f"{row.rule}-{row.source}-{row.call}")
def test_a_paper_takes_the_rule_s_steps(row, scale):
    names = RULES[row.rule].hyperparameters
    hyper = {name: HYPER[name] for name in names if name in HYPER} | dict(row.requires)
    hyper |= {"rho": 0.05} if row.rule == "sam_perturbation" else {}
    letters = [to_library(row.rule, row.source, step=t, **hyper).arguments for t in range(1, STEPS + 1)]
    if row.call.startswith("the faster"):
        letters = [row.arguments(RULES[row.rule].defaults() | hyper, t) for t in range(1, STEPS + 1)]
    transcription = TRANSCRIPTIONS[row.source, row.call]
    theirs = np.array(list(transcription(gradients(scale), np.zeros(SIZE), letters)))
    ours = np.array(list(follow(RULES[row.rule], gradients(scale), **hyper)))
    steps = np.abs(np.diff(theirs, axis=0, prepend=0)).max(axis=1, keepdims=True)
    # What θ has once lost to rounding it does not get back when it becomes smaller.
    largest = np.maximum.accumulate(np.abs(theirs).max(axis=1, keepdims=True))
    lost = 4 * np.finfo(float).eps * largest
    # The phase-space form of INNA loses some digits to ψ/β.
    allowed = 1e-11 if row.rule.startswith("inna") else 1e-12
    assert np.all(np.abs(ours - theirs) <= allowed * steps + lost)


def test_every_paper_s_row_has_its_transcription():
    assert {(row.source, row.call) for row in PAPERS} == set(TRANSCRIPTIONS)


def test_sam_s_climb_as_optax_composes_it():
    import jax
    import optax

    rho, g = 0.05, np.random.default_rng(0).standard_normal(SIZE)
    with jax.enable_x64(True):
        climb = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
        update, _ = climb.update(jax.numpy.asarray(g), climb.init(jax.numpy.zeros(SIZE)))
    (ours,) = RULES["sam_perturbation"](np.zeros(SIZE), g, 1, grad_norm=np.linalg.norm(g), rho=rho, eps=0.0)
    np.testing.assert_allclose(-np.asarray(update), ours, rtol=1e-14)  # optax's SAM turns the sign
