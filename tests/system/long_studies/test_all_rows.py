"""Winners that are trained once more on all rows: the model for new rows, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import rmtree

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpsearch import export_study, import_study, plan_study, predict, study_methods, verify_study
from hpsearch.errors import HpsearchError
from hpsearch.nn.fitted import SavedNetwork
from hpsearch.records.layout import KINDS, Artifact, Home
from hpsearch.records.outcome import Outcome
from hpsearch.records.result import Result, read_result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.reports.parent import write_parent
from hpsearch.reports.served_model import model_problem, served
from hpsearch.study.events import Event, PhaseStarted, RunReached
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.run_content import points, run_name
from hpsearch.trainers.fitted_estimator import EstimatorFile, load_model
from tests.harness.boosters import needs
from tests.harness.commands import call_here
from tests.harness.interrupts import interrupt
from tests.harness.rare_classes import STUDY as RARE
from tests.harness.rare_classes import rare_table
from tests.harness.study import run, table
from tests.harness.tampering import tamper

ALL_ROWS = 'confirmation.model="all-rows"'
LINEAR = "sklearn.linear_model.LogisticRegression"
HEAD = """\
name = "small"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "table.csv"
target = "kind"
split = { kind = "k-fold", folds = 2 }
[[stages]]
trials = 3
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""
NETWORK = """\
[network]
name = "two-layer"
hidden = 4
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 0.1, log = true }
"""
ESTIMATOR = f"""\
[space]
trainer = "{LINEAR}"
C = {{ low = 0.01, high = 10.0, log = true }}
"""
FOREST = """\
[space]
trainer = "sklearn.ensemble.RandomForestClassifier"
n_estimators = { low = 2, high = 8 }
"""
BOOSTER = """\
[space]
trainer = "lightgbm.LGBMClassifier"
n_estimators = 20
early_stopping_rounds = 2
learning_rate = { low = 0.1, high = 1.0, log = true }
num_leaves = 4
min_child_samples = 2
"""
PIPELINE = """\
[space]
trainer = "own:make"
clf__C = { low = 0.01, high = 10.0, log = true }
"""
CODE = """\
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

MOST = 1000


class Careful(LogisticRegression):
    def fit(self, x, y, sample_weight=None):
        if len(x) > MOST:
            raise ValueError("too many rows")
        return super().fit(x, y, sample_weight)


def make(params):
    return Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())])


def careful(params):
    return Pipeline([("scale", StandardScaler()), ("clf", Careful())])
"""
SPACES = {
    "network": NETWORK,
    "estimator": ESTIMATOR,
    "forest": FOREST,
    "booster": BOOSTER,
    "pipeline": PIPELINE,
}
PARAMS = [pytest.param(n, marks=needs("lightgbm")) if n == "booster" else n for n in SPACES]
ROWS = 120


def rows(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: rng.normal(size=ROWS).round(3) for name in ("a", "b", "c")})
    frame["kind"] = np.where(frame["a"] - frame["b"] + rng.normal(size=ROWS) > 0, "yes", "no")
    return frame


def written(folder: Path, space: str) -> Path:
    folder.mkdir(exist_ok=True)
    rows().to_csv(folder / "table.csv", index=False)
    (folder / "own.py").write_text(CODE)
    path = folder / "small.toml"
    path.write_text(HEAD + space)
    return path


def opened(home: Path, name: str = "small") -> RunFolder:
    return RunFolder(home / "studies" / name / "1")


def whole(home: Path, name: str = "small") -> TrialRecord:
    """The only run on all rows."""
    (record,) = opened(home, name).read_all("all-rows")
    return record


def content(home: Path) -> object:
    """What must repeat of the run on all rows, and what its model predicts of the table."""
    record = whole(home)
    members = [(m.split, m.entropy, m.epoch, m.state_digest, m.history) for m in record.members]
    chosen = record.threshold, record.trees, record.digests, record.outcome, record.files
    scored = predict("small", home.parent / "table.csv", home=home)
    return record.params, members, chosen, scored.to_csv()


