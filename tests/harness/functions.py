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
