"""How a program reports its metrics to the study that runs it.

import hpsearch

for epoch in range(1, epochs + 1):
    ...
    hpsearch.report(epoch=epoch, val_acc=accuracy)
"""

from __future__ import annotations

import json
import os
from typing import Any

IN_TRIAL = "HPSEARCH_TRIAL"  # set where a study runs the program


def report(*, epoch: int | None = None, **metrics: Any) -> None:
    """Print the metrics of an epoch as a JSON line; outside a trial, do nothing.

    Args:
        epoch: the epoch that has ended, from 1; None: the next one.
        metrics: numbers, or arrays and tensors with a single number.

    Raises:
        TypeError: a metric is not a number.
    """
    if IN_TRIAL not in os.environ:
        return
    said: dict[str, float] = {} if epoch is None else {"epoch": int(epoch)}
    for name, value in metrics.items():
        try:
            said[name] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"metric {name!r} must be a number, got {value!r}") from None
    print(json.dumps(said), flush=True)