def killed(home: Path, *left_out: str) -> None:
    """Leave of a finished study what a kill leaves before all of it is there."""
    folder = opened(home)
    folder.files.artifact(Artifact.RESULT).unlink()
    for name in left_out:
        rmtree(folder.path / name)


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study with the model of all rows; to be read only."""
    folder = tmp_path_factory.mktemp("linear")
    run(written(folder, ESTIMATOR), folder / "home", ALL_ROWS)
    return folder


@pytest.fixture
def result(linear: Path) -> Result:
    read = read_study(linear / "small.toml", [ALL_ROWS])
    found = read_result(opened(linear / "home"), *read.file.scope)
    assert found is not None
    return found


def test_the_model_is_fitted_to_all_rows_as_one_made_by_hand(linear: Path, result: Result) -> None:
    x = rows()[["a", "b", "c"]].to_numpy()
    by_hand = Pipeline(
        [("scale", StandardScaler()), ("clf", LogisticRegression(C=result.best_params["C"]))]
    ).fit(x, rows()["kind"])
    new = rows(seed=1).drop(columns="kind")
    new.to_csv(linear / "new.csv", index=False)
    scored = predict("small", linear / "new.csv", home=linear / "home")
    expected = by_hand.predict_proba(new.to_numpy())
    assert np.allclose(scored[["probability_no", "probability_yes"]], expected, atol=1e-6)
    assert scored["class"].tolist() == by_hand.predict(new.to_numpy()).tolist()


def test_all_else_is_that_of_the_same_study_without_it(linear: Path, result: Result) -> None:
    plain = run(linear / "small.toml", linear / "plain")
    assert plain.test == result.test
    assert plain.as_dict() == result.as_dict() | {"folder": plain.folder}
    assert table(linear / "plain") == table(linear / "home")
    assert [*opened(linear / "plain").read_all("all-rows")] == []
    record = served(opened(linear / "plain"), plain.best_number)
    assert record is not None
    assert (record.kind, record.seed_number) == ("test", 1)


def test_it_has_the_seed_of_the_first_refit_and_no_score(linear: Path, result: Result) -> None:
    folder, record = opened(linear / "home"), whole(linear / "home")
    first = next(folder.read_all("test"))
    assert record.params == first.params == result.best_params
    assert [m.entropy for m in record.members] == [m.entropy for m in first.members]
    assert (record.scores, record.reported, record.members[0].history) == ({}, {}, {})
    assert record.members[0].predicted is None
    assert record.digests == first.digests
    assert record.members[0].epoch == first.members[0].epoch
    assert run_name(record) == f"all-rows-{result.best_number:03d}-seed-1"
    assert all(name.startswith("system/") for name, *_ in points(record, 0))
    assert result.test_uses == 2  # the winner and the defaults


@pytest.mark.parametrize("space", PARAMS)
def test_killed_before_it_and_after_it_comes_to_the_same(space: str, tmp_path: Path) -> None:
    path, home = written(tmp_path, SPACES[space]), tmp_path / "home"
    one_winner = [ALL_ROWS, "stages.0.trials=2", "confirmation.default=false"]
    run(path, home, *one_winner)
    folder, expected = opened(home), content(home)
    for left_out, trained in ((["all-rows"], 2), ([], 2)):
        killed(home, *left_out)
        run(path, home, *one_winner)
        assert content(home) == expected
        kinds = [line["kind"] for line in folder.read_slices()]
        assert kinds.count("all-rows") == trained


def test_interrupted_anywhere_it_comes_to_the_same(linear: Path) -> None:
    def before_test(event: Event) -> bool:
        return isinstance(event, PhaseStarted) and event.name == "test"

    def before(event: Event) -> bool:
        return isinstance(event, PhaseStarted) and event.name == "model"

    def after(event: Event) -> bool:
        return isinstance(event, RunReached) and event.record.kind == "all-rows"

    home = Home(linear / "cut")
    home.create()
    read = read_study(linear / "small.toml", [ALL_ROWS])
    for when in (before_test, before, after):
        begun = open_run(read, home, fresh=False)
        try:
            assert interrupt(Study(read, begun, home.storage_url, 0), when)
        finally:
            begun.close()
        there = [*opened(home.path).read_all("all-rows")]
        assert bool(there) == (when is after)
    run(linear / "small.toml", home.path, ALL_ROWS)
    kinds = [line["kind"] for line in opened(home.path).read_slices()]
    assert kinds.count("all-rows") == 1
    assert table(home.path) == table(linear / "home")
    assert content(home.path) == content(linear / "home")


def test_stopped_in_its_midst_it_goes_on_from_its_state(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK)
    slow = "execution.slice_seconds=0.0001"
    settings = [ALL_ROWS, "stages.0={trials=1, epochs=4}", "confirmation.default=false"]
    run(path, tmp_path / "home", *settings)
    expected = content(tmp_path / "home")
    killed(tmp_path / "home", "all-rows")
    read, home = read_study(path, [*settings, slow]), Home(tmp_path / "home")
    folder = opened(home.path)

    def stop() -> bool:
        return any(record.members[0].epoch for record in folder.read_all("all-rows"))

    begun = open_run(read, home, fresh=False)
    try:
        with pytest.raises(HpsearchError, match="stopped on request"):
            Study(read, begun, home.storage_url, 0, stop=stop).execute()
    finally:
        begun.close()
    half = whole(home.path)
    assert (half.outcome, half.files) == (Outcome.RUNNING, [])
    assert 0 < half.members[0].epoch < 4
    run(path, home.path, *settings, slow)
    assert content(home.path) == expected


def test_verify_knows_it(linear: Path) -> None:
    home = linear / "home"
    found = verify_study("small", trials=1, home=home)
    assert (found.problems, found.replay.result) == ([], True)
    counted = sum(1 for kind in KINDS for _ in opened(home).read_all(kind))
    assert found.records == counted


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"trees": 3}, "all-rows {}: trees 3 recorded, 0 derived"),
        ({"digests": {}}, "all-rows {}: digests {{}} recorded"),
        (None, "the study has a result, but not all records that lead to it"),
    ],
)
def test_verify_finds_what_was_changed(
    linear: Path, changed: dict[str, object] | None, problem: str
) -> None:
    record = whole(linear / "home")
    path = opened(linear / "home").files.record("all-rows", record.number, 1).json
    kept = path.read_bytes()
    try:
        if changed is None:
            path.unlink()
        else:
            tamper(path, lambda said: said.update(changed))
        found = verify_study("small", trials=0, home=linear / "home").problems
    finally:
        path.write_bytes(kept)
    assert found[0].startswith(problem.format(record.number))


def test_an_archive_takes_it_along(linear: Path) -> None:
    archive = export_study("small", linear / "small.zip", home=linear / "home")
    import_study(archive, home=linear / "other")
    assert content(linear / "other") == content(linear / "home")
    new = linear / "table.csv"
    ours, theirs = (predict("small", new, home=linear / name) for name in ("home", "other"))
    assert ours.equals(theirs)
    found = verify_study("small", trials=0, home=linear / "other", trust_code=linear)
    assert found.problems == []


def test_texts_say_what_the_model_has_seen(linear: Path, result: Result) -> None:
    read = read_study(linear / "small.toml", [ALL_ROWS])
    begun = open_run(read, Home(linear / "home"), fresh=False)
    try:
        write_parent(read, begun, result)
    finally:
        begun.close()
    parent = json.loads(opened(linear / "home").files.parent.read_text())
    number = result.best_number
    assert {k: parent["winner"][k] for k in ("kind", "number", "seed")} == {
        "kind": "all-rows",
        "number": number,
        "seed": 1,
    }
    assert parent["winner"]["description"].startswith(
        f"Trial {number} of small, trained on all rows, those of the test set too, with seed 1. "
        "It has no score of its own: the test score is that of refits without the test rows."
    )
    assert "trained on all rows. It has no score" in parent["tags"]["mlflow.note.content"]
    text = study_methods("small", home=linear / "home").text().replace("\n", " ")
    assert "The model handed out was fitted on all rows, those of the test set too" in text


def test_a_plan_counts_it(linear: Path) -> None:
    phases = plan_study(linear / "small.toml", overrides=[ALL_ROWS], trials=0).phases
    assert (phases[-1].name, phases[-1].runs, phases[-1].total_epochs) == (
        "model on all rows",
        1,
        2,
    )


def test_a_tuned_threshold_and_weights_are_those_of_the_refits(tmp_path: Path) -> None:
    frame = rare_table(np.random.default_rng(1))
    frame["count"] = np.arange(len(frame)) % 3  # no row of weight 0 is trained on
    frame.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "rare.toml").write_text(RARE)
    tuned = ["objective={metric='validation_f1'}", "evaluation.threshold=tune"]
    result = run(tmp_path / "rare.toml", tmp_path / "home", *tuned, "data.weight=count", ALL_ROWS)
    record = whole(tmp_path / "home", "rare")
    (refit,) = opened(tmp_path / "home", "rare").read_all("test")
    assert record.threshold == refit.threshold
    place = opened(tmp_path / "home", "rare").files.record("all-rows", record.number, 1)
    file = EstimatorFile.read(str(place.file("estimator.skops")))
    assert file.threshold == record.threshold
    x = frame[["a", "b", "spent"]].to_numpy()
    counted = frame["count"] > 0
    by_hand = LogisticRegression(C=result.best_params["C"]).fit(
        x[counted], frame["churned"][counted], frame["count"][counted]
    )
    model = load_model(str(place.file("estimator.skops")))
    assert np.allclose(model.coef_, by_hand.coef_, atol=1e-4)


@needs("lightgbm")
def test_a_booster_grows_the_trees_that_validation_rows_chose(tmp_path: Path) -> None:
    run(written(tmp_path, BOOSTER), tmp_path / "home", ALL_ROWS)
    record, refit = whole(tmp_path / "home"), next(opened(tmp_path / "home").read_all("test"))
    assert record.trees == refit.trees > 0


def test_images_with_a_test_set_of_their_own_are_learned_from_too(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text((HEAD + NETWORK).replace('"table.csv"\ntarget = "kind"', '"digits"'))
    run(path, tmp_path / "home", ALL_ROWS, "stages.0.trials=1", "confirmation.default=false")
    record = whole(tmp_path / "home")
    place = opened(tmp_path / "home").files.record("all-rows", record.number, 1)
    assert SavedNetwork.load(str(place.file("weights.npz"))).network.n_classes == 10
    assert verify_study("small", trials=0, home=tmp_path / "home").problems == []


def test_of_compared_cases_and_outer_folds_the_winner_alone_is_trained(tmp_path: Path) -> None:
    path = written(tmp_path, NETWORK)
    compared = [ALL_ROWS, 'compare=["trainer"]', "stages.0.trials=2", "confirmation.default=false"]
    result = run(path, tmp_path / "cases", *compared)
    assert whole(tmp_path / "cases").number == result.best_number
    path = written(tmp_path, ESTIMATOR)
    nested = [ALL_ROWS, "validation.outer={kind='k-fold', folds=2}", "stages.0.trials=2"]
    result = run(path, tmp_path / "nested", *nested, "confirmation.default=false")
    assert whole(tmp_path / "nested").number == result.best_number
    assert result.outer is not None
    assert verify_study("small", trials=0, home=tmp_path / "nested").problems == []


def test_stages_of_fewer_rows_end_with_all_of_them(tmp_path: Path) -> None:
    path = written(tmp_path, ESTIMATOR)
    text = path.read_text().replace("[[stages]]\ntrials = 3\nepochs = 2\n", "")
    few, all_rows = "trials = 2\nepochs = 1\nrows = 20", "trials = 1\nepochs = 1"
    path.write_text(f"{text}[[stages]]\n{few}\n[[stages]]\n{all_rows}\n")
    run(path, tmp_path / "home", ALL_ROWS, "confirmation.default=false")
    assert whole(tmp_path / "home").rows == {1: ROWS}
    assert verify_study("small", trials=0, home=tmp_path / "home").problems == []


@pytest.fixture
def careful(tmp_path: Path) -> Path:
    """A study whose pipeline can't be fitted to all rows."""
    path = written(tmp_path, PIPELINE.replace("own:make", "own:careful"))
    (tmp_path / "own.py").write_text(CODE.replace("MOST = 1000", f"MOST = {ROWS - 1}"))
    return path


