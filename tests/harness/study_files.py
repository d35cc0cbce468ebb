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
learning_rate = { low = 1e-3, high = 1e6, log = true }
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
default = false
"""

# SMALL with half the trials, and no rate so large that a trial diverges.
TINY = SMALL.replace("trials = 14", "trials = 5").replace("trials = 8", "trials = 4")
TINY = TINY.replace("trials = 6", "trials = 3").replace("high = 1e6", "high = 10.0")

# Three outer folds and all rows.
NESTED = """\
# What such a search is worth.
name = "nested"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 9
split = { kind = "k-fold", folds = 2 }
[network]
name = "two-layer"
hidden = 8
[space]
trainer = { choices = ["momentum", "adam"] }
learning_rate = { low = 1e-3, high = 0.1, log = true, default = 0.01 }
[[stages]]
trials = 3
epochs = 2
[[stages]]
trials = 2
epochs = 4
[validation]
outer = { kind = "k-fold", folds = 3 }
[confirmation]
top = 1
seeds = 2
test_seeds = 2
"""

# The head and the end of a study of two folds; [space] and [[stages]] go between them.
LITTLE = """\
name = "small"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 5
split = { kind = "k-fold", folds = 2 }
"""
LITTLE_TESTED = """\
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""

ALONE = """
name = "own"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 6
split = { kind = "k-fold", folds = 3 }
[space]
trainer = "TRAINER"
x = { low = 0.0, high = 1.0 }
[[stages]]
trials = 2
epochs = 2
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""

GRID = """
trainer = { choices = ["sgd", "momentum"] }
learning_rate = { choices = [0.1, 0.01] }
momentum = { low = 0.5, high = 0.9, step = 0.2 }
batch_size = { choices = [5, 10] }
"""

CALM = ["space.learning_rate={low=0.001, high=0.3, log=true}"]  # so that none diverges

# Large mini-batches take few steps, and learn less from them.
TWO = """\
# Accuracy and steps on the digits.
name = "small"
seed = 3

[[objectives]]
metric = "validation_accuracy"
direction = "maximize"
[[objectives]]
metric = "passes/backward"
direction = "minimize"

[[constraints]]
metric = "validation_loss"
at_most = 2.35

[data]
name = "digits"
shots = 8
split = { kind = "k-fold", folds = 2 }

[network]
name = "two-layer"
hidden = 12

[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 1e6, log = true }
weight_decay = 0.1                               # with the largest learning rates: diverges
batch_size = { choices = [2, 4, 8, 16] }

[evaluation]
passes = true

[[stages]]
trials = 12
epochs = 2
[[stages]]
trials = 8
epochs = 5

[confirmation]
top = 4
seeds = 2
test_seeds = 2
"""

NAMES = ["validation_accuracy", "passes/backward"]

LIMIT = "validation_loss at most 2.35"

FEW = ["stages=[{trials=8, epochs=1}, {trials=4, epochs=2}]"]

ONE_STAGE = [*CALM, "stages=[{trials=16, epochs=2}]"]
