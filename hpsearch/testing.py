"""Test your own training function before a study searches its hyperparameters.

    from hpsearch.testing import check_function

    def test_my_function():
        check_function("mymodule:train", {"alpha": 0.01}, data="digits", shots=10)

Everything runs in this process, with the code that a study's workers use, so the check finds
problems that would otherwise appear in the middle of a search, or not at all.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.counts import count_of
from hpsearch.datasets.opened import forget_opened
from hpsearch.datasets.selection import Selection
from hpsearch.errors import TrainerError, conclusion
from hpsearch.execution.code_rules import (
    REPEAT_HINT,
    Rehearsal,
    Rows,
    final_test_rule,
    first_deviation,
    pause_hint,
    pause_rule,
    rehearse,
    repeat_rule,
    with_pauses,
)
from hpsearch.execution.examples import open_data
from hpsearch.execution.population import run_slice
from hpsearch.execution.scores import Scoring
from hpsearch.execution.slices import MemberAdvance, Slice, SliceSettings
from hpsearch.hyperparameters import ParamValue
from hpsearch.own_code import look_first_in
from hpsearch.records.seed_key import SeedKey
from hpsearch.studyfile.tables.data import Data
from hpsearch.trainers import (
    Member,
    forget_changed_code,
    load_training_function,
    makes_estimator,
    takes_data,
    takes_final,
    takes_state,
)

__all__ = ["TrainerCheck", "TrainerError", "check_function", "check_trainer"]


@dataclass(frozen=True)
class TrainerCheck:
    """The result of `check_function` for a function that follows all rules.

    Attributes:
        metrics: the metrics by name, for every epoch from 1.
        can_pause: whether it takes a `state` or a `checkpoint`; otherwise a promoted trial is
            trained again from its start.
        test_sealed: whether it trains in the final test without reading the test set; otherwise
            its test score is marked as optimistic.
    """

    metrics: Mapping[int, Mapping[str, float]]
    can_pause: bool
    test_sealed: bool = True


def check_function(
    trainer: str,
    params: Mapping[str, ParamValue] | None = None,
    *,
    data: str = "digits",
    target: str | None = None,
    shots: int | None = 10,
    folder: str | Path = ".",
    epochs: int = 2,
    seed: int = 0,
    metrics: Sequence[str] = (),
) -> TrainerCheck:
    """Run a training function without pauses, once more, and with a pause after every epoch.

    It must yield finite metrics with valid names, the same ones every epoch; give the same numbers
    for the same seed; yield a state that can be pickled, if it takes one, or resume from its
    checkpoint; give the same numbers with pauses as without, to the last bit; and train without
    validation data, as in the final test, if it takes `final`. A function that takes only params
    and seed gets no data.

    Args:
        trainer: "module:function", as in a study file's [space].
        params: the function's `params`; None: {}.
        data: a named data set, or a path as in [data] name, relative to `folder`. A fifth of its
            rows is used for validation.
        target: the column of a table to predict.
        shots: examples per class; None: all, which is required if numbers are predicted.
        folder: the folder that is searched for the module before Python's path.
        epochs: the training length, at least 2.
        seed: the seed for drawing the examples and for the function.
        metrics: scores to compute from its predictions, named as in `evaluation.metrics`.

    Returns:
        The metrics by epoch, and whether the function can pause.

    Raises:
        TrainerError: a rule is broken; the message says which, how, and what to do.
        StudyFileError: the function can't be imported.
        DataError: the data is missing, or too small.
    """
    _check_arguments(trainer, shots, epochs)
    folder = Path(folder).absolute()
    with _first_on_path(folder):
        if makes_estimator(trainer):
            raise TrainerError(
                f"{trainer} must be a training function, got one that takes only params and makes "
                "an estimator: a study tries it on a few rows before anything runs"
            )
        load_training_function(trainer)
        can_pause = takes_state(trainer)
        has_data = takes_data(trainer)
        selection = Selection("", seed=seed)
        if has_data:
            selection = Data(name=data, target=target, shots=shots).selection(seed, folder)
        forget_opened()  # the file may have changed since the last check in this process
        open_data(selection)
        member = Member({**(params or {}), "trainer": trainer}, SeedKey(seed, 0, 0, 0), 0)
        settings = SliceSettings(
            selection,
            "validation",
            epochs,
            math.inf,
            str(folder),
            may_end_early=False,
            scoring=Scoring(tuple(f"validation_{name}" for name in metrics)),
        )
        whole = Slice(settings, (member,), epochs)
        pickles = " and yield a state that pickles" if can_pause else ""
        first = _run(whole, f"must train {count_of(epochs, 'epoch')}{pickles}")
        rows = first.rows
        _check_metrics(trainer, first, epochs)
        again = _run(whole, "must train a second time in the same process")
        _check_equal(rows, again.rows, repeat_rule(trainer), REPEAT_HINT)
        with TemporaryDirectory(prefix="hpsearch-") as place:
            kept = replace(whole, members=(replace(member, folder=place),))
            paused = list(with_pauses(kept, _resume))
        hint = pause_hint(trainer, takes_state=can_pause)
        _check_equal(rows, paused, pause_rule(trainer), hint)
        rehearsal = rehearse(whole) if has_data else Rehearsal()
        if has_data:
            _check_rehearsal(trainer, first, rehearsal)
    found = {epoch: dict(row) for epoch, row in rows}
    return TrainerCheck(found, can_pause, not rehearsal.saw_test)


check_trainer = check_function  # as it was called before


def _check_arguments(trainer: str, shots: int | None, epochs: int) -> None:
    if ":" not in trainer:
        raise TrainerError(
            f'trainer must be "module:function", got {trainer!r}: name a function of your own'
        )
    if epochs < 2:
        raise TrainerError(
            f"epochs must be at least 2, got {epochs}: a pause needs an epoch on both sides"
        )
    if shots is not None and shots < 2:
        raise TrainerError(
            f"shots must be at least 2, got {shots}: one to train on and one to validate"
        )


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    """Import modules from this folder before all others, in the block alone."""
    before = list(sys.path)
    look_first_in(str(folder))
    forget_changed_code()  # it may be tested again after a correction, in one process
    try:
        yield
    finally:
        sys.path[:] = before


def _run(work: Slice, rule: str) -> MemberAdvance:
    """One slice of the single member of `work`."""
    result = run_slice(work)
    if result.error is not None:
        (member,) = work.members
        last = conclusion(result.error)
        error = TrainerError(
            f"{member.params['trainer']} {rule}, got {last}: correct it where the traceback "
            "below points"
        )
        error.add_note(result.error)
        raise error
    (advance,) = result.members
    return advance


def _resume(work: Slice) -> MemberAdvance:
    """One slice of a training with pauses."""
    return _run(work, f"must continue to epoch {work.until} from its pickled state")


def _check_metrics(trainer: str, advance: MemberAdvance, epochs: int) -> None:
    if advance.diverged:
        raise TrainerError(
            f"{trainer} must yield finite metrics, got NaN or an infinity in epoch "
            f"{advance.epochs + 1}: choose params with which it does not diverge, or yield a "
            "finite number in its place"
        )
    if len(advance.rows) < epochs:
        raise TrainerError(
            f"{trainer} must yield at least one metric every epoch, got none: yield a dict such "
            'as {"validation_accuracy": 0.9}'
        )


def _check_rehearsal(trainer: str, advance: MemberAdvance, found: Rehearsal) -> None:
    if found.error:
        told = takes_final(trainer)
        hint = "yield a function of (x, y) that returns the metrics" if told else "correct it"
        rule = final_test_rule(trainer, takes_final=told)
        raise TrainerError(f"{rule}, got {found.error}: {hint}, or no winner is tested")
    _, row = advance.rows[-1]
    if found.metrics != tuple(row):
        raise TrainerError(
            f"{trainer} must give the same metrics in the final test, got "
            f"{', '.join(found.metrics)} where it was {', '.join(row)}: return the same there"
        )


def _check_equal(expected: Rows, rows: Rows, rule: str, hint: str) -> None:
    """Raise for the first metric that is not bit for bit the expected one."""
    deviation = first_deviation(expected, rows)
    if deviation is not None:
        raise TrainerError(f"{rule}, got {deviation}: {hint}")
