"""Whether code of a user's own keeps the rules: of seeds, of pauses, and of the final test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.errors import StudyChangedError, headline
from hpsearch.execution.examples import data_of
from hpsearch.execution.gains import scored
from hpsearch.execution.population import load_own_code, run_slice
from hpsearch.execution.printed import hidden
from hpsearch.execution.private_mlflow import end_open_runs, private_mlflow
from hpsearch.execution.slices import MemberAdvance, Slice
from hpsearch.execution.surroundings import same_surroundings
from hpsearch.hyperparameters import ParamValue
from hpsearch.own_code import look_first_in
from hpsearch.trainers import Schedule, is_training_function, trainer_kind

Rows = Sequence[tuple[int, Mapping[str, float]]]  # metrics with the epoch they belong to
GENERATORS = (
    "rng.bit_generator.state of a np.random.Generator, random.getstate(), np.random.get_state(), "
    "torch.get_rng_state()"
)


@dataclass(frozen=True)
class Deviation:
    """The first metric that is not bit for bit the expected one.

    Attributes:
        expected: its value in one go.
        got: its value in the other training; None: it has none.
    """

    metric: str
    epoch: int
    expected: float
    got: float | None

    def __str__(self) -> str:
        return (
            f"{self.metric} = {self.got!r} after epoch {self.epoch} where it was {self.expected!r}"
        )


@dataclass(frozen=True)
class PauseCheck:
    """What `check_pauses` found.

    Attributes:
        epochs: that were trained in one go, and once more with a pause after each.
        repeats: whether two trainings in one go are equal.
        deviation: the first difference; None: there is none.
    """

    epochs: int
    repeats: bool
    deviation: Deviation | None


@dataclass(frozen=True)
class Rehearsal:
    """A short training of a function as the final test trains it, scored on validation data.

    Attributes:
        error: what it raised, in a line; "" for nothing.
        metrics: that it gave.
        saw_test: it read what it is scored on.
    """

    error: str = ""
    metrics: tuple[str, ...] = ()
    saw_test: bool = False


@dataclass(frozen=True)
class CodeCheck:
    """What `check_code` found; None where it could not be tried."""

    pauses: PauseCheck | None
    rehearsal: Rehearsal | None


class _Unable(Exception):
    """A slice of the check raised."""


def first_deviation(expected: Rows, rows: Rows) -> Deviation | None:
    """The first metric of `rows` that is not bit for bit the one of `expected`."""
    found = dict(rows)
    for epoch, row in expected:
        for name, value in row.items():
            got = found.get(epoch, {}).get(name)
            if got is None or not (got == value or (math.isnan(got) and math.isnan(value))):
                return Deviation(name, epoch, value, got)
    return None


def with_pauses(
    whole: Slice, train: Callable[[Slice], MemberAdvance] = lambda work: _train(work)
) -> Iterator[tuple[int, Mapping[str, float]]]:
    """The rows of a slice of one member in slices of one epoch, each resumed from its state.

    Args:
        train: runs one of them.
    """
    (member,) = whole.members
    for epoch in range(1, whole.until + 1):
        advance = train(replace(whole, members=(member,), until=epoch))
        yield from advance.rows
        if advance.diverged:
            return
        member = replace(member, state=advance.state)


def check_code(whole: Slice) -> CodeCheck:
    """Try a member with and without pauses and, a function, as in the final test.

    What the code prints is not shown: it printed the same when the trial was trained.

    Args:
        whole: one member without a state, from its start.
    """
    (member,) = whole.members
    with (
        same_surroundings(),
        hidden(),
        TemporaryDirectory(prefix="hpsearch-") as place,
    ):
        pauses = check_pauses(whole, place) if whole.until > 1 else None
        tested = is_function(member.params) and not whole.settings.data.unknown
        with private_mlflow(str(Path(place, "test")), "rehearsal"):
            rehearsal = rehearse(replace(whole, until=1)) if tested else None
        end_open_runs()  # before their store goes with the folder
    return CodeCheck(pauses, rehearsal)


def run_again(whole: Slice) -> Rows | None:
    """The metrics of a program that is run once more, in a folder of its own; None if it fails.

    Args:
        whole: one member without a state, from its start.
    """
    (member,) = whole.members
    with TemporaryDirectory(prefix="hpsearch-") as place:
        result = run_slice(replace(whole, members=(replace(member, folder=place),)))
    return result.members[0].rows if result.error is None else None


def largest_deviation(expected: Rows, rows: Rows) -> float:
    """Of any metric, relative where it is above 1; infinite where one is missing."""
    found, largest = dict(rows), 0.0
    for epoch, row in expected:
        for name, value in row.items():
            got = found.get(epoch, {}).get(name, math.inf)
            if not (got == value or (math.isnan(got) and math.isnan(value))):
                deviation = abs(got - value) / max(1.0, abs(value))
                largest = max(largest, math.inf if math.isnan(deviation) else deviation)
    return largest


def rehearse(work: Slice) -> Rehearsal:
    """Train a member of a function as the final test does, with its own validation side."""
    (member,) = work.members
    look_first_in(work.settings.code_folder)
    kind = trainer_kind(str(member.params["trainer"]))
    assert kind is not None
    data = data_of(work.settings).as_final()
    metrics: tuple[str, ...] = ()
    try:
        load_own_code(work)
        trainer = kind.trainer([member], data, n_epochs=work.settings.n_epochs)
        for progress in trainer.run(work.until, Schedule(work.until)):
            metrics = tuple(scored(progress, trainer, [member], data, work.settings).metrics)
    except StudyChangedError:
        raise
    except (Exception, SystemExit) as error:
        return Rehearsal(error=f"{type(error).__name__}: {headline(error)}")
    return Rehearsal(metrics=metrics, saw_test=trainer.saw_test(0))


def check_pauses(whole: Slice, folder: str) -> PauseCheck | None:
    """Train a member in one go and with pauses, and compare; None where one of them raises.

    Args:
        folder: where it may keep files from one pause to the next.
    """
    (member,) = whole.members
    paused = replace(whole, members=(replace(member, folder=folder),))
    try:
        rows = _train(whole).rows
        deviation = first_deviation(rows, list(with_pauses(paused)))
        if deviation is None:
            return PauseCheck(whole.until, True, None)
        own = first_deviation(rows, _train(whole).rows)
    except _Unable:
        return None
    return PauseCheck(whole.until, own is None, own or deviation)


def _train(work: Slice) -> MemberAdvance:
    result = run_slice(work)
    if result.error is not None:
        raise _Unable
    (advance,) = result.members
    return advance


def pause_rule(trainer: str) -> str:
    """What must hold of a training with pauses."""
    return f"{trainer} must give the same metrics with a pause as without one"


def repeat_rule(trainer: str) -> str:
    """What must hold of two trainings in one go."""
    return f"{trainer} must give the same metrics for the same seed"


def final_test_rule(trainer: str, *, takes_final: bool) -> str:
    """What must hold of a training in the final test."""
    what = ", where it has no validation data" if takes_final else ""
    return f"{trainer} must train in the final test too{what}"


# After the function's name.
SAW_TEST = (
    "could use the test set while it trained, because it read data.x_validation in the final "
    "test: yield a function of (x, y) that returns the metrics, and take final if it must know"
)
REPEAT_HINT = "draw every random number from the seed that it receives"


def pause_hint(trainer: str, *, takes_state: bool) -> str:
    """What to do where a training with pauses differs."""
    if not is_training_function(trainer):
        return (
            "keep everything that training changes in attributes of the estimator that can be "
            f"pickled, including its random generator ({GENERATORS})"
        )
    if takes_state:
        return (
            "yield as state, or save in its checkpoint, everything that training changes, e.g. "
            f"weights, momentum, the epoch and the random generator ({GENERATORS})"
        )
    return "keep nothing between two calls, because it takes no state"


def is_function(params: Mapping[str, ParamValue]) -> bool:
    """Whether these hyperparameters are a training function's."""
    return is_training_function(str(params["trainer"]))
