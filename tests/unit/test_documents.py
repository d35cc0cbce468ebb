"""What the documents say of the repository is true of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/dev/design.md",
    "docs/dev/life-of-a-trial.md",
]
FOLDERS = "hpsearch|studies|scripts|benchmarks|soak|tests|docs"
LAYERS: list[list[str]] = [
    layer.split(" | ")
    for layer in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"][0]["layers"]
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_are_there(document: str) -> None:
    text = (REPOSITORY / document).read_text()
    named = set(re.findall(rf"(?<![\w/.-])(?:{FOLDERS})/[\w/.-]*[\w/](?![<*\w])", text))
    missing = sorted(path for path in named if not (REPOSITORY / path).exists())
    assert not missing, f"{document} names {missing}"


def test_the_rooms_of_contributing_are_those_of_the_contract() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    table = text.partition("| room of `hpsearch/` |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    rooms = [
        name.removesuffix("/").removesuffix(".py")
        for cell in cells
        for name in re.findall(r"`([^`]+)`", cell)
    ]
    assert sorted(rooms) == sorted(name for layer in LAYERS for name in layer)


def test_the_layers_of_the_design_are_those_of_the_contract() -> None:
    text = (REPOSITORY / "docs/dev/design.md").read_text()
    block = text.partition("rooms on one line don't know each other.\n\n")[2].partition("\n\n")[0]
    shown = [re.split(r"  +", line.strip())[0].split(" | ") for line in block.splitlines()]
    assert shown == LAYERS
