"""The eight claims of paper 002, and one of our own, as checks of lenet_batch_lr.toml.

Every check looks at both momentum variants and returns "depends" if they differ. An epoch of the
study is 100 iterations; accuracies are those of the test set, means over seeds.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import ttest_ind

from hpsearch.claims import Evidence, Verdict

CASES = {  # (batch size, base learning rate), as in tables/paper_002_table1.csv
    1: (64, 0.01),
    2: (32, 0.01),
    3: (128, 0.01),
    4: (64, 0.04),
    5: (64, 0.001),
    6: (32, 0.02),
    7: (64, 0.0025),
    8: (64, 0.1),
    9: (32, 0.005),
}
CHANCE = 0.1
REACHED = 0.95  # the paper's limit of all cases
Answer = tuple[bool, str]
FAR = 0.02  # of accuracy; the cases differ by more
PYTORCH = Path(__file__).parent / "tables" / "lenet_pytorch.csv"  # benchmarks/lenet_pytorch.py


def _cases(evidence: Evidence) -> pd.DataFrame:
    """A row for each momentum, case, seed and epoch: iteration, accuracy, seconds, bytes."""
    trials = evidence.runs[evidence.runs["kind"] == "trial"]
    trials = trials[trials["outcome"].isin(["complete", "diverged"])]
    settings = trials[["trial", "momentum", "batch_size", "learning_rate"]].drop_duplicates()
    curves = _with_diverged(evidence.curves[evidence.curves["kind"] == "trial"], settings)
    numbers = {setting: case for case, setting in CASES.items()}
    keys = zip(curves["batch_size"], curves["learning_rate"], strict=True)
    return curves.assign(
        case=[numbers[key] for key in keys],
        iteration=100 * curves["epoch"],
        accuracy=curves["test_accuracy"],
        seconds=curves["resources/cpu_seconds"],
        bytes=curves["resources/array_bytes"],
    )


def _with_diverged(curves: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """A row for each setting, seed and epoch; a diverged run guesses in its missing epochs."""
    whole = settings
    for column in ("seed", "epoch"):
        whole = whole.merge(curves[[column]].drop_duplicates().sort_values(column), how="cross")
    filled = whole.merge(curves, on=["trial", "seed", "epoch"], how="left")
    return filled.fillna({"test_accuracy": CHANCE})


def _each_momentum(
    check: Callable[[pd.DataFrame], Answer], draw: Callable[..., None]
) -> Callable[[Evidence], Verdict]:
    """Turn a check of one variant's cases into a check of both, with a panel for each."""

    @wraps(check)
    def both(evidence: Evidence) -> Verdict:
        cases = _cases(evidence)
        groups = list(cases.groupby("momentum"))[::-1]
        figure = Figure(figsize=(4.6 * len(groups), 3.4), layout="constrained")
        panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
        answers = []
        for axes, (momentum, group) in zip(panels, groups, strict=True):
            holds, text = check(group)
            answers.append((holds, f"momentum {momentum:g}: {text}"))
            draw(axes, group)
            axes.set_title(f"momentum {momentum:g}")
            axes.grid(alpha=0.3)
        panels[-1].legend(frameon=False, fontsize=7)
        held = {holds for holds, _ in answers}
        judgement = "depends" if len(held) > 1 else "holds" if held == {True} else "does not hold"
        return Verdict(judgement, "; ".join(text for _, text in answers), figure)

    return both


def _curves(*cases: int, until: int = 1000) -> Callable[..., None]:
    """Draw the accuracy of these cases over iterations, with the range of the seeds."""

    def draw(axes, group: pd.DataFrame) -> None:
        for case in cases:
            mine = group[(group["case"] == case) & (group["iteration"] <= until)]
            over = mine.groupby("iteration")["accuracy"]
            batch, rate = CASES[case]
            label = f"CASE{case} ({batch}, {rate:g})"
            axes.plot(over.mean().index, over.mean(), marker="o", ms=3, label=label)
            axes.fill_between(over.mean().index, over.min(), over.max(), alpha=0.15, lw=0)
        axes.set(xlabel="iteration", ylabel="test accuracy")

    return draw


def _bars(column: str, label: str, scale: float = 1.0) -> Callable[..., None]:
    """Draw the mean of a column by case."""

    def draw(axes, group: pd.DataFrame) -> None:
        means = group.groupby("case")[column].mean() * scale
        batches = [CASES[case][0] for case in means.index]
        for batch, color in ((32, "C0"), (64, "C1"), (128, "C2")):
            mine = means[[b == batch for b in batches]]
            axes.bar(mine.index.astype(str), mine, color=color, label=f"batch {batch}")
        axes.set(xlabel="case", ylabel=label)

    return draw


def _accuracy(group: pd.DataFrame, case: int, iteration: int) -> float:
    at = group[(group["case"] == case) & (group["iteration"] == iteration)]
    return float(at["accuracy"].mean())


