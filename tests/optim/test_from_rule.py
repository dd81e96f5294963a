"""Ten lines in, a torch optimizer out: from any rule, wherever it was written."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

import optkit.optim as optim
from optkit.optim import from_rule
from optkit.rules import RULES, rule, sign


@rule(citation="kingma2015adam", lr={"high": 1.0})
def signed_momentum(theta, g, v, t, *, momentum=0.9, lr=0.01, twice=False):
    """Step by the sign of the velocity."""
    v = momentum * v + (1 - momentum) * g
    theta = theta - lr * sign(v)
    if twice:
        theta = theta - lr * sign(v)
    return theta, v


SignedMomentum = from_rule(signed_momentum)
UnderAnotherName = from_rule(signed_momentum)

suitable = [r for r in RULES.values() if r.gradient_at is None and not r.inputs]
unsuitable = [r for r in RULES.values() if r.gradient_at is not None or r.inputs]


def parameter(*values):
    return torch.nn.Parameter(torch.tensor(values or (1.0, -2.0), dtype=torch.float64))


def step(optimizer, *gradient):
    for p in optimizer.param_groups[0]["params"]:
        p.grad = torch.tensor(gradient or (1.0, -3.0), dtype=p.dtype)
    optimizer.step()


def test_class_bears_name_signature_and_text_of_the_rule():
    assert SignedMomentum.__name__ == "SignedMomentum" and SignedMomentum.__module__ == __name__
    assert str(inspect.signature(SignedMomentum)) == (
        "(params, lr=0.01, momentum=0.9, twice=False, weight_decay=0.0, decoupled_weight_decay=False, "
        "maximize=False)"
    )
    text = inspect.getdoc(SignedMomentum)
    assert text.startswith("Step by the sign of the velocity.")
    assert "    theta = theta - lr * sign(v)\n" in text
    assert "momentum: How much of the old velocity stays. 0 <= momentum < 1." in text
    assert "lr: Learning rate: the size of a step. 0 <= lr <= 1." in text
    assert "Source: kingma2015adam." in text
    assert SignedMomentum.rule is signed_momentum
    assert SignedMomentum([parameter()]).rules == (signed_momentum,)


def test_same_rule_same_class():
    assert UnderAnotherName is SignedMomentum


@pytest.mark.parametrize("source", suitable, ids=lambda r: r.name)
def test_steps_as_the_rule_does(source):
    p = parameter()
    optimizer = from_rule(source)([p])
    theta, *state = [p.detach().clone(), *[torch.zeros(2, dtype=torch.float64) for _ in source.state]]
    for t in range(1, 9):
        g = torch.tensor([1.0 / t, -3.0], dtype=torch.float64)
        theta, *state = source(theta, g, *state, t, **source.defaults())
        step(optimizer, *g.tolist())
    torch.testing.assert_close(p.detach(), theta, rtol=1e-14, atol=0)
    assert list(optimizer.state[p]) == ["step", *source.state]


def test_arguments_go_by_position_or_name():
    by_place, by_name = parameter(), parameter()
    for optimizer in (
        SignedMomentum([by_place], 0.5, 0.0, True, 0.1, True),
        SignedMomentum(
            params=[by_name], twice=True, momentum=0.0, lr=0.5, decoupled_weight_decay=True, weight_decay=0.1
        ),
    ):
        step(optimizer)
    assert torch.equal(by_place, by_name)
    torch.testing.assert_close(by_name.detach(), torch.tensor([0.95 - 1.0, -1.9 + 1.0], dtype=torch.float64))
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'beta'"):
        SignedMomentum([parameter()], beta=0.5)
    with pytest.raises(ValueError, match=r"lr must be in \[0, 1\], got 2"):
        SignedMomentum([parameter()], lr=2.0)


def test_coupled_weight_decay_and_maximize():
    p = parameter(10.0, 10.0)
    optimizer = SignedMomentum([p], lr=0.5, weight_decay=0.2, maximize=True)
    step(optimizer, 1.0, 3.0)  # −1 + 2 = 1 and −3 + 2 = −1
    assert p.tolist() == [9.5, 10.5]


@pytest.mark.parametrize("source", unsuitable, ids=lambda r: r.name)
def test_rules_that_need_more_than_a_gradient_are_refused(source):
    reason = "takes it at" if source.gradient_at is not None else f"needs {', '.join(source.inputs)}"
    with pytest.raises(ValueError, match=rf"{source.name} {reason}"):
        from_rule(source)


def test_what_is_no_rule_is_refused():
    with pytest.raises(
        TypeError, match=r"rule must be a rule, got function; make one from a function with @rule"
    ):
        from_rule(signed_momentum.function)


def test_names_that_the_optimizer_needs_are_refused():
    @rule
    def taken(theta, g, t, *, lr=0.1, maximize=False):
        if maximize:
            theta = theta + lr * g
        else:
            theta = theta - lr * g
        return theta

    with pytest.raises(ValueError, match=r"taken has a hyper-parameter maximize, .*choose another"):
        from_rule(taken)


def test_a_rule_may_do_its_own_weight_decay():
    @rule
    def shrinking(theta, g, t, *, lr=0.1, weight_decay=0.5):
        theta = (1 - weight_decay) * theta - lr * g
        return theta

    made = from_rule(shrinking)
    assert list(inspect.signature(made).parameters) == ["params", "lr", "weight_decay", "maximize"]
    p = parameter(1.0, 1.0)
    step(made([p]), 0.0, 1.0)
    assert p.tolist() == [0.5, 0.4]


def test_a_rule_without_lr_can_only_decay_coupled():
    @rule
    def unit_step(theta, g, t):
        theta = theta - g
        return theta

    p = parameter(1.0, 1.0)
    step(from_rule(unit_step)([p], weight_decay=1.0), 0.0, 1.0)
    assert p.tolist() == [0.0, -1.0]
    with pytest.raises(ValueError, match=r"unit_step has no lr to scale it; give the rule an lr"):
        from_rule(unit_step)([p], decoupled_weight_decay=True)


def test_a_failing_scalar_is_found_before_anything_changes():
    @rule
    def countdown(theta, g, t, *, lr=0.1):
        theta = theta - lr / (3 - t) * g
        return theta

    first, second = parameter(), parameter()
    made = from_rule(countdown)
    optimizer = made([{"params": [first]}, {"params": [second]}])
    for p in (first, second):
        p.grad = torch.ones_like(p)
    optimizer.step()
    first.grad = None
    optimizer.step()
    first.grad, before = torch.ones_like(first), first.detach().clone()
    words = r"countdown has no value at t=3, lr=0\.1: float division by zero; change a hyper-parameter"
    with pytest.raises(ValueError, match=words):
        optimizer.step()
    assert torch.equal(first, before) and optimizer.state[first]["step"] == 1


def test_a_branch_over_scalars_alone_may_stand_in_a_rule():
    @rule
    def halved_after_two(theta, g, t, *, lr=0.1, late=True):
        if t > 2 and late:
            rate = lr / 2
        else:
            rate = lr
        theta = theta - rate * g
        return theta

    p = parameter()
    optimizer = from_rule(halved_after_two)([p], lr=1.0)
    for _ in range(3):
        step(optimizer, 1.0, -4.0)
    assert p.tolist() == [-1.5, 8.0]


@pytest.mark.parametrize("name", ["foreach", "fused", "initial_lr"])
def test_names_that_torch_gives_a_meaning_are_refused(name, tmp_path):
    file = tmp_path / f"with_{name}.py"
    file.write_text(
        "from optkit.rules import rule\n@rule\n"
        f"def scaled(theta, g, t, *, {name}=0.5):\n    theta = theta - {name} * g\n    return theta\n"
    )
    namespace = {}
    exec(compile(file.read_text(), file, "exec"), namespace)
    with pytest.raises(ValueError, match=f"scaled has a hyper-parameter {name}, a name the optimizer needs"):
        from_rule(namespace["scaled"])


def test_rules_at_module_level_pickle_under_any_name():
    p = parameter()
    optimizer = UnderAnotherName([p], lr=0.25)
    step(optimizer)
    for other in (pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)):
        assert type(other) is SignedMomentum
        (q,) = other.param_groups[0]["params"]
        assert torch.equal(p, q) and torch.equal(optimizer.state[p]["v"], other.state[q]["v"])
    assert pickle.loads(pickle.dumps(SignedMomentum)) is SignedMomentum
    file = io.BytesIO()
    torch.save(optimizer, file)
    file.seek(0)
    assert type(torch.load(file, weights_only=False)) is SignedMomentum


def test_rules_inside_a_function_say_why_they_do_not_pickle():
    @rule
    def hidden(theta, g, v, t, *, lr=0.1):
        v = v + g
        theta = theta - lr * v
        return theta, v

    p = parameter()
    optimizer = from_rule(hidden)([p])
    step(optimizer)
    with pytest.raises(
        pickle.PicklingError, match=r"cannot pickle Hidden: .*top level of a module.*state_dict"
    ):
        pickle.dumps(optimizer)
    other = copy.deepcopy(optimizer)
    step(other)
    step(optimizer)
    assert torch.equal(p, other.param_groups[0]["params"][0])
    resumed = from_rule(hidden)([parameter()])
    resumed.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))


def test_a_notebook_cell_is_enough():
    shell = InteractiveShell.instance()
    cell = '''
import torch
from optkit.optim import from_rule
from optkit.rules import rule, sqrt

@rule
def lazy_descent(theta, g, t, *, lr=0.1):
    """Smaller and smaller steps."""
    theta = theta - lr / sqrt(t) * g
    return theta

LazyDescent = from_rule(lazy_descent)
p = torch.nn.Parameter(torch.ones(3))
optimizer = LazyDescent([p], lr=0.5)
for _ in range(4):
    optimizer.zero_grad()
    p.sum().backward()
    optimizer.step()
'''
    try:
        result = shell.run_cell(cell, store_history=True)
        result.raise_error()
        end = 1 - 0.5 * sum(t**-0.5 for t in range(1, 5))
        torch.testing.assert_close(shell.user_ns["p"].detach(), torch.full((3,), end))
        assert shell.user_ns["LazyDescent"].__doc__.startswith("Smaller and smaller steps.")
    finally:
        InteractiveShell.clear_instance()


def test_every_class_is_abstract_or_final():
    assert inspect.isabstract(optim.RuleOptimizer)
    with pytest.raises(TypeError, match=r"abstract"):
        optim.RuleOptimizer([parameter()], {})
    for name in optim.__all__:
        built = getattr(optim, name)
        if isinstance(built, type) and built is not optim.RuleOptimizer:
            assert built.__final__
            assert built.__bases__ == (
                (torch.optim.Optimizer,) if built is optim.SAM else (optim.RuleOptimizer,)
            )
