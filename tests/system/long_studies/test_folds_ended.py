"""Trials that diverge or fail after some of their folds."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import reproduce_trial, verify_study
from hpsearch.api.support.trials import study_trials
from hpsearch.errors import StudyStopped
from hpsearch.execution.executors import InlineExecutor
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.study.training import Training
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.run_content import points
from tests.harness.study import records, run, table
from tests.harness.study_files import LITTLE_TESTED
from tests.harness.tampering import tamper

# Of the folds and seeds of all but the best configurations one in ten ends after epoch 2.
CODE = """\
import math
from pathlib import Path
from random import Random

log = Path(__file__).with_name("epochs.txt")

def train(params, data, seed, state=None):
    draw = Random(f"{seed} {params['rate']} {len(data.y_train)} {float(data.x_train.sum())}")
    ends, noise = params["rate"] < 0.85 and draw.random() < 0.1, draw.gauss(0, 0.2)
    for epoch in range((state or 0) + 1, 100):
        value = params["rate"] / 10 + noise + epoch / 100
        with log.open("a") as file:
            file.write("x" if ends and epoch == 3 else ".")
        if ends and epoch == 3:
            END
        yield {"validation_accuracy": value}, epoch
"""
ENDS = {"diverged": "value = math.nan", "failed": "raise OSError('the disk was away')"}
STUDY = """\
name = "small"
seed = 7
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 8
split = { kind = "k-fold", folds = 6, folds_as_needed = true }
[evaluation]
seeds = 2
[space]
trainer = "MODULE:train"
rate = { low = 0.6, high = 0.9 }
[[stages]]
trials = 30
epochs = 6
[budget]
failures = 1000
"""


@pytest.fixture(params=ENDS)
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study some of whose trials end so."""
    monkeypatch.syspath_prepend(tmp_path)
    module = "ends_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
    (tmp_path / f"{module}.py").write_text(CODE.replace("END", ENDS[ending]))
    path = tmp_path / "small.toml"
    path.write_text(STUDY.replace("MODULE", module) + LITTLE_TESTED)
    return path


def _run_on(path: Path, home: Path) -> bool:
    """Go on with a study until a member diverges; True if one did."""
    read, stores = read_study(path, ["execution.slice_seconds=1e-6"]), Home(home)
    stores.create()
    log = path.with_name("epochs.txt")
    log.write_text("")
    opened = open_run(read, stores, fresh=False)
    try:
        Study(
            read,
            opened,
            stores.storage_url,
            0,
            stop=lambda: "x" in log.read_text(),
        ).execute()
    except StudyStopped:
        return True
    finally:
        opened.close()
    return False


@pytest.mark.parametrize("ending", ["diverged"], indirect=True)
def test_stopped_when_a_member_diverges_it_comes_to_the_same(path: Path, tmp_path: Path) -> None:
    run(path, tmp_path / "whole")
    cut = 0
    while _run_on(path, tmp_path / "cut"):
        cut += 1
        assert cut < 60
    assert cut > 5
    assert table(tmp_path / "cut") == table(tmp_path / "whole")


@pytest.mark.parametrize("ending", ["diverged"], indirect=True)
def test_a_round_ends_by_the_members_of_its_folds_alone(path: Path, tmp_path: Path) -> None:
    """As after a stop in the second round, of which one of two seeds had diverged."""
    members = [MemberRecord(n // 2, SeedKey(0, 0, 0, n)) for n in range(12)]
    record = TrialRecord("r:1", "trial", 1, {"trainer": "", "rate": 0.9}, members, {})
    read = read_study(path)
    record.params["trainer"] = read.space.fixed["trainer"]
    training = Training.of(read, read.selection, RunFolder(tmp_path), InlineExecutor())
    assert list(training.run([[record]], 6, folds=1)) == [record]
    members[2].extend(2, [(n, {"validation_accuracy": 0.5}) for n in (1, 2)])
    members[2].diverged = True
    assert list(training.run([[record]], 6, folds=1)) == [record]
    assert not record.sealed
    list(training.run([[record]], 6, folds=2))
    assert record.outcome is Outcome.DIVERGED
    assert [member.epoch for member in members] == [6, 6, 2, 6, *[0] * 8]


def test_what_ends_in_a_round_names_its_folds(path: Path, ending: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(path, home)
    ended = [record for record in records(home) if record.outcome is Outcome(ending)]
    early = [record for record in ended if record.folds]
    assert early
    shown = study_trials("small", home=home).set_index("trial")
    for record in early:
        later = [member for member in record.members if member.split >= record.folds]
        assert later
        assert not any(member.epoch for member in later)
        assert shown["folds_trained"][record.number] == record.folds
        if ending == "diverged":
            assert reproduce_trial("small", record.number, home=home).equal
            assert shown["epochs"][record.number] == 2
            assert len(record.mean_history()["validation_accuracy"]) == 2
            steps = [s for name, _, _, s in points(record, 0) if name == "validation_accuracy"]
            assert steps == [1, 2]
    assert verify_study("small", trials=0, home=home).problems == []
    record = early[0]
    path = RunFolder(home / "studies" / "small" / "1").files.record("trial", record.number).json
    tamper(path, lambda said: said.update(folds=record.folds + 1))
    (problem,) = verify_study("small", trials=0, home=home).problems
    assert problem.startswith(f"trial {record.number}: folds {record.folds + 1} recorded, ")


@pytest.mark.parametrize("ending", ["diverged"], indirect=True)
def test_a_trial_without_the_metric_fails_as_in_any_study(path: Path, tmp_path: Path) -> None:
    (module,) = tmp_path.glob("ends_*.py")
    named = '{"validation_accuracy" if params["rate"] > 0.65 else "other":'
    module.write_text(module.read_text().replace('{"validation_accuracy":', named))
    run(path, tmp_path / "home")
    failed = [r for r in records(tmp_path / "home") if r.outcome is Outcome.FAILED]
    assert any(record.batch > 0 for record in failed)
    for record in failed:
        assert record.reason.startswith("the trainer must report objective.metric")
