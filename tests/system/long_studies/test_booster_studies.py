"""Studies over boosters: names that [space] refuses, and a mixed study to its result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch.api.support.trials import best_configuration, study_trials
from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.reading import read_study, refuse_unfit
from hpsearch.trainers.boosters import LIBRARIES
from hpsearch.trainers.boosters.fitted import load_booster
from tests.harness.boosters import CLASSIFIERS, every_library, needs
from tests.harness.study import records, run, table
from tests.harness.study_files import REPOSITORY

LGBM, FOREST = "lightgbm.LGBMClassifier", "sklearn.ensemble.RandomForestClassifier"
MIXED = f"""\
# A network, a booster and a forest.
name = "mixed"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}

[data]
name = "digits"
shots = 6
split = {{ kind = "hold-out", fraction = 0.3 }}

[network]
name = "two-layer"

[space]
trainer = {{ choices = ["adam", "{LGBM}", "{FOREST}"] }}
learning_rate = {{ low = 1e-2, high = 0.3, log = true }}
n_estimators = {{ low = 4, high = 12 }}
num_leaves = {{ low = 3, high = 15 }}
min_child_samples = 2
subsample = {{ low = 0.5, high = 1.0 }}
subsample_freq = 1

[[stages]]
trials = 3
epochs = 1
[[stages]]
trials = 1
epochs = 3

[confirmation]
top = 1
seeds = 2
test_seeds = 1
"""


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.toml"
    path.write_text(MIXED)
    return path


def alone(path: Path, library: str) -> Path:
    """The study of one library's classifier, without anything that another one lacks."""
    trainer, params = CLASSIFIERS[library]
    before, _, rest = MIXED.replace('[network]\nname = "two-layer"\n\n', "").partition("trainer =")
    given = "\n".join(f"{name} = {value}" for name, value in params.items())
    space = (
        f'trainer = "{trainer}"\n{given}\nlearning_rate = {{ low = 0.05, high = 0.5, log = true }}'
    )
    path.write_text(f"{before}{space}\n\n{rest[rest.index('[[stages]]') :]}")
    return path


@needs("lightgbm")
def test_a_mixed_study_runs_to_its_end(mixed: Path, home: Path) -> None:
    result = run(mixed, home)
    trials = records(home, "mixed")
    assert {r.params["trainer"] for r in trials} == {"adam", LGBM, FOREST}
    assert all(r.outcome in ("complete", "pruned") for r in trials)
    for record in trials:
        booster = record.params["trainer"] == LGBM
        assert ("num_leaves" in record.params) == booster
    assert result.validation.mean > 0.4


@every_library
def test_the_refit_of_a_booster_leaves_its_own_file(
    library: str, tmp_path: Path, home: Path
) -> None:
    run(alone(tmp_path / "mixed.toml", library), home)
    (record,) = RunFolder(home / "studies/mixed/1").read_all("test")
    name = LIBRARIES[library].file_name
    assert name in record.files
    place = RunFolder(home / "studies/mixed/1").files.record("test", record.number, 1)
    assert load_booster(LIBRARIES[library], place.file(name)).classes_.tolist() == [*range(10)]


@needs("lightgbm")
def test_pauses_change_nothing(mixed: Path, home: Path, tmp_path: Path) -> None:
    run(mixed, home)
    run(mixed, tmp_path / "other", "execution.slice_seconds=0.001")
    assert table(home, "mixed") == table(tmp_path / "other", "mixed")


@needs("lightgbm")
def test_the_folds_best_number_of_trees_is_what_is_refitted(tmp_path: Path, home: Path) -> None:
    """What early stopping is for, and it is labelled."""
    path = alone(tmp_path / "mixed.toml", "lightgbm")
    best = "objective={metric='validation_loss', direction='minimize', best_epoch=true}"
    steep = ("space.learning_rate=0.9", "space.n_estimators=40")
    stages = "stages=[{trials=1, epochs=20}]"
    folds = "data.split={kind='k-fold', folds=3}"
    result = run(path, home, best, *steep, stages, folds)
    (trial,) = records(home, "mixed")
    ends = [
        m.epochs[m.history["validation_loss"].index(min(m.history["validation_loss"]))]
        for m in trial.members
    ]
    (refit,) = RunFolder(home / "studies/mixed/1").read_all("test")
    chosen = round(sum(ends) / len(ends))
    assert chosen < 20
    assert refit.members[0].epoch == chosen
    name = LIBRARIES["lightgbm"].file_name
    place = RunFolder(home / "studies/mixed/1").files.record("test", refit.number, 1).file(name)
    model = load_booster(LIBRARIES["lightgbm"], place).model
    assert model.current_iteration() == 2 * chosen
    assert read_study(path, [best]).file.optimistic() == "scored by the best epoch"
    assert result.test


EARLY = (
    "space.early_stopping_rounds=3",
    "space.learning_rate=0.9",
    "stages=[{trials=2, epochs=1}, {trials=1, epochs=4}]",
    "data.split={kind='k-fold', folds=3}",
)


def early(path: Path, library: str, home: Path, *more: str) -> Path:
    """The run of a library's classifier that stops early, long before its 200 trees."""
    size = f"space.{LIBRARIES[library].sizes[0]}=200"
    run(alone(path / "mixed.toml", library), home, *EARLY, size, *more)
    return home / "studies/mixed/1"


def trees_in(record: TrialRecord) -> list[float]:
    """That validation rows chose, of each member."""
    return [member.history["trees/chosen"][-1] for member in record.members]


