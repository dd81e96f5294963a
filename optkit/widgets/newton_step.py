"""Newton's step in the plane, in the course's small language, so that the playground's is generated too."""

from optkit.language import maximum, sqrt
from optkit.language.grammar import formula


@formula
def newton_step(*, x, y, gx, gy, hxx, hxy, hyy, damp, damping):
    """θ − H⁻¹g by Cramer's rule; with ``damp`` above 0, H is lifted until it is positive definite.

    The same decisions as `optkit.newton.minimise` with ``on_indefinite="follow"`` and ``"damp"``, and its
    numbers to rounding: that one solves by elimination.
    """
    middle = (hxx + hyy) / 2
    half = (hxx - hyy) / 2
    radius = sqrt(half * half + hxy * hxy)
    low = middle - radius
    size = maximum(abs(low), abs(middle + radius))
    lift = 0.0
    if damp > 0 and low <= 2.220446049250313e-16 * size:
        if size > 0:
            lift = damping * size - low
        else:
            lift = damping - low
    a = hxx + lift
    d = hyy + lift
    determinant = a * d - hxy * hxy
    return x - (d * gx - hxy * gy) / determinant, y - (a * gy - hxy * gx) / determinant
