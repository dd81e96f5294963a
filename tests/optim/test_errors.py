"""What is refused, in which words, and that nothing has changed by then."""

import copy

import pytest
import torch

import optkit.optim as optim

NAN, INF = float("nan"), float("inf")


def snapshot(optimizer):
    tensors = [p.detach().clone() for group in optimizer.param_groups for p in group["params"]]
    return tensors, copy.deepcopy(optimizer.state_dict())


def assert_unchanged(optimizer, before):
    tensors, state = before
    for p, q in zip((p for g in optimizer.param_groups for p in g["params"]), tensors, strict=True):
        assert torch.equal(p, q)
    now = optimizer.state_dict()
    assert now["param_groups"] == state["param_groups"] and now["state"].keys() == state["state"].keys()
    for index, entries in state["state"].items():
        assert entries.keys() == now["state"][index].keys()
        assert all(torch.equal(entries[key], now["state"][index][key]) for key in entries)


BAD = [
    ("SGD", {"lr": -0.1}, ValueError, "lr must be >= 0, got -0.1"),
    ("SGD", {"lr": "0.1"}, TypeError, "lr must be a number, got '0.1'"),
    ("SGD", {"lr": torch.ones(2)}, ValueError, r"lr must be one number, got a tensor of shape \(2,\)"),
    ("SGD", {"momentum": 1.0}, ValueError, r"momentum must be in \[0, 1\), got 1"),
    ("SGD", {"momentum": NAN}, ValueError, "momentum must be .*, got nan"),
    ("SGD", {"weight_decay": -1}, ValueError, "weight_decay must be >= 0, got -1"),
    ("SGD", {"weight_decay": NAN}, ValueError, "weight_decay must be >= 0, got nan"),
    ("SGD", {"dampening": NAN}, ValueError, "dampening must be finite, got nan"),
    ("SGD", {"form": "heavy"}, ValueError, "form must be 'common', 'standard' or 'ewma', got 'heavy'"),
    ("SGD", {"form": ["common"]}, ValueError, "form must be"),
    ("SGD", {"nesterov": True}, ValueError, "nesterov=True needs momentum > 0, got 0"),
    ("SGD", {"nesterov": 1, "momentum": 0.9}, TypeError, "nesterov must be True or False, got 1"),
    (
        "SGD",
        {"nesterov": True, "momentum": 0.9, "dampening": 0.5},
        ValueError,
        "dampening must be 0 together",
    ),
    (
        "SGD",
        {"nesterov": True, "momentum": 0.9, "form": "ewma"},
        ValueError,
        "form must be 'common' together",
    ),
    (
        "SGD",
        {"dampening": 0.1, "momentum": 0.9, "form": "ewma"},
        ValueError,
        "form must be 'common' together",
    ),
    ("SGD", {"maximize": "no"}, TypeError, "maximize must be True or False, got 'no'"),
    ("Adam", {"lr": INF}, ValueError, "lr must be >= 0, got inf"),
    ("Adam", {"betas": (1.0, 0.9)}, ValueError, r"betas\[0\] must be in \[0, 1\), got 1"),
    ("Adam", {"betas": (0.9, -0.1)}, ValueError, r"betas\[1\] must be in \[0, 1\), got -0.1"),
    ("Adam", {"betas": 0.9}, TypeError, "betas must be a pair of numbers, got 0.9"),
    ("Adam", {"betas": (0.9,)}, TypeError, "betas must be a pair"),
    ("Adam", {"eps": -1e-8}, ValueError, "eps must be >= 0"),
    ("Adam", {"amsgrad": 1}, TypeError, "amsgrad must be True or False, got 1"),
    ("Adam", {"eps_inside": None}, TypeError, "eps_inside must be True or False, got None"),
    ("RAdam", {"threshold": 3.0}, ValueError, "threshold must be >= 4, got 3"),
    ("RMSprop", {"alpha": 1.0}, ValueError, r"alpha must be in \[0, 1\), got 1"),
    ("RMSprop", {"momentum": -0.5}, ValueError, r"momentum must be in \[0, 1\), got -0.5"),
    ("Adagrad", {"lr_decay": -0.1}, ValueError, "lr_decay must be >= 0, got -0.1"),
    ("Adagrad", {"initial_accumulator_value": -0.1}, ValueError, "initial_accumulator_value must be >= 0"),
    ("INNA", {"alpha": -0.1}, ValueError, "alpha must be >= 0, got -0.1"),
    ("INNA", {"beta": 0.0}, ValueError, "beta must be > 0, got 0"),
    ("INNA", {"start": "there"}, ValueError, "start must be 'paper' or 'code', got 'there'"),
]


