"""Studies whose parameters have relations: no sampler draws what breaks one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run

STUDY = """\
# Three numbers of which the first is the least.
name = "related"
objective = { metric = "validation_loss", direction = "minimize" }
relations = ["a < b", "kind == 'flat' or a + c <= 0.5"]
[space]
trainer = "related:train"
a = { low = 0.0, high = 1.0 }
b = { low = 0.0, high = 1.0 }
kind = { choices = ["deep", "flat"] }
c = { low = 0.0, high = 1.0, when = { kind = "deep" } }
n = { low = 1, high = 8, int = true }
m = { low = 1, high = "n", int = true }
[data]
name = "digits"
shots = 2
split = { kind = "k-fold", folds = 2 }
[[stages]]
trials = 26
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""
FUNCTION = """\
def train(params, data, seed):
    assert params["a"] < params["b"] and params["m"] <= params["n"]
    yield {"validation_loss": (params["a"] - 0.6) ** 2 + (params["b"] - 0.3) ** 2}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "related.py").write_text(FUNCTION)
    path = tmp_path / "related.toml"
    path.write_text(STUDY)
    return path


def drawn(home: Path, number: int = 1) -> list[dict[str, Any]]:
    """The trials' parameters."""
    folder = RunFolder(Home(home).study("related").run(number).path)
    return [record.params for record in folder.read_all("trial")]


@pytest.mark.parametrize(
    "sampler",
    [
        "sampler.proposal=gp",
        "sampler.proposal=model-free",
        "sampler.proposal=random",
        "sampler.proposal=uniform",
        "sampler.name=random",
        "sampler.name=tpe",
        "sampler.name=nsga2",
        "sampler.name=qmc",
    ],
)
def test_no_sampler_draws_what_breaks_a_relation(
    sampler: str, written: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    space = read_study(written).space
    run(written, home, sampler, "stages.0.trials=14")
    run(written, home, sampler)  # more trials
    found = drawn(home)
    assert len(found) == 26
    assert all(space.broken(params) is None for params in found)
    run(written, tmp_path / "again", sampler, "stages.0.trials=14")
    assert drawn(tmp_path / "again") == found[:14]


def test_a_grid_and_brute_force_have_the_cells_that_keep_them(
    written: Path, tmp_path: Path
) -> None:
    text = STUDY.replace("high = 1.0 }", "high = 1.0, step = 0.5 }", 2)
    text = text.replace("c = { low = 0.0, high = 1.0, when", "c = { choices = [0.1, 0.5], when")
    written.write_text(text.replace("high = 8", "high = 2"))
    space = read_study(written).space
    n_cells = len(space.cells())
    for number, name in enumerate(("grid", "brute-force"), start=1):
        trials = f"stages.0.trials={n_cells}"
        run(written, tmp_path / "home", f"sampler.name={name}", trials, fresh=number > 1)
        found = drawn(tmp_path / "home", number)
        assert len({tuple(params.items()) for params in found}) == n_cells
        assert all(space.broken(params) is None for params in found)


def test_what_is_enqueued_in_part_is_completed_so_that_it_keeps_them(
    written: Path, tmp_path: Path
) -> None:
    written.write_text(STUDY + "[[enqueue]]\na = 0.98\n")
    run(written, tmp_path / "home", "stages.0.trials=2")
    first, _ = drawn(tmp_path / "home")
    assert first["a"] == 0.98
    assert first["b"] > 0.98


@pytest.mark.parametrize(
    ("more", "mistake"),
    [
        ("[[enqueue]]\na = 0.5\nb = 0.4\n", "enqueue.0: must keep the relation 'a < b'"),
        ("[[enqueue]]\na = 1.0\n", "enqueue.0: must keep the relation"),
    ],
)
def test_what_is_enqueued_must_keep_them(more: str, mistake: str, written: Path) -> None:
    written.write_text(STUDY + more)
    with pytest.raises(StudyFileError, match=mistake):
        read_study(written)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('"a < b"', '"a > b + 2"', "relations.0: must leave a configuration to draw"),
        ('"a < b"', '"a < b", "b < a"', "relations.1: must leave a configuration to draw"),
        ("relations = [", "constraints = [", "constraints: must be no list of texts"),
    ],
)
def test_relations_that_leave_nothing_are_refused(
    old: str, new: str, mistake: str, written: Path
) -> None:
    written.write_text(STUDY.replace(old, new, 1))
    with pytest.raises(StudyFileError, match=mistake):
        read_study(written)


@pytest.mark.parametrize(
    "change", ['relations=["a < b"]', "space.m.high=8"], ids=["relation", "bound"]
)
def test_a_changed_relation_is_refused_on_resume(
    change: str, written: Path, tmp_path: Path
) -> None:
    run(written, tmp_path / "home", "stages.0.trials=2")
    with pytest.raises(StudyChangedError):
        run(written, tmp_path / "home", change, "stages.0.trials=3")
