"""Work for executors: small slices, and user modules that misbehave."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str], str]

# A function that may pause: its score is the sum of the draws so far.
STEADY = """
    import random, time

    def train(params, data, seed, state):
        done, score, generator = state or (0, 0.0, random.Random(seed).getstate())
        rng = random.Random()
        rng.setstate(generator)
        for epoch in range(done, 100):
            time.sleep(params.get("sleep", 0))
            score += rng.random()
            yield {"validation_accuracy": score}, (epoch + 1, score, rng.getstate())
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a user's module under a name of its own; gives its trainer's name.

    Where it lies is for `code_folder`; Python's path is put back at the test's end.
    """
    monkeypatch.syspath_prepend(tmp_path)  # restores sys.path, which run_slice prolongs

    def write_module(text: str) -> str:
        name = "user_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return f"{name}:train"

    return write_module


@pytest.fixture
def steady(write: Write) -> str:
    """A well-behaved training function that can pause."""
    return write(STEADY)
