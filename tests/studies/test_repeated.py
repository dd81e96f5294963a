"""C03, C11, C15, C16, C17: measured on tiny settings; verdicts from made-up numbers."""

import math

import numpy as np
import pytest

from optkit.studies import gradient_noise, inertial_flow, ledger, rate_variance, reparametrisation
from optkit.studies.engine.declaration import digest
from optkit.studies.repeated import Repeated

MODULES = (gradient_noise, rate_variance, reparametrisation, inertial_flow)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path))
    return tmp_path


def store(study, data):
    ledger.save(study.name, data, command="x", seeds=[], declaration=digest(study.protocol))


def test_a_measurement_is_stored_with_the_hash_of_its_protocol(folder):
    import torch

    study = Repeated(
        "small", {"seeds": [3], "n": 2}, lambda protocol: {"n": protocol["n"], "t": torch.get_num_threads()}
    )
    with pytest.raises(ledger.MissingResult, match=r"python -m optkit\.studies small"):
        study.stored()
    assert study.repeat() == folder / "small.json"
    assert study.stored() == {"n": 2, "t": 1} and study.seeds == (3,)
    with pytest.raises(ledger.ResultError, match="no longer belongs to the declaration of small"):
        Repeated("small", {"seeds": [3], "n": 3}, lambda protocol: {}).stored()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.STUDY.name)
def test_each_is_repeated_by_the_name_of_its_module(module):
    assert module.__name__ == f"optkit.studies.{module.STUDY.name}"
    assert ledger.declarations()[module.STUDY.name] == digest(module.PROTOCOL)
    assert len(module.STUDY.seeds) >= 5 and module.repeat == module.STUDY.repeat


def test_the_noise_of_a_small_net_is_measured_both_ways():
    plan = {**gradient_noise.PROTOCOL["nets"]["network_in_network"], "sizes": [1, 4, 16], "draws": 20}
    protocol = {
        **gradient_noise.PROTOCOL, "data": "digits", "images": 100, "seeds": [9],
        "nets": {"network_in_network": plan},
    }  # fmt: skip
    found = gradient_noise.measure(protocol)["network_in_network"]
    for way in ("with", "without"):
        (row,) = found[way]
        assert row["sizes"] == [1, 4, 16] and abs(row["slope"] + 0.5) < 6 * row["standard_error"]
    assert found["with"] != found["without"]


@pytest.mark.parametrize(
    ("lenet", "other", "expected"),
    [(-0.46, -0.54, "holds"), (-0.46, -0.56, "holds under conditions"), (-0.44, -0.5, "not reproduced here")],
)
def test_c03_follows_from_the_slopes(folder, lenet, other, expected):
    def ways(slope):
        return {way: [{"slope": -0.5}] * 4 + [{"slope": slope}] for way in ("with", "without")}

    store(gradient_noise.STUDY, {"lenet": ways(lenet), "network_in_network": ways(other)})
    row = ledger.claim("C03")
    assert row.verdict == expected
    assert f"−{-min(lenet, -0.5):.3f} to −{-max(lenet, -0.5):.3f}" in row.spread


def test_the_formula_of_the_adaptive_rate_is_that_of_a_chi_square_variable():
    from scipy import integrate, stats

    rho = rate_variance.length(9, 0.999)

    def moment(power):
        return integrate.quad(lambda x: (rho / x) ** power * stats.chi2.pdf(x, rho), 0, np.inf)[0]

    assert rate_variance.formula(9, 0.999) == pytest.approx(moment(1) - moment(0.5) ** 2, rel=1e-6)


def test_the_factor_is_that_of_the_paper_and_one_at_last():
    rho, long = rate_variance.length(6, 0.999), 1999
    paper = math.sqrt((rho - 4) * (rho - 2) * long / ((long - 4) * (long - 2) * rho))
    assert rate_variance.factor(6, 0.999) == pytest.approx(paper, rel=1e-9)
    assert rate_variance.factor(20_000, 0.999) == pytest.approx(1, abs=1e-6)


def test_monte_carlo_finds_a_variance_known_otherwise():
    # Where the average is over the last gradients alone (ρ₂ near 0) r̂ is one squared gradient; at ρ₂ = 0.99
    # and t = 20 it is nearly a mean of 20.
    (found,) = rate_variance.monte_carlo(0.99, [20], 100_000, 7)
    assert found == pytest.approx(rate_variance.formula(20, 0.99), rel=0.1)


