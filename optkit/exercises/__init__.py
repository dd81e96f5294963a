"""Checks of the coding exercises: each says that an answer is right, or which typical mistake it is."""

from optkit.exercises.answer import Answer
from optkit.exercises.moving_averages import check_alpha_for_window, check_corrected, check_ewma

__all__ = ["Answer", "check_alpha_for_window", "check_corrected", "check_ewma"]
