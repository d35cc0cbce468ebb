"""When a study may ask for a model of all rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.studyfile.reading import read_study

ALL_ROWS = "confirmation.model=all-rows"
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
