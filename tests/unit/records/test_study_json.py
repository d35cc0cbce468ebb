"""What study.json says of the start of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import DamagedError
from hpsearch.records.layout import RunFiles
from hpsearch.records.sealed import write_sealed
from hpsearch.records.study_json import code_of_starts, is_imported, read_study_json


def test_an_older_run_says_nothing_of_code_and_was_started_here(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    assert read_study_json(files) == {}
    write_sealed(files.study_json, {"id": "a", "file": {}})
    known = read_study_json(files)
    assert (code_of_starts(known), is_imported(known)) == ([], False)
    write_sealed(files.study_json, {"id": "a", "file": {}, "code": [{"m": "1"}], "imported": True})
    known = read_study_json(files)
    assert (code_of_starts(known), is_imported(known)) == ([{"m": "1"}], True)
    write_sealed(files.study_json, {"id": "a"})
    with pytest.raises(DamagedError, match="no file"):
        read_study_json(files)
