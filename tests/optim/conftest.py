"""The optimizers of the contract tests: each class with its options, and a class from each rule."""

import copy
from functools import partial

import pytest
import torch

import optkit.optim as optim
from optkit.rules import RULES

# Our class and torch's, with the same arguments.
DROP_IN = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.8}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.3, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.8, "centered": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"amsgrad": True, "weight_decay": 0.3, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.7, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
]
# Ours alone.
OWN = [
    ("SGD", {"lr": 0.1, "momentum": 0.8, "form": "standard"}),
    (
        "SGD",
        {"lr": 0.1, "momentum": 0.8, "form": "ewma", "decoupled_weight_decay": True, "weight_decay": 0.1},
    ),
    ("Adagrad", {"eps_inside": True}),
    ("RMSprop", {"eps_inside": True, "momentum": 0.8, "centered": True}),
    ("Adam", {"eps_inside": True, "bias_correction": False}),
    ("RAdam", {"eps_inside": True, "threshold": 4.0}),
    ("INNA", {}),
    ("INNA", {"m_form": False, "weight_decay": 0.1, "maximize": True}),
    ("INNA", {"start": "code", "lr": torch.tensor(0.1)}),
]
MADE = {
    name: optim.from_rule(rule)
    for name, rule in RULES.items()
    if rule.gradient_at is None and not rule.inputs
}


def _id(name, options):
    return f"{name}({','.join(f'{key}={value}' for key, value in options.items())})"


def _fresh(name, options):
    # A scheduler writes into a tensor lr: no two optimizers of a test may share one.
    return lambda params, **more: getattr(optim, name)(params, **{**copy.deepcopy(options), **more})


EVERY = {_id(name, options): _fresh(name, options) for name, options in DROP_IN + OWN}
EVERY.update({f"from_rule({name})": made for name, made in MADE.items()})


@pytest.fixture(params=EVERY.values(), ids=EVERY.keys())
def make(request):
    """Parameters → an optimizer, for every optimizer and option."""
    return request.param


@pytest.fixture(params=DROP_IN, ids=[_id(*case) for case in DROP_IN])
def pair(request):
    """Parameters → our optimizer, and parameters → torch's."""
    name, options = request.param
    return partial(getattr(optim, name), **options), partial(getattr(torch.optim, name), **options)


@pytest.fixture
def parameters():
    """A maker of parameters, equal at each call: convolution, matrix, vector, scalar, empty."""

    def build(dtype=torch.float64, seed=0):
        generator = torch.Generator().manual_seed(seed)
        shapes = [(3, 2, 2, 2), (4, 5), (7,), (), (0, 3)]
        return [
            torch.nn.Parameter(torch.randn(shape, dtype=torch.float64, generator=generator).to(dtype))
            for shape in shapes
        ]

    return build


@pytest.fixture
def train():
    """Steps with seeded gradients; returns nothing, changes the parameters."""

    def run(optimizer, steps=5, seed=1, scale=1.0):
        generator = torch.Generator().manual_seed(seed)
        for _ in range(steps):
            for group in optimizer.param_groups:
                for p in group["params"]:
                    noise = torch.randn(p.shape, dtype=torch.float64, generator=generator)
                    p.grad = (scale * noise).to(p.dtype)
            optimizer.step()

    return run
