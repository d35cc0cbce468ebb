"""Studies over a pipeline of one's own: its names in [space], its model, and its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.reading import read_study, refuse_unfit
from tests.harness.study import records, run

CODE = """\
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler


class Scaler(StandardScaler):
    pass


def make(params):
    scale = Scaler() if params.get("own") else StandardScaler()
    if params.get("lambda"):
        scale = FunctionTransformer(lambda x: x)
    return Pipeline([("scale", scale), ("clf", LogisticRegression())])
"""
STUDY = """\
# A pipeline of one's own beside a network.
name = "pipes"
objective = { metric = "validation_accuracy", direction = "maximize" }

[data]
name = "digits"
shots = 5

[network]
name = "two-layer"
hidden = 10

[space]
trainer = { choices = ["pipes:make", "adam"] }
clf__C = { low = 0.01, high = 10.0, log = true, when = { trainer = "pipes:make" } }
scale__with_std = { choices = [true, false], when = { trainer = "pipes:make" } }
learning_rate = { low = 0.001, high = 0.1, log = true, when = { trainer = "adam" } }

[[stages]]
trials = 4
epochs = 1

[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""
ALONE = (
    "space={trainer='pipes:make', clf__C={low=0.1, high=10.0, log=true}}",
    "network={}",
    "stages.0.trials=1",
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "pipes.py").write_text(CODE)
    path = tmp_path / "pipes.toml"
    path.write_text(STUDY)
    return path


def test_a_study_searches_it_beside_a_network(study: Path, home: Path) -> None:
    result = run(study, home)
    trials = records(home, "pipes")
    assert {r.params["trainer"] for r in trials} == {"pipes:make", "adam"}
    for record in trials:
        made = record.params["trainer"] == "pipes:make"
        assert ("clf__C" in record.params, "learning_rate" in record.params) == (made, not made)
    assert result.validation.mean > 0.3


def test_its_winner_is_a_model_where_all_of_it_is_scikit_learns(study: Path, home: Path) -> None:
    run(study, home, *ALONE)
    (record,) = RunFolder(home / "studies/pipes/1").read_all("test")
    assert "estimator.skops" in record.files


def test_types_of_ones_own_leave_no_model_and_the_log_says_why(study: Path, home: Path) -> None:
    run(study, home, *ALONE, "space.own=true")
    (record,) = RunFolder(home / "studies/pipes/1").read_all("test")
    assert "estimator.skops" not in record.files
    place = RunFolder(home / "studies/pipes/1").files.record("test", record.number, 1)
    log = place.file("log.txt").read_text()
    assert "the model is not kept for predictions" in log
    assert "pipes.Scaler" in log


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("space.clf__C.low=-1.0", "space.clf__C.low: must be a float in the range (0.0, inf]"),
        ("space.clf__random_state=3", "space.clf__random_state: must be left out: it is the"),
        ("objective.metric=validation_r2", "objective.metric: must be one of validation_loss"),
        ("space.trainer=pipes:mkae", "has no attribute 'mkae'"),
    ],
)
def test_a_mistake_names_its_key_and_the_rule(study: Path, override: str, line: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(study, [*ALONE, override])
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("space.clf__CC=1.0", "space.clf__CC: must be something that pipes:make can be fitted"),
        ("space.lambda=true", "space.lambda: must be something that pipes:make can be fitted"),
    ],
)
def test_what_can_not_be_fitted_or_paused_is_found_before_anything_runs(
    study: Path, override: str, line: str
) -> None:
    with pytest.raises(StudyFileError) as caught:
        refuse_unfit(read_study(study, [*ALONE, override]))
    assert line in str(caught.value)


def test_other_code_is_noticed_at_the_next_start(study: Path, home: Path) -> None:
    run(study, home, *ALONE)
    (study.parent / "pipes.py").write_text(CODE.replace("StandardScaler()", "StandardScaler( )"))
    with pytest.raises(StudyChangedError, match=r"pipes\.py"):
        run(study, home, *ALONE)


def test_the_example_of_the_documentation_runs(study: Path, home: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/functions.md").read_text()
    _, _, rest = text.partition("```python\n# pipes.py")
    code, _, rest = rest.partition("```")
    space = rest.partition("```toml\n")[2].partition("```")[0]
    (study.parent / "pipes.py").write_text(f"#{code}")
    before, _, after = STUDY.partition("[space]\n")
    study.write_text(f"{before}{space}\n{after[after.index('[[stages]]') :]}")
    run(study, home, "stages=[{trials=2, epochs=1}]")
    assert [r.outcome for r in records(home, "pipes")] == ["complete"] * 2
