"""The studies that come along as examples, each with the files that it needs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hpsearch.errors import StudyFileError, nearest
from hpsearch.records.whole_files import storage_errors, write_below
from hpsearch.shipped.folder import shipped
from hpsearch.studyfile.listing import list_studies

BESIDE = re.compile(r'Path\(__file__\)\.parent((?: / "[^"]+")+)')  # a file that a module reads


def examples() -> dict[str, str]:
    """What each example shows, by its name: a study file's, or that of a batch of them."""
    folder = shipped() / "studies"
    found = [*list_studies(folder), *list_studies(folder / "batches")]
    return {_name(path, folder): summary for path, summary in found}


def example_files(name: str) -> list[Path]:
    """The files of an example, relative to studies/, its own first.

    Raises:
        StudyFileError: there is no such example.
    """
    if name not in examples():
        raise StudyFileError(
            "--example must be one of those that python -m hpsearch init --example lists, "
            f"got {name!r}{nearest(name, examples())}"
        )
    folder = (shipped() / "studies").resolve()
    found = [folder / f"{name}.toml"]
    for path in found:  # which grows
        found += dict.fromkeys(other for other in _named_in(path) if other not in found)
    return [path.relative_to(folder) for path in found]


def write_example(name: str, folder: Path) -> list[Path]:
    """Write an example and what it needs into a folder, which is made.

    Returns:
        The files, the example's own first. Those that were there as they are now are untouched.

    Raises:
        StudyFileError: there is no such example, or another file is in the way; nothing is
            written.
    """
    targets = {folder / path: shipped() / "studies" / path for path in example_files(name)}
    missing = {path: source for path, source in targets.items() if not _is_there(path, source)}
    for path, source in missing.items():
        write_below(path, source.read_bytes())
        with storage_errors(path):
            path.chmod(source.stat().st_mode & 0o777 | 0o600)
    return list(targets)


def _is_there(path: Path, source: Path) -> bool:
    if not path.exists() and not path.is_symlink():
        return False
    if path.is_file() and path.read_bytes() == source.read_bytes():
        return True
    raise StudyFileError(
        f"{path} must not exist with different content: nothing is overwritten; "
        "--to names another folder"
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _named_in(path: Path) -> Iterator[Path]:
    """The files beside this one that it names."""
    if path.suffix == ".toml":
        names = [name for text in _texts(tomllib.loads(path.read_text())) for name in _files(text)]
    elif path.suffix == ".py":
        names = list(_read_by(path.read_text()))
    else:
        return
    for name in names:
        other = (path.parent / name).resolve()
        if other.is_file():
            yield other


def _files(text: str) -> list[str]:
    """The files that a text of a study file may name: itself, or the module of a function."""
    module, _, function = text.partition(":")
    return [text, f"{module}.py"] if function.isidentifier() else [text]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _read_by(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"{alias.name}.py" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}.py"
    for parts in BESIDE.findall(source):
        yield "/".join(re.findall(r'"([^"]+)"', parts))