def test_what_fails_on_all_rows_is_said_and_the_first_refit_is_served(careful: Path) -> None:
    home = careful.parent / "home"
    result = run(careful, home, ALL_ROWS)
    assert (whole(home).outcome, result.untested) == (Outcome.FAILED, "")
    record = served(opened(home), result.best_number)
    assert record is not None
    assert record.kind == "test"
    problem = model_problem(opened(home), result.best_number)
    assert problem == "training on all rows failed: ValueError: too many rows"
    text = study_methods("small", home=home).text().replace("\n", " ")
    assert f"The model handed out is the first refit, because {problem}" in text
    shown = " ".join(call_here("show", "small", "--home", str(home)).stdout.split())
    assert f"{problem}; correct the cause and run the study again with --accept-code" in shown
    assert verify_study("small", trials=0, home=home).problems == []
    (careful.parent / "own.py").write_text(CODE)
    again = run(careful, home, ALL_ROWS, accept_code=True)
    assert whole(home).outcome is Outcome.COMPLETE
    assert again.test == result.test
    assert model_problem(opened(home), again.best_number) == ""


def test_without_a_test_score_there_is_no_model_of_all_rows(careful: Path) -> None:
    (careful.parent / "own.py").write_text(CODE.replace("MOST = 1000", "MOST = 60"))
    result = run(careful, careful.parent / "home", ALL_ROWS, "confirmation.default=false")
    assert "2 of 2 refits failed" in result.untested
    assert [*opened(careful.parent / "home").read_all("all-rows")] == []
