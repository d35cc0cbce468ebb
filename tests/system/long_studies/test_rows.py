"""Stages that train on fewer rows: scores, curves, restarts, and what is recorded of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from hpsearch import reproduce_trial, study_methods, verify_study
from hpsearch.api.plan import plan_study
from hpsearch.api.support.trials import study_trials
from hpsearch.datasets.selection import open_pool
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import Event
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.run_content import changing_tags, points
from tests.harness.boosters import needs
from tests.harness.interrupts import interrupt
from tests.harness.study import records, run, stored, table
from tests.harness.study_files import LITTLE_TESTED
from tests.harness.tampering import tamper

HEAD = """\
name = "small"
seed = 7
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 20
split = { kind = "k-fold", folds = 2 }
"""
STAGES = """\
[[stages]]
trials = 6
epochs = 1
rows = 30
[[stages]]
trials = 4
epochs = 2
rows = 30
[[stages]]
trials = 4
epochs = 2
rows = 60
controls = 1
[[stages]]
trials = 3
epochs = 3
"""
NETWORK = """\
[network]
name = "two-layer"
hidden = 8
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 1.0, log = true }
"""
SVC = """\
[space]
trainer = "sklearn.svm.SVC"
C = { low = 1e-2, high = 1e3, log = true }
gamma = { low = 1e-3, high = 10.0, log = true }
"""
FOREST = """\
[space]
trainer = "sklearn.ensemble.RandomForestClassifier"
n_estimators = { low = 2, high = 30 }
"""
BOOSTER = """\
[space]
trainer = "lightgbm.LGBMClassifier"
n_estimators = { low = 2, high = 6 }
learning_rate = { low = 0.05, high = 0.5, log = true }
num_leaves = 4
min_child_samples = 2
"""
OWN = """\
[space]
trainer = "own:train"
rate = { low = 0.1, high = 0.9 }
"""
CODE = """\
def train(params, data, seed, n_epochs, checkpoint, final=False):
    path = checkpoint / "rows.txt"
    if path.exists():
        rows, done = map(int, path.read_text().split())
    else:
        checkpoint.mkdir(parents=True, exist_ok=True)
        rows, done = len(data.y_train), 0
    for epoch in range(done + 1, n_epochs + 1):
        path.write_text(f"{rows} {epoch}")
        metrics = {
            "validation_accuracy": params["rate"] + epoch / 100,
            "epoch": epoch,
            "rows_at_start": rows,
            "rows_now": len(data.y_train),
            "scored": len(data.y_validation) if data.y_validation is not None else 0,
        }
        yield metrics, epoch
"""
KINDS = {"network": NETWORK, "svc": SVC, "forest": FOREST, "booster": BOOSTER, "own": OWN}
PARAMS = [pytest.param(n, marks=needs("lightgbm")) if n == "booster" else n for n in KINDS]
LENGTHS, STARTS = (1, 2, 4, 7), (0, 0, 2, 4)


@pytest.fixture(params=PARAMS, scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def written(folder: Path, space: str, stages: str = STAGES) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "own.py").write_text(CODE)
    path = folder / "small.toml"
    path.write_text(HEAD + space + stages + LITTLE_TESTED)
    return path


@pytest.fixture(scope="module")
def finished(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study of each kind of trainer."""
    folder = tmp_path_factory.mktemp(kind)
    run(written(folder, KINDS[kind]), folder / "home")
    return folder


def every(home: Path, kind: str = "trial") -> list[TrialRecord]:
    folder = RunFolder(home / "studies" / "small" / "1")
    return list(folder.read_all(kind))  # type: ignore[arg-type]


def test_stages_count_epochs_over_all_trainings(tmp_path: Path) -> None:
    file = read_study(written(tmp_path, NETWORK)).file
    assert (file.lengths, file.starts) == (LENGTHS, STARTS)
    assert file.n_epochs == 3


