"""Training functions in modules of a user's own."""

from __future__ import annotations

from collections.abc import Callable

WriteModule = Callable[[str], str]

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

# Makes 50 MB when it is loaded; its function goes on after a pause.
BIG = """
    import numpy as np

    ROWS = np.ones(50_000_000, np.uint8)

    def train(params, data, seed, state):
        for epoch in range(state or 0, 2):
            yield {"validation_accuracy": params["x"] + float(ROWS[0])}, epoch + 1
"""
