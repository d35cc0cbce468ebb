"""The small studies of the tests: their files, how they run, what must repeat of them."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

SMALL = """\
# A small study.
name = "small"
seed = 7
objective = { metric = "validation_accuracy", direction = "maximize" }

[data]
name = "digits"
shots = 6
split = { kind = "k-fold", folds = 3 }

[network]
name = "two-layer"
hidden = 12

[space]
trainer = { choices = ["sgd", "momentum", "adam"] }
learning_rate = { low = 1e-3, high = 1e4, log = true }
momentum = { low = 0.5, high = 0.99, when = { trainer = "momentum" } }
weight_decay = 0.1                               # with the largest learning rates: diverges
batch_size = 10

[[stages]]
trials = 14
epochs = 2
[[stages]]
trials = 8
epochs = 4
[[stages]]
trials = 6
epochs = 8

[confirmation]
top = 2
seeds = 3
test_seeds = 2
"""

# SMALL with half the trials, and no rate so large that a trial diverges.
TINY = SMALL.replace("trials = 14", "trials = 5").replace("trials = 8", "trials = 4")
TINY = TINY.replace("trials = 6", "trials = 3").replace("high = 1e4", "high = 10.0")
