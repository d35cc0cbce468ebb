"""What differs between study files, key by key, in their own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpsearch.studyfile.study_file import TABLES, StudyFile, keyed
from hpsearch.studyfile.toml import toml_key, toml_value

# What a study is called, when it runs, and what it is asked once it is over.
BESIDE = ("name", "schedule", "retention", "claims", "comparison")
OFF = (("folds_as_needed", False),)  # of the kinds of a split: who leaves it out never reads of it
BY_KEY = ("network", "space", "prepare")  # tables that may have any keys


@dataclass(frozen=True)
class KeyDifference:
    """A key that is not the same in all files.

    Attributes:
        key: its path, as `--set` takes it, e.g. "space.learning_rate" or "stages.0.trials".
        values: one a file, as TOML; None where the file has none.
    """

    key: str
    values: Sequence[str | None]


def differences(files: Sequence[StudyFile]) -> list[KeyDifference]:
    """The keys that are not the same in all files, in the order of a study file.

    Files are compared as they are understood: with defaults, and with what --set changed.
    """
    said = [dict(_words(file)) for file in files]
    fields = list(StudyFile.model_fields)
    # A key that the first file lacks stands beside its neighbours of another one.
    keys = dict.fromkeys(key for words in said for key in words)
    order = sorted(keys, key=lambda key: fields.index(key.partition(".")[0]))
    found = [KeyDifference(key, [words.get(key) for words in said]) for key in order]
    return [one for one in found if len(set(one.values)) > 1]


def _words(file: StudyFile) -> Iterator[tuple[str, str]]:
    """Each key with its value."""
    for name, value in file.model_dump(mode="json").items():
        if name in BESIDE or (name == "objective" and file.objectives):
            continue
        for path, one in _leaves(name, value):
            if (kept := _said(one)) is not None:
                yield path, toml_value(kept)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name in TABLES:
        for path, table in keyed(name, value).items():
            yield from ((f"{path}.{key}", one) for key, one in table.items())
    elif name in BY_KEY:
        yield from ((f"{name}.{toml_key(key)}", one) for key, one in value.items())
    elif name == "enqueue":
        yield from ((f"{name}.{place}", one) for place, one in enumerate(value))
    else:
        yield name, value


def _said(value: Any) -> Any:
    """A value without the keys that are left out; None where it is left out itself."""
    if isinstance(value, Mapping):
        asked = {key: one for key, one in value.items() if (key, one) not in OFF}
        return {key: kept for key, one in asked.items() if (kept := _said(one)) is not None}
    return value
