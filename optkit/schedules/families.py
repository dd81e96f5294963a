"""Every schedule of the course, written once, from simple to involved.

Papers count iterations k from 0; here t = k + 1.
"""

from optkit.language.functions import cos, floor, log, minimum, pi
from optkit.schedules.schedule import schedule

STEPS = {"low": 1.0}
FACTOR = {"low": 0.0, "high": 1.0}


@schedule(factor={"low": 0.0, "symbol": "f", "description": "The factor itself."})
def constant(t, *, factor=1.0):
    """The same factor at every step."""
    return factor


@schedule(
    every={**STEPS, "symbol": "T", "description": "Steps between two drops."},
    decay={**FACTOR, "low_open": True, "symbol": r"\gamma", "description": "Factor of each drop."},
)
def step_decay(t, *, every=30, decay=0.1):
    """Drop by a factor after every so many steps: torch's StepLR."""
    return decay ** floor((t - 1) / every)


@schedule(decay={**FACTOR, "low_open": True, "symbol": r"\gamma", "description": "Factor of each step."})
def exponential(t, *, decay=0.99):
    """Shrink by the same factor at every step: torch's ExponentialLR."""
    return decay ** (t - 1)


@schedule(
    citation="robbins1951stochastic",
    decay={
        "low": 0.0,
        "symbol": r"\gamma",
        "description": "How soon the decay sets in: at step 1 + 1/decay the rate has halved.",
    },
)
def inverse_time(t, *, decay=1.0):
    """1/t at decay = 1: the steps add up to infinity, their squares do not."""
    return 1 / (1 + decay * (t - 1))


@schedule(
    citation="castera2021inertial", q={"low": 0.0, "description": "Exponent: 1/2, 1/4, 1/8, 1/16 in INNA."}
)
def power(t, *, q=0.5):
    """INNA's γ₀/(k + 1)^q with k = t − 1 counted from 0."""
    return 1 / t**q


@schedule(
    citation="castera2021inertial",
    eta={
        "low": 0.0,
        "low_open": True,
        "symbol": r"\eta",
        "description": "How much faster than 1/log it falls.",
    },
)
def log_power(t, *, eta=0.1):
    """INNA's slowest decay, 1/log(k + 2)^(1 + η) with k = t − 1: o(1/log k), which 1/log k itself is not."""
    return 1 / log(t + 1) ** (1 + eta)


@schedule(
    citation="loshchilov2017sgdr",
    steps={**STEPS, "symbol": "T", "description": "Steps until the end value, where the rate then stays."},
    end={**FACTOR, "symbol": r"\eta_T", "description": "The last factor."},
)
def cosine(t, *, steps=100, end=0.0):
    """Half a cosine from 1 at t = 1 to the end value at t = steps + 1, and constant from there on."""
    progress = minimum((t - 1) / steps, 1)
    return end + (1 - end) * (1 + cos(pi * progress)) / 2


@schedule(
    citation="goyal2017accurate",
    steps={**STEPS, "symbol": "T", "description": "Steps until the full rate."},
    start={
        **FACTOR,
        "symbol": r"\eta_0",
        "description": "The factor before the first step: the line starts there at t = 0.",
    },
)
def warmup(t, *, steps=10, start=0.0):
    """Rise on a line to 1 at t = steps; from 0 the first factor is 1/steps."""
    return start + (1 - start) * minimum(t / steps, 1)


@schedule(
    citation="goyal2017accurate",
    batch_size={"low": 1.0, "symbol": "m", "description": "The batch size in use."},
    reference={
        "low": 1.0,
        "symbol": r"m_0",
        "description": "The batch size for which the learning rate was chosen.",
    },
)
def linear_scaling(t, *, batch_size=256, reference=256):
    """The linear scaling rule: batch × k asks for learning rate × k."""
    return batch_size / reference
