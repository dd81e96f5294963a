"""A torch optimizer class from any rule, also one typed into a notebook cell."""

from __future__ import annotations

import copyreg
import inspect
import pickle
import weakref
from abc import ABCMeta
from collections.abc import Callable, Mapping
from typing import Any

from optkit.optim.choice import Choice
from optkit.optim.rule_optimizer import TORCH_PATHS, RuleOptimizer
from optkit.rules import Rule

_OWN = {
    "weight_decay": (0.0, "Strength λ ≥ 0 of the weight decay."),
    "decoupled_weight_decay": (False, "Shrink θ by 1 − ελ instead of adding λθ to g."),
    "maximize": (False, "Climb instead of descending."),
}
_CLASSES: weakref.WeakKeyDictionary[Callable[..., Any], type[RuleOptimizer]] = weakref.WeakKeyDictionary()


class _Made(ABCMeta):
    """The type of the classes made here: they are pickled as “made from that rule”."""


def from_rule(rule: Rule) -> type[RuleOptimizer]:
    """Make a ``torch.optim`` class from an update rule.

    The class takes ``(params, hyper-parameters…, weight_decay=0, decoupled_weight_decay=False,
    maximize=False)``, with the rule's names, defaults and ranges. State keeps the rule's names. It keeps
    the whole contract of `RuleOptimizer`. A rule with a ``weight_decay`` of its own does its own weight
    decay.

    Args:
        rule: A rule whose gradient is taken at θ and which needs no further input.

    Returns:
        The class, named after the rule in CamelCase. The same rule gives the same class again. An optimizer
        can be pickled if its rule can be found by its name in a module; its state dict can be saved in any
        case.

    Raises:
        TypeError: ``rule`` is no rule.
        ValueError: The rule takes its gradient elsewhere, needs inputs, or uses a name that the optimizer
            needs.

    Example:
        >>> import torch
        >>> from optkit.rules import rule, sign
        >>> @rule
        ... def sign_descent(theta, g, t, *, lr=0.01):
        ...     '''Step by the sign of the gradient.'''
        ...     theta = theta - lr * sign(g)
        ...     return theta
        >>> SignDescent = from_rule(sign_descent)
        >>> theta = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = SignDescent([theta], lr=0.5)
        >>> (theta**2).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([ 0.5000, -1.5000])
    """
    if not isinstance(rule, Rule):
        raise TypeError(
            f"rule must be a rule, got {type(rule).__name__}; make one from a function with @rule"
        )
    if rule.function not in _CLASSES:
        _check(rule)
        _CLASSES[rule.function] = _make(rule)
    return _CLASSES[rule.function]


def _check(rule: Rule) -> None:
    if rule.gradient_at is not None:
        raise ValueError(
            f"rule must take its gradient at θ, but {rule.name} takes it at {rule.gradient_at.name}: "
            "a torch optimizer is handed gradients and cannot move the point; write the rule so that it "
            "iterates that point, as nesterov_torch does for nesterov"
        )
    if rule.inputs:
        raise ValueError(
            f"rule must need no inputs, but {rule.name} needs {', '.join(rule.inputs)} at every step, "
            "which a torch optimizer is not given; compute it inside the rule, or call the rule yourself"
        )
    own = {"params", "self", "maximize", "decoupled_weight_decay", "param_names", "initial_lr", *TORCH_PATHS}
    taken = own & set(rule.hyperparameters)
    if taken:
        name = sorted(taken)[0]
        raise ValueError(
            f"{rule.name} has a hyper-parameter {name}, a name the optimizer needs; choose another"
        )


def _make(rule: Rule) -> type[RuleOptimizer]:
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    defaults = rule.defaults()
    own = {name: default for name, (default, _) in _OWN.items()}
    if "weight_decay" in defaults:
        del own["weight_decay"], own["decoupled_weight_decay"]
    options = {**defaults, **own}
    first = [name for name in ("lr",) if name in options]
    order = [*first, *(name for name in options if name not in first)]
    signature = inspect.Signature(
        [
            inspect.Parameter("params", positional),
            *(inspect.Parameter(name, positional, default=options[name]) for name in order),
        ]
    )

    def __init__(self: RuleOptimizer, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        RuleOptimizer.__init__(self, given.pop("params"), given)

    def choose(self: RuleOptimizer, group: Mapping[str, Any]) -> Choice:
        return Choice(rule, {name: group[name] for name in rule.hyperparameters})

    name = "".join(part[:1].upper() + part[1:] for part in rule.name.split("_"))
    body = {
        "__init__": __init__,
        "__signature__": signature,
        "__doc__": _document(rule, order),
        "__module__": rule.function.__module__,
        "choose": choose,
        "known_state": frozenset(rule.state),
        "rule": rule,
    }
    return _Made(name, (RuleOptimizer,), body)


def _document(rule: Rule, order: list[str]) -> str:
    lines = [
        rule.description or f"The rule {rule.name} as a torch optimizer.",
        "",
        "Made from the rule::",
        "",
    ]
    lines += ["    " + line for line in rule.source.rstrip().splitlines()]
    lines += ["", "Args:", "    params: Parameters, named parameters or parameter groups."]
    for name in order:
        if name in rule.hyperparameters:
            hyper = rule.hyperparameters[name]
            text = " ".join(filter(None, (hyper.description, f"{hyper.range}.")))
        else:
            text = _OWN[name][1]
        lines.append(f"    {name}: {text}")
    lines += ["", "Raises:", "    TypeError: An argument is of the wrong type."]
    lines += ["    ValueError: An argument is NaN or out of range."]
    if rule.citation:
        lines += ["", f"Source: {rule.citation}."]
    return "\n".join(lines) + "\n"


def _reduce(made: Any) -> tuple[Callable[[Rule], type[RuleOptimizer]], tuple[Rule]]:
    rule = made.rule
    restore, names = rule.__reduce__()
    try:
        found = restore(*names)
    except (AttributeError, ImportError, TypeError) as error:
        found, cause = None, error
    else:
        cause = None
    if found is not rule:
        raise pickle.PicklingError(
            f"cannot pickle {made.__name__}: its rule {rule.name} is not found as {'.'.join(names)}; define "
            "the rule at the top level of a module under its own name, or save optimizer.state_dict() instead"
        ) from cause
    return from_rule, (rule,)


copyreg.pickle(_Made, _reduce)
