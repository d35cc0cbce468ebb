"""Mutated study files: each is understood, or refused with a message."""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hpsearch import plan_study
from hpsearch.errors import StudyFileError
from hpsearch.nn import NETWORKS
from hpsearch.study.plan import course, n_defaults
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.study_file import StudyFile
from hpsearch.trainers import TRAINERS
from tests.harness.study_files import REPOSITORY, SMALL, TWO

# 1000 by hand, minutes: HPSEARCH_MUTATED=1000 scripts/test tests/system/test_mutated_files.py
MUTATED = int(os.environ.get("HPSEARCH_MUTATED", "150"))
GRID = """
name = "grid"
objective = { metric = "validation_loss", direction = "minimize", best_epoch = true }
[data]
name = "digits"
split = { kind = "fixed", train = [0, 100], validation = [100, 200] }
[network]
name = "multi-layer"
[space]
trainer = { choices = ["adam", "alternating-gradient"] }
learning_rate = { low = 0.1, high = 0.5, step = 0.1 }
period = { choices = [1, 2] }
[[stages]]
trials = 15
epochs = 3
[sampler]
name = "grid"
batch = 2
[evaluation]
every = 2
per_class = true
[execution]
workers = 1
slice_seconds = 0.5
"""
SEEDS = [
    tomllib.loads(text)
    for text in (
        SMALL,
        GRID,
        TWO,
        (REPOSITORY / "studies/quickstart.toml").read_text(),
        (REPOSITORY / "studies/estimators.toml").read_text(),
    )
]
Keys = tuple[Any, ...]

WORDS = st.sampled_from(
    [
        *TRAINERS,
        *NETWORKS,
        *(
            "digits",
            "k-fold",
            "hold-out",
            "fixed",
            "repeated-k-fold",
            "maximize",
            "uniform",
            "grid",
        ),
        *("validation_accuracy", "validation_loss", "test_accuracy", "train_loss"),
        *("learning_rate", "hidden", "low", "high", "log", "step", "when", "choices", "trainer"),
        *("sklearn.svm.SVC", "sklearn.svm", "no.such.Module", "nothing:here", ":", ".", "", "/"),
    ]
)
NUMBERS = st.one_of(
    st.integers(-3, 200),
    st.integers(),
    st.integers(2**62, 2**70),
    st.floats(),
    st.sampled_from([0, -1, 1e-3, 0.5, 1e300, 1e308, -0.0, math.inf, -math.inf, math.nan]),
)
OTHERS = st.one_of(
    st.booleans(),
    st.text(max_size=12),
    st.dates(min_value=date(1000, 1, 1)),
    st.datetimes(min_value=datetime(1000, 1, 1)),
    st.times(),
)
PLAIN = st.one_of(WORDS, NUMBERS, OTHERS)
NONSENSE = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(WORDS, st.text(max_size=4)), inner, max_size=3),
    ),
    max_leaves=5,
)


def places(tree: Any, path: Keys = ()) -> Iterator[Keys]:
    """The path of everything below the root."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def at(tree: Any, path: Keys) -> Any:
    for key in path:
        tree = tree[key]
    return tree


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid file with one to three things changed."""
    tree = deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        known = list(places(tree))
        if not known:
            break
        path = draw(st.sampled_from(known))
        parent, key = at(tree, path[:-1]), path[-1]
        kind = draw(st.sampled_from(["replace", "remove", "scale", "copy", "rename", "add"]))
        if kind == "replace":
            parent[key] = draw(NONSENSE)
        elif kind == "remove":
            del parent[key]
        elif kind == "scale" and isinstance(parent[key], int | float):
            parent[key] *= draw(st.sampled_from([-1, 0, 2, 3, 10, 1000, 0.5, 1e-9]))
        elif kind == "copy":
            parent[key] = deepcopy(at(tree, draw(st.sampled_from(known))))
        elif kind == "rename" and isinstance(parent, dict):
            typo = draw(
                st.one_of(WORDS, st.just(key[1:]), st.just(key + "s"), st.text(max_size=5))
            )
            parent[typo] = parent.pop(key)
        elif kind == "add" and isinstance(parent, dict):
            parent[draw(st.one_of(WORDS, st.text(max_size=5)))] = draw(NONSENSE)
        elif kind == "add":
            parent.append(draw(NONSENSE))
    return dict(tree)


def toml(value: Any) -> str:
    """A value as TOML writes it; the whole tree as inline tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    return value.isoformat() if isinstance(value, date | time) else repr(value)


def quoted(text: str) -> str:
    return json.dumps(text).replace("\x7f", "\\u007f")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file lies, with nothing beside it."""
    return tmp_path_factory.mktemp("mutated")


def refusal(path: Path) -> StudyFileError | None:
    """What is said of a file that is wrong; any other exception is a failure."""
    try:
        read = read_study(path)
    except StudyFileError as error:
        return error
    defaults = n_defaults(read.file, read.arms)
    assert plan_study(path, trials=0).phases == course(read.file, defaults=defaults).phases
    # A resume understands it from the run's folder.
    said = json.loads(json.dumps(read.file.model_dump(mode="json"), allow_nan=False))
    assert StudyFile.model_validate(said) == read.file
    return None


def understood_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "study.toml"
    path.write_bytes(content)
    error = refusal(path)
    event("understood" if error is None else "refused")
    if error is not None:
        assert error.exit_code == 2
        head, _, mistakes = str(error).partition("; nothing was started:\n")
        if mistakes:
            assert all(re.match(r"  \S", line) for line in mistakes.splitlines()[:1])
        else:
            assert re.match(r".* must be (valid TOML|a readable study file), got: .", head)
    assert [found.name for found in folder.iterdir()] == ["study.toml"]


BUDGET = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@settings(BUDGET, max_examples=MUTATED)
@given(tree=mutated())
def test_mutated_files_are_understood_or_refused(folder: Path, tree: dict[str, Any]) -> None:
    lines = [f"{quoted(key)} = {toml(value)}" for key, value in tree.items()]
    understood_or_refused(folder, "\n".join(lines).encode())


@settings(BUDGET, max_examples=MUTATED // 5)
@given(data=st.data())
def test_damaged_texts_are_understood_or_refused(folder: Path, data: st.DataObject) -> None:
    content = SMALL.encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    inside = data.draw(st.binary(max_size=8))
    understood_or_refused(folder, content[:start] + inside + content[end:])