@every_library
def test_the_mean_of_the_trees_that_the_folds_chose_is_refitted(
    library: str, tmp_path: Path, home: Path
) -> None:
    folder = RunFolder(early(tmp_path, library, home))
    (refit,) = folder.read_all("test")
    winner = folder.read("trial", refit.number)
    assert winner is not None
    chosen = trees_in(winner)
    assert len(chosen) == 3
    assert max(chosen) < 200
    assert refit.trees == round(sum(chosen) / 3)
    assert trees_in(refit) == [refit.trees]
    assert refit.members[0].epoch == 4
    place = folder.files.record("test", refit.number, 1).file(LIBRARIES[library].file_name)
    model = load_booster(LIBRARIES[library], place).model
    counts = {
        "lightgbm": lambda: model.current_iteration(),
        "xgboost": lambda: model.num_boosted_rounds(),
        "catboost": lambda: model.tree_count_,
    }
    assert counts[library]() == refit.trees
    said = best_configuration("mixed", home=home)
    assert f"\n# Refitted with {refit.trees} trees, as early stopping chose\n" in said


@needs("lightgbm")
def test_what_stops_early_is_counted_and_labelled(tmp_path: Path, home: Path) -> None:
    early(tmp_path, "lightgbm", home)
    trials = study_trials("mixed", home=home)
    assert (trials["ended_early"] == 1).all()
    assert list(trials["trees_grown"]) == pytest.approx(trials["trees_chosen"] + 3)
    for record in records(home, "mixed"):
        assert record.outcome.sound
        assert np.mean(trees_in(record)) == trials["trees_chosen"][record.number]
    label = "the rows that score it also stop the growth of trees (early_stopping_rounds)"
    file = read_study(tmp_path / "mixed.toml", EARLY).file
    assert file.optimistic() == label
    assert read_study(tmp_path / "mixed.toml").file.optimistic() is None
    assert not (home / "studies/mixed/1/code_checks.json").exists()


@needs("lightgbm")
def test_early_stopping_repeats_and_pauses_change_nothing(tmp_path: Path, home: Path) -> None:
    first = early(tmp_path, "lightgbm", home)
    again = early(tmp_path, "lightgbm", tmp_path / "other", "execution.slice_seconds=0.001")
    assert table(home, "mixed") == table(tmp_path / "other", "mixed")
    (one,), (other,) = (RunFolder(path).read_all("test") for path in (first, again))
    assert one.scores == other.scores
    assert one.trees == other.trees


@needs("lightgbm")
def test_what_ends_early_must_not_fail_by_it(mixed: Path) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(mixed, ["space.early_stopping_rounds=5", "outcomes.ended_early='fail'"])
    assert 'outcomes.ended_early: must be "keep" where space.early_stopping' in str(caught.value)


@needs("lightgbm")
def test_dart_and_early_stopping_do_not_go_together(mixed: Path) -> None:
    given = ("space.early_stopping_rounds=5", "space.boosting_type={choices=['gbdt', 'dart']}")
    with pytest.raises(StudyFileError) as caught:
        refuse_unfit(read_study(mixed, given))
    assert "space.boosting_type.choices" in str(caught.value)
    assert "'dart' (ValueError: early_stopping_rounds must be left out" in str(caught.value)


@needs("lightgbm")
@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            "space.min_data_in_leaf=5",
            "space.min_data_in_leaf: must be written min_child_samples, as LGBMClassifier calls "
            f"it ({LGBM} says so)",
        ),
        (
            "space.early_stopping_rounds=0",
            "space.early_stopping_rounds: must be a whole number of at least 1, got 0",
        ),
        (
            "space.early_stopping_round=5",
            "space.early_stopping_round: must be written early_stopping_rounds",
        ),
        (
            "space.num_threads=2",
            "space.num_threads: must be left out: every worker trains with one",
        ),
        ("space.num_leavs=5", "(did you mean 'num_leaves'?)"),
        ("space.num_leaves.low=1", "space.num_leaves.low: must be above 1, got 1"),
        ("space.n_estimators.low=0", "space.n_estimators.low: must be "),
    ],
)
def test_a_mistake_names_its_key_and_the_rule(mixed: Path, override: str, line: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(mixed, [override])
    assert line in str(caught.value)


@needs("lightgbm")
def test_whole_arguments_draw_whole_numbers(mixed: Path) -> None:
    drawn = {p.name: p.distribution for p in read_study(mixed).space.parameters}
    kinds = {name: type(one).__name__ for name, one in drawn.items()}
    assert kinds["num_leaves"] == kinds["n_estimators"] == "IntDistribution"
    assert kinds["subsample"] == kinds["learning_rate"] == "FloatDistribution"


@needs("lightgbm")
def test_what_does_not_go_together_is_found_by_fits_on_a_few_rows(mixed: Path) -> None:
    read = read_study(mixed, ["space.objective='fooo'"])
    with pytest.raises(StudyFileError, match=r"space\.objective.*fooo"):
        refuse_unfit(read)


@needs("lightgbm")
def test_the_study_that_comes_along_runs(home: Path) -> None:
    small = (
        "stages=[{trials=4, epochs=1}]",
        "data.shots=4",
        "data.split={kind='hold-out', fraction=0.3}",
        "confirmation={top=1, seeds=2, test_seeds=1}",
    )
    run(REPOSITORY / "studies/boosters.toml", home, *small)
    trials = records(home, "boosters")
    assert len({r.params["trainer"] for r in trials}) > 1
    assert all(r.outcome == "complete" for r in trials)
