"""The reference pages are made from the code, and have all of it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from hpsearch.records.layout import Artifact
from hpsearch.records.outcome import Outcome
from hpsearch.scheduler.batch_file import BatchFile
from hpsearch.studyfile.study_file import TABLES, StudyFile
from hpsearch.studyfile.tables.base import Table

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The script that makes them."""
    return runpy.run_path(str(REPOSITORY / "docs/site/reference.py"))


@pytest.fixture(scope="module")
def pages(made: dict[str, Any]) -> dict[str, str]:
    """Them, as the code is now."""
    found: dict[str, str] = made["pages"]()
    return found


def test_the_committed_pages_are_current(pages: dict[str, str]) -> None:
    folder = REPOSITORY / "docs/reference"
    assert {path.name for path in folder.iterdir()} == set(pages)
    for name, text in pages.items():
        current = (folder / name).read_text() == text
        assert current, f"docs/reference/{name} is not current: run scripts/docs"


def test_every_command_and_option_is_there(made: dict[str, Any], pages: dict[str, str]) -> None:
    commands = made["commands"]()
    assert len(commands) > 15
    assert "| `--version` |" in pages["commands.md"]
    for name, command in commands.items():
        section = pages["commands.md"].partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option":
                for word in [*parameter.opts, *parameter.secondary_opts]:
                    assert f"`{word}" in section, f"{name} {word}"
            else:
                assert f"| `{parameter.metavar}` |" in section, f"{name} {parameter.name}"


def test_every_key_is_there(pages: dict[str, str]) -> None:
    study, batch = pages["study-file.md"], pages["batch-file.md"]
    tables: list[type[Table]] = [StudyFile, *TABLES.values()]
    for table in tables:
        for key in table.model_fields:
            assert f"| `{key}` |" in study, f"{table.__name__}.{key}"
    for key in BatchFile.model_fields:
        assert f"| `{key}` |" in batch, key


def test_every_outcome_and_artifact_is_there(pages: dict[str, str]) -> None:
    assert all(f"| `{outcome}` |" in pages["outcomes.md"] for outcome in Outcome)
    assert all(f"| `{artifact}` |" in pages["records.md"] for artifact in Artifact)


def test_every_environment_variable_is_there(made: dict[str, Any]) -> None:
    used = made["variables_in"](REPOSITORY / "hpsearch") - made["INTERNAL"]
    assert used <= set(made["VARIABLES"])
