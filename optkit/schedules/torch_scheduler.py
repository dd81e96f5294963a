"""The bridge to torch's ``LambdaLR``, which counts from 0."""

from __future__ import annotations

from collections.abc import Callable


def lambda_lr(schedule: Callable[[int], float]) -> Callable[[int], float]:
    """The schedule as ``LambdaLR`` asks for it: a plain function of an epoch that counts from 0.

    ``LambdaLR`` calls it with 0 before the first step, so epoch e is our step t = e + 1. A plain function is
    what keeps the scheduler's ``state_dict`` free of code.

    Args:
        schedule: A `Schedule`, or any function of t = 1, 2, …

    Example:
        >>> from optkit.schedules import power
        >>> factor = lambda_lr(power(q=0.5))
        >>> factor(0), factor(3)
        (1.0, 0.5)
    """

    def factor(epoch: int) -> float:
        return schedule(epoch + 1)

    return factor