def test_a_promoted_trial_has_all_rows_in_the_last_stage(finished: Path) -> None:
    whole = [record for record in records(finished / "home") if 7 in record.scores]
    assert len(whole) == 3
    for record in whole:
        assert record.outcome is Outcome.COMPLETE
        assert record.rows[4] == 100  # of 200 shots, in two folds
        assert all(member.epoch == 7 for member in record.members)
    drawn = Counter(record.stage for record in records(finished / "home"))
    assert drawn == {0: 6, 1: 2, 2: 2, 3: 1}  # half of each later stage is promoted


def test_a_trial_has_scores_of_the_stages_that_it_came_through(finished: Path) -> None:
    for record in records(finished / "home"):
        first = STARTS[record.stage]
        known = [n for n in LENGTHS if first < n <= record.length]
        assert [*record.scores] == known
        expected = {0: 30, 2: 60, 4: 100}
        assert record.rows == {s: expected[s] for s in expected if first <= s < record.length}
        assert record.members[0].epochs == [*range(first + 1, record.length + 1)]
        assert stored(finished / "home").trials[record.number].intermediate_values == record.scores


def test_all_later_runs_have_all_rows(finished: Path) -> None:
    for record in every(finished / "home", "confirmation"):
        assert record.rows == {4: 100}
        assert record.scores.keys() == {7}
    (refit,) = every(finished / "home", "test")
    assert refit.rows == {4: 200}


def test_verify_and_reproduce_find_it_equal(finished: Path) -> None:
    home = finished / "home"
    found = verify_study("small", trials=4, home=home)
    assert found.problems == []
    assert found.replay.draws == 11
    assert found.replay.result
    for record in records(home):
        if record.outcome is Outcome.COMPLETE:
            assert reproduce_trial("small", record.number, home=home).equal


def test_a_training_on_other_rows_goes_on_from_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(written(tmp_path, OWN), home)
    for record in [*records(home), *every(home, "confirmation")]:
        for member in record.members:
            history = member.history
            assert history["rows_at_start"] == history["rows_now"]
            assert set(history["scored"]) == {100}
            began = [record.began_after(epoch) for epoch in member.epochs]
            assert history["rows_now"] == [record.rows[start] for start in began]
            counted = [epoch - start for epoch, start in zip(member.epochs, began, strict=True)]
            assert history["epoch"] == counted


def _is_at(n: int, numbers: Iterator[int], event: Event) -> bool:
    return next(numbers) == n


def test_interrupted_anywhere_it_comes_to_the_same(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, KINDS[kind])
    run(path, tmp_path / "whole")
    cut = 0
    for n_events in (3, 8, 6, 7, 10, 12):  # one more for each stage that is over
        read, home = read_study(path), Home(tmp_path / "cut")
        home.create()
        opened = open_run(read, home, fresh=False)
        try:
            numbers = count(1)
            study = Study(read, opened, home.storage_url, 0)
            cut += interrupt(study, partial(_is_at, n_events, numbers))
        finally:
            opened.close()
    assert cut >= 4
    run(path, tmp_path / "cut")
    assert table(tmp_path / "cut") == table(tmp_path / "whole")


def test_two_workers_and_slices_of_one_epoch_come_to_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK)
    run(path, tmp_path / "one")
    run(path, tmp_path / "two", "execution.slice_seconds=0.001", workers=2)
    assert table(tmp_path / "two") == table(tmp_path / "one")


def test_verify_finds_rows_that_were_changed(finished: Path) -> None:
    record = next(r for r in records(finished / "home") if len(r.rows) == 3)
    folder = RunFolder(finished / "home" / "studies" / "small" / "1")
    path = folder.files.record("trial", record.number).json
    content = path.read_bytes()
    try:
        tamper(path, lambda said: said["rows"].update({"2": 61}))
        (problem,) = verify_study("small", trials=0, home=finished / "home").problems
    finally:
        path.write_bytes(content)
    assert problem == (
        f"trial {record.number}: rows {{0: 30, 2: 61}} recorded, {{0: 30, 2: 60}} derived"
    )