def series(first, formula, factor):
    steps = {
        "t": [6, 100],
        "formula": [formula, 0.01],
        "factor": [factor, 1.0],
        "variance": [[first, 0.01]] * 5,
    }
    return {beta2: steps for beta2 in rate_variance.PROTOCOL["steps"]}


@pytest.mark.parametrize(
    ("first", "formula", "factor", "expected"),
    [
        (1.0, 1.1, 0.1, "holds"),
        (1.0, 1.3, 0.1, "holds under conditions"),
        (1.0, 1.1, 1.0, "holds under conditions"),
        (1.0, 1.3, 1.0, "not reproduced here"),
        (0.001, 0.001, 0.1, "not reproduced here"),
    ],
)
def test_c11_follows_from_three_comparisons(folder, first, formula, factor, expected):
    store(rate_variance.STUDY, series(first, formula, factor))
    assert ledger.claim("C11").verdict == expected


def test_a_multiple_of_the_sharpness_is_reached_with_the_same_function():
    import torch

    from optkit.models import mlp

    net = mlp(input_shape=(1, 2, 2), hidden=(5,), classes=3, seed=0).double()
    draw = torch.Generator().manual_seed(0)
    data = torch.randn(12, 1, 2, 2, generator=draw, dtype=torch.float64), torch.arange(12) % 3
    base = reparametrisation._top(net, data, 0)
    new, c, reached = reparametrisation.sharpened(
        net, data, 50.0, base=base, rounds=8, tolerance=0.05, seed=0
    )
    assert abs(reached / 50 - 1) <= 0.05 and c > 1
    assert reparametrisation._top(new, data, 0) == pytest.approx(reached * base, rel=1e-6)
    assert torch.allclose(net(data[0]), new(data[0]), rtol=1e-12)
    _, last, short = reparametrisation.sharpened(net, data, 1e6, base=base, rounds=1, tolerance=1e-9, seed=0)
    assert last == 1e3 and short != pytest.approx(1e6, rel=1e-9)  # what c did give, though the rounds are up


@pytest.mark.parametrize(
    ("reached", "moved", "expected"),
    [
        (10.4, 1e-12, "holds"),
        (10.6, 1e-12, "holds under conditions"),
        (10.4, 1e-6, "not reproduced here"),
    ],
)
def test_c15_follows_from_both(folder, reached, moved, expected):
    rows = [
        {"multiple": 10.0, "reached": one, "c": 3.0, "moved": moved, "sharpness": [0, 1]}
        for one in (10.0, reached)
    ]
    store(reparametrisation.STUDY, {"lenet": rows})
    assert ledger.claim("C15").verdict == expected


def test_the_flow_is_measured_in_both_forms():
    protocol = {
        **inertial_flow.PROTOCOL, "problems": {"quadratic": {}}, "settings": [[0.5, 0.5]], "seeds": [9],
        "steps": [100, 200], "long": 3.0,
    }  # fmt: skip
    (case,) = inertial_flow.measure(protocol)["cases"]
    assert case["order"] == pytest.approx(1, abs=0.1) and case["error"][1] < case["error"][0]
    assert case["rise"]["din"] < 0 and case["rise"]["din"] == pytest.approx(
        case["rise"]["din_phase_space"], 1e-4
    )


@pytest.mark.parametrize(
    ("orders", "rises", "expected"),
    [
        ([1.0] * 10, (-1e-9, 1e-8), ("holds", "holds")),
        ([1.0] * 9 + [1.2], (-1e-9, 1e-6), ("holds under conditions", "holds under conditions")),
        ([1.0] * 8 + [1.2] * 2, (1e-6, 1e-6), ("not reproduced here", "not reproduced here")),
    ],
)
def test_c16_and_c17_follow_from_the_cases(folder, orders, rises, expected):
    rise = dict(zip(("din", "din_phase_space"), rises, strict=True))
    store(inertial_flow.STUDY, {"cases": [{"order": order, "rise": rise} for order in orders]})
    assert (ledger.claim("C16").verdict, ledger.claim("C17").verdict) == expected
