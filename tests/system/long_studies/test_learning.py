"""Studies that learn from earlier ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest

from hpsearch import doctor, export_study, run_study, study_methods, verify_study
from hpsearch.errors import DamagedError, StudyChangedError, StudyFileError
from hpsearch.records.layout import Artifact
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import Event, StudiesLearned, TrialReached
from hpsearch.study.starting.learned import kept_learned
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records
from tests.harness.tampering import tamper

STUDY = """\
# A rate that is good near 3e-3, more or less.
name = "{name}"
objective = {{ metric = "validation_loss", direction = "minimize" }}
[space]
trainer = "learning:train"
rate = {{ low = 1e-6, high = 1, log = true }}
width = {{ low = 1, high = 64, log = true }}
kind = {{ choices = ["a", "b", "c"] }}
[data]
name = "digits"
shots = 2
split = {{ kind = "k-fold", folds = 2 }}
[sampler]
batch = 2
[[stages]]
trials = {trials}
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""
FUNCTION = """\
from math import log10

def train(params, data, seed):
    away = abs(log10(params["rate"] / 3e-3)) + abs(log10(params["width"] / 12))
    yield {"validation_loss": away + 2 * (params["kind"] != "b")}
"""


def said(folder: Path, name: str, *tables: str, trials: int = 14) -> Path:
    (folder / "learning.py").write_text(FUNCTION)
    path = folder / f"{name}.toml"
    text = STUDY.format(name=name, trials=trials)
    path.write_text(text + "".join(f"[[learn_from]]\n{table}\n" for table in tables))
    return path


def ran(path: Path, home: Path, **more: Any) -> list[Event]:
    heard: list[Event] = []
    run_study(path, home=home, workers=0, on_event=heard.append, **more)
    return heard


