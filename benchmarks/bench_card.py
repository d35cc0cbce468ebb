"""python -m hpsearch data on 100,000 rows x 50 columns: seconds and peak memory.

    python benchmarks/bench_card.py [CHECKOUT ...] [--times 3]

Measures each named checkout of hpsearch in turn on the same files, or else the current checkout.
There are three tables: numbers as CSV, numbers as Parquet, and numbers, categories, dates and gaps
as CSV. Prints a row per table and checkout: the least processor time, the least wall-clock time
and the largest memory of several runs. The first run, which may compile modules, is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

ROWS, COLUMNS, MEGABYTE = 100_000, 50, 1024  # ru_maxrss is in KiB on Linux


def tables(folder: Path) -> Iterator[Path]:
    """Write them."""
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame({f"n{i}": rng.normal(size=ROWS) for i in range(COLUMNS)})
    target = (numbers["n0"] + numbers["n1"] + rng.normal(size=ROWS) > 0).astype(int)
    mixed = numbers.iloc[:, :35].round(4)
    mixed.iloc[:, 30:35] = mixed.iloc[:, 30:35].where(rng.random((ROWS, 5)) > 0.1)
    for i in range(11):
        mixed[f"c{i}"] = rng.choice(["red", "green", "blue", "black", "yellow"], ROWS)
    days = pd.to_timedelta(rng.integers(0, 1500, (4, ROWS)).ravel(), "D").to_numpy()
    for i, own in enumerate(days.reshape(4, ROWS)):
        mixed[f"d{i}"] = (pd.Timestamp("2020-01-01") + pd.Series(own)).dt.strftime("%Y-%m-%d")
    for name, table in (("numbers", numbers), ("mixed", mixed)):
        path = folder / f"{name}.csv"
        table.assign(target=target).to_csv(path, index=False)
        yield path
    path = folder / "numbers.parquet"
    numbers.assign(target=target).to_parquet(path)
    yield path


def measured(checkout: Path, table: Path, caches: Path) -> tuple[float, float, float]:
    """Processor seconds, wall-clock seconds and MB of one run."""
    env = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONPYCACHEPREFIX": str(caches)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "hpsearch", "data", str(table), "--target", "target"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=env, cwd=checkout, stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} must succeed in {checkout}")
    seconds = time.perf_counter() - began
    return use.ru_utime + use.ru_stime, seconds, use.ru_maxrss / MEGABYTE


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("checkouts", nargs="*", type=Path, default=[here])
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        print("table            checkout                        cpu s  wall s    MB")
        for table in tables(folder):
            runs: dict[Path, list[tuple[float, float, float]]] = {c: [] for c in given.checkouts}
            for _ in range(given.times + 1):
                for place, checkout in enumerate(given.checkouts):
                    found = measured(checkout.resolve(), table, folder / f"caches-{place}")
                    runs[checkout].append(found)
            for checkout, measures in runs.items():
                cpu, wall, memory = zip(*measures[1:], strict=True)
                row = f"{min(cpu):6.2f}  {min(wall):6.2f}  {max(memory):4.0f}"
                print(f"{table.name:<16} {checkout!s:<30} {row}", flush=True)


if __name__ == "__main__":
    main()
