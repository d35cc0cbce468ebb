"""What a report says first: the winner, what it is worth, what to be wary of, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from hpsearch.analysis.costs import duration
from hpsearch.counts import count_of
from hpsearch.records.estimate import Estimate
from hpsearch.records.layout import KINDS, Artifact
from hpsearch.records.result import Result
from hpsearch.reports.study_view import StudyView
from hpsearch.study.code_checks import code_warnings, repeat_texts
from hpsearch.study.library_warnings import library_warnings
from hpsearch.study.stored_space import kept_relations
from hpsearch.tracking.links import UI_ADDRESS, short_address
from hpsearch.value_texts import value_text

Named = tuple[str, str]


@dataclass(frozen=True)
class Score:
    """A number that stands out.

    Attributes:
        value, interval: its texts; "" where there is no interval.
    """

    name: str
    value: str
    interval: str


@dataclass(frozen=True)
class Answer:
    """The head of the page.

    Attributes:
        sentence: the winner and its scores.
        scores: the same as numbers.
        warnings: what must be known before the numbers are used, a sentence each.
        winner: a row a searched parameter: the winner's value, the default, what was searched.
        told: what the winner was compared with, and how it was tested.
        about: data, dates, duration, machine and space.
    """

    study: str
    sentence: str
    scores: list[Score]
    warnings: list[str]
    winner: pd.DataFrame
    told: list[Named]
    about: list[Named]

    @classmethod
    def of(cls, view: StudyView) -> Answer:
        """Of a finished run."""
        return cls(
            view.result.study,
            _sentence(view.result),
            list(_scores(view.result)),
            list(_warnings(view)),
            _winner(view),
            list(_told(view)),
            list(_about(view)),
        )


def _sentence(result: Result) -> str:
    parts = [f"{result.objective} {_short(result.validation)} {_on(result)}"]
    if (test := result.test_score) is not None:
        parts.append(f"{result.test_name} {_short(test)} on the test set")
    parts += [result.default_text] if result.default_text else []
    # The trainer's name says more than all numbers, where it was searched.
    trainer = result.searched.get("trainer")
    named = f", {trainer}," if trainer is not None else ""
    return f"Trial {result.best_number}{named} is the winner: {'; '.join(parts)}."


def _on(result: Result) -> str:
    n = len(result.validation.values)
    return f"over {n} {result.validation.over}" if n else "on validation data"


def _scores(result: Result) -> Iterator[Score]:
    yield _score(f"{result.objective}, confirmed", result.validation)
    if (test := result.test_score) is not None:
        yield _score(f"{result.test_name}, on the test set", test)
    default = result.default
    gain = None if default is None else default.test_gain or default.gain
    if default is not None and gain is not None:
        name = result.test_name if default.test_gain else result.objective
        interval = "" if gain.low is None else f"{gain.low:+.4f} … {gain.high:+.4f}"
        yield Score(f"{name}, gain over the defaults", f"{gain.mean:+.4f}", interval)


def _score(name: str, estimate: Estimate) -> Score:
    has_interval = estimate.low is not None and not estimate.is_constant
    interval = f"{estimate.low:.4f} … {estimate.high:.4f}" if has_interval else ""
    return Score(name, _short(estimate), interval)


def _short(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f}"


def _warnings(view: StudyView) -> Iterator[str]:
    if view.result.ended:
        yield view.result.ended_text.capitalize()
    yield from view.result.warnings
    yield from (one.text for one in view.incumbents if one.warns)
    yield from code_warnings(view.folder)
    yield from library_warnings(view.folder)


def _winner(view: StudyView) -> pd.DataFrame:
    result, default = view.result, view.result.default
    mine = (p for p in view.space.parameters if p.entry is None or p.active(result.best_params))
    ranges = {p.key: _range(p.distribution) for p in mine}
    rows = []
    for name, value in result.searched.items():
        row: dict[str, Any] = {"parameter": name, "winner": value}
        if default is not None:
            row["default"] = default.searched.get(name, "")
        rows.append(row | {"searched": ranges.get(name, "")})
    return pd.DataFrame(rows)


def _range(distribution: Any) -> str:
    if hasattr(distribution, "choices"):
        return ", ".join(map(value_text, distribution.choices))
    log = ", log" if distribution.log else ""
    ends = (distribution.low, distribution.high)
    low, high = (f"{end:.4g}" if isinstance(end, float) else str(end) for end in ends)
    return f"{low} … {high}{log}"


def _told(view: StudyView) -> Iterator[Named]:
    result = view.result
    for name, estimate in result.test.items():
        if "/" not in name and name != result.test_name:
            yield f"{name} on the test set", str(estimate)
    if result.untested:
        yield "not tested", result.untested
    yield from (line for line in result.comparisons if line[1] != result.default_text)
    yield from result.outer_lines
    if result.intervals:
        yield "95 % intervals", result.intervals
    yield from (("program", text) for text in repeat_texts(view.folder))
    if result.test:
        yield "test set", f"used for {result.uses_text}, {view.run.file.when_tested}"


def _about(view: StudyView) -> Iterator[Named]:
    result, folder = view.result, view.folder
    yield from _data(view)
    stages = ", ".join(count_of(n, "epoch") for n in view.lengths)
    if view.run.file.has_fewer_rows:
        stages = ", ".join(
            f"{count_of(s.epochs, 'epoch')}{s.on_rows}" for s in view.run.file.stages
        )
    counts = ", ".join(f"{n} {outcome}" for outcome, n in result.counts.items())
    yield "trials", "; ".join(filter(None, [counts, result.tried_text]))
    if result.chapters:
        drawn = ", ".join(str(one["trials"]) for one in result.chapters)
        yield "chapters", f"{len(result.chapters)}; trials drawn in each: {drawn}"
    n = len({parameter.key for parameter in view.space.parameters})
    yield "space", f"{count_of(n, 'parameter')} searched; trained for {stages}"
    if relations := kept_relations(folder):
        yield "relations", ", ".join(relations)
    records = [record for kind in KINDS for record in folder.read_all(kind)]
    began = [record.started for record in records if record.started]
    ended = [record.ended for record in records if record.ended]
    if began and ended:
        spent = sum(record.wall_seconds for record in records)
        when = datetime.fromtimestamp(min(began), UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield "began", when
        taken = duration(max(ended) - min(began))
        workers = len({line["worker"] for line in view.slices})
        of = f" in {workers} workers" if workers > 1 else ""
        yield "took", f"{taken}; {duration(spent)} of training{of}"
    machines = dict.fromkeys(machine for record in records for machine in record.machines)
    for machine in machines:
        yield "machine", machine
    place = folder.files.study.name, folder.files.number
    yield "in MLflow", f"python -m hpsearch ui, then {UI_ADDRESS}{short_address(*place)}"


def _data(view: StudyView) -> Iterator[Named]:
    card = view.folder.read_json(view.folder.files.artifact(Artifact.TABLE_JSON))
    data = view.run.file.data
    if data is None:
        return
    digest = next((r.digests.get("data", "") for r in view.records), "")
    said = data.name.rpartition("/")[2]
    if card:
        rows, n_test = count_of(card["rows"], "row", form=","), card["test_rows"]
        said += f": {rows}, {count_of(len(card['columns']), 'column')}"
        if n_test:
            said += f", {count_of(n_test, 'row', form=',')} set aside as the test set"
    elif data.shots is not None:
        said += f": {count_of(data.shots, 'example')} per class"
    yield "data", said + (f" (digest {digest})" if digest else "")
