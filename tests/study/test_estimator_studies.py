"""Studies over scikit-learn estimators: what [space] may name, and a mixed study to its result."""

from __future__ import annotations

from pathlib import Path

import pytest
import skops.io
from optuna.distributions import FloatDistribution, IntDistribution

from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run

SVC, FOREST = "sklearn.svm.SVC", "sklearn.ensemble.RandomForestClassifier"
MIXED = f"""\
# A network, a support vector machine and a forest.
name = "mixed"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}

[data]
name = "digits"
shots = 6
split = {{ kind = "k-fold", folds = 3 }}

[network]
name = "two-layer"

[space]
trainer = {{ choices = ["sgd", "{SVC}", "{FOREST}"] }}
learning_rate = {{ low = 1e-2, high = 1.0, log = true }}
C = {{ low = 1, high = 100, log = true }}
kernel = {{ choices = ["rbf", "poly"] }}
n_estimators = {{ low = 4, high = 20 }}

[[stages]]
trials = 8
epochs = 2
[[stages]]
trials = 5
epochs = 4

[confirmation]
top = 2
seeds = 2
test_seeds = 2
"""
ALONE = MIXED.replace(f'{{ choices = ["sgd", "{SVC}", "{FOREST}"] }}', f'"{SVC}"')


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.toml"
    path.write_text(MIXED)
    return path


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(StudyFileError) as caught:
        read_study(path, overrides)
    return str(caught.value)


def test_a_hyperparameter_belongs_to_the_trainers_that_take_it(mixed: Path) -> None:
    parameters: dict[str, Parameter] = {p.name: p for p in read_study(mixed).space.parameters}
    assert {name: p.when.get("trainer") for name, p in parameters.items()} == {
        "trainer": None,
        "learning_rate": ("sgd",),
        "C": (SVC,),
        "kernel": (SVC,),
        "n_estimators": (FOREST,),
    }


def test_whole_bounds_of_a_real_argument_are_a_range_of_reals(mixed: Path) -> None:
    parameters = {p.name: p.distribution for p in read_study(mixed).space.parameters}
    assert isinstance(parameters["C"], FloatDistribution)
    assert isinstance(parameters["n_estimators"], IntDistribution)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("space.Cc=1", "space.Cc: must be one of trainer, learning_rate"),
        ("space.kernal='rbf'", "(did you mean 'kernel'?)"),
        ("space.C.low=0.0", "space.C.low: must be a float in the range (0.0, inf], got 0.0"),
        ("space.kernel.choices=['rbff']", "space.kernel.choices: must be a str among"),
        ("space.random_state=3", "space.random_state: must be one of"),
        ("space.trainer=sklearn.svm.SVCC", "space.trainer: class of sklearn.svm must be one of"),
        ("objective.metric=validation_r2", "objective.metric: must be one of validation_loss"),
        ("space.C.when={trainer='sgd'}", "space.C.when.trainer: must be one that takes C"),
    ],
)
def test_a_mistake_names_its_key_and_the_rule(mixed: Path, override: str, line: str) -> None:
    assert line in message(mixed, override)


def test_a_metric_that_one_of_the_trainers_never_reports_is_refused(mixed: Path) -> None:
    text = message(
        mixed,
        "space.trainer={choices=['sgd', 'sklearn.svm.LinearSVC']}",
        "objective.metric=validation_loss",
    )
    assert "must be one of validation_accuracy, or a score, got 'validation_loss'" in text
    assert "sklearn.svm.LinearSVC reports these" in text


def test_one_name_with_two_meanings_says_whose_rule_is_broken(mixed: Path) -> None:
    text = message(mixed, "space.trainer.choices=['sgd', 'sklearn.linear_model.SGDClassifier']")
    assert "got 0.01 (sklearn.linear_model.SGDClassifier says so; `when` can leave it out)" in text


def test_a_condition_leaves_the_other_meaning_out(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    trainers = '["sgd", "sklearn.linear_model.SGDClassifier"]'
    space = f"""trainer = {{ choices = {trainers} }}
learning_rate = {{ low = 0.01, high = 1.0, when = {{ trainer = "sgd" }} }}
alpha = {{ low = 1e-6, high = 1.0, log = true }}
batch_size = 10

"""
    before, _, rest = MIXED.partition("[space]\n")
    path.write_text(before + "[space]\n" + space + rest[rest.index("[[stages]]") :])
    parameters = {p.name: p.when for p in read_study(path).space.parameters}
    assert parameters["learning_rate"] == {"trainer": ("sgd",)}
    assert parameters["alpha"] == {"trainer": ("sklearn.linear_model.SGDClassifier",)}


def test_a_network_that_nobody_trains_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alone.toml"
    path.write_text(ALONE)
    assert f"network: must be left out: {SVC} trains no network" in message(path)


def test_a_mixed_study_runs_to_its_end(mixed: Path, home: Path) -> None:
    result = run(mixed, home)
    trials = records(home, "mixed")
    assert {r.params["trainer"] for r in trials} == {"sgd", SVC, FOREST}
    assert all(r.outcome in ("complete", "pruned") for r in trials)
    for record in trials:
        svm = record.params["trainer"] == SVC
        assert ("C" in record.params, "learning_rate" in record.params) == (
            svm,
            record.params["trainer"] == "sgd",
        )
    assert result.validation.mean > 0.5
    assert set(result.test) >= {"test_accuracy"}


def test_a_trial_that_the_estimator_refuses_fails_with_its_reason(mixed: Path, home: Path) -> None:
    run(mixed, home, "space.kernel.choices=['rbf', 'precomputed']")
    trials = [r for r in records(home, "mixed") if r.params.get("kernel") == "precomputed"]
    assert trials
    for record in trials:
        assert record.outcome == "failed"
        assert "Precomputed matrix must be a square matrix" in record.reason


def test_a_type_that_skops_does_not_make_leaves_no_model_and_says_so(
    mixed: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of an installed package that is not scikit-learn; its scores count all the same."""
    monkeypatch.setattr(skops.io, "get_untrusted_types", lambda data: ["another.package.Tree"])
    tree = "sklearn.tree.DecisionTreeClassifier"
    alone = (f"space={{trainer='{tree}', max_depth={{low=2, high=8}}}}", "network={}")
    small = ("stages=[{trials=1, epochs=1}]", "confirmation={top=1, seeds=2, test_seeds=1}")
    result = run(mixed, home, *alone, *small)
    assert "test_accuracy" in result.test
    folder = RunFolder(home / "studies/mixed/1")
    (record,) = folder.read_all("test")
    assert record.files == ["log.txt"]
    log = folder.files.record("test", record.number, 1).file("log.txt").read_text()
    assert log.count("the model is not kept for predictions: HpsearchError: an estimator") == 1
