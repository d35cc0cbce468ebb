"""Every optimizer of the catalogue: a reference, descent, and independence of its neighbours."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from hpsearch.optimizers import OPTIMIZERS, Nesterov, Optimizer, stack
from tests.harness.catalogues import row

START = (-1.2, 1.0)  # the usual start on Rosenbrock's function

# Five steps on Rosenbrock's function from START, in float64.
# sgd, momentum: PyTorch 2.13.0, torch.optim.SGD(lr=0.002) and SGD(lr=0.0005, momentum=0.8),
#   gradients by autograd.
# adam: Python's decimal with 60 digits, from the equations of Kingma & Ba with eps added to the
#   uncorrected sqrt(v); and PyTorch 2.13.0, torch.optim.Adam, whose eps was set to
#   eps / sqrt(1 - beta2^t) before step t, which is the same update: they agree to 3e-16. The large
#   eps makes its place count: PyTorch's own is off by 1e-5 after one step.
# nesterov, adagrad, rmsprop, adadelta: Python's decimal with 60 digits, from the equations of the
#   lecture, corrected (eps outside the root but in AdaDelta; the old velocity in Nesterov's); and
#   PyTorch 2.13.0, torch.optim.SGD(nesterov=True), Adagrad, RMSprop and Adadelta with the same
#   settings (its alpha and rho are decay_rate), gradients by autograd: they agree to 3e-16. The
#   eps are large, so that their place counts.
TRAJECTORIES: dict[str, tuple[dict[str, float], list[tuple[float, float]]]] = {
    "sgd": (
        {"learning_rate": 0.002},
        [
            (-0.7688, 1.176),
            (-1.1214903322624, 0.9420213759999999),
            (-0.8297435560735497, 1.0683090517432112),
            (-1.0745568862552952, 0.9163751785841587),
            (-0.8614074350011839, 1.0116941078699655),
        ],
    ),
    "momentum": (
        {"learning_rate": 0.0005, "momentum": 0.8},
        [
            (-1.0922, 1.044),
            (-0.9713419005104, 1.094090084),
            (-0.9019379823195836, 1.1191036515687156),
            (-0.8996414387032866, 1.1085533528618887),
            (-0.9497388603948228, 1.0701932504334501),
        ],
    ),
    "nesterov": (
        {"learning_rate": 0.0003, "momentum": 0.8},
        [
            (-1.083576, 1.04752),
            (-1.0102955353864813, 1.078090630359808),
            (-0.9761959163746202, 1.0902710165083076),
            (-0.9711338565602511, 1.0879404610498522),
            (-0.9834179827837329, 1.0770243537336905),
        ],
    ),
    "adagrad": (
        {"learning_rate": 0.05, "epsilon": 0.5},
        [
            (-1.1501156871818603, 1.0497175141242938),
            (-1.1243610113091422, 1.075955163296183),
            (-1.107740469950136, 1.0929593944003013),
            (-1.0961655597112314, 1.1047338567722444),
            (-1.087800621503931, 1.1131145270677112),
        ],
    ),
    "rmsprop": (
        {"learning_rate": 0.01, "decay_rate": 0.8, "epsilon": 0.5},
        [
            (-1.177754677491492, 1.0220801529401806),
            (-1.1627301808101316, 1.0371295643144216),
            (-1.1506585766310082, 1.0492726907463672),
            (-1.1402956145542462, 1.0597212053067449),
            (-1.1310967082407477, 1.0690056244687463),
        ],
    ),
    "adadelta": (
        {"learning_rate": 0.7, "decay_rate": 0.8, "epsilon": 0.001},
        [
            (-1.1505025279790486, 1.0494974587037678),
            (-1.1112768533570665, 1.089509921338954),
            (-1.087061050814593, 1.1144010873508219),
            (-1.0742260909391497, 1.1270075559592367),
            (-1.0678035948960707, 1.1323769440585907),
        ],
    ),
    "adam": (
        {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.01},
        [
            (-1.150010369221947, 1.0499746030432833),
            (-1.1025544768317144, 1.0976297380468765),
            (-1.0608386527789793, 1.139596350151199),
            (-1.028823383063001, 1.1711180360000124),
            (-1.009351417262854, 1.1883852161039479),
        ],
    ),
}

# Learning rates for the quadratic (1000 steps) and for Rosenbrock's function (5000 steps).
DESCENT = {
    "sgd": (0.01, 0.001),
    "momentum": (0.005, 0.0005),
    "nesterov": (0.005, 0.0005),
    "adagrad": (0.5, 0.5),
    "rmsprop": (0.002, 0.001),
    "adadelta": (1.0, 0.2),
    "adam": (0.05, 0.02),
}

every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def rosenbrock_gradient(w: np.ndarray) -> np.ndarray:
    x, y = w[:, 0], w[:, 1]
    return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], axis=1)


def minimise(
    members: Sequence[Optimizer],
    gradient: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    n_steps: int,
) -> np.ndarray:
    """Where each member stood after each step, (n_steps, p, n)."""
    optimizer, w = type(members[0]), start.copy()
    slots = {name: np.zeros_like(w) for name in optimizer.slots}
    columns = stack(members, w.dtype)
    path = []
    for step in range(1, n_steps + 1):
        g = gradient(w)
        optimizer.update(w, g, slots, columns, step=step, scratch=np.full_like(w, np.nan))
        path.append(w.copy())
    return np.stack(path)


@every_optimizer
def test_steps_are_those_of_an_independent_implementation(name: str) -> None:
    params, wanted = row(name, TRAJECTORIES, "TRAJECTORIES in tests/unit/test_optimizers.py")
    path = minimise([OPTIMIZERS[name](**params)], rosenbrock_gradient, np.array([START]), 5)
    assert np.allclose(path[:, 0], wanted, rtol=1e-14, atol=0)


def test_nesterov_uses_the_old_velocity() -> None:
    # W = 1, L = W^2 / 2, lr 0.1, a 0.9, worked by hand in exact fractions: v = 0, -1/10, ...;
    # the slides' order, with the new velocity in a^2 v, gives 0.729, 0.458541, 0.215522.
    path = minimise([Nesterov(learning_rate=0.1)], lambda w: w.copy(), np.ones((1, 1)), 3)
    assert np.allclose(path[:, 0, 0], [0.81, 0.5751, 0.327321], rtol=1e-15, atol=0)


def at_rate(name: str, rate: float) -> Optimizer:
    """A member of this optimizer; every one has a learning rate."""
    optimizer: Any = OPTIMIZERS[name]
    made: Optimizer = optimizer(learning_rate=rate)
    return made


@every_optimizer
def test_a_rotated_problem_is_solved_by_rotated_steps_where_said(name: str) -> None:
    optimizer, scales = OPTIMIZERS[name], np.array([1.0, 10.0, 100.0])
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    start = np.array([[1.0, -0.5, 0.3]])
    member = at_rate(name, row(name, DESCENT, "DESCENT in tests/unit/test_optimizers.py")[0])
    plain = minimise([member], lambda w: scales * w, start, 20)
    turned = minimise([member], lambda w: scales * (w @ turn.T) @ turn, start @ turn, 20)
    assert np.allclose(plain @ turn, turned, atol=1e-12) == optimizer.rotation_invariant


@every_optimizer
def test_descends_a_badly_scaled_quadratic(name: str) -> None:
    scales = np.array([1.0, 10.0, 100.0])
    optimizer = at_rate(name, row(name, DESCENT, "DESCENT in tests/unit/test_optimizers.py")[0])
    path = minimise([optimizer], lambda w: scales * w, np.ones((1, 3)), 1000)
    assert np.abs(path[-1]).max() < 1e-2


@every_optimizer
def test_descends_the_valley_of_rosenbrock(name: str) -> None:
    optimizer = at_rate(name, row(name, DESCENT, "DESCENT in tests/unit/test_optimizers.py")[1])
    path = minimise([optimizer], rosenbrock_gradient, np.array([START]), 5000)
    x, y = path[-1, 0]
    assert (1 - x) ** 2 + 100 * (y - x**2) ** 2 < 0.05  # from 24.2


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bits(name: str, dtype: str) -> None:
    def noisy_path(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        start = rng.standard_normal((3, 7)).astype(dtype)
        return minimise(
            [OPTIMIZERS[name]()] * 3,
            lambda w: rng.standard_normal(w.shape).astype(dtype),
            start,
            20,
        )

    assert np.array_equal(noisy_path(1), noisy_path(1))
    assert not np.array_equal(noisy_path(1), noisy_path(2))


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_members_of_different_settings_move_as_each_alone(name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal((9, 7)).astype(dtype)
    pulls = rng.standard_normal((9, 7)).astype(dtype)
    optimizer = OPTIMIZERS[name]
    # Fields other than the learning rate differ too: all lie in [0, 1).
    members = [
        optimizer(**{field: rng.uniform(0.1, 0.9) for field in stack([optimizer()], start.dtype)})
        for _ in range(9)
    ]
    together = minimise(members, lambda w: w - pulls, start, 20)
    for at, member in enumerate(members):
        part = slice(at, at + 1)
        pull = pulls[part]
        alone = minimise([member], partial(np.add, -pull), start[part], 20)
        assert np.array_equal(alone[:, 0], together[:, at])


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_update_keeps_the_dtype_and_the_hyperparameters(name: str, dtype: str) -> None:
    optimizer = OPTIMIZERS[name]
    w, g = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    slots: dict[str, np.ndarray] = {slot: np.zeros_like(w) for slot in optimizer.slots}
    columns = stack([optimizer()] * 2, w.dtype)
    before = {key: column.copy() for key, column in columns.items()}
    optimizer.update(w, g, slots, columns, step=1, scratch=np.empty_like(w))
    assert {a.dtype for a in (w, *slots.values(), *columns.values())} == {np.dtype(dtype)}
    assert all(np.array_equal(columns[key], before[key]) for key in before)


@every_optimizer
def test_every_slot_is_used(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    w = np.ones((1, 3))
    slots: dict[str, np.ndarray] = {slot: np.zeros_like(w) for slot in optimizer.slots}
    columns = stack([optimizer()], w.dtype)
    for step in (1, 2):  # a slot for the change of the gradient is 0 after the first step
        g = np.full_like(w, step)
        optimizer.update(w, g, slots, columns, step=step, scratch=np.empty_like(w))
    unused = [slot for slot, array in slots.items() if not array.all()]
    assert unused == [], "every slot must change in the first two steps"
