"""A result to change with `dataclasses.replace`."""

from __future__ import annotations

from hpsearch.records.estimate import Estimate
from hpsearch.records.result import Result

SCORE = Estimate(0.75, 0.5, 1.0, [0.7, 0.8])
RESULT = Result(
    study="small",
    objective="validation_accuracy",
    direction="maximize",
    counts={"complete": 3},
    best_number=0,
    best_params={},
    searched={},
    validation=SCORE,
    test={"test_accuracy": SCORE},
    untested="",
    test_uses=1,
    optimistic=None,
    ranges=[],
    top=[],
    confirmed={},
    folder="artifacts",
    arms=[],
)
