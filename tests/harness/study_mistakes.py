"""What a study file with a mistake is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.studyfile.reading import read_study, refuse_unfit


def message(path: Path, *overrides: str) -> str:
    with pytest.raises(StudyFileError) as caught:
        read_study(path, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


def mistakes(path: Path, *overrides: str) -> str:
    """What is wrong with a study and its data."""
    read = read_study(path, overrides)
    with pytest.raises(StudyFileError) as caught:
        refuse_unfit(read)
    return str(caught.value)
