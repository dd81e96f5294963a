"""Hyper-parameters: symbol, range and meaning of each name, said once for all rules."""

from __future__ import annotations

from optkit.language.hyperparameter import Hyperparameter

__all__ = ["HYPERPARAMETERS", "Hyperparameter"]


def _table(*rows: Hyperparameter) -> dict[str, Hyperparameter]:
    return {row.name: row for row in rows}


HYPERPARAMETERS = _table(
    Hyperparameter("lr", None, r"\epsilon", 0.0, log=True, description="Learning rate: the size of a step."),
    Hyperparameter(
        "momentum",
        None,
        r"\alpha",
        0.0,
        1.0,
        high_open=True,
        description="How much of the old velocity stays.",
    ),
    Hyperparameter(
        "rho", None, r"\rho", 0.0, 1.0, high_open=True, description="Decay of the mean squared gradient."
    ),
    Hyperparameter(
        "beta1", None, r"\rho_1", 0.0, 1.0, high_open=True, description="Decay of the first moment."
    ),
    Hyperparameter(
        "beta2", None, r"\rho_2", 0.0, 1.0, high_open=True, description="Decay of the second moment."
    ),
    Hyperparameter(
        "eps", None, r"\delta", 0.0, log=True, description="Stabiliser: keeps the division finite."
    ),
    Hyperparameter("weight_decay", None, r"\lambda", 0.0, log=True, description="Strength of weight decay."),
    Hyperparameter(
        "eps_inside",
        None,
        description="The stabiliser stands inside the root (the course) or outside (torch).",
    ),
    Hyperparameter(
        "bias_correction", None, description="Divide the moments by 1 − ρᵗ, which undoes their start at zero."
    ),
)
"""The names that mean the same in every rule. A rule may change any field of its own."""
