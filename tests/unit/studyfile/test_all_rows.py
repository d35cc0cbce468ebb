"""When a study may ask for a model of all rows, and which new files do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import init_study
from hpsearch.errors import StudyFileError
from hpsearch.studyfile.reading import read_study
from tests.harness.tables import customers

ALL_ROWS = "confirmation.model=all-rows"
LINEAR = "sklearn.linear_model.LogisticRegression"
OWN = """\
def train(params, data, seed, n_epochs):
    yield {"validation_accuracy": 0.5}
"""


def test_networks_and_estimators_have_one(study_file: Path) -> None:
    read = read_study(study_file, [ALL_ROWS, "data={name='digits'}"])
    assert read.file.fits_all_rows
    assert not read_study(study_file).file.fits_all_rows


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("data.shots=6", "with data.shots the test rows would outnumber those to learn from"),
        ("space.trainer=own:train", "no model of 'own:train' is stored"),
        ("space.trainer={choices=['adam', 'own:train']}", "no model of 'own:train' is stored"),
    ],
)
def test_it_is_refused_where_there_can_be_none(
    study_file: Path, override: str, reason: str
) -> None:
    (study_file.parent / "own.py").write_text(OWN)
    space = "space={trainer='sgd', learning_rate={low=0.1, high=1.0}}"
    with pytest.raises(StudyFileError) as refused:
        read_study(study_file, ["data={name='digits'}", space, ALL_ROWS, override])
    line = f'confirmation.model: must be "refit" or left out, because {reason}, got "all-rows"'
    assert str(refused.value).splitlines()[1:] == [f"  {line}"]


def test_a_new_file_for_a_table_asks_for_it_and_no_other(tmp_path: Path) -> None:
    customers().to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "table.toml"
    read = init_study(path, data="table.csv", trainers=["adam", LINEAR], target="left")
    assert read.file.fits_all_rows
    (line,) = (one for one in path.read_text().splitlines() if one.startswith("model = "))
    assert "# the model for new rows learns from the test rows" in line
    assert path.read_text().count("model = ") == 1
    images = init_study(tmp_path / "images.toml", data="digits")
    assert not images.file.fits_all_rows
    assert '# model = "refit"' in (tmp_path / "images.toml").read_text()
    (tmp_path / "own.py").write_text(OWN)
    own = init_study(tmp_path / "o.toml", data="table.csv", trainers=["own:train"], target="left")
    assert not own.file.fits_all_rows
