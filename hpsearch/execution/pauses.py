"""Whether code that is not ours trains after a pause as if there had been none."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace

from hpsearch.execution.population import MemberAdvance, Slice, run_slice
from hpsearch.hyperparameters import ParamValue

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


def check_pauses(whole: Slice) -> PauseCheck | None:
    """Train a member in one go and with pauses, and compare; None where one of them raises.

    What the code prints is not shown: it printed the same when the trial was trained.

    Args:
        whole: one member without a state, from its start.
    """
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            rows = _train(whole).rows
            deviation = first_deviation(rows, list(with_pauses(whole)))
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


REPEAT_HINT = "draw every random number from the seed that it receives"


def pause_hint(trainer: str, *, takes_state: bool) -> str:
    """What to do where a training with pauses differs."""
    if ":" not in trainer:
        return (
            "keep all that training changes in attributes of the estimator that pickle, its "
            f"random generator too ({GENERATORS})"
        )
    if takes_state:
        return (
            "yield as state all that training changes, e.g. weights, momentum, the epoch and the "
            f"random generator ({GENERATORS})"
        )
    return "keep nothing between two calls, as it takes no state"


def takes_own_pauses(params: Mapping[str, ParamValue]) -> bool:
    """Whether what these hyperparameters train is code of a user's own, function or estimator."""
    trainer = str(params["trainer"])
    return ":" in trainer or ("." in trainer and not trainer.startswith("sklearn."))
