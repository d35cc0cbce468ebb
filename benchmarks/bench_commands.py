"""How long commands take to answer in a home of many studies, beside the start of Python itself.

    python benchmarks/bench_commands.py --studies 50 --home /tmp/commands

Runs the quickstart in the home if it is not there, and copies of it until there are so many
studies. Each command runs in a fresh process, all in turn, with the disk's cache warm. The last
line is the time from the start of `study` in a new home until the first worker begins to train.
Medians over the repeats, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_start_page import copies

STUDY = Path(__file__).parents[1] / "studies/quickstart.toml"
GOALS = {"--help": 0.3, "status": 0.6, "show": 0.8, "plan": 0.8, "study, finished": 0.8}
FIRST_TRIAL, FIRST_GOAL = "study, to the first trial", 2.5


def seconds(*arguments: str) -> float:
    """What a command takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def first_trial() -> float:
    """From the start of a study until its first slice begins."""
    with TemporaryDirectory() as home:
        started = time.time()
        seconds("-m", "hpsearch", "study", str(STUDY), "--home", home)
        slices = Path(home, "studies/quickstart/1/slices.jsonl").read_text().splitlines()
    return min(float(json.loads(line)["began"]) for line in slices) - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder of stores")
    parser.add_argument("--studies", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    home = str(given.home.absolute())
    ours = ("-m", "hpsearch")
    seconds(*ours, "study", str(STUDY), "--home", home)
    copies(Path(home), Path(home, "studies/quickstart/1"), given.studies - 1)
    commands = {
        "python -c pass": ("-c", "pass"),
        "--help": (*ours, "--help"),
        "status": (*ours, "status", "--home", home),
        "show": (*ours, "show", "quickstart", "--home", home),
        "plan": (*ours, "plan", str(STUDY), "--trials", "0"),
        "study, finished": (*ours, "study", str(STUDY), "--home", home),
    }
    taken: dict[str, list[float]] = {name: [] for name in (*commands, FIRST_TRIAL)}
    for repeat in range(given.repeats + 1):
        for name, command in commands.items():
            found = seconds(*command)
            if repeat:  # the first warms the caches
                taken[name].append(found)
    taken[FIRST_TRIAL] = [first_trial() for _ in range(given.repeats)]
    goals = {**GOALS, FIRST_TRIAL: FIRST_GOAL}
    print(f"| command, {given.studies} studies in the home | s | goal |")
    print("|---|---|---|")
    for name, times in taken.items():
        print(f"| {name} | {statistics.median(times):.2f} | {goals.get(name, '')} |")


if __name__ == "__main__":
    main()
