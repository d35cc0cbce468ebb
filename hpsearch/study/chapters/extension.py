"""Whether a changed study file extends the one before: it asks for more of the same search.

Nothing that earlier trials rest on may change: their data, splits, seeds and fixed values. Every
earlier trial must be one that the new file could have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.errors import Problem
from hpsearch.studyfile.differences import differences
from hpsearch.studyfile.study_file import TABLES, StudyFile
from hpsearch.studyfile.tables.sampler import ONCE
from hpsearch.studyfile.tables.stages import Stage
from hpsearch.studyfile.toml import toml_key, toml_value

COUNTS = ("top", "seeds", "test_seeds")  # of [confirmation]
ENDS = ("low", "high")
WHOLE_STEPS = 1e-9  # rounding of a number of steps


@dataclass(frozen=True)
class Extension:
    """What a study file changes.

    Attributes:
        problems: the changes that no extension can have, and what else stands in its way.
        wider: the keys of [space] whose ranges or choices grew.
        rescores: whether its objective is another, by which all records must be scored.
        asks: whether it asks for other trials, ranges or repeats than the file before.
    """

    problems: Sequence[Problem]
    wider: Sequence[str]
    rescores: bool
    asks: bool


def extension(before: StudyFile, now: StudyFile) -> Extension:
    """Compare two study files as they are understood.

    Args:
        before: the file of the finished run.
        now: the file that is to extend it; its ranges have the same kind where they are alike.
    """
    wider: list[str] = []
    problems = [*_unsupported(before, now), *_stage_problems(before.stages, now.stages)]
    for name in dict.fromkeys([*before.space, *now.space]):
        old, new = before.space.get(name), now.space.get(name)
        if old != new:
            path = f"space.{toml_key(name)}"
            found = [*_entry_problems(path, old, new, before)]
            problems += found
            wider += [] if found else [path]
    repeats = rescores = False
    for one in differences([before, now]):
        table, _, key = one.key.partition(".")
        old_text, new_text = one.values
        if table in ("stages", "space"):
            continue
        if table == "confirmation" and key in COUNTS:
            repeats = True
            least, asked = (getattr(file.confirmation, key) for file in (before, now))
            if asked < least:
                problems.append(Problem(one.key, f"must be at least the earlier {least}", asked))
        elif table == "objective":
            rescores = True
        elif not _is_free(one.key):
            stay = "must stay left out" if old_text is None else f"must stay {old_text}"
            got = "none" if new_text is None else new_text
            problems.append(Problem(one.key, stay, got))
    if rescores:
        problems += _objective_problems(before, now)
    asks = bool(wider) or repeats or rescores or before.stages != now.stages
    return Extension(problems, wider, rescores, asks)


def _objective_problems(before: StudyFile, now: StudyFile) -> Iterator[Problem]:
    """What an objective decides beside the ranks of trials."""
    if bool(before.objectives) != bool(now.objectives):
        rule = "must stay: one objective, or several"
        yield Problem("objective", rule)
    if now.protocol != "honest":
        rule = f"must stay, because protocol is {toml_value(now.protocol)}"
        yield Problem("objective", rule)
    tuned = before.scoring.tuned, now.scoring.tuned
    if tuned[0] != tuned[1]:
        rule = f"must stay {toml_value(before.objective.metric)}, which chooses the threshold"
        yield Problem("objective.metric", rule, toml_value(now.objective.metric))


def can_be_extended(file: StudyFile) -> bool:
    """Whether a run of this file can go on with one that asks for more."""
    return not any(_unsupported(file, file))


def _is_free(key: str) -> bool:
    """Whether a key may change at any start of a run."""
    table, name = key.partition(".")[0], key.rpartition(".")[2]
    return table in TABLES and name in TABLES[table].may_change()


def _unsupported(before: StudyFile, now: StudyFile) -> Iterator[Problem]:
    """What an extension does not go on with, though nothing of it changed."""
    if now.compare or before.compare:
        rule = "must be left out of a study that is extended: each case has a search of its own"
        yield Problem("compare", rule, toml_value(now.compare or before.compare))
    if now.outer is not None or before.outer is not None:
        rule = "must be left out of a study that is extended: its folds have searches of their own"
        yield Problem("validation.outer", rule)
    if now.pruner is not None or before.pruner is not None:
        rule = "must be left out of a study that is extended: it compares trials of one chapter"
        yield Problem("pruner", rule)
    if now.folds_as_needed or before.folds_as_needed:
        rule = "must be left out of a study that is extended: it compares trials of one chapter"
        yield Problem("data.split.folds_as_needed", rule, "true")
    if now.budget.watched or before.budget.watched:
        rule = (
            "must have no limit of epochs, seconds, total_seconds, plateau or target in a study "
            "that is extended: a larger limit continues the run without --extend"
        )
        yield Problem("budget", rule)
    if now.sampler.name in ONCE:
        rule = "must draw from ranges in a study that is extended, and not count out the space"
        yield Problem("sampler.name", rule, toml_value(now.sampler.name))


def _stage_problems(before: Sequence[Stage], now: Sequence[Stage]) -> Iterator[Problem]:
    if len(now) < len(before):
        yield Problem("stages", f"must be at least the earlier {len(before)}", str(len(now)))
    for number, (old, new) in enumerate(zip(before, now, strict=False)):
        key = f"stages.{number}"
        if new.trials < old.trials:
            rule = f"must be at least the earlier {old.trials}"
            yield Problem(f"{key}.trials", rule, str(new.trials))
        if number < len(before) - 1 and new.epochs != old.epochs:
            rule = f"must stay {old.epochs}: only the last stage can be made longer"
            yield Problem(f"{key}.epochs", rule, str(new.epochs))
        elif new.epochs < old.epochs:
            rule = f"must be at least the earlier {old.epochs}"
            yield Problem(f"{key}.epochs", rule, str(new.epochs))
        for name in ("promote", "controls", "rows"):
            kept, got = getattr(old, name), getattr(new, name)
            if kept != got:
                stay = "must stay left out" if kept is None else f"must stay {kept}"
                yield Problem(f"{key}.{name}", stay, "none" if got is None else str(got))
    for number, stage in enumerate(now[len(before) :], len(before)):
        if stage.controls:
            rule = "must be 0 in a stage that an extension adds"
            yield Problem(f"stages.{number}.controls", rule, str(stage.controls))


def _entry_problems(key: str, old: Any, new: Any, before: StudyFile) -> Iterator[Problem]:
    """What keeps an entry of [space] from being a wider one."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            if one != other:
                yield from _entry_problems(f"{key}.{place}", one, other, before)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _changed_keys(key, old, new)
        yield from _lost_choices(key, old.get("choices"), new.get("choices"))
        for end in ENDS:
            yield from _moved_end(key, end, old, new)
    elif old is None and _is_of_new_choices(new, before):
        return
    elif old is None:
        rule = (
            "must be left out, or have a condition `when` on choices that this file adds: earlier "
            "trials have no such parameter"
        )
        yield Problem(key, rule, _shown(new))
    else:
        yield Problem(key, f"must stay {_shown(old)}", "none" if new is None else _shown(new))


