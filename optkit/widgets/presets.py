"""The playground of each chapter: what it shows at first, and what there is to try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optkit.schedules import cosine, linear_scaling
from optkit.widgets.playground import Playground


@dataclass(frozen=True)
class Preset:
    """A figure's settings and its caption, whose second half says what to try."""

    settings: Mapping[str, Any]
    caption: str


PRESETS: Mapping[str, Preset] = {
    "gradient-descent": Preset(
        {
            "problem": "quadratic",
            "rules": ["gradient_descent", "newton"],
            "hyper": {"gradient_descent": {"lr": 0.18}},
            "steps": 40,
        },
        "Gradient descent on a bowl ten times as curved one way as the other, and Newton's one step. "
        r"*Try:* move $\epsilon$ up to 0.2 and beyond, then down to 0.02. Then take a saddle as the "
        "problem, and see where Newton's method goes.",
    ),
    "gradient-noise": Preset(
        {
            "problem": "noisy_quadratic",
            "rules": ["gradient_descent"],
            "hyper": {"gradient_descent": {"lr": 0.06}},
            "noise": 6.0,
            "steps": 200,
            "opened": ["pace"],
        },
        "Gradient descent whose gradient carries the noise of one example. *Try:* raise the batch size "
        r"$m$ to 16 and to 256; or leave it at 1 and lower $\epsilon$ instead. What does each of them "
        "cost?",
    ),
    "moving-averages": Preset(
        {
            "problem": "noisy_quadratic",
            "rules": ["gradient_descent", "momentum_ewma"],
            "hyper": {"gradient_descent": {"lr": 0.05}, "momentum_ewma": {"lr": 0.05, "momentum": 0.9}},
            "noise": 6.0,
            "steps": 150,
        },
        "Steps along noisy gradients, and along their exponentially weighted moving average. *Try:* a "
        r"larger $\alpha$ smooths more; how much later does it turn?",
    ),
    "momentum": Preset(
        {
            "problem": "half_pipe",
            "rules": ["gradient_descent", "momentum_common"],
            "hyper": {"gradient_descent": {"lr": 0.038}, "momentum_common": {"lr": 0.01}},
            "steps": 60,
            "selected": "momentum_common",
            "offered": ["nesterov", "momentum_ewma", "momentum_standard"],
        },
        r"Gradient descent and momentum on the half-pipe. *Try:* lower $\alpha$ to 0.5, raise it to 0.98; "
        "switch Nesterov's form on and step through its first twenty steps: the small ring is where it "
        "takes its gradient.",
    ),
    "adaptive-rates": Preset(
        {
            "problem": "quadratic",
            "problem_hyper": {"condition": 100.0},
            "rules": ["gradient_descent", "adagrad", "rmsprop"],
            "hyper": {
                "gradient_descent": {"lr": 0.018},
                "adagrad": {"lr": 0.5},
                "rmsprop": {"lr": 0.05, "rho": 0.9},
            },
            "steps": 120,
            "selected": "adagrad",
            "opened": ["surface"],
        },
        r"One direction is a hundred times as steep as the other. *Try:* turn the axes with $\varphi$ "
        "(under *Loss surface*): a rate for each parameter no longer fits.",
    ),
    "adam": Preset(
        {
            "problem": "rosenbrock",
            "rules": ["momentum_common", "rmsprop", "adam"],
            "hyper": {
                "momentum_common": {"lr": 0.0005},
                "rmsprop": {"lr": 0.02, "rho": 0.9},
                "adam": {"lr": 0.1},
            },
            "steps": 300,
            "selected": "adam",
        },
        "Adam beside its two ideas, momentum and RMSProp, in a curved valley. *Try:* switch *bias "
        "correction* off and look at the first steps; read them line by line under *This step in "
        "numbers*.",
    ),
    "scheduling": Preset(
        {
            "problem": "noisy_quadratic",
            "rules": ["gradient_descent", "adam", "radam"],
            "hyper": {"gradient_descent": {"lr": 0.09}, "adam": {"lr": 0.3}, "radam": {"lr": 0.3}},
            "noise": 4.0,
            "schedule": cosine(steps=200),
            "steps": 200,
            "opened": ["pace"],
        },
        "Noisy gradients and a learning rate that falls along a cosine. *Try:* no schedule: how low does "
        "the loss get? A warm-up: which of the three needs it?",
    ),
    "sharpness": Preset(
        {
            "problem": "widening_valley",
            "rules": ["gradient_descent", "sam"],
            "hyper": {"gradient_descent": {"lr": 0.1}, "sam": {"lr": 0.1, "rho": 0.5}},
            "steps": 150,
            "selected": "sam",
        },
        "Every point of the valley's floor is a minimum, but the walls are steeper on the left and on the "
        "right. Gradient descent stops where it first meets the floor. SAM swings across it and drifts to "
        r"the place with the gentlest walls. *Try:* a smaller $\rho$; step through its path and watch the "
        "ring where SAM takes its gradient.",
    ),
    "large-batch": Preset(
        {
            "problem": "noisy_quadratic",
            "rules": ["gradient_descent"],
            "hyper": {"gradient_descent": {"lr": 0.02}},
            "noise": 10.0,
            "batch_size": 64,
            "schedule": linear_scaling(batch_size=64, reference=16),
            "steps": 100,
            "opened": ["pace"],
        },
        "A batch four times as large, with four times the learning rate. *Try:* double the batch size in "
        "both places, again and again: when does the rule break?",
    ),
    "inna": Preset(
        {
            "problem": "nonsmooth_ravine",
            "rules": ["momentum_common", "adam", "inna"],
            "hyper": {
                "momentum_common": {"lr": 0.0005},
                "adam": {"lr": 0.02},
                "inna": {"lr": 0.003, "alpha": 0.5, "beta": 0.1, "paper_start": False},
            },
            "steps": 1500,
            "selected": "inna",
        },
        r"INNA in the ravine of its paper, beside momentum and Adam. *Try:* $\beta = 0.01$ leaves only the "
        r"plain friction $\alpha$; then raise $\alpha$ to 1.3.",
    ),
}
"""Name of a chapter → its playground."""


def preset(name: str) -> Playground:
    """The playground of a chapter, with its caption.

    Args:
        name: One of `PRESETS`.

    Raises:
        KeyError: There is no such preset.

    Example:
        >>> preset("momentum")
        Playground('half_pipe', ['gradient_descent', 'momentum_common'])
    """
    if name not in PRESETS:
        raise KeyError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    found = PRESETS[name]
    return Playground(**found.settings).titled(f"fig-play-{name}", found.caption)
