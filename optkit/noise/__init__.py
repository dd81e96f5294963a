"""Gradient noise: how far a mini-batch gradient is from the gradient of all the data.

The noise is the root mean square of ‖ĝ − G‖₂, where ĝ is the mean of m gradients g_i and G that of all N. Its
square is tr Σ/m when the examples are drawn one by one, with Σ the covariance of the g_i.

>>> import torch
>>> from optkit.data import digits
>>> from optkit.models import logistic_regression
>>> model = logistic_regression(input_shape=(1, 8, 8), seed=0)
>>> images, labels, *_ = digits().tensors()
>>> statistics = gradient_statistics(model, images, labels)
>>> scale = noise_scale(statistics)
>>> scale.low < scale.value < scale.high
True
"""

from optkit.noise.batches import NoiseCurve, Slope, batch_square_norms, noise_against_batch_size
from optkit.noise.formulas import (
    examples_over_least,
    expected_square,
    greedy_rate,
    sampled_with_replacement,
    sampled_without_replacement,
    settled_square,
    steps_over_least,
)
from optkit.noise.gram import gradient_gram, mini_batch_noise, one_example_noise
from optkit.noise.scale import (
    CriticalBatch,
    NoiseScale,
    fit_critical_batch,
    noise_scale,
    noise_scale_of_batches,
)
from optkit.noise.statistics import GradientStatistics, gradient_statistics, per_example_gradients
from optkit.noise.timing import StepCost, fit_step_cost, gradient_seconds

__all__ = [
    "CriticalBatch",
    "GradientStatistics",
    "NoiseCurve",
    "NoiseScale",
    "Slope",
    "StepCost",
    "batch_square_norms",
    "examples_over_least",
    "expected_square",
    "fit_critical_batch",
    "fit_step_cost",
    "gradient_gram",
    "gradient_seconds",
    "gradient_statistics",
    "greedy_rate",
    "mini_batch_noise",
    "noise_against_batch_size",
    "noise_scale",
    "noise_scale_of_batches",
    "one_example_noise",
    "per_example_gradients",
    "sampled_with_replacement",
    "sampled_without_replacement",
    "settled_square",
    "steps_over_least",
]