def _changed_keys(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Problem]:
    """All but the ends and the choices: the scale, the kind, the condition."""
    for name in dict.fromkeys([*old, *new]):
        kinds = name in (*ENDS, "choices") and (name in old) == (name in new)
        if not kinds and old.get(name) != new.get(name):
            rule = f"must stay {_shown(old[name])}" if name in old else "must stay left out"
            got = _shown(new[name]) if name in new else "none"
            yield Problem(f"{key}.{name}", rule, got)


def _lost_choices(key: str, old: Any, new: Any) -> Iterator[Problem]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        lost = [name for name, value in old.items() if name not in new or new[name] != value]
    elif isinstance(old, list) and isinstance(new, list):
        known = [(type(one), one) for one in new]  # 1 is no true
        lost = [one for one in old if (type(one), one) not in known]
    else:
        lost = [] if old == new else [*(old or ())]
    if lost:
        kept = " and ".join(map(_shown, lost))
        yield Problem(f"{key}.choices", f"must keep {kept}, which earlier trials may have")


def _moved_end(
    key: str, end: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Problem]:
    if end not in old or end not in new or old[end] == new[end]:
        return
    one, other = old[end], new[end]
    if not (_is_number(one) and _is_number(other)):
        yield Problem(f"{key}.{end}", f"must stay {_shown(one)}", _shown(other))
    elif (other > one) if end == "low" else (other < one):
        most = "at most" if end == "low" else "at least"
        rule = f"must be {most} the earlier {_shown(one)}: a range can only become wider"
        yield Problem(f"{key}.{end}", rule, _shown(other))
    elif end == "low" and _is_number(step := old.get("step")):
        assert isinstance(step, int | float)
        steps = (one - other) / step
        if not math.isclose(steps, round(steps), abs_tol=WHOLE_STEPS):
            rule = f"must be whole steps of {_shown(step)} below the earlier {_shown(one)}"
            yield Problem(f"{key}.low", rule, _shown(other))


def _is_of_new_choices(entry: Any, before: StudyFile) -> bool:
    """Whether a parameter is active only with choices that no earlier trial could have."""
    ranges = entry if isinstance(entry, list) else [entry]
    return all(isinstance(one, Mapping) and _is_new(one.get("when"), before) for one in ranges)


def _is_new(when: Any, before: StudyFile) -> bool:
    for name, values in when.items() if isinstance(when, Mapping) else ():
        known = before.space.get(name)
        choices = known.get("choices") if isinstance(known, Mapping) else None
        wanted = values if isinstance(values, list) else [values]
        if isinstance(choices, list | Mapping) and not any(v in choices for v in wanted):
            return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return toml_value(value)
