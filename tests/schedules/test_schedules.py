"""Every schedule against torch's own, in a real LambdaLR, in JavaScript, and against its theory."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optkit.language import LanguageError
from optkit.schedules import (
    SCHEDULES,
    Schedule,
    constant,
    cosine,
    exponential,
    inverse_time,
    lambda_lr,
    linear_scaling,
    log_power,
    power,
    schedule,
    step_decay,
    warmup,
)

FAMILIES = pytest.mark.parametrize("family", SCHEDULES.values(), ids=SCHEDULES)
JOINED = {
    "goyal": linear_scaling(batch_size=1024)
    * warmup(steps=5, start=0.25).then(step_decay(every=7, decay=0.1)),
    "warmup_cosine": warmup(steps=6).then(cosine(steps=20, end=0.01)),
    "three": (exponential(decay=0.9) * power(q=0.25)).then(inverse_time() * cosine(steps=9), after=4),
    "same_names": step_decay(every=3, decay=0.5) * step_decay(every=4, decay=0.25),
}
EVERY = {**{name: family() for name, family in SCHEDULES.items()}, **JOINED}


def torch_factors(make, steps):
    """The learning rates that a torch scheduler sets, at base rate 1."""
    optimizer = torch.optim.SGD([torch.zeros((), dtype=torch.float64, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


LR = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (step_decay(every=7, decay=0.3), lambda o: LR.StepLR(o, 7, 0.3)),
        (exponential(decay=0.9), lambda o: LR.ExponentialLR(o, 0.9)),
        (cosine(steps=40, end=0.1), lambda o: LR.CosineAnnealingLR(o, 40, eta_min=0.1)),
        # torch's line runs from its start factor at our t = 1 to 1 at t = n + 1.
        (
            warmup(steps=9, start=1 / 9).then(constant()),
            lambda o: LR.LinearLR(o, 2 / 9 - 1 / 81, total_iters=8),
        ),
        (constant(factor=0.5), lambda o: LR.ConstantLR(o, 0.5, total_iters=1000)),
    ],
    ids=["step_decay", "exponential", "cosine", "warmup", "constant"],
)
def test_equals_torchs_scheduler(ours, theirs):
    np.testing.assert_allclose(ours.factors(40), torch_factors(theirs, 40), rtol=1e-12)


@pytest.mark.parametrize("ours", EVERY.values(), ids=EVERY)
def test_in_lambda_lr_the_first_step_is_t_1(ours):
    assert torch_factors(lambda o: LR.LambdaLR(o, lambda_lr(ours)), 30) == ours.factors(30)


def test_lambda_lr_state_holds_no_code():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    state = LR.LambdaLR(optimizer, lambda_lr(JOINED["three"])).state_dict()
    assert state["lr_lambdas"] == [None]


def test_formulas_by_hand():
    assert [power(q=0.5)(k + 1) for k in range(4)] == [(1 / (k + 1) ** 0.5) for k in range(4)]
    assert [log_power(eta=0.5)(k + 1) for k in range(4)] == [1 / math.log(k + 2) ** 1.5 for k in range(4)]
    assert inverse_time().factors(4) == [1, 1 / 2, 1 / 3, 1 / 4]
    assert warmup(steps=4).factors(6) == [0.25, 0.5, 0.75, 1, 1, 1]
    assert cosine(steps=2).factors(5) == pytest.approx([1, 0.5, 0, 0, 0], abs=1e-16)
    assert linear_scaling(batch_size=1024, reference=256)(7) == 4


def test_inna_step_sizes_meet_the_theory_and_one_over_log_does_not():
    """γ_k = o(1/log k): γ_k·log k falls to 0. For 1/log k it stays at 1."""
    far = [10.0**e for e in (3, 30, 300)]
    for family in (power(q=1 / 16), log_power(eta=0.5)):
        values = [family(t) * math.log(t) for t in far]
        assert values[0] > values[1] > values[2]
    assert [1 / math.log(t) * math.log(t) for t in far] == pytest.approx([1, 1, 1])
    # Σγ_k = ∞: the sum over a decade grows from decade to decade.
    for family in (power(q=1.0), power(q=0.5), log_power(eta=0.5)):
        decades = [sum(family(t) for t in range(10**e, 10 ** (e + 1))) for e in range(4)]
        assert all(later > 0.9 * earlier for earlier, later in itertools.pairwise(decades[1:]))


def test_joined_schedules_are_what_they_say():
    first, second = warmup(steps=5), cosine(steps=10)
    assert first.then(second).factors(15) == first.factors(5) + second.factors(10)
    both = step_decay(every=3, decay=0.5) * exponential(decay=0.9)
    assert both.factors(9) == [
        a * b
        for a, b in zip(
            step_decay(every=3, decay=0.5).factors(9), exponential(decay=0.9).factors(9), strict=True
        )
    ]
    nested = JOINED["three"]
    left, right = exponential(decay=0.9) * power(q=0.25), inverse_time() * cosine(steps=9)
    assert nested.factors(12) == left.factors(4) + right.factors(8)
    assert JOINED["same_names"](9) == 0.5**2 * 0.25**2


@pytest.mark.parametrize("ours", EVERY.values(), ids=EVERY)
def test_pickle_copy_and_repr_give_the_same_schedule(ours):
    for other in (pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)):
        assert other == ours
        assert hash(other) == hash(ours)
        assert other.factors(20) == ours.factors(20)
    assert eval(repr(ours), dict(SCHEDULES)) == ours


@FAMILIES
def test_range_of_every_hyperparameter_is_held(family):
    for name, hyper in family.hyperparameters.items():
        assert hyper.description.endswith(".")
        for bad in (hyper.low - 1, math.nan, math.inf):
            with pytest.raises(ValueError, match=f"{name} must be"):
                family(**{name: bad})
        with pytest.raises(TypeError, match=f"{name} must be a number"):
            family(**{name: "1"})
    with pytest.raises(TypeError, match="gamma is no hyper-parameter of"):
        family(gamma=1)


@pytest.mark.parametrize("t", [0, 0.5, -1, math.nan, math.inf])
def test_steps_count_from_1(t):
    with pytest.raises(ValueError, match="steps count from 1"):
        constant()(t)


@FAMILIES
@given(t=st.integers(1, 10**9))
def test_factors_are_finite_and_not_negative(family, t):
    assert 0 <= family()(t) < math.inf


def test_numbers_of_other_libraries_become_pythons():
    made = exponential(decay=np.float64(0.5)) * warmup(steps=np.int64(4))
    assert made(2) == 0.25
    assert all(type(value) in (int, float) for value in made.hyper.values())


def test_joining_refuses_what_it_cannot_join():
    with pytest.raises(ValueError, match="after must be given: exponential has no steps"):
        exponential().then(cosine())
    with pytest.raises(ValueError, match="after must be a whole number >= 1, got 0"):
        warmup().then(cosine(), after=0)
    with pytest.raises(TypeError, match="following must be a schedule"):
        warmup().then(0.5)
    with pytest.raises(TypeError):
        warmup() * 2


def test_a_family_is_no_schedule_yet():
    with pytest.raises(TypeError, match=r"cosine is a family .*choose them first, as in cosine\(\)"):
        cosine(1)


def test_own_schedule_and_its_refusals():
    @schedule(period={"low": 1.0})
    def sawtooth(t, *, period=4):
        return 1 - (t - 1) / period

    assert isinstance(sawtooth(period=2), Schedule)
    assert sawtooth(period=2)(2) == 0.5
    with pytest.raises(LanguageError, match="a function of t with one result"):
        schedule(_of_an_array)
    with pytest.raises(LanguageError, match="scalars without a default: q"):
        schedule(_without_default)
    with pytest.raises(LanguageError, match="names speed"):
        schedule(speed={"low": 0.0})(_plain)
    with pytest.raises(LanguageError, match="default of q is out of its range"):
        schedule(q={"low": 2.0})(_plain)


def _of_an_array(x, t):
    return x * t


def _without_default(t, *, q):
    return t * q


def _plain(t, *, q=1.0):
    return t * q