def _mean(group: pd.DataFrame, case: int, column: str) -> float:
    return float(group[group["case"] == case][column].mean())


def _time(group: pd.DataFrame) -> Answer:
    """1. Time grows linearly with the batch size, and not with the learning rate."""
    half, one, two = (_mean(group, case, "seconds") for case in (2, 1, 3))
    same = group[group["batch_size"] == 64].groupby("case")["seconds"].mean()
    spread = same.max() / same.min() - 1
    holds = 0.35 < half / one < 0.65 and 1.6 < two / one < 2.4 and spread < 0.15
    return holds, (
        f"{half:.2f} : {one:.2f} : {two:.2f} CPU s per 100 iterations at 32 : 64 : 128; "
        f"learning rates at 64 differ by {spread:.0%}"
    )


def _limits(group: pd.DataFrame) -> Answer:
    """2. CASE1 to 3 converge by iteration 400; large batches win by iterations, small by time."""
    there, seconds = {}, {}
    for case in (1, 2, 3):
        mine = group[group["case"] == case].groupby("iteration")[["accuracy", "seconds"]].mean()
        over = mine.index[mine["accuracy"] >= REACHED]
        there[case] = int(over[0]) if len(over) else None
        seconds[case] = mine["seconds"].cumsum().get(there[case], np.inf)
    by_400 = all(n is not None and n <= 400 for n in there.values())
    first = [_accuracy(group, case, 100) for case in (2, 1, 3)]
    ordered = first[0] <= first[1] <= first[2]
    quick = seconds[2] < seconds[1] / 2 and 1.5 < seconds[3] / seconds[1] < 2.5
    said = ", ".join(
        f"CASE{case} at {there[case] or 'no'} iteration{'s' * (there[case] is not None)}"
        f" ({seconds[case]:.1f} s)"
        for case in (1, 2, 3)
    )
    return by_400 and ordered and quick, (
        f"{REACHED} reached by {said}; at iteration 100 {first[0]:.3f}, {first[1]:.3f}, "
        f"{first[2]:.3f} with batches of 32, 64, 128"
    )


def _rates(group: pd.DataFrame) -> Answer:
    """3. At batch 64, 0.1 does not train, 0.001 lags, 0.0025 ends alike, 0.01 and 0.04 lead."""
    ends = {case: _accuracy(group, case, 1000) for case in (1, 4, 5, 7, 8)}
    early = {case: _accuracy(group, case, 300) for case in (1, 4, 5, 7)}
    fails = ends[8] < 0.2
    lags = early[5] < 0.5 * early[1]
    alike = abs(ends[7] - ends[1]) < 0.02
    lead = min(ends[1], ends[4]) >= max(ends[5], ends[7])
    said = ", ".join(f"{CASES[case][1]:g}: {end:.3f}" for case, end in ends.items())
    words = [
        "0.1 fails" if fails else "0.1 trains",
        f"0.001 has {early[5] / early[1]:.0%} of CASE1 at 300",
        "0.0025 ends alike" if alike else "0.0025 ends lower",
        "0.01 and 0.04 lead" if lead else "0.01 and 0.04 don't both lead",
    ]
    return fails and lags and alike and lead, f"at 1000 {said}; {', '.join(words)}"


def _coupling(group: pd.DataFrame) -> Answer:
    """4. Half the batch with twice the rate follows CASE1; with half the rate it stays below."""
    apart = {case: _distance(group, case) for case in (6, 9)}
    below = np.mean(
        [_accuracy(group, 1, i) - _accuracy(group, 9, i) for i in (100, 200, 300, 400)]
    )
    return apart[6] < apart[9] and below > 0.02, (
        f"mean distance to CASE1 {apart[6]:.4f} (CASE6, twice the rate), {apart[9]:.4f} (CASE9, "
        f"half); CASE9 is {below:.3f} below it up to iteration 400"
    )


def _distance(group: pd.DataFrame, case: int) -> float:
    iterations = sorted(group["iteration"].unique())
    return float(
        np.mean([abs(_accuracy(group, case, i) - _accuracy(group, 1, i)) for i in iterations])
    )


def _oscillation(group: pd.DataFrame) -> Answer:
    """5. CASE6 oscillates by about 10 % after iteration 200."""
    mine = group[(group["case"] == 6) & (group["iteration"] > 200)]
    swings = [
        float((-run.sort_values("iteration")["accuracy"].diff()).max())
        for _, run in mine.groupby("seed")
    ]
    return max(swings) > 0.05, f"largest fall between evaluations {max(swings):.3f} on any seed"


