"""Studies whose sampler weighs draws by the seconds that they are expected to take."""

from __future__ import annotations

from itertools import islice, repeat
from pathlib import Path

import pytest

from hpsearch import study_methods, verify_study
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.samplers.history import SECONDS
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt
from tests.harness.stores import new_home
from tests.harness.study import records, run, stored, table
from tests.harness.tampering import tamper

STUDY = """\
name = "costly"
objective = { metric = "validation_loss", direction = "minimize" }
[space]
trainer = "costly:train"
rate = { low = 1e-5, high = 1, log = true }
kind = { choices = ["a", "b"] }
[data]
name = "digits"
shots = 2
split = { kind = "k-fold", folds = 2 }
[sampler]
per = "second"
batch = 2
options = { n_startup = 6 }
[[stages]]
trials = 10
epochs = 1
[[stages]]
trials = 4
epochs = 3
promote = 0.5
[confirmation]
top = 1
seeds = 2
default = false
"""
FUNCTION = """\
from math import log10

def train(params, data, seed):
    loss = abs(log10(params["rate"] / 3e-3)) + 0.1 * (params["kind"] == "b")
    for epoch in range(1, 4):
        yield {"validation_loss": loss + seed % 97 / 9700 / epoch}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "costly.py").write_text(FUNCTION)
    path = tmp_path / "costly.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock without noise: the larger the rate, the longer it takes."""

    def note(record: TrialRecord, epochs: int) -> None:
        record.seconds[epochs] = epochs * float(record.params["rate"])

    monkeypatch.setattr(TrialRecord, "note_seconds", note)


@pytest.mark.usefixtures("steady")
def test_the_seconds_are_in_the_records_by_which_verify_derives_the_draws(
    written: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    run(written, home)
    trials = stored(home, "costly").trials
    for record in records(home, "costly"):
        assert record.seconds.keys() == record.scores.keys() - ({1} if record.stage else set())
        rate = record.params["rate"]
        assert record.seconds == {epochs: epochs * rate for epochs in record.seconds}
        told = trials[record.number].user_attrs[SECONDS]
        assert {int(epochs): took for epochs, took in told.items()} == record.seconds
    verified = verify_study("costly", home=home, trials=0)
    assert verified.problems == []
    assert verified.replay.draws == 12
    text = str(study_methods("costly", home=home))
    assert "divided by a power of its training time, which was forecast from the times" in text
    path = RunFolder(home / "studies" / "costly" / "1").files.record("trial", 7).json
    tamper(path, lambda content: content.update(seconds={"1": 1e6}))
    (differs,) = verify_study("costly", home=home, trials=0).problems
    assert "derived" in differs
    with pytest.raises(StudyChangedError, match="per"):
        run(written, home, "sampler.per=trial", "stages.1.trials=6")


@pytest.mark.parametrize(("events", "folds"), [(9, ""), (15, ", folds_as_needed = true")])
@pytest.mark.usefixtures("steady")
def test_interrupted_anywhere_it_comes_to_the_same(
    events: int, folds: str, written: Path, tmp_path: Path
) -> None:
    text = STUDY.replace("folds = 2", f"folds = 2{folds}")
    written.write_text(text.replace("trials = 10", "trials = 20") if folds else text)
    home = Home(new_home(tmp_path / "home"))
    home.create()
    opened = open_run(read := read_study(written), home, fresh=False)
    left = islice(repeat(True), events)
    assert interrupt(Study(read, opened, home.storage_url, 0), lambda event: not next(left, False))
    opened.close()
    run(written, home.path)
    run(written, tmp_path / "undisturbed")
    assert table(home.path, "costly") == table(tmp_path / "undisturbed", "costly")
    assert any(record.folds for record in records(home.path, "costly")) == bool(folds)
    assert verify_study("costly", home=home.path, trials=0).problems == []


@pytest.mark.usefixtures("steady")
def test_a_lost_storage_is_filled_again_with_the_seconds(written: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(written, home)
    before = [t.user_attrs[SECONDS] for t in stored(home, "costly").trials]
    (home / "optuna.db").unlink()
    run(written, home, "stages.1.trials=8")
    after = stored(home, "costly").trials
    assert [t.user_attrs[SECONDS] for t in after[: len(before)]] == before
    assert len(after) > len(before)
    assert verify_study("costly", home=home, trials=0).problems == []


def test_the_clock_s_seconds_are_those_of_training(written: Path, tmp_path: Path) -> None:
    run(written, tmp_path / "home")
    found = records(tmp_path / "home", "costly")
    assert any(record.seconds for record in found)
    for record in found:
        if record.seconds:
            took = record.wall_seconds - record.opening_seconds
            assert record.seconds[max(record.seconds)] == pytest.approx(took, rel=0.06)
    assert verify_study("costly", home=tmp_path / "home", trials=0).problems == []


def test_per_trial_nothing_of_it_is_recorded(written: Path, tmp_path: Path) -> None:
    run(written, tmp_path / "home", "sampler.per=trial", "stages.0.trials=4", "stages.1.trials=2")
    folder = RunFolder(tmp_path / "home" / "studies" / "costly" / "1")
    assert b'"seconds"' not in folder.files.record("trial", 3).json.read_bytes()
    assert all(SECONDS not in t.user_attrs for t in stored(tmp_path / "home", "costly").trials)


@pytest.mark.parametrize(
    ("sampler", "mistake"),
    [
        ("name = 'tpe'", "sampler.per: must be left out: it belongs to coarse-to-fine, not to"),
        ("proposal = 'uniform'", 'sampler.per: must go with sampler.proposal = "gp", which'),
        ("proposal = 'model-free'", "which alone weighs draws by their cost, got 'model-free'"),
        ("options = { per = 'trial' }", "must leave out per, which other keys of the study file"),
        ("options = { seconds = 1 }", "must leave out seconds, which other keys of the study"),
    ],
)
def test_mistakes_are_told(sampler: str, mistake: str, written: Path) -> None:
    written.write_text(STUDY.replace("batch = 2\noptions = { n_startup = 6 }", sampler))
    with pytest.raises(StudyFileError) as caught:
        read_study(written)
    assert mistake in str(caught.value)
    assert len(caught.value.problems) == 1
