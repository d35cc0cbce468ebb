"""Threads of a training: PyTorch's too, and given back."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from threadpoolctl import ThreadpoolController

from hpsearch.execution.environment import environment
from hpsearch.execution.threads import (
    call_with_limited_threads,
    limited_threads,
    thread_variables,
)
from hpsearch.processes import THREAD_VARIABLES


class Torch(SimpleNamespace):
    """What is asked of PyTorch."""

    threads = 8

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, number: int) -> None:
        self.threads = number


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Torch:
    loaded = Torch()
    monkeypatch.setitem(sys.modules, "torch", loaded)
    return loaded


def test_pytorch_has_one_thread_in_the_block_and_its_own_after_it(torch: Torch) -> None:
    with limited_threads():
        assert torch.threads == 1
    assert torch.threads == 8


def test_what_is_loaded_in_the_block_reads_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("BLIS_NUM_THREADS", raising=False)
    with limited_threads():
        assert {name: os.environ[name] for name in THREAD_VARIABLES} == thread_variables()
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "BLIS_NUM_THREADS" not in os.environ


def test_libraries_of_a_module_that_was_loaded_since_are_held_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[None] = []
    whole = ThreadpoolController._load_libraries

    def look(self: ThreadpoolController) -> None:
        looked.append(None)
        whole(self)

    monkeypatch.setattr(ThreadpoolController, "_load_libraries", look)
    for name, times in (("hpsearch_first", 1), ("hpsearch_second", 2)):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        for _ in range(2):
            with limited_threads():
                pass
        assert len(looked) == times


def test_a_worker_of_a_cluster_stays_limited(
    torch: Torch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "5")
    assert call_with_limited_threads(os.environ.get, "OMP_NUM_THREADS") == "1"
    assert torch.threads == 1


def test_the_number_is_recorded(tmp_path: Path) -> None:
    assert environment(tmp_path)["threads"] == "1"
