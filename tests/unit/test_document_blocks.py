"""Every block of code in the documents is parsed, checked, or run.

Whole study files are read as the command reads them, parts of them table by table; Python blocks
are compiled, their imports of hpsearch looked up, and those that define something are run; each
command of ours is given to the parser of the command line. What trains is run in other tests:
tests/system/test_documents.py, tests/unit/test_testing.py, tests/study/test_own_pipelines.py.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from hpsearch.cli import app
from hpsearch.scheduler.batch_reading import read_batch
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.study_file import TABLES, StudyFile, keyed
from hpsearch.studyfile.tables.base import Table
from hpsearch.studyfile.tables.space import CHOICE_KEYS, RANGE_KEYS
from tests.harness.documents import REPOSITORY, Block, blocks

COMMAND = re.compile(r"(?<![\w/-])python -m hpsearch (?P<words>[^`\n]+)")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def _of(*kinds: str) -> list[Any]:
    return [pytest.param(b, id=b.place) for b in blocks() if b.kind in kinds]


def test_every_block_names_its_language() -> None:
    assert {block.kind for block in blocks()} <= {"toml", "python", "sh", "bash", "text"}
    for path in [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]:
        fences = re.findall(r"^ *```(\w*)", path.read_text(), re.MULTILINE)
        assert all(fences[::2]), f"{path.name} has a block without a language"
        assert not any(fences[1::2])


@pytest.mark.parametrize("block", _of("toml"))
def test_toml_is_a_study_file_or_a_part_of_one(block: Block, tmp_path: Path) -> None:
    content = tomllib.loads(block.text)
    if "studies" in content:
        _check_batch(block.text, content, tmp_path)
    elif {"name", "space", "stages"} <= set(content):
        path = tmp_path / "study.toml"
        path.write_text(block.text)
        read_study(path)
    else:
        _check_part(content)


def _check_batch(text: str, content: dict[str, Any], folder: Path) -> None:
    """With stand-ins for study files that only the reader of the document has."""
    for entry in content["studies"]:
        named = (REPOSITORY / "studies/batches" / entry["file"]).resolve()
        known = named if named.exists() else REPOSITORY / "studies/quickstart.toml"
        text = text.replace(f'"{entry["file"]}"', f'"{known}"')
    path = folder / "batch.toml"
    path.write_text(text)
    assert read_batch(path)


def _check_part(content: dict[str, Any]) -> None:
    """Each of its keys is one of a study file, and each of its tables valid by itself."""
    for name, value in content.items():
        if name not in StudyFile.model_fields:  # keys of [space], shown without it
            _check_entry(name, value)
        elif name in ("space", "network", "prepare"):
            for key, entry in value.items():
                _check_entry(key, entry)
        elif name in TABLES:
            for row in keyed(name, value).values():
                _check_table(TABLES[name], row)


def _check_table(table: type[Table], row: dict[str, Any]) -> None:
    """Valid, but that it may be shown without keys that it needs."""
    unknown = set(row) - set(table.model_fields)
    assert not unknown
    if missing := {k for k, f in table.model_fields.items() if f.is_required()} - set(row):
        assert missing <= {"kind", "name", "command", "direction", "trials", "epochs"}, missing
        return
    table.model_validate(row)


def _check_entry(name: str, value: Any) -> None:
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if isinstance(entry, dict):
            assert {"low", "high"} <= set(entry) or "choices" in entry, name
            assert set(entry) <= {*RANGE_KEYS, *CHOICE_KEYS}


@pytest.mark.parametrize("block", _of("python"))
def test_python_compiles_and_finds_what_it_imports(block: Block) -> None:
    tree = ast.parse(block.text)
    compile(tree, block.place, "exec", dont_inherit=True)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in imports:
        if node.module and node.module.split(".")[0] == "hpsearch":
            module = import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names), block.place
    for part in ast.walk(tree):
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "hpsearch":
            assert hasattr(import_module("hpsearch"), part.attr)
    modules = {(n.module or "").split(".")[0] for n in imports}
    defines = all(
        isinstance(n, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        for n in tree.body
    )
    if defines and all(importlib.util.find_spec(name) for name in modules):
        exec(compile(tree, block.place, "exec", dont_inherit=True), {"__name__": "block"})


def _commands() -> list[tuple[str, str]]:
    """All that call us, in blocks and inside sentences."""
    found = []
    documents = [
        REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "scripts/quickstart")
    ]
    for path in [*documents, *sorted((REPOSITORY / "docs").rglob("*.md"))]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found += [
                (f"{path.relative_to(REPOSITORY)}:{number}", match["words"])
                for match in COMMAND.finditer(line)
            ]
    return found


def test_every_command_is_one_that_the_command_line_takes() -> None:
    found = _commands()
    assert len(found) > 80
    for place, text in found:
        words = re.split(r" {2,}|\t|<<|\)$|[;&|]", text.partition(" #")[0])[0]
        name, *arguments = shlex.split(words.strip(), posix=True)
        if name == "NAME":  # any command
            continue
        assert name in COMMANDS, f"{place} names the command {name}"
        if "[OPTIONS]" in arguments:
            continue
        options = {o for p in COMMANDS[name].params for o in [*p.opts, *p.secondary_opts]}
        for word in arguments:
            if word.startswith("--"):
                known = word.partition("=")[0] in {*options, "--help"}
                assert known, f"{place}: {name} has no option {word}"
        if not _has_placeholders(arguments):
            COMMANDS[name].make_context(name, list(arguments))


def _has_placeholders(arguments: list[str]) -> bool:
    """Whether it stands for a command rather than being one: STUDY, [FILE], …, or no argument."""
    return not arguments or any(re.search(r"[A-Z]{3}|…|\.\.\.|^\[", word) for word in arguments)
