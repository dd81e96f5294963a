"""Checks of the coding exercises: each says that an answer is right, or which typical mistake it is."""

from optkit.exercises.answer import Answer
from optkit.exercises.gradient_descent import (
    check_best_rate,
    check_downhill_newton,
    check_hessian_product,
)
from optkit.exercises.inna import check_inna_start, check_inna_step, check_nesterov_as_inna
from optkit.exercises.momentum import check_best_momentum, check_lr_for_ewma_form, check_nesterov
from optkit.exercises.moving_averages import check_alpha_for_window, check_corrected, check_ewma

__all__ = [
    "Answer",
    "check_alpha_for_window",
    "check_best_momentum",
    "check_best_rate",
    "check_corrected",
    "check_downhill_newton",
    "check_ewma",
    "check_hessian_product",
    "check_inna_start",
    "check_inna_step",
    "check_lr_for_ewma_form",
    "check_nesterov",
    "check_nesterov_as_inna",
]
