"""Checks of the coding exercises: each says that an answer is right, or which typical mistake it is."""

from optkit.exercises.adam import check_adam_step, check_uncorrected_step
from optkit.exercises.adaptive_rates import check_adagrad, check_recovery
from optkit.exercises.answer import Answer
from optkit.exercises.gradient_descent import (
    check_best_rate,
    check_downhill_newton,
    check_hessian_product,
)
from optkit.exercises.gradient_noise import check_batch_for_noise, check_noise_scale
from optkit.exercises.inna import check_inna_start, check_inna_step, check_nesterov_as_inna
from optkit.exercises.large_batch import check_ghost_normalised, check_mean_of_shares
from optkit.exercises.momentum import check_best_momentum, check_lr_for_ewma_form, check_nesterov
from optkit.exercises.moving_averages import check_alpha_for_window, check_corrected, check_ewma
from optkit.exercises.scheduling import check_greedy_rate, check_warmup_then_cosine
from optkit.exercises.sharpness import check_balancing_factor, check_largest_eigenvalue, check_sam_step

__all__ = [
    "Answer",
    "check_adagrad",
    "check_adam_step",
    "check_alpha_for_window",
    "check_balancing_factor",
    "check_batch_for_noise",
    "check_best_momentum",
    "check_best_rate",
    "check_corrected",
    "check_downhill_newton",
    "check_ewma",
    "check_ghost_normalised",
    "check_greedy_rate",
    "check_hessian_product",
    "check_inna_start",
    "check_inna_step",
    "check_largest_eigenvalue",
    "check_lr_for_ewma_form",
    "check_mean_of_shares",
    "check_nesterov",
    "check_nesterov_as_inna",
    "check_noise_scale",
    "check_recovery",
    "check_sam_step",
    "check_uncorrected_step",
    "check_warmup_then_cosine",
]
