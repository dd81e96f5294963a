"""Learning-rate schedules: pure functions of the step t, which give the factor on the learning rate.

Steps count from 1, as in the rules: the first step is t = 1. A schedule is made from a family by choosing its
hyper-parameters, and schedules are joined by ``*`` and ``.then``:

>>> from optkit.schedules import cosine, warmup
>>> schedule = warmup(steps=4).then(cosine(steps=8))
>>> schedule.factors(6)
[0.25, 0.5, 0.75, 1.0, 1.0, 0.9619397662556434]

Add one: write it in ``families.py``, and its name in the tuple below.
"""

from optkit.schedules.families import (
    constant,
    cosine,
    exponential,
    inverse_time,
    linear_scaling,
    log_power,
    power,
    step_decay,
    warmup,
)
from optkit.schedules.schedule import Schedule, ScheduleFamily, schedule
from optkit.schedules.torch_scheduler import lambda_lr

SCHEDULES: dict[str, ScheduleFamily] = {
    family.name: family
    for family in (
        constant,
        step_decay,
        exponential,
        inverse_time,
        power,
        log_power,
        cosine,
        warmup,
        linear_scaling,
    )
}

__all__ = ["SCHEDULES", "Schedule", "ScheduleFamily", "lambda_lr", "schedule", *SCHEDULES]
