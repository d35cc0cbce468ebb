"""What is wrong with the programs of a study file beside the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hpsearch.errors import Problem, unknown_name
from hpsearch.studyfile.entries import trainer_names
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.program import Csv, Pattern, ProgramTable
from hpsearch.trainers import is_program
from hpsearch.trainers.commands import KNOWN, Malformed, names_in, placeholders
from hpsearch.trainers.programs.metric_lines import EPOCH


def program_problems(
    tables: Mapping[str, ProgramTable], file: Mapping[str, Any], space: Space | None
) -> Iterator[Problem]:
    """What is wrong with programs beside the rest of the file.

    Args:
        tables: by trainer.
        file: all of it.
        space: None where it is malformed.
    """
    entries = file.get("space")
    names = trainer_names(entries) if isinstance(entries, Mapping) else None
    named = [name for name in names or () if is_program(name)]
    for name in named:
        if name not in tables:
            yield unknown_name("space.trainer", name, tables)
    for name in tables:
        if names is not None and name not in names:
            hint = f'name it as trainer = "{name}", or leave the table out'
            yield Problem(name, "must be a trainer of [space]", hint=hint)
    if not named:
        return
    others = [str(name) for name in names or () if not is_program(name)]
    if others:
        rule = "must all be programs, which bring their own data"
        yield Problem("space.trainer", rule, ", ".join(others), "compare them as two studies")
    if "data" in file:
        hint = f"leave [data] out, or [{named[0]}]: a program brings its own data"
        yield Problem("data", "must be left out beside a program", hint=hint)
    if file.get("network"):
        yield Problem("network", "must be left out: a program trains its own model")
    evaluation = file.get("evaluation")
    for key in ("passes", "resources", "per_class"):
        if isinstance(evaluation, Mapping) and evaluation.get(key):
            yield Problem(f"evaluation.{key}", "must be left out: it is unknown for a program")
    if file.get("protocol", "honest") != "honest":
        yield Problem("protocol", 'must be "honest": a program handles its own test data')
    for name in named:
        metrics = tables[name].metrics if name in tables else None
        if isinstance(metrics, Pattern):
            yield from _group_problems(f"{name}.metrics.pattern", metrics.pattern, file)
    if space is not None:
        for name in named:
            if name in tables:
                yield from _placeholder_problems(name, tables[name], space)


def _group_problems(key: str, pattern: str, file: Mapping[str, Any]) -> Iterator[Problem]:
    """Metrics that the study scores by, and that a pattern has no group for."""
    try:
        groups = {*re.compile(pattern).groupindex} - {EPOCH}
    except re.error:
        return  # which is a problem of its own
    rows = [file.get("objective"), *_rows(file, "objectives"), *_rows(file, "constraints")]
    metrics = [row.get("metric") for row in rows if isinstance(row, Mapping)]
    for metric in dict.fromkeys(metrics):
        if groups and isinstance(metric, str) and metric not in groups:
            rule = f"must have a named group for the metric {metric!r}"
            yield Problem(key, rule, f"those of {', '.join(sorted(groups))}")


def _rows(file: Mapping[str, Any], key: str) -> Sequence[Any]:
    rows = file.get(key)
    return rows if isinstance(rows, list) else ()


def _placeholder_problems(name: str, table: ProgramTable, space: Space) -> Iterator[Problem]:
    """Names in braces that mean nothing, and hyperparameters that are named nowhere."""
    searched = [p for p in space.parameters if p.key != "trainer" and _may_hold(p, name)]
    own = {*(p.key for p in searched), *space.fixed} - {"trainer", "network"}
    always = {p.key for p in searched if set(p.when) <= {"trainer"}} | {*space.fixed}
    used: set[str] = set()
    for taken in sorted(own & {*KNOWN}):
        hint = f"use another name, e.g. {taken}_, and write {{{taken}_}} in the command"
        rule = f"must have another name, as {{{taken}}} stands for something else"
        yield Problem(f"space.{taken}", rule, hint=hint)
    valid = [*own, *(k for k in KNOWN if k != "checkpoint" or table.checkpoint is not None)]
    for key, command in table.commands.items():
        path = f"{name}.{key}"
        try:
            named = list(placeholders(command))
        except Malformed as error:
            rule = "must have a name in braces; a brace itself is doubled: {{ or }}"
            yield Problem(path, rule, repr(str(error)))
            return
        for one in named:
            used.add(one.name)
            if one.name not in valid:
                yield _unknown(path, one.name, valid, table)
            elif one.asked and not (one.optional and one.alone):
                rule = f"must have {{{one.name}?}} as a separate word in a list of words"
                yield Problem(path, rule, hint=f'write ["--{one.name}", "{{{one.name}?}}"]')
            elif one.name in own and one.name not in always and not one.optional:
                rule = (
                    f"must have {{{one.name}}} in a separate list, because not every trial has it"
                )
                hint = f'write ["--{one.name}={{{one.name}}}"]'
                if table.shell:
                    hint = "leave shell out, or pass {params_json}, a file that then lacks it"
                yield Problem(path, rule, hint=hint)
    for key, text in (("checkpoint", table.checkpoint), ("metrics.csv", _csv_of(table))):
        if text is not None:
            yield from _path_problems(f"{name}.{key}", text, table)
    if "params_json" in used:
        return
    asked = {name for parameter in space.parameters for name in parameter.when}
    for unused in sorted(own - used - asked):
        hint = f"put {{{unused}}} into {name}.command"
        hint += ", or {params_json}, the path of a file with all of them"
        if any(p.key == unused for p in searched) and len(_programs(space)) > 1:
            hint += f', or give it a when = {{ trainer = "…" }} without "{name}"'
        yield Problem(f"space.{unused}", f"must be passed to {name}", hint=hint)


def _unknown(path: str, name: str, valid: Sequence[str], table: ProgramTable) -> Problem:
    if name == "checkpoint":
        hint = 'write e.g. checkpoint = "{folder}/checkpoint"'
        key = path.rpartition(".")[0]
        return Problem(f"{key}.checkpoint", "is missing: {checkpoint} stands for it", hint=hint)
    return unknown_name(path, name, valid)


def _csv_of(table: ProgramTable) -> str | None:
    return table.metrics.csv if isinstance(table.metrics, Csv) else None


def _path_problems(key: str, text: str, table: ProgramTable) -> Iterator[Problem]:
    """A path may name what is the same at every start of a trial's program."""
    valid = ("folder", "fold", "seed", "purpose")
    try:
        names = list(names_in(text))
    except Malformed:
        yield Problem(key, "must have a name in braces; a brace itself is doubled", repr(text))
        return
    for name in names:
        if name not in valid:
            yield unknown_name(key, name, valid)
    if key.endswith(".checkpoint") and "folder" not in names:
        yield Problem(
            key,
            "must lie in {folder}, each trial's own folder",
            repr(text),
            'write e.g. "{folder}/checkpoint"',
        )


def _programs(space: Space) -> list[str]:
    """The programs that a space has as trainers."""
    fixed = [space.fixed.get("trainer")]
    searched = [v for p in space.parameters if p.key == "trainer" for v in p.values() or ()]
    return [str(name) for name in [*fixed, *searched] if is_program(name)]


def _may_hold(parameter: Parameter, trainer: str) -> bool:
    return trainer in parameter.when.get("trainer", (trainer,))
