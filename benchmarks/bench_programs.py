"""The cost of a program's trial in addition to the program itself.

    python benchmarks/bench_programs.py [--trials 200] [--workers 2] [--repeats 3]

A shell script that prints one metric line runs by hand and as the trials of a study: random draws,
one stage of one epoch, without MLflow (for which see benchmarks/bench_projector.py). The result is
CPU seconds of all processes, user and system, per trial: the difference between a study of many
trials and a study of few, so that imports and the start of workers are not included. Programs and
the small shells that guard them count in the workers' row.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from hpsearch.records.layout import Home
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study

FEW = 20
SCRIPT = """echo "{\\"epoch\\": 1, \\"loss\\": $1}"\n"""
STUDY = """
name = "bench"
objective = { metric = "loss", direction = "minimize" }
sampler = { name = "random" }
[program]
command = ["sh", "train.sh", "{x}"]
probe = false
[space]
trainer = "program"
x = { low = 0.0, high = 1.0 }
[[stages]]
trials = TRIALS
epochs = 1
[confirmation]
top = 1
seeds = 2
"""


def cpu(who: int) -> float:
    """Seconds, user and system."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def by_hand(folder: Path, trials: int) -> float:
    """CPU seconds of the programs alone."""
    before = cpu(resource.RUSAGE_CHILDREN)
    for number in range(trials):
        words = ["sh", "train.sh", str(number / trials)]
        subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return cpu(resource.RUSAGE_CHILDREN) - before


def as_study(folder: Path, trials: int, workers: int) -> tuple[float, float]:
    """CPU seconds of the coordinator, and of the workers with everything that they started."""
    path = folder / "bench.toml"
    path.write_text(STUDY.replace("TRIALS", str(trials)))
    with tempfile.TemporaryDirectory() as place:
        read, stores = read_study(path), Home(Path(place))
        stores.create()
        opened = open_run(read, stores, fresh=False)
        before = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
        try:
            Study(read, opened, stores.storage_url, workers).execute(lambda event: None)
        finally:
            opened.close()
        after = cpu(resource.RUSAGE_SELF), cpu(resource.RUSAGE_CHILDREN)
    return after[0] - before[0], after[1] - before[1]


def measured(folder: Path, trials: int, workers: int) -> tuple[float, float, float]:
    """Milliseconds per trial: by hand, of the coordinator, of the workers."""
    hand = by_hand(folder, trials) / trials
    few, many = (as_study(folder, n, workers) for n in (FEW, FEW + trials))
    of_study = [(m - f) / trials for f, m in zip(few, many, strict=True)]
    return 1000 * hand, 1000 * of_study[0], 1000 * of_study[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "train.sh").write_text(SCRIPT)
        rows = []
        for repeat in range(args.repeats):
            print(f"repeat {repeat + 1}/{args.repeats}", file=sys.stderr)
            rows.append(measured(folder, args.trials, args.workers))
    hand, coordinator, workers = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"CPU, ms a trial; {args.trials} trials, {args.workers} workers, medians")
    print(f"{'the program by hand':<38}{hand:8.1f}")
    print(f"{'workers, programs and guards':<38}{workers:8.1f}")
    print(f"{'coordinator':<38}{coordinator:8.1f}")
    print(f"{'beside the program':<38}{workers + coordinator - hand:8.1f}")


if __name__ == "__main__":
    main()
