"""A study whose name has letters of another script, and spaces."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from hpsearch import (
    best_configuration,
    delete_study,
    export_study,
    import_study,
    run_study,
    show_study,
    study_status,
    verify_study,
    write_study_report,
)
from hpsearch.errors import HpsearchError
from tests.harness.stores import new_home
from tests.harness.study_files import TINY

NAME = "고양이 찾기 (2)"


def test_it_goes_all_ways(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "tiny.toml"
    decomposed = unicodedata.normalize("NFD", NAME)  # as some keyboards and file systems write it
    path.write_text(TINY.replace('name = "small"', f'name = "{decomposed}"'), encoding="utf-8")
    report = run_study(path, home=home, workers=0)
    assert report.result.study == NAME
    assert (home / "studies" / NAME / "1").is_dir()
    assert not report.missing  # MLflow has its experiment
    assert report.link.isascii()
    assert show_study(decomposed, home=home).result.best_number == report.result.best_number
    assert verify_study(f"{NAME}/1", home=home).equal
    assert NAME in write_study_report(NAME, home=home).read_text(encoding="utf-8")
    with pytest.raises(HpsearchError, match=re.escape(f"show '{NAME}' --trials")):
        best_configuration(NAME, trial=99, home=home)
    archive = export_study(NAME, tmp_path / "kept.zip", home=home)
    other = new_home(tmp_path / "other")
    import_study(archive, home=other)
    assert study_status(home=other)["study"].tolist() == [NAME]
    delete_study(NAME, home=other)
    assert not (other / "studies" / NAME).exists()
