"""The packages that a study's numbers depend on, and which of them are others after a restart."""

from __future__ import annotations

from hpsearch.execution.environment import environment
from hpsearch.own_code import installed_imports
from hpsearch.records.run_folder import RunFolder
from hpsearch.studyfile.own_modules import own_modules
from hpsearch.studyfile.reading import ReadStudy

PREFIX = "version."


def environment_of(read: ReadStudy) -> dict[str, str]:
    """With what and where its trials run, with the versions of the packages that its own modules
    and trainers import."""
    return environment(read.folder, installed_imports(own_modules(read.file)))


def changed_packages(folder: RunFolder, read: ReadStudy) -> str:
    """What is to be said of packages that have another version than for the last trial; "" where
    none has, or there is no trial."""
    records = list(folder.read_all("trial"))
    if not records:
        return ""
    before = max(records, key=lambda record: record.number).environment
    now = environment_of(read)
    changed = [
        f"{key.removeprefix(PREFIX)} {before[key]} is now {now[key]}"
        for key in sorted(now)
        if (key.startswith(PREFIX) or key == "python") and before.get(key, now[key]) != now[key]
    ]
    if not changed:
        return ""
    return (
        f"since the last trials {', '.join(changed)}: numbers may differ in their last bits, and "
        "trials before and after the change may not be comparable"
    )
