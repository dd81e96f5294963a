"""What studies measure of a trained net, at the end of each run with a fresh seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from optkit.data import Tensors

__all__ = ["IMAGES", "RHO", "sharpness"]

IMAGES = 500
RHO = 0.05


def sharpness(net: nn.Module, tensors: Tensors, seed: int) -> dict[str, float]:
    """How sharp the training loss is where the run ended, over the first 500 training images.

    Args:
        net: As trained.
        tensors: The images it was trained on.
        seed: Of the run, and of the searches.

    Returns:
        ``sharpness``, the largest rise of the loss within 0.05 by three steps of ascent from two starts, and
        ``top_eigenvalue`` of the Hessian, by Lanczos to 1 %.
    """
    from optkit.sharpness import LossSurface, sam_sharpness, top_eigenvalues

    surface = LossSurface(net, (tensors[0][:IMAGES], tensors[1][:IMAGES]))
    rise = sam_sharpness(surface, RHO, steps=3, restarts=1, seed=seed, progress=False)
    top = top_eigenvalues(surface.hessian(), k=1, tolerance=1e-2, seed=seed, progress=False)
    return {"sharpness": rise.value, "top_eigenvalue": float(top.values[0])}
