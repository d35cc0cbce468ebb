"""Which tests stay in one process: those of a file, and those of the files that share a server."""

from __future__ import annotations

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import (  # type: ignore[import-untyped]
    LoadFileScheduling,
    LoadScopeScheduling,
)

FOLDERS = ("tests/system/browser",)


class GroupScheduling(LoadFileScheduling):  # type: ignore[misc]
    """The files of each of FOLDERS are one file to it."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((folder for folder in FOLDERS if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadScopeScheduling | None:
    """Of `--dist loadfile`."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
