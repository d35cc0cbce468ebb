"""Studies whose parameters have relations: no sampler draws what breaks one."""

from __future__ import annotations

from itertools import count, islice, repeat
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from hpsearch import plan_study, study_methods, verify_study
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.answer import Answer
from hpsearch.reports.descriptions import about
from hpsearch.reports.study_view import StudyView
from hpsearch.study.arm_records import ArmRecords
from hpsearch.study.opening import open_run
from hpsearch.study.starting.warm_start import warm_started
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import Interrupted, interrupt
from tests.harness.stores import new_home
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
trials = 14
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""
FIRST = """
[[enqueue]]
a = 0.2
b = 0.9
kind = "flat"
n = 4
m = 4
"""
FUNCTION = """\
def train(params, data, seed):
    assert params["a"] < params["b"] and params["m"] <= params["n"]
    yield {"validation_loss": params["a"] + params["b"] + 5 * (params["kind"] == "flat")}
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


def interrupted(path: Path, home: Path, *overrides: str) -> None:
    """Begin a study, and end it in the middle of drawing a trial and of training."""
    stores = Home(new_home(home))
    stores.create()
    new, seen = ArmRecords.new, count(1)

    def lost(*args: Any, **more: Any) -> None:
        if next(seen) in (3, 10):  # after it was stored in Optuna, before it has a record
            raise Interrupted
        new(*args, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ArmRecords, "new", lost)
        for after in (6, 99):  # events; the second time no event ends it
            events = islice(repeat(False), after)
            opened = open_run(read := read_study(path, overrides), stores, fresh=False)
            study = Study(read, opened, stores.storage_url, 0)
            assert interrupt(study, lambda event, left=events: next(left, True))  # type: ignore[misc]
            opened.close()


@pytest.mark.parametrize("sampler", ["sampler.proposal=gp", "sampler.name=tpe"])
def test_interrupted_draws_keep_relations_and_are_those_of_an_undisturbed_study(
    sampler: str, written: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    written.write_text(STUDY + FIRST)
    space = read_study(written).space
    interrupted(written, home, sampler)
    run(written, home, sampler)
    found = drawn(home)
    assert len(found) == 14
    assert all(space.broken(params) is None for params in found)
    assert [found[0][name] for name in ("a", "b", "kind", "n", "m")] == [0.2, 0.9, "flat", 4, 4]
    verified = verify_study("related", home=home, trials=0)  # which draws all again, undisturbed
    assert verified.problems == []
    assert verified.replay.draws == 14


@pytest.mark.parametrize("sampler", ["sampler.proposal=model-free", "sampler.name=qmc"])
def test_parameters_that_are_drawn_one_by_one_keep_relations_together(
    sampler: str, written: Path, tmp_path: Path
) -> None:
    run(written, tmp_path / "home", sampler)
    space = read_study(written).space
    assert all(space.broken(params) is None for params in drawn(tmp_path / "home"))


def test_a_grid_and_brute_force_have_the_cells_that_keep_them(
    written: Path, tmp_path: Path
) -> None:
    text = STUDY.replace("high = 1.0 }", "high = 1.0, step = 0.5 }", 2)
    text = text.replace("c = { low = 0.0, high = 1.0, when", "c = { choices = [0.1, 0.5], when")
    head, _, rest = text.partition("\nn = {")
    written.write_text(f"{head}\nn = 1\nm = 1\n[data]{rest.partition('[data]')[2]}")
    space = read_study(written).space
    n_cells = len(space.cells())
    overrides = [f"stages.0.trials={n_cells}", "sampler.name=grid"]
    run(written, tmp_path / "home", *overrides)
    first = "enqueue=[{ a = 0.5, b = 1.0, kind = 'flat' }]"
    run(written, tmp_path / "home", *overrides, "sampler.name=brute-force", first, fresh=True)
    for number in (1, 2):
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
        ("relations = [", "constraints = [", "constraints: must not be a list of texts"),
    ],
)
def test_relations_that_leave_nothing_are_refused(
    old: str, new: str, mistake: str, written: Path
) -> None:
    written.write_text(STUDY.replace(old, new, 1))
    with pytest.raises(StudyFileError, match=mistake):
        read_study(written)


def test_a_changed_relation_is_refused_on_resume(written: Path, tmp_path: Path) -> None:
    run(written, tmp_path / "home", "stages.0.trials=2")
    for change in ('relations=["a < b"]', "space.m.high=8"):
        with pytest.raises(StudyChangedError):
            run(written, tmp_path / "home", change, "stages.0.trials=3")


DEFAULTS = """\
relations = ["a < b", "kind == 'flat' or a + c <= 0.5"]
[space]
trainer = "related:train"
kind = { choices = ["deep", "flat"] }
a = { low = 0.0, high = 1.0, default = 0.3 }
b = { low = 0.0, high = 1.0, default = 0.6 }
c = { low = 0.0, high = 1.0, default = 0.4, when = { kind = "deep" } }
n = { low = 1, high = 8, int = true, default = 5 }
m = { low = 1, high = "n", int = true, default = 5 }
[data]"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The file of a study of two cases, whose defaults break a relation in one; and its result."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "related.py").write_text(FUNCTION)
    path = folder / "related.toml"
    head, _, rest = STUDY.partition("relations")
    text = f"{head}compare = ['kind']\n{DEFAULTS}{rest.partition('[data]')[2]}"
    path.write_text(text.replace("default = false", "default = true"))
    return path, run(path, folder / "home", "stages.0.trials=2")