def learned(home: Path, name: str, run: int = 1) -> list[str]:
    kept = kept_learned(RunFolder(home / "studies" / name / str(run)))
    assert kept is not None
    return [one.name for one in kept]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a finished study, `first`."""
    folder = tmp_path_factory.mktemp("earlier")
    ran(said(folder, "first", trials=30), folder / "home")
    return folder / "home"


@pytest.fixture
def known(earlier: Path, tmp_path: Path) -> Path:
    """A copy of that home."""
    home = tmp_path / "home"
    shutil.copytree(earlier, home, symlinks=True)
    return home


def test_the_best_of_an_earlier_study_come_first_and_the_copy_repeats_without_it(
    known: Path, tmp_path: Path
) -> None:
    path = said(tmp_path, "second", 'study = "first"')
    heard = ran(path, known)
    assert StudiesLearned({"first/1": 30}) in heard
    second = {r.number: r for r in records(known, "second")}
    first = records(known, "first")
    tried = [{k: r.params[k] for k in ("rate", "width", "kind")} for r in first]
    assert {k: second[1].params[k] for k in ("rate", "width", "kind")} in tried
    best = sorted(r.scores[1] for r in first)[:5]
    assert second[1].scores[1] <= best[-1]
    # Without the earlier study: the same decisions, and a report of the methods.
    (known / "studies/first").rename(tmp_path / "gone")
    found = verify_study("second", home=known, trials=0)
    assert (found.problems, found.replay.result) == ([], True)
    assert "learned from the trials and scores of 1 earlier study" in study_methods(
        "second", home=known
    ).text("text")


def test_a_study_that_is_interrupted_goes_on_to_the_same_end(known: Path, tmp_path: Path) -> None:
    path = said(tmp_path, "second", 'study = "first"')
    ran(path, known)
    heard: list[Event] = []

    def interrupt(event: Event) -> None:
        heard.append(event)
        if sum(isinstance(one, TrialReached) for one in heard) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(path, home=known, workers=0, fresh=True, on_event=interrupt)
    (known / "studies/first").rename(tmp_path / "gone")  # what was taken was copied
    assert not [event for event in ran(path, known) if isinstance(event, StudiesLearned)]
    assert learned(known, "second", 2) == ["first/1"]
    interrupted = RunFolder(known / "studies/second/2").read_all("trial")
    undisturbed = records(known, "second")
    assert [(r.params, r.scores) for r in interrupted] == [
        (r.params, r.scores) for r in undisturbed
    ]


def test_a_study_learns_from_its_own_last_run(known: Path, tmp_path: Path) -> None:
    path = said(tmp_path, "nightly", 'study = "nightly"')
    assert StudiesLearned({}) in ran(path, known)
    assert StudiesLearned({"nightly/1": 14}) in ran(path, known, fresh=True)
    assert learned(known, "nightly", 2) == ["nightly/1"]
    assert not [event for event in ran(path, known) if isinstance(event, StudiesLearned)]


def test_auto_takes_studies_of_the_same_trainer_and_metric(known: Path, tmp_path: Path) -> None:
    other = said(tmp_path, "other")
    other.write_text(other.read_text().replace("validation_loss", "validation_error"))
    (tmp_path / "learning.py").write_text(FUNCTION.replace("_loss", "_error"))
    ran(other, known)
    path = said(tmp_path, "second", 'study = "auto"')
    ran(path, known)
    assert learned(known, "second") == ["first/1"]


def test_archives_and_storages_are_sources_too(known: Path, tmp_path: Path) -> None:
    export_study("first", tmp_path / "first.zip", home=known)
    storage = f"sqlite:///{tmp_path / 'old.db'}"
    old = optuna.create_study(storage=storage, study_name="old", direction="maximize")
    for place in range(12):
        rate, kind = 10.0 ** -(place % 6), "abc"[place % 3]
        trial = optuna.trial.create_trial(
            params={"lr": rate, "kind": kind},
            distributions={
                "lr": optuna.distributions.FloatDistribution(1e-6, 1.0, log=True),
                "kind": optuna.distributions.CategoricalDistribution(["a", "b", "c"]),
            },
            value=-abs(rate - 1e-3) - (kind != "b"),
        )
        old.add_trial(trial)
    path = said(
        tmp_path,
        "second",
        'archive = "first.zip"',
        "storage = 'old.db'\nnames = { lr = 'rate' }",
    )
    home = tmp_path / "elsewhere"
    taken = {"first/1 in first.zip": 30, "old in old.db": 12}
    assert StudiesLearned(taken) in ran(path, home)
    kept = kept_learned(RunFolder(home / "studies/second/1"))
    assert kept is not None
    assert kept[1].trials.configurations[0] == {"rate": 1.0, "kind": "a"}
    assert kept[1].trials.scores[0] == pytest.approx(1.999)  # lower is better
    assert [study.name for study in (home / "studies").iterdir()] == ["second"]


def test_trials_of_another_choice_than_the_fixed_one_are_left_out(
    known: Path, tmp_path: Path
) -> None:
    path = said(tmp_path, "second", 'study = "first"')
    path.write_text(path.read_text().replace('{ choices = ["a", "b", "c"] }', '"a"'))
    ran(path, known)
    first = {(r.params["rate"], r.params["width"]): r for r in records(known, "first")}
    second = {r.number: r for r in records(known, "second")}
    params = second[1].params
    assert first[params["rate"], params["width"]].params["kind"] == "a"


def test_each_case_of_a_comparison_is_a_study_with_its_own_values(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = said(tmp_path, "compared", trials=8)
    run_study(path, home=home, workers=0, overrides=["compare=['kind']"])
    ran(said(tmp_path, "second", 'study = "compared"'), home)
    kept = kept_learned(RunFolder(home / "studies/second/1"))
    assert kept is not None
    scores = {(r.params["rate"], r.params["kind"]): r.scores[1] for r in records(home, "compared")}
    for one, kind in zip(kept, "abc", strict=True):
        assert one.name == f"compared/1 (kind={kind})"
        for params, score in zip(one.trials.configurations, one.trials.scores, strict=True):
            assert params["kind"] == kind
            assert scores[params["rate"], kind] == score


def test_a_study_of_another_fixed_choice_is_left_out(known: Path, tmp_path: Path) -> None:
    fixed = '{ choices = ["a", "b", "c"] }'
    path = said(tmp_path, "only-a")
    path.write_text(path.read_text().replace(fixed, '"a"'))
    ran(path, known)
    path = said(tmp_path, "second", 'study = "only-a"')
    path.write_text(path.read_text().replace(fixed, '"b"'))
    warned: list[str] = []
    assert StudiesLearned({}) in ran(path, known, warn=warned.append)
    assert "learn_from: only-a/1 is left out" in warned[0]


def test_a_name_takes_the_newest_run_with_scores(known: Path, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(
            said(tmp_path, "first", trials=30),
            home=known,
            workers=0,
            fresh=True,
            on_event=stop,
        )
    assert (known / "studies/first/2").exists()
    assert StudiesLearned({"first/1": 30}) in ran(
        said(tmp_path, "second", 'study = "first"'), known
    )


def test_an_archive_whose_scores_are_texts_is_refused(known: Path, tmp_path: Path) -> None:
    path = RunFolder(known / "studies/first/1").files.record("trial", 3, 0).json
    tamper(path, lambda record: record["scores"].update({"1": "much"}))
    export_study("first", tmp_path / "first.zip", home=known)
    with pytest.raises(StudyFileError, match=r"learn_from\.0\.archive: .*numbers as scores"):
        ran(said(tmp_path, "second", 'archive = "first.zip"'), tmp_path / "elsewhere")


def test_a_study_of_which_nothing_fits_is_left_out_with_a_warning(
    known: Path, tmp_path: Path
) -> None:
    path = said(tmp_path, "second", 'study = "first"')
    path.write_text(path.read_text().replace("rate =", "pace =", 1).replace("width =", "size ="))
    path.write_text(path.read_text().replace('kind = { choices = ["a"', 'sort = { choices = ["x"'))
    (tmp_path / "learning.py").write_text(
        FUNCTION.replace('["rate"]', '["pace"]')
        .replace('["width"]', '["size"]')
        .replace('["kind"]', '["sort"]')
    )
    warned: list[str] = []
    ran(path, known, warn=warned.append)
    assert "learn_from: first/1 is left out: at least 5 of its 30 trials must fit" in warned[0]
    assert learned(known, "second") == []


def test_a_change_of_what_is_learned_from_needs_a_new_run(known: Path, tmp_path: Path) -> None:
    ran(said(tmp_path, "second", 'study = "first"'), known)
    with pytest.raises(StudyChangedError, match="learn_from"):
        ran(said(tmp_path, "second", 'study = "auto"'), known)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "learn_from.0.study: is missing"),
        ('archive = "a.zip"\nstorage = "b.db"', "learn_from.0.storage: must be left out beside"),
        ('study = "auto"\nnames = { a = "b" }', "learn_from.0.names: must be left out with"),
        ('storage = "mysql://me:secret@lab/x"', "learn_from.0.storage: must hold no password"),
        ('study = "a"\nsampler = 1', "learn_from.0.sampler"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, lines: str, problem: str) -> None:
    with pytest.raises(StudyFileError) as raised:
        read_study(said(tmp_path, "second", lines))
    assert problem in str(raised.value)


@pytest.mark.parametrize("sampler", ["sampler.name=tpe", "sampler.proposal=uniform"])
def test_samplers_that_learn_nothing_refuse_it(tmp_path: Path, sampler: str) -> None:
    path = said(tmp_path, "second", 'study = "first"')
    with pytest.raises(StudyFileError, match=r"learn_from: must go with sampler\.name"):
        read_study(path, [sampler])


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('study = "firs"', "did you mean 'first'"),
        ('archive = "no.zip"', "learn_from.0.archive: "),
        ('storage = "no.db"', "learn_from.0.storage must exist"),
    ],
)
def test_what_is_not_there_is_said_before_a_run_is_begun(
    known: Path, tmp_path: Path, lines: str, problem: str
) -> None:
    with pytest.raises(StudyFileError) as raised:
        ran(said(tmp_path, "second", lines), known)
    assert problem in str(raised.value)
    assert not (known / "studies/second").exists()


def test_what_is_kept_is_sealed(known: Path, tmp_path: Path) -> None:
    ran(said(tmp_path, "second", 'study = "first"'), known)
    path = RunFolder(known / "studies/second/1").files.artifact(Artifact.LEARNED)
    stored = json.loads(path.read_text())
    stored["studies"][0]["scores"][0] = 0.0
    path.write_text(json.dumps(stored))
    with pytest.raises(DamagedError, match=r"learned\.json must hold what hpsearch wrote"):
        verify_study("second", home=known, trials=0)
    assert "learned.json must hold" in str(doctor("second", home=known)["problem"].tolist())
    path.unlink()
    with pytest.raises(DamagedError, match=r"learned\.json .*no such file beside trials"):
        ran(tmp_path / "second.toml", known)
