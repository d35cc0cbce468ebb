"""What study files say of themselves, and the study files of a folder."""

from __future__ import annotations

from pathlib import Path

# The first line of a file that `init` writes; older versions ended it as OLD_PURPOSE does.
PURPOSE = "# TODO: describe the purpose of this study here; lists of studies and MLflow show it"
OLD_PURPOSE = ": describe the purpose of this study here."


def purpose(text: str) -> str:
    """The first comment line of a study file; "" while nobody has written one."""
    line = next((line for line in text.splitlines() if line.startswith("#")), "")
    is_placeholder = line.startswith("# TODO") or line.endswith(OLD_PURPOSE)
    return "" if is_placeholder else line.lstrip("# ")


def list_studies(folder: Path) -> list[tuple[Path, str]]:
    """(path, purpose) of the study files in a folder, by name."""
    paths = sorted(folder.glob("*.toml"))
    return [(path, purpose(path.read_text(encoding="utf-8", errors="replace"))) for path in paths]
