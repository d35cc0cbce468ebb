"""The time of importances with intervals from 200 resamples, beside Optuna's without intervals.

    python benchmarks/bench_importance.py

Prints CPU seconds of this process for the trials of a finished search. Set OPENBLAS_NUM_THREADS=1:
a second BLAS thread would only spin.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import create_trial

from hpsearch.analysis.importance import importances
from hpsearch.records.seed_key import SeedKey
from hpsearch.records.trial_record import MemberRecord, TrialRecord
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.space import Space

UNIT, EPOCHS = FloatDistribution(0.0, 1.0), 10
SIZES = ((50, 5), (200, 8), (1000, 8))


def trials(n: int, names: list[str]) -> list[TrialRecord]:
    """Random trials; only the first parameter affects the score."""
    rng, found = np.random.default_rng(0), []
    for number in range(n):
        params = {name: float(rng.random()) for name in names}
        member = MemberRecord(0, SeedKey(0, number, 0, 0), epoch=EPOCHS)
        score = {EPOCHS: -((params[names[0]] - 0.3) ** 2)}
        found.append(TrialRecord("", "trial", number, params, [member], {}, scores=score))
    return found


def by_optuna(records: list[TrialRecord], names: list[str]) -> None:
    """The earlier way: a study per parameter."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in names:
        study = optuna.create_study(direction="maximize")
        study.add_trials(
            [
                create_trial(
                    params={name: record.params[name]},
                    distributions={name: UNIT},
                    value=record.scores[EPOCHS],
                )
                for record in records
            ]
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            PedAnovaImportanceEvaluator().evaluate(study, params=[name])


def main() -> None:
    """Print a line per size, each with the best of three runs."""
    print("trials  parameters  with intervals  Optuna's, without")
    for n, k in SIZES:
        names = [f"p{i}" for i in range(k)]
        records = trials(n, names)
        space = Space(tuple(Parameter(name, UNIT, {}) for name in names), {})
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(3):
            began = time.process_time()
            importances(space, records, epochs=EPOCHS, direction="maximize")
            between = time.process_time()
            by_optuna(records, names)
            times[0].append(between - began)
            times[1].append(time.process_time() - between)
        ours, theirs = (min(found) for found in times)
        print(f"{n:6}  {k:10}  {ours:12.3f} s  {theirs:15.3f} s")


if __name__ == "__main__":
    main()
