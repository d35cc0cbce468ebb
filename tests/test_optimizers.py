"""Every optimizer of the catalogue: a reference, descent, and independence of its neighbours."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from hpsearch.optimizers import OPTIMIZERS, Optimizer, stack

START = (-1.2, 1.0)  # the usual start on Rosenbrock's function

# Five steps on Rosenbrock's function from START, in float64.
# sgd, momentum: PyTorch 2.13.0, torch.optim.SGD(lr=0.002) and SGD(lr=0.0005, momentum=0.8),
#   gradients by autograd.
# adam: Python's decimal with 60 digits, from the equations of Kingma & Ba with eps added to the
#   uncorrected sqrt(v); and PyTorch 2.13.0, torch.optim.Adam, whose eps was set to
#   eps / sqrt(1 - beta2^t) before step t, which is the same update: they agree to 3e-16. The large
#   eps makes its place count: PyTorch's own is off by 1e-5 after one step.
REFERENCES: dict[str, tuple[dict[str, float], list[tuple[float, float]]]] = {
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
DESCENT = {"sgd": (0.01, 0.001), "momentum": (0.005, 0.0005), "adam": (0.05, 0.02)}

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
        optimizer.update(w, gradient(w), slots, columns, step)
        path.append(w.copy())
    return np.stack(path)


@every_optimizer
def test_steps_are_those_of_an_independent_implementation(name: str) -> None:
    params, wanted = REFERENCES[name]
    path = minimise([OPTIMIZERS[name](**params)], rosenbrock_gradient, np.array([START]), 5)
    assert np.allclose(path[:, 0], wanted, rtol=1e-14, atol=0)


@every_optimizer
def test_descends_a_badly_scaled_quadratic(name: str) -> None:
    scales = np.array([1.0, 10.0, 100.0])
    optimizer = OPTIMIZERS[name](learning_rate=DESCENT[name][0])
    path = minimise([optimizer], lambda w: scales * w, np.ones((1, 3)), 1000)
    assert np.abs(path[-1]).max() < 1e-2


@every_optimizer
def test_descends_the_valley_of_rosenbrock(name: str) -> None:
    optimizer = OPTIMIZERS[name](learning_rate=DESCENT[name][1])
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
    for row, member in enumerate(members):
        part = slice(row, row + 1)
        pull = pulls[part]
        alone = minimise([member], lambda w, pull=pull: w - pull, start[part], 20)
        assert np.array_equal(alone[:, 0], together[:, row])


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_update_keeps_the_dtype_and_the_hyperparameters(name: str, dtype: str) -> None:
    optimizer = OPTIMIZERS[name]
    w, g = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    slots = {slot: np.zeros_like(w) for slot in optimizer.slots}
    columns = stack([optimizer()] * 2, w.dtype)
    before = {key: column.copy() for key, column in columns.items()}
    optimizer.update(w, g, slots, columns, 1)
    assert {a.dtype for a in (w, *slots.values(), *columns.values())} == {np.dtype(dtype)}
    assert all(np.array_equal(columns[key], before[key]) for key in before)


@every_optimizer
def test_every_slot_is_used(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    w = np.ones((1, 3))
    slots = {slot: np.zeros_like(w) for slot in optimizer.slots}
    optimizer.update(w, np.ones_like(w), slots, stack([optimizer()], w.dtype), 1)
    assert all(array.all() for array in slots.values())
