"""Losses against their definitions, evaluated with Python's own numbers."""

import math

import numpy as np
import pytest

from hpsearch.nn.losses import MeanSquaredError, SoftmaxCrossEntropy, SquaredError, scored_columns

LOGITS = np.array([[[1.0, 2.0, -1.0], [0.5, 0.0, 0.0]], [[0.0, 0.0, 0.0], [3.0, 1.0, 2.0]]])
LABELS = np.array([[0, 2], [1, 0]])


def cross_entropy(logits: list[float], label: int) -> float:
    return math.log(math.fsum(math.exp(z) for z in logits)) - logits[label]


def test_loss_is_the_mean_over_the_mini_batch_of_each_member() -> None:
    loss, _ = SoftmaxCrossEntropy().value_and_gradient(LOGITS.copy(), LABELS)
    for p in range(2):
        wanted = [cross_entropy(LOGITS[p, i].tolist(), LABELS[p, i]) for i in range(2)]
        assert math.isclose(loss[p], sum(wanted) / 2, rel_tol=1e-14)


def test_the_gradient_of_every_image_sums_to_zero() -> None:
    _, d = SoftmaxCrossEntropy().value_and_gradient(LOGITS.copy(), LABELS)
    assert np.abs(d.sum(axis=2)).max() < 1e-16


def test_losses_in_columns_are_those_of_single_images() -> None:
    columns = LOGITS[:1].swapaxes(1, 2).copy()
    losses = scored_columns(columns, LABELS[0], SoftmaxCrossEntropy())[1][0]
    wanted = [cross_entropy(LOGITS[0, i].tolist(), LABELS[0, i]) for i in range(2)]
    assert np.allclose(losses, wanted, rtol=1e-14)


def test_large_logits_do_not_overflow() -> None:
    large = np.array([[[1e4, 0.0, -1e4]]], np.float32)
    loss, d = SoftmaxCrossEntropy().value_and_gradient(large.copy(), np.array([[1]]))
    assert loss[0] == 1e4
    assert d.tolist() == [[[1, -1, 0]]]
    columns = large.swapaxes(1, 2)
    assert scored_columns(columns, np.array([1]), SoftmaxCrossEntropy())[1] == [[1e4]]


def half_squares(outputs: list[float], label: int) -> float:
    return math.fsum((z - (k == label)) ** 2 for k, z in enumerate(outputs)) / 2


def test_squared_error_is_half_the_squared_distance_from_the_one_hot_vector() -> None:
    loss, d = MeanSquaredError().value_and_gradient(LOGITS.copy(), LABELS)
    for p in range(2):
        wanted = [half_squares(LOGITS[p, i].tolist(), LABELS[p, i]) for i in range(2)]
        assert math.isclose(loss[p], sum(wanted) / 2, rel_tol=1e-14)
    assert np.array_equal(d[0, 0] * 2, [0, 2, -1])


def test_squared_errors_in_columns_are_those_of_single_images() -> None:
    columns = LOGITS[:1].swapaxes(1, 2).copy()
    losses = scored_columns(columns, LABELS[0], MeanSquaredError())[1][0]
    wanted = [half_squares(LOGITS[0, i].tolist(), LABELS[0, i]) for i in range(2)]
    assert np.allclose(losses, wanted, rtol=1e-14)
    assert np.array_equal(columns[0].T, LOGITS[0])


def test_squared_error_of_numbers_is_half_the_squared_distance() -> None:
    outputs, numbers = np.array([[[1.0], [4.0]]]), np.array([[3.0, 3.5]])
    loss, d = SquaredError().value_and_gradient(outputs.copy(), numbers)
    assert loss.tolist() == [(2.0**2 + 0.5**2) / 4]
    assert d.tolist() == [[[-1.0], [0.25]]]


def test_the_first_among_equal_outputs_is_the_answer() -> None:
    columns = np.array([[[1.0, 2, 0, np.nan], [1, 2, 0, 1], [0, 3, 0, 1]]])
    labels = np.array([1, 2, 0, 0])
    hits, _ = scored_columns(columns, labels, SoftmaxCrossEntropy())
    assert hits.tolist() == [[False, True, True, True]]  # as argmax has it
    assert np.array_equal(hits, columns.argmax(axis=1) == labels)


def test_hits_without_equals_are_those_of_argmax() -> None:
    rng = np.random.default_rng(0)
    columns, labels = rng.standard_normal((3, 10, 50)), rng.integers(10, size=50)
    hits, _ = scored_columns(columns, labels, MeanSquaredError())
    assert np.array_equal(hits, columns.argmax(axis=1) == labels)
    assert 0 < hits.sum() < hits.size


def test_ties_and_numbers_that_are_none_do_not_cancel() -> None:
    tied = np.zeros((1, 2, 4))  # every class is the largest
    broken = np.full((1, 2, 4), np.nan)
    labels = np.array([0, 1, 0, 1])
    alone, _ = scored_columns(tied, labels, SoftmaxCrossEntropy())
    beside, _ = scored_columns(np.concatenate([tied, broken]), labels, SoftmaxCrossEntropy())
    assert alone[0].tolist() == beside[0].tolist() == [True, False, True, False]


@pytest.mark.parametrize("n_classes", [2, 10, 17])
def test_an_image_has_the_same_gradient_alone_and_among_others(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((32, 5, n_classes)).astype(np.float32)
    labels = rng.integers(n_classes, size=(32, 5))
    loss = SoftmaxCrossEntropy()
    values, both = loss.value_and_gradient(outputs.copy(), labels)
    assert np.array_equal(both, loss.gradient(outputs.copy(), labels))
    for p in range(32):
        member = slice(p, p + 1)
        whole, own = SoftmaxCrossEntropy().value_and_gradient(
            outputs[member].copy(), labels[member]
        )
        assert np.array_equal(own, both[member])
        assert whole[0] == values[p]
    single = outputs[:, :1]
    many = loss.gradient(single.copy(), labels[:, :1])
    for p in range(32):
        alone = loss.gradient(single[p : p + 1].copy(), labels[p : p + 1, :1])
        assert np.array_equal(alone[0], many[p])