@pytest.mark.parametrize(("name", "options", "error", "message"), BAD)
def test_bad_options_are_refused_everywhere(name, options, error, message, parameters, train):
    build = getattr(optim, name)
    with pytest.raises(error, match=message):
        build(parameters(), **options)
    params = parameters()
    optimizer = build([{"params": params[:2]}, {"params": params[2:4]}])
    train(optimizer, steps=2)
    if "needs momentum" in message:  # a schedule may carry the momentum through zero
        return
    before = snapshot(optimizer)
    with pytest.raises(error, match=message):
        optimizer.add_param_group({"params": params[4:], **options})
    assert_unchanged(optimizer, before)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][1].update(options)
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(state)
    assert_unchanged(optimizer, before)
    # The last group is the bad one: the first must not have been stepped when it is found.
    optimizer.param_groups[1].update(options)
    tensors = [p.detach().clone() for p in params]
    with pytest.raises(error, match=message):
        optimizer.step()
    assert all(torch.equal(p, q) for p, q in zip(params, tensors, strict=True))
    assert all(optimizer.state[p]["step"] == 2 for p in params[:4])


def test_nan_hyperparameters_are_refused_by_every_optimizer(make, parameters, train):
    params = parameters()
    optimizer = make(params)
    train(optimizer, steps=1)
    numbers = [key for key, value in optimizer.defaults.items() if type(value) is float]
    assert "lr" in optimizer.defaults
    for key in {*numbers, "lr"}:
        value = optimizer.param_groups[0][key]
        tensors = [p.detach().clone() for p in params]
        optimizer.param_groups[0][key] = NAN
        with pytest.raises(ValueError, match=r"got nan"):
            optimizer.step()
        optimizer.param_groups[0][key] = value
        assert all(torch.equal(p, q) for p, q in zip(params, tensors, strict=True))
    optimizer.step()


def test_sparse_gradients_are_refused_before_anything_changes(make):
    first, table = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(4, 2))
    optimizer = make([{"params": [first]}, {"params": [table]}])
    first.grad = torch.ones(3)
    table.grad = torch.sparse_coo_tensor([[1]], torch.ones(1, 2), (4, 2), check_invariants=True)
    name = type(optimizer).__name__
    with pytest.raises(
        ValueError, match=rf"parameter 0 in group 1 is sparse.*{name} needs dense.*SparseAdam"
    ):
        optimizer.step()
    assert torch.equal(first, torch.ones(3)) and not optimizer.state


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float8_e4m3fn])
def test_other_dtypes_are_refused(make, dtype):
    p = torch.zeros(3).to(dtype)
    with pytest.raises(TypeError, match=r"must be of dtype float64.*got torch"):
        make([p])


@pytest.mark.parametrize("shape", [(5,), (1,)])
@pytest.mark.parametrize("what", ["gradient", "exp_avg"])
def test_a_resized_parameter_is_refused_before_anything_changes(shape, what):
    first, second = params = [torch.nn.Parameter(torch.ones(3)) for _ in range(2)]
    optimizer = optim.Adam(params)
    first.grad, second.grad = torch.ones(3), torch.ones(3)
    optimizer.step()
    before = first.detach().clone()
    second.data = torch.ones(shape)
    if what == "exp_avg":
        second.grad = torch.ones(shape)
    with pytest.raises(ValueError, match=rf"{what} of parameter 1 in group 0 has shape \(3,\)"):
        optimizer.step()
    assert torch.equal(first, before) and optimizer.state[first]["step"] == 1


def test_parameters_of_a_lazy_layer_are_taken_before_they_have_a_shape():
    layer = torch.nn.LazyLinear(2)
    optimizer = optim.Adam(layer.parameters(), lr=0.5)
    layer(torch.ones(1, 3)).sum().backward()
    before = layer.weight.detach().clone()
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before - 0.5)


def test_views_that_share_elements_are_refused(make):
    p = torch.nn.Parameter(torch.ones(1).expand(5))
    with pytest.raises(ValueError, match=r"expanded.*clone"):
        make([p])


