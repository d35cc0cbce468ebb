"""Studies that are scored by a function of the user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets.selection import open_pool
from hpsearch.errors import StudyChangedError
from hpsearch.studyfile.reading import read_study
from tests.harness.rare_classes import STUDY, rare_table
from tests.harness.study import records, run
from tests.harness.study_mistakes import message

CODE = """
import numpy as np

def gain(y_true, y_pred, classes):
    assert classes == ("no", "yes")
    return 10 * np.sum((y_true == 1) & (y_pred == 1)) - np.sum(y_pred == 1)

def spread(y_true, probabilities):
    return probabilities[:, 1].max() - probabilities[:, 1].min()

def text(y_true, y_pred):
    return "much"

def three(y_true, y_pred, costs):
    return 0.0
"""
GAIN = "objective={{metric='validation_{}:gain', direction='maximize'}}"


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module beside a study of a table."""
    monkeypatch.syspath_prepend(tmp_path)
    rare_table(np.random.default_rng(1)).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "rare.toml").write_text(STUDY)
    name = "scores_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
    (tmp_path / f"{name}.py").write_text(CODE)
    return name


def test_a_score_of_ones_own_decides(name: str, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "rare.toml"
    beside = f"evaluation.metrics=['{name}:spread', 'precision', 'recall']"
    result = run(path, home, GAIN.format(name), beside)
    pool = open_pool(read_study(path).selection)
    for record in records(home, "rare"):
        for member in record.members:
            (gain,) = member.history[f"validation_{name}:gain"]
            positives = int(pool.examples.labels[pool.splits[member.split][1]].sum())
            (recall,), (precision,) = (
                member.history[f"validation_{one}"] for one in ("recall", "precision")
            )
            hits = recall * positives
            assert gain == pytest.approx(10 * hits - (hits / precision if hits else 0))
            assert 0 < member.history[f"validation_{name}:spread"][0] < 1
        assert len(record.code) == 1
    assert {f"test_{name}:gain", f"test_{name}:spread"} <= {*result.test}
    (tmp_path / f"{name}.py").write_text(CODE.replace("10 *", "20 *"))
    with pytest.raises(StudyChangedError, match=f"{name}.py"):
        run(path, home, GAIN.format(name), beside)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("lost", "must be importable as module:function, beside the study file or on the Python"),
        ("three", "must be a function of (y_true, y_pred), or (y_true, probabilities), which may"),
    ],
)
def test_a_function_that_is_no_score_is_refused(
    function: str, text: str, name: str, tmp_path: Path
) -> None:
    found = message(tmp_path / "rare.toml", f"evaluation.metrics=['{name}:{function}']")
    assert f"evaluation.metrics.0: {text}" in found
    goal = f"objective={{metric='validation_{name}:{function}', direction='minimize'}}"
    assert f"objective.metric: {text}" in message(tmp_path / "rare.toml", goal)
    unsaid = message(tmp_path / "rare.toml", f"objective={{metric='validation_{name}:gain'}}")
    assert "objective.direction: is missing" in unsaid


def test_what_is_no_number_fails_trials_in_words(name: str, tmp_path: Path, home: Path) -> None:
    with pytest.raises(Exception, match="none did"):
        run(tmp_path / "rare.toml", home, f"evaluation.metrics=['{name}:text']")
    reason = records(home, "rare")[0].reason
    assert reason.endswith(f"{name}:text must return a number, got str")
