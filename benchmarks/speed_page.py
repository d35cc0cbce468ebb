"""The whole table of speeds, by one command, with machine, versions and date.

    python benchmarks/speed_page.py                 about an hour on two cores
    python benchmarks/speed_page.py --quick         a few minutes: one repeat, few trials

Runs the benchmarks of speed one after the other and prints what they print, below headings. Run
nothing beside it. Of several commits, compare the ratios: the sides of each run in turn.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hpsearch.execution.environment import environment
from hpsearch.execution.machine import machine

HERE = Path(__file__).parent
# Headings, with what is run in full and quickly.
PARTS = {
    "A search beside what a careful user writes": (
        ["bench_search.py", "--repeats", "3"],
        ["bench_search.py", "--workloads", "W1", "--trials", "40", "--peers", "numpy/batch"],
    ),
    "What a record costs in MLflow": (
        ["bench_projector.py"],
        ["bench_projector.py", "--trials", "40", "--repeats", "1"],
    ),
    "Trials without work": (
        ["bench_scale.py", "--trials", "10000", "--workers", "2", "--projection"],
        ["bench_scale.py", "--trials", "100", "--workers", "2", "--projection"],
    ),
    "Commands": (
        ["bench_commands.py", "--home", "{home}/commands"],
        ["bench_commands.py", "--home", "{home}/commands", "--studies", "5", "--repeats", "1"],
    ),
    "Training": (
        ["bench_core.py"],
        ["bench_core.py", "--repeats", "1", "--cases", "few-shot"],
    ),
}


def main() -> None:
    """Run all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one repeat, few trials")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine().partition(';')[0]}")
    versions = {k: v for k, v in environment(HERE).items() if k != "host"}
    print(
        ", ".join(f"{name.removeprefix('version.')} {value}" for name, value in versions.items())
    )
    failed = 0
    with TemporaryDirectory() as home:
        for heading, (full, quick) in PARTS.items():
            script, *arguments = (
                text.format(home=home) for text in (quick if given.quick else full)
            )
            print(
                f"\n## {heading}\n\n    python benchmarks/{script} {' '.join(arguments)}\n",
                flush=True,
            )
            failed += bool(
                subprocess.run([sys.executable, str(HERE / script), *arguments]).returncode
            )
    if failed:
        sys.exit(f"{failed} of {len(PARTS)} parts failed")


if __name__ == "__main__":
    main()
