"""Sharpness: how much the loss can rise in a ball around θ, and the curvature that makes it rise.

In closed form for losses of one parameter; measured, for any model on any data: `LossSurface` is the loss as
a function of all weights, and the other functions ask it, or any symmetric matrix, for what they need.

>>> import torch
>>> from optkit.models import logistic_regression
>>> model = logistic_regression(input_shape=(1, 2, 2), classes=2, seed=0)
>>> surface = LossSurface(model, (torch.eye(4).reshape(4, 1, 2, 2), torch.tensor([0, 0, 1, 1])))
>>> top_eigenvalues(surface.hessian(), k=1).values.round(3)
array([0.584])
"""

from optkit.sharpness.ball import Sharpness, sam_sharpness
from optkit.sharpness.density import SpectralDensity, spectral_density
from optkit.sharpness.eigenvalues import Eigenpairs, top_eigenvalues
from optkit.sharpness.formulas import mean_rise, rescaled_trace, sam_swing
from optkit.sharpness.interval import quadratic_sharpness, sam_point, sharpness_in_interval, two_valleys
from optkit.sharpness.landscape import filter_normalised_direction, loss_along
from optkit.sharpness.reparametrisation import reparametrised
from optkit.sharpness.surface import LossSurface
from optkit.sharpness.trace import TraceEstimate, trace, trace_by_parameter

__all__ = [
    "Eigenpairs",
    "LossSurface",
    "Sharpness",
    "SpectralDensity",
    "TraceEstimate",
    "filter_normalised_direction",
    "loss_along",
    "mean_rise",
    "quadratic_sharpness",
    "reparametrised",
    "rescaled_trace",
    "sam_point",
    "sam_sharpness",
    "sam_swing",
    "sharpness_in_interval",
    "spectral_density",
    "top_eigenvalues",
    "trace",
    "trace_by_parameter",
    "two_valleys",
]