def test_each_case_keeps_relations_and_runs_defaults_that_do(
    compared: tuple[Path, Result],
) -> None:
    path, result = compared
    space = read_study(path).space
    assert all(space.broken(params) is None for params in drawn(path.parent / "home"))
    assert plan_study(path, overrides=["stages.0.trials=2"], trials=0).phases[1].runs == 2 * 2 + 2
    assert "the defaults, which violate the relation \"kind == 'flat' or a" in result.no_default
    deep, flat = result.arms
    assert deep.default is None
    assert flat.default is not None
    folder = RunFolder(Home(path.parent / "home").study("related").run(1).path)
    confirmed = [r.params for r in folder.read_all("default")]
    assert {params["kind"] for params in confirmed} == {"flat"}


def test_texts_on_a_study_name_its_relations(compared: tuple[Path, Result]) -> None:
    path, result = compared
    texts = ["a < b", "kind == 'flat' or a + c <= 0.5", "m <= n"]
    home = path.parent / "home"
    folder = RunFolder(Home(home).study("related").run(1).path)
    assert plan_study(path, trials=0).relations == texts
    assert ("relations", ", ".join(texts)) in Answer.of(StudyView.of(folder, result)).about
    listed = f"{texts[0]}, {texts[1]} and {texts[2]}"
    methods = study_methods("related", home=home).text("text")
    assert f"Only configurations with {listed} were drawn." in methods
    assert "with `a < b`, " in about(read_study(path), result, None)


def test_an_old_trial_that_breaks_a_relation_is_no_start(written: Path, tmp_path: Path) -> None:
    old = optuna.create_study(storage=f"sqlite:///{tmp_path}/old.db", direction="minimize")
    unit, whole = FloatDistribution(0.0, 1.0), IntDistribution(1, 8)
    ranges = {"a": unit, "b": unit, "n": whole, "m": whole}
    for a, m, loss in ((0.6, 2, 0.1), (0.2, 5, 0.2), (0.2, 2, 0.3)):
        params = {"a": a, "b": 0.5, "n": 4, "m": m}
        trial = optuna.trial.create_trial(params=params, distributions={**ranges}, value=loss)
        old.add_trial(trial)
    written.write_text(f"{STUDY}[warm_start]\nstorage = '{tmp_path}/old.db'\ntop = 3\n")
    said: list[str] = []
    home = Home(tmp_path / "nowhere")
    started = warm_started(read_study(written), home, fresh=False, warn=said.append)
    assert started.read.file.enqueue == [{"a": 0.2, "b": 0.5, "n": 4, "m": 2}]
    assert "violate the relation 'a < b'" in " ".join(said)
    assert "violate the relation 'm <= n'" in " ".join(said)
