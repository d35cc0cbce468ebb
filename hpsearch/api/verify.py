"""Whether a study's records follow from its file, its seed and its data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpsearch.api.reproduce import train_again
from hpsearch.audit.replay import Replay, replay
from hpsearch.audit.reproduction import TOLERANCE, Reproduction, other_code
from hpsearch.counts import count_of
from hpsearch.datasets.selection import digests
from hpsearch.own_code import digest
from hpsearch.records.layout import Home
from hpsearch.records.retests import REFITS
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.arm_records import REPEATS
from hpsearch.study.recorded import Recorded, find_run
from hpsearch.studyfile.reading import ReadStudy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verification:
    """What was checked, and what differs.

    Attributes:
        study: name of the run.
        records: records whose digests of data and splits were compared with the current data.
        replay: every draw, score, promotion and range, recomputed.
        again: trials that were trained again.
        problems: everything that differs.
    """

    study: str
    records: int
    replay: Replay
    again: list[Reproduction]
    problems: list[str]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.problems

    def table(self) -> pd.DataFrame:
        """A row for each trial that was trained once more."""
        import pandas as pd

        columns = ["trial", "outcome", "epochs", "values", "states", "exact", "largest"]
        rows = [asdict(one) | {"equal": one.equal} for one in self.again]
        return pd.DataFrame(rows, columns=[*columns, "equal", "difference"])

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self) | {"equal": self.equal}


def verify_study(
    study: str,
    *,
    trials: int = 3,
    home: str | Path | None = None,
    trust_code: str | Path | None = None,
    tolerance: float = TOLERANCE,
    say: Callable[[str], None] = lambda line: None,
) -> Verification:
    """Recompute a study's draws and decisions, and train a sample of its trials again.

    Three checks: the data, the splits and the user's own code are those of the records; every
    configuration, score, promotion, range and the result follow from the study file, the seed and
    the curves; the sampled trials, spread over outcomes and stages, train to the same metrics and
    states. Everything must agree to the last bit. If the study ran on another processor or with
    other packages, trained metrics must agree within `tolerance` and draws within a rounding
    error. Nothing is written, and the study may be running.

    Args:
        study: its name, for its newest run, or "name/2" for a specific run.
        trials: how many trials are trained again.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        trust_code: the folder of the study's own modules and data, whose code is run; None: that
            of its file, if it was started here. An imported study needs it for everything that is
            not installed.
        tolerance: as for `reproduce_trial`.
        say: called with a line about each next step.

    Raises:
        StudyFileError: there is no such study, or its trainers no longer exist.
        DataError: the data no longer exists.
    """
    run = find_run(Home.find(Path(home) if home else None), study)
    folder = Path(trust_code) if trust_code else None
    reads = {one.chapter.number: one.read(folder) for one in run.chapters}
    read = reads[run.chapter.number]
    records = list(run.folder.read_all("trial"))
    say(f"digests of data and splits, {count_of(len(records), 'trial')}")
    n_records, problems = _digest_problems(run, [*reads.values()], records)
    replayed = Replay()
    for chapter in run.chapters:
        of = f" of chapter {chapter.chapter.number}" if len(reads) > 1 else ""
        say(f"recomputing every draw and decision{of}")
        replayed.add(replay(chapter, reads[chapter.chapter.number]), of.removeprefix(" of "))
    problems += replayed.problems
    problems += _code_problems(records, digest(read.code))
    again = []
    for record in sample(records, trials, run.file.seed):
        say(f"training trial {record.number} again ({record.outcome}, stage {record.stage + 1})")
        chapter = run.of_trial(record.number)
        own = chapter.folder.read("trial", record.number)
        assert own is not None
        again.append(train_again(reads[chapter.chapter.number], run.folder, own, tolerance))
    problems += [f"trial {one.trial}: {one.difference}" for one in again if one.difference]
    return Verification(run.name, n_records, replayed, again, problems)


def sample(records: Sequence[TrialRecord], count: int, seed: int) -> list[TrialRecord]:
    """So many trials, in turn from each outcome and stage, the same for the same seed.

    Those that a limit stopped are passed over: where it did depends on the machine.
    """
    groups = defaultdict(list)
    for position in np.random.default_rng(seed).permutation(len(records)):
        record = records[position]
        begun = any(m.epoch > record.before for m in record.members) or record.sealed
        if begun and not record.limit:
            groups[record.outcome, record.stage].append(record)
    stages = defaultdict(list)
    for outcome, stage in sorted(groups):
        stages[outcome].append(stage)
    # Every outcome's first stage, then every outcome's second, …
    order = sorted(groups, key=lambda key: (stages[key[0]].index(key[1]), key[0]))
    waiting = [groups[key] for key in order]
    chosen: list[TrialRecord] = []
    while len(chosen) < count and waiting:
        chosen += [group.pop() for group in waiting[: count - len(chosen)]]
        waiting = [group for group in waiting if group]
    return chosen


def _digest_problems(
    run: Recorded, reads: Sequence[ReadStudy], records: Sequence[TrialRecord]
) -> tuple[int, list[str]]:
    """How many records were compared, and those whose data is not what there is now.

    Args:
        reads: the study in each chapter, the last one last.
    """
    read = reads[-1]
    confirmed, tested = (
        [record for kind in kinds for record in run.folder.read_all(kind)]
        for kinds in (REPEATS, REFITS)
    )
    n_records = len(records) + len(confirmed) + len(tested)
    problems: list[str] = []
    for arm in read.arms:
        now = digests(arm.selection)
        problems += _differing([r for r in records if arm.holds(r.number)], now)
        if read.file.draws_anew:
            now = digests(arm.selection, fresh=True)
            repeats = {one.file.confirmation.seeds for one in reads}
            repeats.discard(read.file.confirmation.seeds)  # earlier chapters had other repeats
            before = [digests(replace(arm.selection, fresh=n), fresh=True) for n in repeats]
            confirmed = [r for r in confirmed if r.digests not in before]
        problems += _differing([r for r in confirmed if arm.holds(r.number)], now)
        exams = [r for r in tested if arm.holds(r.number)]
        if exams:  # else the test set is still sealed, and stays it
            problems += _differing(exams, digests(arm.selection, test=True))
    return n_records, problems


def _code_problems(records: Sequence[TrialRecord], now: str) -> Iterator[str]:
    """A line for each other code that trials were trained with."""
    by_code = defaultdict(list)
    for record in records:
        if what := other_code(record, now):
            by_code[what].append(record.number)
    for what, numbers in by_code.items():
        others = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
        yield f"trial {numbers[0]}{others}: {what}"


def _differing(records: Sequence[TrialRecord], now: dict[str, str]) -> Iterator[str]:
    for record in records:
        if record.digests != now:
            yield f"{record.kind} {record.number}: digests {record.digests} recorded, {now} now"
