"""Every learning-rate policy: its values, its whole course, and independence of its neighbours."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from hpsearch.hyperparameters import build, hyperparameters
from hpsearch.learning_rates import POLICIES, LearningRatePolicy, LearningRates
from hpsearch.nn import NETWORKS
from hpsearch.optimizers import OPTIMIZERS
from hpsearch.trainers.settings import BackpropSettings
from hpsearch.trainers.weight_decay import WeightDecay
from tests.harness.catalogues import row

T = 40  # iterations of the full training

# f(t) of 40 iterations at t = 0, 9, 10, 20, 29, 30, 39.
# constant, step, multistep, exp, poly, cosine: PyTorch 2.13.0, torch.optim.lr_scheduler's
#   ConstantLR(factor=1), StepLR(step_size=10), MultiStepLR(milestones=[10, 30]), ExponentialLR,
#   PolynomialLR(total_iters=40, power=2) and CosineAnnealingLR(T_max=40), one step an iteration.
# inv, sigmoid: by hand, Caffe's formulas in Python's decimal with 40 digits (PyTorch has neither).
REFERENCES: dict[str, tuple[dict[str, float | str], list[float]]] = {
    "constant": ({}, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    "inv": (
        {"inv_gamma": 0.05, "inv_power": 0.75},
        [
            1.0,
            0.7567875839805858,
            0.7377879464668811,
            0.5946035575013605,
            0.5106524697854057,
            0.5029733718731741,
            0.44425619030418373,
        ],
    ),
    "step": ({"step_gamma": 0.3, "step_size": 0.25}, [1.0, 1.0, 0.3, 0.09, 0.09, 0.027, 0.027]),
    "multistep": (
        {"multistep_gamma": 0.3, "multistep_milestones": "0.25, 0.75"},
        [1.0, 1.0, 0.3, 0.3, 0.3, 0.09, 0.09],
    ),
    "exp": (
        {"exp_gamma": 0.93},
        [
            1.0,
            0.5204110829884875,
            0.48398230717929336,
            0.23423887366259186,
            0.12190050592075295,
            0.11336747050630025,
            0.05899768810184915,
        ],
    ),
    "poly": (
        {"poly_power": 2.0},
        [
            1.0,
            0.6006250000000002,
            0.5625000000000001,
            0.25,
            0.07562500000000003,
            0.06250000000000001,
            0.0006250000000000013,
        ],
    ),
    "sigmoid": (
        {"sigmoid_gamma": -0.3, "sigmoid_centre": 0.5},
        [
            0.9975273768433652,
            0.9644288107273639,
            0.9525741268224333,
            0.5,
            0.06297335605699649,
            0.04742587317756678,
            0.0033348073074133447,
        ],
    ),
    "cosine": (
        {},
        [
            1.0,
            0.8802029828000155,
            0.8535533905932737,
            0.5,
            0.17527597583490823,
            0.14644660940672627,
            0.0015413331334360185,
        ],
    ),
}

AT = (0, 9, 10, 20, 29, 30, 39)
every_policy = pytest.mark.parametrize("name", POLICIES)


def rates(
    members: Sequence[LearningRatePolicy], dtype: str = "float64", horizon: int = T
) -> np.ndarray:
    """The factor of every iteration and member, (horizon, P)."""
    moving = LearningRates(np.ones((len(members), 1), dtype), members, horizon)
    factors = []
    for t in range(horizon):
        moving.move_to(t)
        factors.append(moving.now[:, 0].copy())
    return np.array(factors)


def varied(name: str, number: int) -> LearningRatePolicy:
    """A policy whose hyperparameters differ by the member's number."""
    shares = ", ".join(str(0.1 * k) for k in range(1, 2 + number % 3))
    params: dict[str, float | str] = {}
    for key, described in hyperparameters(POLICIES[name]).items():
        params[key] = shares if described.kind is str else 0.05 + 0.02 * number
    return build(POLICIES[name], params)