def test_the_best_epoch_is_one_of_the_last_training(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK)
    run(path, tmp_path / "home", "objective.best_epoch=true")
    for record in records(tmp_path / "home"):
        for length, score in record.scores.items():
            start = record.began_after(length)
            curves = [
                [
                    v
                    for e, v in zip(m.epochs, m.history["validation_accuracy"], strict=True)
                    if start < e <= length
                ]
                for m in record.members
            ]
            assert score == pytest.approx(np.mean([max(curve) for curve in curves]))
    assert verify_study("small", trials=1, home=tmp_path / "home").problems == []


def test_the_rank_correlation_names_the_rows(finished: Path) -> None:
    from hpsearch.analysis.fidelity import fidelities

    file = read_study(finished / "small.toml").file
    found = list(fidelities(file, records(finished / "home")))
    assert [(one.epochs, one.then, one.between) for one in found] == [
        (1, 2, ""),
        (2, 4, "2 epochs on 30 rows to 2 on 60 rows"),
        (4, 7, "2 epochs on 60 rows to 3 on all rows"),
    ]
    assert found[1].controls == 1
    assert found[1].new == found[2].new == 0  # which had no training on fewer rows
    assert "between" not in found[0].as_dict()


def test_tables_texts_and_mlflow_say_the_rows(finished: Path) -> None:
    home = finished / "home"
    shown = study_trials("small", home=home).set_index("trial")["training_rows"]
    by_number = {record.number: record for record in records(home)}
    assert dict(shown) == {n: r.rows[max(r.rows)] for n, r in by_number.items()}
    last = next(r for r in by_number.values() if 7 in r.scores and len(r.rows) > 1)
    said = {0: "30 after epoch 0", 2: "60 after epoch 2", 4: "100 after epoch 4"}
    assert changing_tags(last)["hpsearch.rows"] == ", ".join(said[start] for start in last.rows)
    sent = {name: value for name, value, _, _ in points(last, 0)}
    assert (sent["system/rows"], sent["system/epochs"]) == (100, 7 - last.before)
    text = study_methods("small", home=home).text()
    assert "2 epochs on 60 training rows of each fold" in text.replace("\n", " ")


def test_a_plan_counts_trainings_that_begin_anew(tmp_path: Path) -> None:
    found = plan_study(written(tmp_path, NETWORK), trials=0)
    by_name = {phase.name: phase for phase in found.phases}
    assert [by_name[f"stage {n}"].total_epochs for n in range(1, 5)] == [
        2 * 6 * 1,
        2 * (2 * 1 + 2 * 2),  # two go on for an epoch
        2 * 5 * 2,  # the two promoted and the control begin anew
        2 * 3 * 3,
    ]
    assert [by_name[f"stage {n}"].rows for n in range(1, 5)] == [30, 30, 60, None]
    assert [*found.table()["rows"]] == [30, 30, 60, "all", "all", "all"]


def test_a_budget_of_epochs_counts_trainings_that_begin_anew(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK)
    run(path, tmp_path / "home", "budget.epochs=44")  # stages 1 and 2, and all of stage 3
    trained = sum(
        member.epoch - record.before
        for record in records(tmp_path / "home")
        for member in record.members
    )
    assert trained == 44
    assert verify_study("small", trials=0, home=tmp_path / "home").problems == []


def test_a_last_stage_with_rows_is_confirmed_on_as_many(tmp_path: Path) -> None:
    stages = "[[stages]]\ntrials = 4\nepochs = 2\nrows = 40\n"
    run(written(tmp_path, NETWORK, stages), tmp_path / "home")
    assert all(r.rows == {0: 40} for r in records(tmp_path / "home"))
    assert all(r.rows == {0: 40} for r in every(tmp_path / "home", "confirmation"))
    assert [r.rows for r in every(tmp_path / "home", "test")] == [{0: 200}]


def test_an_extension_adds_a_stage_of_all_rows(tmp_path: Path) -> None:
    stages = "[[stages]]\ntrials = 4\nepochs = 2\nrows = 40\n"
    path = written(tmp_path, NETWORK, stages)
    run(path, tmp_path / "home")
    path = written(tmp_path, NETWORK, stages + "[[stages]]\ntrials = 2\nepochs = 2\n")
    run(path, tmp_path / "home", extend=True)
    longer = [record for record in records(tmp_path / "home") if 4 in record.scores]
    assert len(longer) == 2
    assert all(record.rows == {2: 100} for record in longer)
    assert longer[0].continues is not None
    assert verify_study("small", trials=1, home=tmp_path / "home").problems == []


