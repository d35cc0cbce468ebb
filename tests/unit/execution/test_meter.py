"""What training takes."""

from __future__ import annotations

import time

import numpy as np

from hpsearch.execution.meter import Meter


def test_the_arrays_of_a_block_are_counted_and_shared_by_members() -> None:
    before = np.ones(4_000_000)
    meter = Meter()
    assert meter.metrics(2) == {}
    with meter():
        held = before[:1_000_000] * 2  # 8 MB
    small = meter.metrics(1)
    with meter():
        held[:10] * 2
    assert 8e6 < small["resources/array_bytes"] < 8.2e6
    assert meter.metrics(1)["resources/array_bytes"] == small["resources/array_bytes"]
    assert meter.metrics(2)["resources/array_bytes"] == small["resources/array_bytes"] / 2


def test_waiting_is_wall_time_and_no_cpu_time() -> None:
    meter = Meter()
    with meter():
        time.sleep(0.2)
    taken = meter.metrics(1)
    assert taken["resources/wall_seconds"] > 0.19
    assert taken["resources/cpu_seconds"] < taken["resources/wall_seconds"] / 2