@every_policy
def test_the_course_is_that_of_an_independent_implementation(name: str) -> None:
    params, wanted = row(name, REFERENCES, "REFERENCES in tests/unit/test_learning_rates.py")
    course = rates([POLICIES[name](**params)])[list(AT), 0]
    assert np.allclose(course, wanted, rtol=1e-13, atol=1e-16)


@every_policy
def test_members_of_different_settings_move_as_each_alone(name: str) -> None:
    members = [varied(name, i) for i in range(32)]
    together = rates(members)
    for n in (1, 8, 31):
        assert np.array_equal(rates(members[:n]), together[:, :n])
        assert np.array_equal(rates(members[-1:]), together[:, -1:])


def test_members_may_have_different_policies() -> None:
    members = [varied(name, i) for i, name in enumerate(list(POLICIES) * 3)]
    together = rates(members)
    for i, one in enumerate(members):
        assert np.array_equal(rates([one])[:, 0], together[:, i])


@every_policy
def test_a_rate_depends_on_the_iteration_alone(name: str) -> None:
    whole = rates([varied(name, 3)])
    moving = LearningRates(np.ones((1, 1)), [varied(name, 3)], T)
    for t in (17, 3, 39):
        moving.move_to(t)
        assert moving.now[0, 0] == whole[t, 0]


@every_policy
def test_the_rates_keep_their_array_and_dtype(name: str) -> None:
    moving = LearningRates(np.full((2, 1), 0.3, np.float32), [POLICIES[name]()] * 2, T)
    now = moving.now
    moving.move_to(5)
    assert moving.now is now
    assert now.dtype == np.float32


def test_the_base_rate_is_multiplied() -> None:
    moving = LearningRates(np.array([[0.5], [2.0]]), [POLICIES["cosine"]()] * 2, T)
    moving.move_to(20)
    assert moving.now[:, 0] == pytest.approx([0.25, 1.0])


@pytest.mark.parametrize(
    ("share", "horizon", "first"), [(0.07, 100, 7), (0.3, 10, 3), (0.001, 5, 1)]
)
def test_a_step_falls_at_a_whole_iteration(share: float, horizon: int, first: int) -> None:
    course = rates([build(POLICIES["step"], {"step_size": share})], horizon=horizon)[:, 0]
    assert np.flatnonzero(course < 1)[0] == first


def test_milestones_are_counted_in_any_order() -> None:
    one, other = (
        rates([build(POLICIES["multistep"], {"multistep_milestones": text})])
        for text in ("0.25,0.5", "0.5, 0.25")
    )
    assert np.array_equal(one, other)
    assert sorted(set(one[:, 0])) == pytest.approx([0.01, 0.1, 1])


def test_defaults_fall_as_their_reasons_say() -> None:
    moving = LearningRates(np.ones((1, 1)), [POLICIES["exp"]()], 10_000)
    moving.move_to(2300)
    assert moving.now[0, 0] == pytest.approx(0.1, rel=0.01)
    sigmoid = rates([POLICIES["sigmoid"]()], horizon=1000)[:, 0]
    assert np.flatnonzero(sigmoid < 0.1)[0] - np.flatnonzero(sigmoid < 0.9)[0] == pytest.approx(
        2 * math.log(9) / 0.01, abs=2
    )
    assert len(set(rates([POLICIES["step"]()])[:, 0])) == 4


def test_no_name_is_taken_twice() -> None:
    components = [*POLICIES.values(), BackpropSettings, WeightDecay]
    of_networks = {name for network in NETWORKS.values() for name in hyperparameters(network)}
    names = list(of_networks) + [
        name
        for component in components
        for name, described in hyperparameters(component).items()
        if component in POLICIES.values() or described.when is None
    ]
    assert len(names) == len(set(names))
    for optimizer in OPTIMIZERS.values():
        assert not set(hyperparameters(optimizer)) & set(names)
