"""The studies that come along as examples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.scheduler.batch_reading import read_batch
from hpsearch.shipped.examples import example_files, examples, write_example
from hpsearch.studyfile.reading import read_study
from tests.harness.commands import call_here
from tests.harness.documents import REPOSITORY

STUDIES = REPOSITORY / "studies"


def test_every_study_and_batch_is_an_example() -> None:
    found = {path.relative_to(STUDIES).with_suffix("").as_posix() for path in _files()}
    assert set(examples()) == found
    assert all(examples().values())


def _files() -> list[Path]:
    return [*STUDIES.glob("*.toml"), *STUDIES.glob("batches/*.toml")]


@pytest.mark.parametrize("name", examples())
def test_an_example_is_valid_by_itself(name: str, tmp_path: Path) -> None:
    study, *_ = write_example(name, tmp_path)
    if name.startswith("batches/"):
        assert read_batch(study)
    else:
        read_study(study)


def test_modules_tables_and_what_a_module_reads_come_along() -> None:
    assert list(map(str, example_files("lenet_cifar10"))) == [
        "lenet_cifar10.toml",
        "lenet_batch_lr.py",
        "tables/lenet_pytorch.csv",
    ]
    assert list(map(str, example_files("customers"))) == ["customers.toml", "customers.csv"]
    batch = list(map(str, example_files("batches/optimizers")))
    assert batch == ["batches/optimizers.toml", "quickstart.toml", "estimators.toml"]


def test_a_script_can_be_run(tmp_path: Path) -> None:
    _, script = write_example("program_shell", tmp_path)
    assert os.access(script, os.X_OK)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    own = tmp_path / "own_trainer.py"
    own.write_text("mine")
    with pytest.raises(StudyFileError, match=r"own_trainer\.py must not exist"):
        write_example("own_trainer", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [own.name]
    assert own.read_text() == "mine"


def test_files_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (study,) = write_example("quickstart", tmp_path)
    before = study.stat().st_mtime_ns
    assert write_example("quickstart", tmp_path) == [study]
    assert study.stat().st_mtime_ns == before


@pytest.mark.parametrize("words", [[""], [], ["--to", "somewhere"]])
def test_without_a_name_the_examples_are_listed(words: list[str]) -> None:
    done = call_here("init", "--example", *words)
    assert done.returncode == 0
    assert "quickstart  Three optimizers on scikit-learn's digits" in done.stdout
    assert len(done.stdout.splitlines()) == len(examples())


def test_a_slip_names_the_nearest() -> None:
    done = call_here("init", "--example", "quickstat")
    assert done.returncode == 2
    assert "got 'quickstat' (did you mean 'quickstart'?)" in done.stderr


def test_an_example_is_written_here_with_what_to_call_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call_here("init", "--example", "own_trainer")
    assert done.stdout == "own_trainer.toml\nown_trainer.py\n"
    assert done.stderr == "next: python -m hpsearch study own_trainer.toml\n"
    assert (tmp_path / "own_trainer.py").is_file()


def test_an_example_stands_without_what_a_new_file_has() -> None:
    done = call_here("init", "new.toml", "--example", "quickstart")
    assert done.returncode == 2
    assert "--example cannot be combined with FILE" in done.stderr


def test_who_has_no_studies_is_told_of_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call_here("study")
    assert done.returncode == 0
    assert f"no study files in {tmp_path / 'studies'}" in done.stderr
    assert "python -m hpsearch init --example quickstart" in done.stderr
