"""The study files of a folder."""

from __future__ import annotations

from pathlib import Path


def list_studies(folder: Path) -> list[tuple[Path, str]]:
    """(path, first comment line) of the study files in a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        comment = next((line for line in lines if line.startswith("#")), "#")
        found.append((path, comment.lstrip("# ")))
    return found
