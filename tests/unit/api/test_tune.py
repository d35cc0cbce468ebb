"""What `tune` says before it runs anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import tune
from hpsearch.errors import DataError, StudyFileError
from tests.harness.tables import customers


def test_a_study_of_another_target_is_not_taken_for_this_one(tmp_path: Path) -> None:
    customers().to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.toml").write_text('[data]\nname = "t.csv"\ntarget = "plan"\n')
    with pytest.raises(StudyFileError, match="that predicts 'left', got one that predicts 'plan'"):
        tune(tmp_path / "t.csv", target="left", home=tmp_path / "home")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "gone"}, "data.target must be one of"),
        ({"target": "left", "metric": "rmse"}, "objective.metric"),
        ({"target": "left", "overrides": ["data.columns.age=text9"]}, "data.columns.age must be"),
        ({"target": "left", "group": "plan", "time": "since"}, "must be left out beside --group"),
    ],
)
def test_a_mistake_writes_no_file(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    customers().to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises((DataError, StudyFileError), match=message):
        tune(tmp_path / "t.csv", home=tmp_path / "home", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "t.toml").exists()
    assert not (tmp_path / "home").exists()
