"""Every layer and loss, from one table: gradients, company, refusals, inference."""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import pytest

from hpsearch.nn import (
    ACTIVATIONS,
    LOSSES,
    Affine,
    BatchLast,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    MaxPooling,
    Network,
)
from hpsearch.nn.gradient_check import gradient_error

D, H, K = 63, 5, 3  # 63 inputs are also 1 image of 7 x 9 pixels
RATES = (0.3, 0.0, 0.7, 0.1, 0.5)  # of members with dropout


def activated(activation: type[Layer]) -> tuple[list[Layer], int]:
    """An affine layer with an activation, and its width."""
    return [Affine(D, H), activation()], H


# What stands between D inputs and an affine layer to K outputs, and its width.
CASES: dict[str, Callable[[], tuple[list[Layer], int]]] = {
    "none": lambda: ([], D),
    **{name: partial(activated, activation) for name, activation in ACTIVATIONS.items()},
    "batch norm": lambda: ([Affine(D, H), BatchNorm(H)], H),
    "batch norm of one unit": lambda: ([Affine(D, 1), BatchNorm(1)], 1),
    "dropout": lambda: ([Affine(D, H), Dropout()], H),
    "convolution": lambda: ([BatchLast(1, 7, 9), Convolution(1, 2, 3), Flatten()], 2 * 5 * 7),
    "convolution of the whole image": lambda: (
        [BatchLast(1, 9, 7), Convolution(1, 2, 7), Flatten()],
        2 * 3,
    ),
    "convolutions of several channels": lambda: (
        [BatchLast(7, 3, 3), Convolution(7, 3, 2), Convolution(3, 4, 1), Flatten()],
        4 * 2 * 2,
    ),
    "pooling with odd sides": lambda: (
        [BatchLast(1, 7, 9), Convolution(1, 2, 1), MaxPooling(), Flatten()],
        2 * 3 * 4,
    ),
    "convolution behind pooling": lambda: (
        [BatchLast(1, 7, 9), Convolution(1, 2, 2), MaxPooling(), Convolution(2, 3, 2), Flatten()],
        3 * 2 * 3,
    ),
    "convolution by minimal filtering, four outputs at once": lambda: (
        [BatchLast(1, 7, 9), Convolution(1, 7, 4), Convolution(7, 3, 3), Flatten()],
        3 * 2 * 4,
    ),
    "convolution by minimal filtering, two outputs at once": lambda: (
        [BatchLast(1, 7, 9), Convolution(1, 10, 3), Convolution(10, 3, 2), Flatten()],
        3 * 4 * 6,
    ),
}
MEMBERS, IMAGES = (1, 5), (1, 2, 7)


def made(
    case: str,
    n_members: int,
    loss: str = "softmax-cross-entropy",
    dtype: str = "float64",
    first: int = 0,
) -> Network:
    """A network around a case. Its rows are the members `first` and on, each with its own seed."""
    middle, width = CASES[case]()
    network = Network([*middle, Affine(width, K)], n_members, dtype, loss=LOSSES[loss])
    for row in range(n_members):
        rng = np.random.default_rng(first + row)
        network.w[row] = 0.4 * rng.standard_normal(network.w.shape[1])
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.set_member(row, RATES[(first + row) % 5], rng)
                network.mask_generators[row] = rng
    return network


def batch(n_members: int, n_images: int, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(99)
    x = rng.standard_normal((n_members, n_images, D)).astype(dtype)
    return x, rng.integers(0, K, (n_members, n_images))


def test_the_table_holds_every_layer() -> None:
    used = {type(layer) for case in CASES.values() for layer in case()[0]} | {Affine}
    ours = {cls for cls in Layer.__subclasses__() if cls.__module__.startswith("hpsearch")}
    assert used == ours


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("case", "n_members", "n_images"), list(product(CASES, MEMBERS, IMAGES)))
def test_analytic_gradient_is_the_numerical_one(
    case: str, n_members: int, n_images: int, loss: str
) -> None:
    network, twin = (made(case, n_members, loss) for _ in range(2))  # with the same masks
    x, labels = batch(n_members, n_images)
    trained = network.loss_and_gradient(x.copy(), labels)
    assert np.allclose(twin.mean_loss(x.copy(), labels), trained, rtol=1e-13, atol=0)
    assert gradient_error(network, x, labels) < 1e-7


