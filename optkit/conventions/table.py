"""The translator's one table: each rule in torch, optax, Keras, and the paper it comes from.

The page prints these rows, the converters read them, and the tests run each of them against the library or
against a transcription of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from optkit.conventions.papers import PAPER_ROWS
from optkit.conventions.translator import INSIDE, OUTSIDE, UNCORRECTED, Row, WeightDecay


class Library(NamedTuple):
    """A library of the translator.

    Attributes:
        title: Its name.
        version: The version its rows were checked against.
        agreement: The largest difference of a step that was allowed, relative to the step.
    """

    title: str
    version: str
    agreement: float


LIBRARIES: Mapping[str, Library] = {
    "torch": Library("PyTorch", "2.13.0", 1e-12),
    "optax": Library("optax", "0.2.8", 1e-12),
    "keras": Library("Keras", "3.15.1", 1e-12),
}

_MOMENTUM = {"lr": "lr", "momentum": "momentum"}
_MOMENTUM_LONG = {"lr": "learning_rate", "momentum": "momentum"}
_ADAM_TORCH = {"lr": "lr", "beta1": "betas[0]", "beta2": "betas[1]", "eps": "eps"}
_ADAM_OPTAX = {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "eps": "eps"}
_ADAM_OPTAX_ROOT = _ADAM_OPTAX | {"eps": "eps_root"}
_ADAM_KERAS = {"lr": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}
_SGD_TORCH = {"lr": 1e-3, "momentum": 0, "nesterov": False}
_SGD_OPTAX = {"momentum": None, "nesterov": False}
_SGD_KERAS = {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}
_BETAS_TORCH = {"lr": 1e-3, "betas[0]": 0.9, "betas[1]": 0.999, "eps": 1e-8}
_BETAS_OPTAX = {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_root": 0.0}
_ACCUMULATED = {"G": "initial_accumulator_value"}


def _decays(
    coupled: tuple[str, float] | None = None, decoupled: tuple[str, float | None] | None = None
) -> tuple[WeightDecay, ...]:
    found = [WeightDecay(*coupled, coupled=True)] if coupled else []
    return (*found, WeightDecay(*decoupled, coupled=False)) if decoupled else tuple(found)


_SGD_DECAY = _decays(("torch.optim.SGD", 0))
_SGD_DECAY_KERAS = _decays(decoupled=("keras.optimizers.SGD", None))


def _sgd(rule: str, *, nesterov: bool = False, remark: str = "", keras: str = "") -> tuple[Row, ...]:
    """A rule with a velocity: torch and optax have the common form, Keras the standard one."""
    fixed = {"nesterov": nesterov}
    sgd, decay = "keras.optimizers.SGD", _SGD_DECAY_KERAS
    # fmt: off
    return (
        Row(rule, "torch", "torch.optim.SGD", _MOMENTUM, _SGD_TORCH, {}, fixed, form="common",
            decays=_SGD_DECAY, remark=remark),
        Row(rule, "optax", "optax.sgd", _MOMENTUM_LONG, _SGD_OPTAX, {}, fixed, form="common", remark=remark),
        Row(rule, "keras", sgd, _MOMENTUM_LONG, _SGD_KERAS, {}, fixed, form="standard",
            decays=decay, remark=keras),
    )
    # fmt: on


_CONSTANT = "The same steps only while the learning rate is constant."
_RATE = "Its weight decay is multiplied by its own learning rate: give λ/(1 − α)."
_AHEAD = "Its parameters are the look-ahead points θ + αv of the rule."

# One row each for what a library can be told to do. Where there are several for one rule, the library's
# default comes first.
# fmt: off
LIBRARY_ROWS: tuple[Row, ...] = (
    Row("gradient_descent", "torch", "torch.optim.SGD", {"lr": "lr"}, _SGD_TORCH, {}, {"momentum": 0},
        decays=_SGD_DECAY),
    Row("gradient_descent", "optax", "optax.sgd", {"lr": "learning_rate"}, _SGD_OPTAX, {},
        {"momentum": None}),
    Row("gradient_descent", "keras", "keras.optimizers.SGD", {"lr": "learning_rate"}, _SGD_KERAS, {},
        {"momentum": 0.0}, decays=_SGD_DECAY_KERAS),
    *_sgd("momentum_common", keras=_CONSTANT),
    *_sgd("momentum_standard", remark=_CONSTANT),
    *_sgd("momentum_ewma", keras=f"{_CONSTANT} {_RATE}"),
    *_sgd("nesterov_torch", nesterov=True, keras=_CONSTANT),
    *_sgd("nesterov", nesterov=True, remark=f"{_AHEAD} {_CONSTANT}", keras=_AHEAD),

    Row("adagrad", "torch", "torch.optim.Adagrad", {"lr": "lr", "eps": "eps"},
        {"lr": 0.01, "eps": 1e-10, "initial_accumulator_value": 0}, {"eps_inside": False}, state=_ACCUMULATED,
        eps=OUTSIDE, decays=_decays(("torch.optim.Adagrad", 0))),
    Row("adagrad", "torch", "torch.optim.Adagrad", {"lr": "lr", "eps": "initial_accumulator_value"},
        {"lr": 0.01, "eps": 1e-10, "initial_accumulator_value": 0}, {"eps_inside": True}, {"eps": 0},
        eps=INSIDE, decays=_decays(("torch.optim.Adagrad", 0)), remark="The sum starts at δ instead."),
    Row("adagrad", "optax", "optax.adagrad", {"lr": "learning_rate", "eps": "eps"},
        {"eps": 1e-7, "initial_accumulator_value": 0.1}, {"eps_inside": True}, state=_ACCUMULATED,
        eps=INSIDE),
    Row("adagrad", "keras", "keras.optimizers.Adagrad", {"lr": "learning_rate", "eps": "epsilon"},
        {"learning_rate": 1e-3, "epsilon": 1e-7, "initial_accumulator_value": 0.1}, {"eps_inside": True},
        state=_ACCUMULATED, eps=INSIDE, decays=_decays(decoupled=("keras.optimizers.Adagrad", None))),

    Row("rmsprop", "torch", "torch.optim.RMSprop", {"lr": "lr", "rho": "alpha", "eps": "eps"},
        {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}, {"eps_inside": False}, eps=OUTSIDE,
        decays=_decays(("torch.optim.RMSprop", 0))),
    Row("rmsprop", "optax", "optax.rmsprop", {"lr": "learning_rate", "rho": "decay", "eps": "eps"},
        {"decay": 0.9, "eps": 1e-8, "initial_scale": 0.0, "eps_in_sqrt": True}, {"eps_inside": True},
        {"eps_in_sqrt": True}, {"r": "initial_scale"}, eps=INSIDE),
    Row("rmsprop", "optax", "optax.rmsprop", {"lr": "learning_rate", "rho": "decay", "eps": "eps"},
        {"decay": 0.9, "eps": 1e-8, "initial_scale": 0.0, "eps_in_sqrt": True}, {"eps_inside": False},
        {"eps_in_sqrt": False}, {"r": "initial_scale"}, eps=OUTSIDE),
    Row("rmsprop", "keras", "keras.optimizers.RMSprop",
        {"lr": "learning_rate", "rho": "rho", "eps": "epsilon"},
        {"learning_rate": 1e-3, "rho": 0.9, "epsilon": 1e-7}, {"eps_inside": True}, eps=INSIDE,
        decays=_decays(decoupled=("keras.optimizers.RMSprop", None))),

    Row("adam", "torch", "torch.optim.Adam", _ADAM_TORCH, _BETAS_TORCH,
        {"eps_inside": False, "bias_correction": True}, eps=OUTSIDE,
        decays=_decays(("torch.optim.Adam", 0), ("torch.optim.AdamW", 0.01))),
    Row("adam", "optax", "optax.adam", _ADAM_OPTAX, _BETAS_OPTAX,
        {"eps_inside": False, "bias_correction": True}, {"eps_root": 0.0}, eps=OUTSIDE,
        decays=_decays(decoupled=("optax.adamw", 1e-4))),
    Row("adam", "optax", "optax.adam", _ADAM_OPTAX_ROOT, _BETAS_OPTAX,
        {"eps_inside": True, "bias_correction": True}, {"eps": 0.0}, eps=INSIDE,
        decays=_decays(decoupled=("optax.adamw", 1e-4))),
    Row("adam", "keras", "keras.optimizers.Adam", _ADAM_KERAS,
        {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
        {"eps_inside": False, "bias_correction": True}, eps=UNCORRECTED, eps_moves=True,
        correction="in the learning rate: ε √(1 − ρ₂ᵗ)/(1 − ρ₁ᵗ)",
        decays=_decays(decoupled=("keras.optimizers.AdamW", 0.004))),

    Row("radam", "torch", "torch.optim.RAdam", _ADAM_TORCH, _BETAS_TORCH,
        {"eps_inside": False, "threshold": 5.0}, eps=UNCORRECTED,
        decays=_decays(("torch.optim.RAdam", 0), ("torch.optim.RAdam(decoupled_weight_decay=True)", 0))),
    Row("radam", "optax", "optax.radam", _ADAM_OPTAX | {"threshold": "threshold"},
        _BETAS_OPTAX | {"threshold": 5.0}, {"eps_inside": False}, {"eps_root": 0.0}, eps=OUTSIDE,
        eps_moves=False),
    Row("radam", "optax", "optax.radam", _ADAM_OPTAX_ROOT | {"threshold": "threshold"},
        _BETAS_OPTAX | {"threshold": 5.0}, {"eps_inside": True}, {"eps": 0.0}, eps=INSIDE),
)
# fmt: on

ROWS: tuple[Row, ...] = (*LIBRARY_ROWS, *PAPER_ROWS)
"""All rows of the translator."""