def _ends(group: pd.DataFrame) -> Answer:
    """6. All but CASE5 end at about 0.95; CASE5 rises steeply between 900 and 1000."""
    ends = {case: _accuracy(group, case, 1000) for case in CASES}
    others = [case for case in CASES if case != 5 and abs(ends[case] - REACHED) > 0.035]
    rise = ends[5] - _accuracy(group, 5, 900)
    said = ", ".join(f"CASE{case} {end:.3f}" for case, end in ends.items())
    return not others and rise > 0.02, f"{said}; CASE5 rises by {rise:+.3f} at the end"


def _memory(group: pd.DataFrame) -> Answer:
    """7. Memory depends on the batch size only: twice the batch 126 %, half of it 84 %."""
    half, one, two = (_mean(group, case, "bytes") for case in (2, 1, 3))
    same = group[group["batch_size"] == 64].groupby("case")["bytes"].mean()
    alone = same.max() / same.min() < 1.02
    printed = abs(two / one - 1.26) < 0.05 and abs(half / one - 0.84) < 0.05
    return alone and printed, (
        f"arrays of a step {half / 1e6:.0f}, {one / 1e6:.0f}, {two / 1e6:.0f} MB at 32, 64, 128: "
        f"{two / one:.0%} and {half / one:.0%} of the arrays themselves, where the paper counts "
        f"the whole process; {'the same' if alone else 'not the same'} for all learning rates"
    )


def _case4(group: pd.DataFrame) -> Answer:
    """8. CASE4 needs 5.6 s more per 100 iterations than CASE1."""
    one, four = _mean(group, 1, "seconds"), _mean(group, 4, "seconds")
    return four / one > 1.1, f"{four:.2f} against {one:.2f} CPU s per 100 iterations"


def _pytorch(group: pd.DataFrame) -> Answer:
    """CASE1 runs as in PyTorch, over its curve and at its end; CASE8 fails in both or in neither.

    Means are alike if the 95 % interval of their difference over seeds (Welch) contains 0 and does
    not reach farther than FAR from 0. More seeds make it narrower, and the check harder to pass.
    """
    sides = [group, _theirs(group)]
    close, said = [], []
    for name, iterations in (("the curve's mean", None), ("its end", 1000)):
        here, there = (_by_seed(side, 1, iterations) for side in sides)
        low, high = ttest_ind(here, there, equal_var=False).confidence_interval(0.95)
        close.append(-FAR < low <= 0 <= high < FAR)
        said.append(
            f"{name} {here.mean():.4f} here and {there.mean():.4f} there, a difference of "
            f"{here.mean() - there.mean():+.4f} ({low:+.4f} … {high:+.4f})"
        )
    ends = [_by_seed(side, 8, 1000).mean() for side in sides]
    close.append((ends[0] < 0.2) == (ends[1] < 0.2))
    said.append(f"CASE8 ends at {ends[0]:.3f} here and {ends[1]:.3f} there")
    return all(close), "; ".join(said)


def _by_seed(runs: pd.DataFrame, case: int, iteration: int | None) -> pd.Series:
    """Each seed's accuracy at an iteration, or its mean over all."""
    mine = runs[(runs["case"] == case) & ((runs["iteration"] == iteration) | (iteration is None))]
    return mine.groupby("seed")["accuracy"].mean()


def _theirs(group: pd.DataFrame) -> pd.DataFrame:
    """The cases that were run in PyTorch with the momentum of these rows."""
    rows = pd.read_csv(PYTORCH).rename(columns={"test_accuracy": "accuracy"})
    return rows[rows["momentum"] == group["momentum"].iloc[0]]


def _draw_pytorch(axes, group: pd.DataFrame) -> None:
    """CASE1's seeds here and in PyTorch."""
    sides = (("hpsearch", group, "C0"), ("PyTorch", _theirs(group), "C1"))
    for name, runs, color in sides:
        for number, (_, run) in enumerate(runs[runs["case"] == 1].groupby("seed")):
            label = name if number == 0 else None
            axes.plot(run["iteration"], run["accuracy"], color=color, lw=1, label=label)
    axes.set(xlabel="iteration", ylabel="test accuracy of CASE1")


time_is_linear = _each_momentum(_time, _bars("seconds", "CPU s per 100 iterations"))
three_batches = _each_momentum(_limits, _curves(1, 2, 3))
learning_rates_alone = _each_momentum(_rates, _curves(1, 4, 5, 7, 8))
inverse_coupling = _each_momentum(_coupling, _curves(1, 6, 9, until=400))
case6_oscillates = _each_momentum(_oscillation, _curves(6))
all_end_alike = _each_momentum(_ends, _curves(*CASES))
memory_by_batch = _each_momentum(_memory, _bars("bytes", "MB of arrays in a step", 1e-6))
case4_is_slower = _each_momentum(_case4, _bars("seconds", "CPU s per 100 iterations"))
agrees_with_pytorch = _each_momentum(_pytorch, _draw_pytorch)
