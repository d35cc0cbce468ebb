"""Batch files: variants, order, and every mistake at once."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.scheduler.batch_reading import read_batch
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.toml import toml_value
from tests.harness.batches import WriteBatch as Write
from tests.harness.study_files import REPOSITORY


def names(path: Path) -> list[str]:
    return [study.name for study in read_batch(path).studies]


def test_a_matrix_is_one_study_for_every_combination(write_batch: Write) -> None:
    path = write_batch("""
        name = "b"
        [[studies]]
        file = "small.toml"
        matrix = { data.shots = [5, 10], seed = [0, 1] }
    """)
    assert names(path) == [
        "small-shots5-seed0",
        "small-shots5-seed1",
        "small-shots10-seed0",
        "small-shots10-seed1",
    ]
    overrides = read_batch(path).studies[2].overrides
    assert {"data.shots=10", "seed=0"} < set(overrides)


def test_a_variant_is_named_by_texts_numbers_and_the_place_of_tables(write_batch: Write) -> None:
    path = write_batch("""
        name = "b"
        [[studies]]
        file = "small.toml"
        name = "mine"
        [studies.matrix]
        data.split = [{ kind = "hold-out" }, { kind = "k-fold", folds = 2 }]
        space.batch_size = [5, { choices = [5, 10] }]
        data.draw = ["first"]
    """)
    assert names(path)[:2] == ["mine-split0-first-batch_size5", "mine-split0-first-batch_size1"]
    assert len(names(path)) == 4


@pytest.mark.parametrize("name", ['a "new" b', r"C:\new", "sgd/adam: 50 %"])
def test_a_variant_has_the_name_of_its_study_whatever_its_signs(
    name: str, write_batch: Write
) -> None:
    path = write_batch(f"""
        name = "b"
        [[studies]]
        file = "small.toml"
        name = '{name}'
        matrix = {{ seed = [1, 2] }}
    """)
    assert names(path) == [f"{name}-seed1", f"{name}-seed2"]
    for study in read_batch(path).studies:
        assert read_study(study.path, study.overrides).file.name == study.name


def test_priorities_come_first_and_variants_in_turn_where_interleaved(write_batch: Write) -> None:
    text = """
        name = "b"
        order = "interleaved"
        [[studies]]
        file = "small.toml"
        matrix = { seed = [0, 1] }
        [[studies]]
        file = "small.toml"
        name = "other"
        matrix = { seed = [0, 1] }
        [[studies]]
        file = "small.toml"
        name = "urgent"
        priority = 1
    """
    mixed = ["urgent", "small-seed0", "other-seed0", "small-seed1", "other-seed1"]
    assert names(write_batch(text)) == mixed
    written = ["urgent", "small-seed0", "small-seed1", "other-seed0", "other-seed1"]
    assert names(write_batch(text.replace("interleaved", "written"))) == written


def test_a_study_file_is_a_batch_of_one_with_its_schedule(write_batch: Write) -> None:
    path = write_batch("name = 'unused'").with_name("small.toml")
    path.write_text(path.read_text() + '[schedule]\ncron = "0 2 * * *"\n')
    read = read_batch(path)
    assert names(path) == ["small"]
    assert (read.path, read.studies[0].path) == (path, path)
    assert read.file.schedule.cron == "0 2 * * *"


def test_every_mistake_is_told_at_once(write_batch: Write) -> None:
    path = write_batch("""
        name = "-batch"
        ordr = "written"
        [schedule]
        cron = "0 25 * * *"
        window = "2-6"
        timezone = "Europe/Berln"
        [[studies]]
        fil = "small.toml"
    """)
    with pytest.raises(StudyFileError) as caught:
        read_batch(path)
    for text in (
        "has 7 mistakes; nothing was started",
        "name: must be 1 to 80 visible characters",
        "ordr: must be one of name, studies, order",
        "(did you mean 'order'?)",
        "schedule.cron: must be a cron expression",
        "schedule.window: must be two times of day",
        "schedule.timezone: must be the name of a time zone",
        "studies.0.fil: must be one of file, name",
        "studies.0.file: is missing",
    ):
        assert text in str(caught.value)


def test_mistakes_of_the_studies_are_told_once_with_their_table(write_batch: Write) -> None:
    path = write_batch("""
        name = "b"
        [[studies]]
        file = "small.toml"
        set = ["space.learning_rat=1"]
        matrix = { seed = [0, 1] }
        [[studies]]
        file = "nothing.toml"
        [[studies]]
        file = "small.toml"
        matrix = { seed = 3 }
        [[studies]]
        file = "small.toml"
        [[studies]]
        file = "small.toml"
    """)
    with pytest.raises(StudyFileError) as caught:
        read_batch(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert "studies.0: small.toml: space.learning_rat: must be one of" in lines[1]
    assert "studies.1: nothing.toml" in lines[2]
    assert "studies.2.matrix.seed: must be a list of values, got 3" in lines[3]
    assert "studies.4.name: must be unique, got 'small', that of studies.3" in lines[4]


@pytest.mark.parametrize(
    "value", [True, 1, 1e-5, 'a "b" ü', [1, "x"], {"kind": "k-fold", "folds": 3, "l": [False]}]
)
def test_values_read_back_from_toml(value: Any) -> None:
    assert tomllib.loads(f"v = {toml_value(value)}")["v"] == value


@pytest.mark.parametrize("path", sorted((REPOSITORY / "studies/batches").glob("*.toml")))
def test_the_batches_of_the_project_are_valid(path: Path) -> None:
    assert len(read_batch(path).studies) > 1
    assert path.read_text().startswith("# ")