def test_what_torch_refuses_is_refused(make, parameters):
    params = parameters()
    with pytest.raises(ValueError, match=r"empty parameter list"):
        make([])
    with pytest.raises(TypeError, match=r"iterable"):
        make(params[0])
    with pytest.raises(TypeError, match=r"only optimize Tensors"):
        make([1.0])
    with pytest.raises(ValueError, match=r"non-leaf"):
        make([params[0] * 2])
    with pytest.raises(KeyError, match=r"params"):
        make([{"lr": 0.1}])
    optimizer = make(params)
    with pytest.raises(ValueError, match=r"more than one parameter group"):
        optimizer.add_param_group({"params": params[:1]})
    with pytest.raises(TypeError, match=r"ordered collections"):
        optimizer.add_param_group({"params": {torch.nn.Parameter(torch.ones(1))}})
    with pytest.raises(TypeError, match=r"must be a dict"):
        optimizer.add_param_group(params)
    assert len(optimizer.param_groups) == 1


class TestLoading:
    def loaded(self, parameters, train):
        optimizer = optim.Adam(parameters())
        train(optimizer, steps=2)
        return optimizer, copy.deepcopy(optimizer.state_dict()), snapshot(optimizer)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                lambda s: s["state"][0].update(exp_avg=torch.zeros(2)),
                r"exp_avg in the state of parameter 0 must be a",
            ),
            (
                lambda s: s["state"][1].update(exp_avg=[0.0]),
                r"exp_avg in the state of parameter 1 must be a tensor",
            ),
            (
                lambda s: s["state"][1].update(other=torch.zeros(4, 5)),
                "holds .*other.* but Adam .* keeps exp_avg",
            ),
            (
                lambda s: s["state"][1].pop("exp_avg_sq"),
                "holds exp_avg, but Adam with these options keeps exp_avg",
            ),
            (lambda s: s["state"][2].pop("step"), "state of parameter 2 has no step, which Adam needs"),
            (
                lambda s: s["state"][2].update(step=torch.tensor(-1.0)),
                "step .* must be a whole number >= 0, got -1",
            ),
            (
                lambda s: s["state"][2].update(step=torch.tensor(NAN)),
                "step .* must be a whole number >= 0, got nan",
            ),
            (lambda s: s["param_groups"][0]["params"].pop(), "doesn't match the size"),
            (
                lambda s: s["param_groups"].append(s["param_groups"][0]),
                "different number of parameter groups",
            ),
        ],
    )
    def test_state_that_does_not_fit_changes_nothing(self, change, message, parameters, train):
        optimizer, state, before = self.loaded(parameters, train)
        change(state)
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(state)
        assert_unchanged(optimizer, before)
        assert not optimizer._optimizer_load_state_dict_pre_hooks

    def test_another_optimizers_state_is_refused(self, parameters, train):
        _, state, _ = self.loaded(parameters, train)
        other = optim.SGD(parameters(), momentum=0.9)
        with pytest.raises(ValueError, match=r"exp_avg, exp_avg_sq, but SGD .* keeps momentum_buffer"):
            other.load_state_dict(state)

    def test_another_forms_velocity_is_refused(self, parameters, train):
        theirs = torch.optim.SGD(parameters(), momentum=0.9)
        train(theirs, steps=1)
        ours = optim.SGD(parameters(), momentum=0.9, form="standard")
        with pytest.raises(ValueError, match=r"holds momentum_buffer, but SGD with these options keeps v"):
            ours.load_state_dict(theirs.state_dict())

    def test_adamw_stays_decoupled(self, parameters, train):
        _, state, _ = self.loaded(parameters, train)
        with pytest.raises(
            ValueError, match=r"decoupled_weight_decay of AdamW must be True, got False; use Adam"
        ):
            optim.AdamW(parameters()).load_state_dict(state)


def test_momentum_may_pass_through_zero_and_back(parameters, train):
    for module in (optim, torch.optim):
        for name in ("SGD", "RMSprop"):
            optimizer = getattr(module, name)(parameters(), momentum=0.5)
            train(optimizer, steps=1)
            optimizer.param_groups[0]["momentum"] = 0.0
            train(optimizer, steps=1)
            optimizer.load_state_dict(optimizer.state_dict())
            optimizer.param_groups[0]["momentum"] = 0.5
            train(optimizer, steps=1)
            assert "momentum_buffer" in optimizer.state[optimizer.param_groups[0]["params"][0]]
