"""Slices: a population advances for some time, pauses, and goes on to the same bits."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpsearch.datasets.selection import Selection, open_test
from hpsearch.datasets.split_kinds import KFold
from hpsearch.errors import StudyChangedError
from hpsearch.execution import population
from hpsearch.execution.examples import training_data
from hpsearch.execution.population import (
    load_own_code,
    population_key,
    population_limit,
    run_slice,
)
from hpsearch.execution.slices import MemberAdvance, Slice, SliceSettings
from hpsearch.own_code import content_digest
from hpsearch.trainers import Member, Program, Schedule
from hpsearch.trainers.backprop import MAX_POPULATION

DATA = Selection("digits", shots=6, split=KFold(3))


def member(number: int, **params: int | float | str) -> Member:
    trainer = ("sgd", "momentum", "adam")[number % 3]
    own: dict[str, Any] = {
        "trainer": trainer,
        "network": "two-layer",
        "hidden": 12,
        "batch_size": 5,
    }
    return Member({**own, "learning_rate": 0.01, **params}, (7, number), number % 3)


def sliced(*members: Member, until: int = 4, seconds: float = math.inf, folder: str = "") -> Slice:
    return Slice(SliceSettings(DATA, "validation", 4, seconds, folder), members, until)


def changed(work: Slice, **settings: Any) -> Slice:
    return replace(work, settings=replace(work.settings, **settings))


def advance(work: Slice) -> list[MemberAdvance]:
    result = run_slice(work)
    assert result.error is None
    return list(result.members)


def test_a_slice_without_a_limit_runs_to_its_end() -> None:
    for gain in advance(sliced(*map(member, range(4)))):
        assert len(gain.rows) == 4
        assert set(gain.rows[0][1]) == {
            "train_loss",
            "train_accuracy",
            "validation_loss",
            "validation_accuracy",
        }


def test_a_slice_pauses_after_its_time_and_goes_on_to_the_same_bits() -> None:
    members = [member(i) for i in range(4)]
    whole = advance(sliced(*members))
    work = sliced(*members, seconds=0)
    rows: list[list[Any]] = [[] for _ in members]
    for _ in range(4):
        gains = advance(work)
        for row, gain in zip(rows, gains, strict=True):
            assert len(gain.rows) == 1  # no time at all is still an epoch
            row += gain.rows
        states = [gain.state for gain in gains]
        paused = [replace(m, state=s) for m, s in zip(members, states, strict=True)]
        work = replace(work, members=tuple(paused))
    assert [tuple(row) for row in rows] == [gain.rows for gain in whole]
    assert states == [gain.state for gain in whole]


def test_a_function_with_a_state_pauses_and_goes_on(steady: str, tmp_path: Path) -> None:
    one = Member({"trainer": steady}, (1,), 0)
    (whole,) = advance(sliced(one, folder=str(tmp_path)))
    (first,) = advance(sliced(one, seconds=0, folder=str(tmp_path)))
    (rest,) = advance(sliced(replace(one, state=first.state), folder=str(tmp_path)))
    assert len(first.rows) == 1
    assert first.rows + rest.rows == whole.rows


def test_a_function_without_a_state_is_not_paused(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    name = write("""
        def train(params, data, seed):
            while True:
                yield {"validation_accuracy": 0.5}
    """)
    one = Member({"trainer": name}, (1,), 0)
    (gain,) = advance(sliced(one, seconds=0, folder=str(tmp_path)))
    assert len(gain.rows) == 4


@pytest.mark.parametrize(
    ("decisive", "diverged_by"),
    [(("score",), ""), (("score", "precision"), "precision"), (None, "precision")],
)
def test_only_decisive_metrics_must_be_finite(
    decisive: tuple[str, ...] | None,
    diverged_by: str,
    write: Callable[[str], str],
    tmp_path: Path,
) -> None:
    name = write("""
        def train(params, data, seed):
            yield {"score": 0.5, "precision": 0.5}
            while True:
                yield {"score": 0.75, "precision": float("nan")}
    """)
    one = Member({"trainer": name}, (1,), 0)
    (gain,) = advance(changed(sliced(one, folder=str(tmp_path)), decisive=decisive))
    assert (gain.diverged, gain.diverged_by) == (diverged_by != "", diverged_by)
    assert len(gain.rows) == (1 if diverged_by else 4)


def test_a_diverged_member_ends_and_the_others_go_on_alike() -> None:
    calm = [member(0), member(1), member(2)]
    wild = member(3, learning_rate=1e30)
    *_, diverged = gains = advance(sliced(*calm, wild))
    assert diverged == MemberAdvance(0, (), None, True)
    assert gains[:3] == advance(sliced(*calm))


def test_a_member_that_diverges_later_keeps_its_finite_epochs() -> None:
    # Both layers grow a hundredfold a step: logits overflow in the second epoch of 8 steps.
    wild = member(0, learning_rate=100.0, weight_decay=1.0)
    first, second = advance(sliced(wild, member(3)))
    assert (len(first.rows), first.state, first.diverged) == (1, None, True)
    assert [second] == advance(sliced(member(3)))


@pytest.mark.parametrize("trainer", ["sgd", "function", "sklearn.linear_model.SGDClassifier"])
def test_only_every_third_epoch_and_the_last_are_evaluated(
    trainer: str, steady: str, tmp_path: Path
) -> None:
    one = Member({"trainer": steady if trainer == "function" else trainer}, (1,), 0)
    if trainer == "sgd":
        one = member(0)
    every = sliced(one, folder=str(tmp_path), until=4)
    (whole,) = advance(every)
    (gain,) = advance(changed(every, schedule=Schedule(3)))
    assert gain.epochs == whole.epochs == 4
    assert gain.rows == tuple(row for row in whole.rows if row[0] in (3, 4))
    assert gain.state == whole.state
    (first,) = advance(changed(every, schedule=Schedule(3), seconds=0))
    assert (first.epochs, first.rows) == (1, ())


def test_the_accuracy_of_each_class_is_told_if_asked_for() -> None:
    (gain,) = advance(changed(sliced(member(0)), per_class=True))
    _, row = gain.rows[-1]
    of_classes = [row[f"validation_accuracy/class_{k}"] for k in range(10)]
    # The same number of images of each class in the fold, so the mean is the accuracy.
    assert np.isclose(np.mean(of_classes), row["validation_accuracy"])
    assert gain.predicted is None


@pytest.mark.parametrize("trainer", ["sgd", "sklearn.svm.SVC"])
def test_the_exam_on_the_test_set_tells_predictions(trainer: str) -> None:
    one = member(0) if trainer == "sgd" else Member({"trainer": trainer}, (1,), 0)
    work = changed(sliced(replace(one, split=0)), exam="test", schedule=Schedule(4))
    (gain,) = advance(work)
    ((epoch, row),) = gain.rows
    assert epoch == 4
    pool = open_test(DATA)
    true = pool.examples.labels[pool.splits[0][1]]
    assert np.isclose((np.array(gain.predicted) == true).mean(), row["validation_accuracy"])


def test_an_exception_comes_back_as_text() -> None:
    result = run_slice(sliced(member(0), member(3, learning_rate=-1)))
    assert result.members == ()
    assert "learning_rate must be a number above 0, got -1" in str(result.error)


def test_time_is_measured() -> None:
    result = run_slice(sliced(member(0)))
    assert result.use.wall_seconds > result.use.opening_seconds > 0
    assert result.use.cpu_seconds > 0


def test_the_exam_on_the_test_set_learns_from_all_rows() -> None:
    data = training_data(DATA, "test")
    ((train, held),) = [(split.train, split.validation) for split in data.splits]
    assert (len(train), len(held)) == (60, 359)


@pytest.mark.parametrize("params", [{"hidden": 13}, {"batch_size": 6}, {"dtype": "float64"}])
def test_members_of_different_shapes_have_different_keys(params: dict[str, int | str]) -> None:
    data = training_data(DATA, "validation")
    assert population_key(member(0, **params), data) != population_key(member(0), data)


def test_members_of_different_optimizers_and_folds_have_one_key() -> None:
    data = training_data(DATA, "validation")
    keys = {population_key(member(i, learning_rate=0.1 * (i + 1)), data) for i in range(3)}
    assert len(keys) == 1


def test_a_default_and_the_same_value_written_out_have_one_key() -> None:
    data = training_data(DATA, "validation")
    assert population_key(member(0), data) == population_key(member(0, dtype="float32"), data)


@pytest.mark.parametrize(("hidden", "limit"), [(12, MAX_POPULATION), (100, 15), (5000, 1)])
def test_weights_and_gradients_of_a_population_fit_the_cache(
    hidden: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 51 of 64 pixels have ink in the 60 images: 51 * 100 + 100 + 100 * 10 + 10 = 6,210 weights,
    # 8 bytes each with their gradients.
    monkeypatch.setattr(population, "l2_cache_bytes", lambda: 15 * 8 * 6210)
    data = training_data(DATA, "validation")
    assert population_limit(member(0, hidden=hidden), data) == limit


def test_a_function_trains_one_member_at_a_time() -> None:
    one = Member({"trainer": "mine:train"}, (1,), 0)
    assert population_limit(one, training_data(DATA, "validation")) == 1


def test_a_script_that_changed_is_not_run(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text("echo 1")
    files = (("train.sh", content_digest(script)),)
    program = Program(("sh", "train.sh"), ("loss",), str(tmp_path), files=files)
    one = Member({"trainer": "program"}, (0, 0, 0, 0), 0, program=program)
    settings = SliceSettings(Selection(""), "validation", 1, math.inf, str(tmp_path))
    load_own_code(Slice(settings, (one,), 1))
    script.write_text("echo 2")
    with pytest.raises(StudyChangedError, match=r"while the study was running: train\.sh"):
        load_own_code(Slice(settings, (one,), 1))
    script.unlink()
    with pytest.raises(StudyChangedError, match=r"while the study was running: train\.sh"):
        load_own_code(Slice(settings, (one,), 1))
