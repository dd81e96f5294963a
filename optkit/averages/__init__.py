"""Moving averages of a noisy series: simple, weighted and exponentially weighted.

A series is an array whose axis 0 is time; further axes are averaged side by side. Weights count from the
newest value: ``weights[i]`` is the weight of the value i steps ago. α is the share of the old average that
stays (torch's and the course's convention); `smoothing_factor` converts the others.
"""

from optkit.averages.series import (
    ewma,
    ewma_normalised_step,
    ewma_step,
    ewma_weights,
    least_squares_weights,
    normalised,
    sma,
    wma,
)
from optkit.averages.signals import SIGNALS, noisy_signal
from optkit.averages.windows import (
    effective_window,
    equivalent_window,
    half_life,
    lag,
    smoothing_factor,
    variance_factor,
)

__all__ = [
    "SIGNALS",
    "effective_window",
    "equivalent_window",
    "ewma",
    "ewma_normalised_step",
    "ewma_step",
    "ewma_weights",
    "half_life",
    "lag",
    "least_squares_weights",
    "noisy_signal",
    "normalised",
    "sma",
    "smoothing_factor",
    "variance_factor",
    "wma",
]
