"""How many cores this process may use."""

from __future__ import annotations

import pytest
from joblib.externals.loky.backend import context

from hpsearch.execution.executors import available_cores


@pytest.mark.parametrize(("quota", "cores"), [(3, 3), (2000, 64)])
def test_the_quota_of_a_container_counts(
    monkeypatch: pytest.MonkeyPatch, quota: int, cores: int
) -> None:
    monkeypatch.setattr(context.os, "cpu_count", lambda: 64)
    monkeypatch.setattr(context, "_cpu_count_affinity", lambda n: 64)
    monkeypatch.setattr(context, "_cpu_count_cgroup", lambda n: quota)
    assert available_cores() == cores
