"""Mean ranks of methods over tasks, and the difference that luck explains.

    python benchmarks/ranks.py benchmarks/results/*.csv

prints methods that bench_quality.py measured apart, from its CSV files, in one table: the
geometric mean over tasks of the median regret, and the mean rank. A method that was not searched
for so many trials has no figure there. A median is over the seeds that the files have.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, studentized_range

LEVEL = 0.05
OFFSET = 0.001  # keeps a regret of 0 from ruling a geometric mean


def mean_ranks(regrets: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The mean over tasks of each method's rank, 1 for the least regret; ties share theirs.

    Args:
        regrets: of each task, by method.
    """
    ranks = rankdata(np.array([*regrets.values()]), axis=0)
    return dict(zip(regrets, map(float, ranks.mean(1)), strict=True))


def critical_difference(n_methods: int, n_tasks: int) -> float:
    """The least difference of two mean ranks that is significant (Nemenyi's test, 5 %).

    CD = q sqrt(k (k + 1) / 6 N), q the studentized range's quantile for k methods, by sqrt(2).

    Source: Demsar, Statistical comparisons of classifiers over multiple data sets, 2006, sec. 3.2.
    """
    quantile = float(studentized_range.ppf(1 - LEVEL, n_methods, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(n_methods * (n_methods + 1) / (6 * n_tasks))


def draw(path: Path, ranks: Mapping[int, Mapping[str, float]], difference: float) -> None:
    """Mean ranks on a line for each number of trials, with the critical difference above.

    Args:
        ranks: of the methods, by the number of trials.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    n_methods = max(len(of) for of in ranks.values())
    figure, axes = pyplot.subplots(figsize=(6.4, 0.8 + 1.1 * len(ranks)), layout="constrained")
    for row, (n, of) in enumerate(ranks.items()):
        axes.plot([1, n_methods], [row, row], color="0.7", lw=0.8, zorder=0)
        for place, (method, rank) in enumerate(sorted(of.items(), key=lambda item: item[1])):
            axes.plot(rank, row, "o", ms=5, color="C0")
            side = -1 if place % 2 else 1
            axes.annotate(
                method, (rank, row), (0, -9 * side), textcoords="offset points", fontsize=8,
                ha="center", va="bottom" if side < 0 else "top",
            )  # fmt: skip
        best = min(of.values())
        axes.plot([best, best + difference], [row - 0.42] * 2, color="C3", lw=2)
        axes.annotate(f"{n} trials", (n_methods + 0.15, row), va="center", fontsize=8)
    axes.set(xlim=(0.7, n_methods + 0.9), ylim=(len(ranks) - 0.4, -0.7), yticks=[])
    axes.set_xlabel("mean rank; red: the critical difference, from the best")
    axes.spines[["left", "right", "top"]].set_visible(False)
    figure.savefig(path, dpi=150)


def medians(regrets: NDArray[np.float64], at: int) -> float:
    """The median over seeds of the regret after so many trials, of (seeds, trials)."""
    return float(np.median(regrets[:, at - 1]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Mean ranks of several measurements.")
    parser.add_argument("files", type=Path, nargs="+", help="CSV files of bench_quality.py")
    parser.add_argument("--methods", default="", help="comma-separated; default: all")
    parser.add_argument(
        "--seeds", type=int, help="the first so many alone, beside methods that have no more"
    )
    options = parser.parse_args()
    found = pd.concat(map(pd.read_csv, options.files))
    if options.seeds:
        found = found[found["seed"] < options.seeds]
    if options.methods:
        found = found[found["method"].isin(options.methods.split(","))]
    seeds = found.groupby("method")["seed"].nunique()
    cost = found.groupby("method")["cpu_ms"].mean()
    columns = [name for name in found if str(name).startswith("regret_at_")]
    tables: dict[str, dict[str, str]] = {}
    for name in map(str, columns):
        by = found.pivot_table(name, "task", "method", "median").dropna(axis=1)
        ranks = mean_ranks({str(m): [*by[m]] for m in by})
        difference = critical_difference(len(by.columns), len(by))
        at = name.removeprefix("regret_at_")
        print(f"at {at}: {len(by)} tasks, critical difference {difference:.2f}")
        for method in by:
            mean = float(np.exp(np.log(by[method] + OFFSET).mean()))
            tables.setdefault(str(method), {})[at] = f"{mean:.4f}, rank {ranks[str(method)]:.1f}"
    counts = [name.removeprefix("regret_at_") for name in map(str, columns)]
    print("| method | seeds | ms a trial | " + " | ".join(f"at {n}" for n in counts) + " |")
    print("|---" * (len(counts) + 3) + "|")
    for method, cells in tables.items():
        row = " | ".join(cells.get(n, "") for n in counts)
        print(f"| {method} | {seeds[method]} | {cost[method]:.0f} | {row} |")


if __name__ == "__main__":
    main()