@pytest.mark.parametrize("extend", [False, True])
def test_rows_of_a_stage_that_was_begun_stay(tmp_path: Path, extend: bool) -> None:
    stages = "[[stages]]\ntrials = 3\nepochs = 1\nrows = 40\n"
    path = written(tmp_path, NETWORK, stages)
    run(path, tmp_path / "home")
    written(tmp_path, NETWORK, stages.replace("40", "50"))
    with pytest.raises((StudyChangedError, StudyFileError), match="rows"):
        run(path, tmp_path / "home", extend=extend)


def test_a_study_without_rows_says_nothing_of_them(tmp_path: Path) -> None:
    stages = "[[stages]]\ntrials = 3\nepochs = 1\n[[stages]]\ntrials = 2\nepochs = 2\n"
    run(written(tmp_path, NETWORK, stages), tmp_path / "home")
    for record in [*records(tmp_path / "home"), *every(tmp_path / "home", "confirmation")]:
        assert "rows" not in record.content()


def test_rows_of_each_fold_are_those_of_the_split(tmp_path: Path) -> None:
    read = read_study(written(tmp_path, NETWORK))
    from hpsearch.execution.examples import training_data

    pool = open_pool(read.selection)
    small, large = (training_data(read.selection, "validation", n) for n in (30, 60))
    for fold, (train, held) in enumerate(pool.splits):
        parts = [data.splits[fold] for data in (small, large)]
        assert set(parts[0].train) < set(parts[1].train) < set(train)
        assert [len(part.train) for part in parts] == [30, 60]
        assert all(np.array_equal(part.validation, held) for part in parts)
        counts = np.bincount(small.labels[parts[0].train], minlength=10)
        assert set(counts) <= {2, 3, 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("rows = 60", "rows = 20"),
            "stages.2.rows: must be at least the 30 of the previous stage, got 20",
        ),
        (
            ("rows = 60", ""),
            "stages.3.epochs",
        ),
        (
            ("epochs = 1\nrows = 30", "epochs = 1"),
            "stages.1.rows: must be left out: the previous stage has all rows, got 30",
        ),
        (
            ("epochs = 2\nrows = 60", "epochs = 1\nrows = 60"),
            "stages.2.epochs: must be at least the 2 epochs of the previous stage, got 1",
        ),
        (
            ("[[stages]]", "[pruner]\nname = 'median'\nrungs = [1]\n[[stages]]"),
            "stages.0.rows: must be left out beside [pruner], whose rungs are epochs on all rows, "
            "got 30",
        ),
        (("rows = 30", "rows = 1"), "stages.0.rows"),
    ],
)
def test_what_rows_can_t_be_is_said(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    stages = STAGES.replace(*change, 1)
    if change[1] == "":
        stages = stages.replace("epochs = 3", "epochs = 2")
    with pytest.raises(StudyFileError) as caught:
        read_study(written(tmp_path, NETWORK, stages))
    assert message in str(caught.value)


def test_as_many_rows_as_there_are_are_refused_before_anything_runs(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK, STAGES.replace("rows = 60", "rows = 100"))
    with pytest.raises(StudyFileError, match=r"stages\.2\.rows: must be below 100"):
        plan_study(path)


def test_a_program_is_refused_in_one_line(tmp_path: Path) -> None:
    head = HEAD.partition("[data]")[0]
    space = '[program]\ncommand = ["python", "own.py", "{rate}"]\n[space]\n'
    space += "rate = { low = 0.1, high = 1.0 }\n"
    (tmp_path / "own.py").write_text(CODE)
    path = tmp_path / "small.toml"
    path.write_text(head + space + 'trainer = "program"\n' + STAGES)
    with pytest.raises(StudyFileError) as caught:
        read_study(path)
    assert (
        "stages.0.rows: must be left out: the trainer brings its own data, whose rows nobody "
        "knows, got 30: give stages other epochs alone"
    ) in str(caught.value)
