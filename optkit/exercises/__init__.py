"""Checks of the coding exercises: each says that an answer is right, or which typical mistake it is."""

from optkit.exercises.answer import Answer
from optkit.exercises.gradient_descent import (
    check_best_rate,
    check_downhill_newton,
    check_hessian_product,
)
from optkit.exercises.large_batch import check_ghost_normalised, check_mean_of_shares
from optkit.exercises.momentum import check_best_momentum, check_lr_for_ewma_form, check_nesterov
from optkit.exercises.moving_averages import check_alpha_for_window, check_corrected, check_ewma
from optkit.exercises.sharpness import check_balancing_factor, check_largest_eigenvalue, check_sam_step

__all__ = [
    "Answer",
    "check_alpha_for_window",
    "check_balancing_factor",
    "check_best_momentum",
    "check_best_rate",
    "check_corrected",
    "check_downhill_newton",
    "check_ewma",
    "check_ghost_normalised",
    "check_hessian_product",
    "check_largest_eigenvalue",
    "check_lr_for_ewma_form",
    "check_mean_of_shares",
    "check_nesterov",
    "check_sam_step",
]
