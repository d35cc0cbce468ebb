"""Epochs of so many mini-batches, and scores of a part of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from hpsearch.trainers import Split, TrainingData
from hpsearch.trainers.backprop import Backprop
from tests.harness.populations import member, train, weights


def metered(data: TrainingData, **params: int) -> list[bytes | None]:
    trainer = Backprop([member(0, **params)], data, n_epochs=12)
    return [trainer.state(0) for _ in trainer.run(12)]


def test_epochs_of_a_pass_in_mini_batches_are_the_plain_ones(digits: TrainingData) -> None:
    # 50 training images in mini-batches of 7: 8 a pass.
    for plain, counted in zip(metered(digits), metered(digits, epoch_iterations=8), strict=True):
        assert np.array_equal(weights(plain), weights(counted))


@pytest.mark.parametrize(("length", "every"), [(2, 4), (4, 2), (16, 1)])
def test_passes_go_on_across_epochs(length: int, every: int, digits: TrainingData) -> None:
    """The same mini-batches, however they are counted; a constant rate knows no epochs."""
    params = {"learning_rate_policy": "constant"}
    plain = metered(digits, **params)  # type: ignore[arg-type]
    counted = metered(digits, epoch_iterations=length, **params)  # type: ignore[arg-type]
    if length < 8:
        assert np.array_equal(weights(plain[0]), weights(counted[every - 1]))
        assert np.array_equal(weights(plain[1]), weights(counted[2 * every - 1]))
    else:
        assert np.array_equal(weights(plain[3]), weights(counted[1]))


def test_images_are_counted_as_mini_batches_hold_them(digits: TrainingData) -> None:
    # The last mini-batch of a pass holds 1 image, 50 being 7 of 7 and that.
    plain = Backprop([member(0)], digits, n_epochs=3)
    assert [plain.images(0) for _ in plain.run(3)] == [50, 100, 150]
    counted = Backprop([member(0, epoch_iterations=5)], digits, n_epochs=4)
    assert [counted.images(0) for _ in counted.run(4)] == [35, 64, 99, 128]
    again = Backprop(
        [replace(member(0, epoch_iterations=5), state=counted.state(0))], digits, n_epochs=5
    )
    assert [again.images(0) for _ in again.run(5)] == [157]


@pytest.mark.parametrize("streams", ["spawned", "legacy"])
@pytest.mark.parametrize("pause", [1, 2, 3])
def test_a_member_paused_within_a_pass_continues_to_the_same_bits(
    pause: int, streams: str, digits: TrainingData
) -> None:
    members = [member(i, epoch_iterations=3, random_streams=streams) for i in range(4)]
    members = [replace(m, split=0) for m in members]
    whole = train(members, digits, until=6)
    first = Backprop(members, digits, n_epochs=6)
    assert len([*first.run(pause)]) == pause
    paused = [replace(m, state=first.state(i)) for i, m in enumerate(members)]
    rest = Backprop(paused, digits, n_epochs=6)
    assert len([*rest.run(6)]) == 6 - pause
    for i, outcome in enumerate(whole):
        long = Backprop(members, digits, n_epochs=6)
        assert len([*long.run(6)]) == 6
        assert rest.state(i) == long.state(i)
        assert outcome.state is not None


def test_scores_of_a_part_are_those_rows_scores(digits: TrainingData) -> None:
    """Rows that nobody scores are left out of the evaluation, and change nothing else."""
    whole = digits.splits[0]
    some = whole.train[::5]
    part = TrainingData(
        digits.inputs,
        digits.labels,
        n_classes=10,
        splits=[Split(whole.train, whole.validation, scored_train=some)],
        scale=digits.scale,
        scored=np.unique(np.concatenate([some, whole.validation])),
    )
    one = replace(member(0), split=0)
    ours, theirs = Backprop([one], part, n_epochs=3), Backprop([one], digits, n_epochs=3)
    ends = [[*trainer.run(3)][-1].metrics for trainer in (ours, theirs)]
    assert ends[0]["validation_accuracy"] == ends[1]["validation_accuracy"]
    assert ends[0]["validation_loss"] == pytest.approx(ends[1]["validation_loss"], rel=1e-6)
    mine, others = ours.predictions(0), theirs.predictions(0)
    assert mine is not None
    assert others is not None
    assert np.array_equal(mine, others)
    hits, losses = theirs._evaluate()
    assert ends[0]["train_accuracy"] == hits[0, some].mean()
    assert ends[0]["train_loss"] == pytest.approx(losses[0, some].mean(), rel=1e-6)


def test_only_training_is_measured(digits: TrainingData) -> None:
    inside: list[bool] = []

    @contextmanager
    def around() -> Iterator[None]:
        inside.append(True)
        yield
        inside.append(False)

    trainer = Backprop([member(0)], digits, n_epochs=2)
    evaluate, seen = trainer._evaluate, []
    trainer._evaluate = lambda: (seen.append(inside[-1]), evaluate())[1]  # type: ignore[method-assign, func-returns-value]
    assert len([*trainer.run(2, around=around)]) == 2
    assert inside == [True, False, True, False]
    assert seen == [False, False]