@pytest.mark.parametrize(("case", "n_images"), list(product(CASES, IMAGES)))
@pytest.mark.parametrize("n_members", [8, 32])
def test_a_member_has_the_same_bits_alone(case: str, n_images: int, n_members: int) -> None:
    together = made(case, n_members, dtype="float32")
    x, labels = batch(n_members, n_images, "float32")
    loss = together.loss_and_gradient(x.copy(), labels).copy()
    for row in range(0, n_members, 3):
        alone = made(case, 1, dtype="float32", first=row)
        own = slice(row, row + 1)
        assert alone.loss_and_gradient(x[own].copy(), labels[own])[0] == loss[row]
        assert np.array_equal(alone.g[0], together.g[row])
        assert np.array_equal(alone.statistics[0], together.statistics[row])


@pytest.mark.parametrize("case", CASES)
def test_a_short_mini_batch_leaves_nothing_of_a_longer_one_behind(case: str) -> None:
    used, fresh = made(case, 2), made(case, 2)
    states = [g.bit_generator.state for g in used.mask_generators if g is not None]
    used.loss_and_gradient(*batch(2, 7))
    for rng, state in zip(used.mask_generators, states, strict=False):
        assert rng is not None
        rng.bit_generator.state = state
    used.loss_and_gradient(*batch(2, 3))
    fresh.loss_and_gradient(*batch(2, 3))
    assert np.array_equal(used.g, fresh.g)


@pytest.mark.parametrize("case", CASES)
def test_an_empty_mini_batch_is_refused(case: str) -> None:
    with pytest.raises(ValueError, match="a mini-batch must have at least 1 image, got 0"):
        made(case, 2).loss_and_gradient(np.empty((2, 0, D)), np.empty((2, 0), int))


@pytest.mark.parametrize("case", [c for c in CASES if "batch norm" not in c and c != "dropout"])
def test_inference_in_columns_is_the_training_pass(case: str) -> None:
    network = made(case, 2)
    x, _ = batch(2, 4)
    trained = x.copy()
    for layer in network.layers:
        trained = layer.forward(trained)
    for row in range(2):
        columns = network.logits(row, np.ascontiguousarray(x[row].T))
        assert np.allclose(columns.T, trained[row], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", [c for c in CASES if c != "dropout"])
def test_inference_may_come_between_a_training_pass_and_its_gradient(case: str) -> None:
    quiet, disturbed = made(case, 2), made(case, 2)
    x, labels = batch(2, 4)
    quiet.loss_and_gradient(x.copy(), labels)
    y = disturbed._forward(x.copy())
    for n_images in (1, 31):
        disturbed.logits(0, np.ascontiguousarray(batch(1, n_images)[0][0].T))
    disturbed._backward(disturbed.loss.gradient(y, labels))
    assert np.array_equal(disturbed.g, quiet.g)


@pytest.mark.parametrize("case", [c for c in CASES if c != "none"])
def test_inference_changes_neither_images_nor_statistics(case: str) -> None:
    network = made(case, 1)
    x = np.ascontiguousarray(batch(1, 4)[0][0].T)
    before, statistics = x.copy(), network.statistics.copy()
    first = network.logits(0, x).copy()
    assert np.array_equal(network.logits(0, x), first)
    assert np.array_equal(x, before)
    assert np.array_equal(network.statistics, statistics)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BatchNorm(0), "at least 1 unit, got 0"),
        (lambda: BatchLast(1, 0, 3), "at least 1 channel, row and column, got 1 x 0 x 3"),
        (lambda: Convolution(1, 0, 3), "at least 1 channel, filter and kernel row, got 1, 0"),
        (
            lambda: Network([Convolution(1, 1, 3)], 1).layers[0].forward(np.ones((1, 1, 2, 5, 1))),
            "1 channels of at least 3 x 3, got 1 of 2 x 5",
        ),
        (
            lambda: MaxPooling().forward(np.ones((1, 1, 1, 4, 1))),
            "at least 2 x 2 pixels, got 1 x 4",
        ),
    ],
)
def test_impossible_sizes_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
