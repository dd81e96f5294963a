"""The papers' rows of the translator: their letters, their defaults, and what they leave open."""

from __future__ import annotations

from optkit.conventions.translator import NONE, OUTSIDE, UNCORRECTED, Row

_ADAM = {"lr": "α", "beta1": "β₁", "beta2": "β₂", "eps": "ε"}
_KINGMA = {"α": 1e-3, "β₁": 0.9, "β₂": 0.999, "ε": 1e-8}
_CASTERA = {"lr": "γ", "alpha": "α", "beta": "β"}

# fmt: off
PAPER_ROWS: tuple[Row, ...] = (
    Row("momentum_standard", "polyak1964some", "heavy ball", {"lr": "α", "momentum": "β"}, form="standard",
        remark="Without a velocity: the step is −α∇f plus β times the last one."),
    Row("momentum_standard", "sutskever2013importance", "classical momentum", {"lr": "ε", "momentum": "μ"},
        form="standard"),
    Row("nesterov", "sutskever2013importance", "Nesterov's accelerated gradient",
        {"lr": "ε", "momentum": "μ"}, form="standard"),
    Row("adagrad", "duchi2011adaptive", "diagonal form", {"lr": "η", "eps": "δ"}, {}, {"eps_inside": False},
        eps=OUTSIDE),
    Row("rmsprop", "tieleman2012rmsprop", "the lecture",
        {"lr": "learning rate", "rho": "weight of the old MeanSquare"}, {"weight of the old MeanSquare": 0.9},
        {"eps": 0}, eps=NONE, remark="A zero gradient at the first step divides by zero."),
    Row("adam", "kingma2015adam", "algorithm 1", _ADAM, _KINGMA,
        {"eps_inside": False, "bias_correction": True}, eps=OUTSIDE),
    Row("adam", "kingma2015adam", "the faster order below algorithm 1", _ADAM | {"eps": "ε̂"},
        {"α": 1e-3, "β₁": 0.9, "β₂": 0.999}, {"eps_inside": False, "bias_correction": True}, eps=UNCORRECTED,
        eps_moves=True, correction="in the learning rate: α √(1 − β₂ᵗ)/(1 − β₁ᵗ)"),
    Row("radam", "liu2020variance", "algorithm 2", {"lr": "α", "beta1": "β₁", "beta2": "β₂"}, {},
        {"eps": 0, "threshold": 4.0}, eps=NONE),
    Row("inna", "castera2021inertial", "algorithm 1", _CASTERA, {}, {"paper_start": True}),
    Row("inna_m", "castera2021inertial", "algorithm 1", _CASTERA, {}, {"paper_start": True},
        remark="The paper iterates ψ; the steps are the same."),
    Row("sam_perturbation", "foret2021sharpness", "the climb, p = 2", {"rho": "ρ"}, {}, {"eps": 0}, eps=NONE,
        remark="A zero gradient divides by zero."),
)
# fmt: on
