"""Test a training function of your own before a study searches its hyperparameters.

    from hpsearch.testing import check_trainer

    def test_my_trainer():
        check_trainer("mymodule:train", {"alpha": 0.01}, data="digits", shots=10)

Everything runs in this process, through the code that a study's workers run: what the check finds
out here would otherwise be found out in the middle of a search, or not at all.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hpsearch.datasets.opened import forget_opened
from hpsearch.errors import TrainerError, conclusion
from hpsearch.execution.population import MemberAdvance, Slice, SliceSettings, open_data, run_slice
from hpsearch.hyperparameters import ParamValue
from hpsearch.own_code import look_first_in
from hpsearch.records.seed_key import SeedKey
from hpsearch.studyfile.tables.data import Data
from hpsearch.trainers import Member, forget_changed_code, load_training_function

__all__ = ["TrainerCheck", "TrainerError", "check_trainer"]

Rows = Sequence[tuple[int, Mapping[str, float]]]  # metrics with the epoch they belong to


@dataclass(frozen=True)
class TrainerCheck:
    """What `check_trainer` found of a function that keeps all rules.

    Attributes:
        metrics: the metrics by name, for every epoch from 1 on.
        can_pause: whether it takes a `state`; else a promoted trial is trained again from its
            start.
    """

    metrics: Mapping[int, Mapping[str, float]]
    can_pause: bool


def check_trainer(
    trainer: str,
    params: Mapping[str, ParamValue] | None = None,
    *,
    data: str = "digits",
    target: str | None = None,
    shots: int | None = 10,
    folder: str | Path = ".",
    epochs: int = 2,
    seed: int = 0,
) -> TrainerCheck:
    """Run a training function in one go, once more, and with a pause after every epoch.

    It must yield finite metrics with valid names, the same ones every epoch; give the same numbers
    for the same seed; yield a state that can be pickled, if it takes one; and give the same
    numbers with pauses as without, to the last bit.

    Args:
        trainer: "module:function", as in a study file's [space].
        params: what the function receives as `params`; None: {}.
        data: a named data set, or a path as [data] name takes it, from `folder` on. A fifth of
            its rows is the validation side.
        target: the column of a table to predict.
        shots: examples a class; None: all, as it must be where numbers are predicted.
        folder: where the module is looked for before the Python path.
        epochs: the training length, at least 2.
        seed: of the draw of the examples and of the function's own seed.

    Returns:
        The metrics by epoch, and whether the function can pause.

    Raises:
        TrainerError: a rule does not hold; says which, what was got and what to do.
        StudyFileError: the function can't be imported.
        DataError: the data is missing, or too small.
    """
    _check_arguments(trainer, shots, epochs)
    folder = Path(folder).absolute()
    with _first_on_path(folder):
        takes_state = "state" in inspect.signature(load_training_function(trainer)).parameters
        selection = Data(name=data, target=target, shots=shots).selection(seed, folder)
        forget_opened()  # the file may have changed since the last check in this process
        open_data(selection)
        member = Member({**(params or {}), "trainer": trainer}, SeedKey(seed, 0, 0, 0), 0)
        settings = SliceSettings(
            selection, "validation", epochs, math.inf, str(folder), may_end_early=False
        )
        whole = Slice(settings, (member,), epochs)
        pickles = " and yield a state that pickles" if takes_state else ""
        first = _run(whole, f"must train {epochs} epochs{pickles}")
        rows = first.rows
        _check_metrics(trainer, first, epochs)
        again = _run(whole, "must train a second time in the same process")
        _check_equal(
            rows,
            again.rows,
            f"{trainer} must give the same metrics for the same seed",
            "draw every random number from the seed that it receives",
        )
        _check_equal(
            rows,
            list(_paused(whole)),
            f"{trainer} must give the same metrics with a pause as without one",
            "yield as state all that training changes, e.g. weights, momentum, the epoch and the "
            "random generator"
            if takes_state
            else "keep nothing between two calls, as it takes no state",
        )
    return TrainerCheck({epoch: dict(row) for epoch, row in rows}, takes_state)


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
            "below points to"
        )
        error.add_note(result.error)
        raise error
    (advance,) = result.members
    return advance


def _paused(whole: Slice) -> Iterator[tuple[int, Mapping[str, float]]]:
    """The rows of the same training in slices of one epoch, each resumed from a pickled state."""
    (member,) = whole.members
    for epoch in range(1, whole.until + 1):
        work = replace(whole, members=(member,), until=epoch)
        advance = _run(work, f"must go on to epoch {epoch} from its pickled state")
        yield from advance.rows
        member = replace(member, state=advance.state)


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


def _check_equal(expected: Rows, rows: Rows, rule: str, hint: str) -> None:
    """Raise for the first metric that is not bit for bit the expected one."""
    found = dict(rows)
    for epoch, row in expected:
        for name, value in row.items():
            got = found.get(epoch, {}).get(name)
            if got != value:
                raise TrainerError(
                    f"{rule}, got {name} = {got!r} after epoch {epoch} where it was {value!r}: "
                    f"{hint}"
                )
