"""How many cores this process may use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from joblib.externals.loky.backend import context

from hpsearch.execution.executors import available_cores

GROUP = "/sys/fs/cgroup"
QUOTA, PERIOD = "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "300000 100000\n"}, 3),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "200000000 100000\n"}, 64),
        ({QUOTA: "300000\n", PERIOD: "100000\n"}, 3),
        ({QUOTA: "-1\n", PERIOD: "100000\n"}, 64),
        ({}, 64),
    ],
)
def test_the_quota_of_a_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str], cores: int
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    exists = os.path.exists

    def here(path: Any) -> Any:
        return str(path).replace(GROUP, str(tmp_path))

    monkeypatch.setattr(os.path, "exists", lambda path: exists(here(path)))
    monkeypatch.setattr(
        context, "open", lambda path: StringIO(Path(here(path)).read_text()), raising=False
    )
    monkeypatch.setattr(context.os, "cpu_count", lambda: 64)
    monkeypatch.setattr(context, "_cpu_count_affinity", lambda n: 64)
    assert available_cores() == cores
