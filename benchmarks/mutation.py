"""Which changes of the code the fast tests notice: the mutation score of some rooms.

    pip install -e '.[dev,mutation]'
    python benchmarks/mutation.py --sample 25 --seed 0 records study samplers scheduler

Cosmic Ray lists the mutants of a room (a comparison turned round, a number changed by one, a
branch left out, ...); of these a random sample is made one after the other in a copy of the last
commit, and the fast tests are run until one fails: first those of the room, then the studies,
then all others. Mutants in annotations, which nothing evaluates, are left out. Survivors are
listed with their difference. A sample of 25 a room takes about an hour and a half on two cores.
"""

from __future__ import annotations

import argparse
import ast
import queue
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import evolve
from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkResult

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("records", "study", "samplers", "scheduler")
SECONDS = 1200.0  # of all tests of a mutant; one that hangs is noticed so
# Chains of operators of which most are the same mutant again.
OPERATORS = ("core/NumberReplacer", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue")
PREFIXES = (
    "core/ReplaceComparisonOperator",
    "core/ReplaceBinaryOperator",
    "core/ReplaceUnaryOperator",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/AddNot",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ExceptionReplacer",
    "core/ZeroIterationForLoop",
    "core/RemoveDecorator",
)


def mutants(room: str) -> Iterator[MutationSpec]:
    """All mutants of a room that a program could notice."""
    modules = sorted((REPOSITORY / "hpsearch" / room).rglob("*.py"))
    with tempfile.TemporaryDirectory() as folder, use_db(str(Path(folder) / "items")) as items:
        init(modules, items, {})
        found = [item.mutations[0] for item in items.pending_work_items]
    silent = {module: annotated(module) for module in modules}
    for mutant in found:
        lines = silent[mutant.module_path]
        known = mutant.operator_name in OPERATORS or mutant.operator_name.startswith(PREFIXES)
        if known and not any(a <= mutant.start_pos and mutant.end_pos <= b for a, b in lines):
            yield mutant


def annotated(module: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end, as (line, column)."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        for part in (p for p in parts if isinstance(p, ast.expr)):
            assert part.end_lineno is not None
            assert part.end_col_offset is not None
            found.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))
    return found


def sample(room: str, size: int, seed: int) -> list[MutationSpec]:
    """A random choice of places in the code, and of a mutant at each."""
    by_place = defaultdict(list)
    for mutant in mutants(room):
        by_place[mutant.module_path, mutant.start_pos].append(mutant)
    rng = random.Random(f"{seed} {room}")
    places = rng.sample(sorted(by_place), min(size, len(by_place)))
    return [rng.choice(by_place[place]) for place in places]


def command(copy: Path, room: str) -> str:
    """The tests of a mutant, those first that are most likely to notice it."""
    pytest = f"{sys.executable} -m pytest -q -x -p no:cacheprovider"
    own = [f"tests/unit/{room}"]
    own += ["tests/unit/test_timetable.py"] if room == "scheduler" else []
    steps = (*own, "tests/study", f"tests/unit --ignore=tests/unit/{room}")
    tests = " && ".join(f"{pytest} {step}" for step in steps)
    return f"env PYTHONPATH={copy} bash -c 'cd {copy} && {tests}'"


def noticed(copies: queue.SimpleQueue[Path], room: str, mutant: MutationSpec) -> WorkResult:
    """Make a mutant in a copy that nobody uses now, and run the tests there."""
    copy = copies.get()
    try:
        here = copy / mutant.module_path.relative_to(REPOSITORY)
        return mutate_and_test([evolve(mutant, module_path=here)], command(copy, room), SECONDS)
    finally:
        copies.put(copy)


def main() -> None:
    """Print a table, and the survivors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rooms", nargs="*", default=ROOMS)
    parser.add_argument("--sample", type=int, default=25, help="mutants a room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.workers) as pool:
        for number in range(asked.workers):
            copy = Path(folder) / str(number)
            subprocess.run(["git", "clone", "-q", REPOSITORY, copy], check=True)
            copies.put(copy)
        for room in asked.rooms:
            chosen = sample(room, asked.sample, asked.seed)
            counts[room] = Counter()
            work = [pool.submit(noticed, copies, room, mutant) for mutant in chosen]
            for mutant, future in zip(chosen, work, strict=True):
                result = future.result()
                outcome = str(result.test_outcome.value) if result.test_outcome else "no test"
                counts[room][outcome] += 1
                where = mutant.module_path.relative_to(REPOSITORY)
                print(
                    f"{outcome:10} {where}:{mutant.start_pos[0]} {mutant.operator_name}",
                    flush=True,
                )
                if outcome == "survived":
                    print(result.diff, flush=True)
    print("\nroom        places  killed  survived  score")
    for room, count in counts.items():
        total = count["killed"] + count["survived"] + count["incompetent"]
        noticed_ones = total - count["survived"]
        print(
            f"{room:12}{total:6}{noticed_ones:8}{count['survived']:10}{noticed_ones / total:7.0%}"
        )


if __name__ == "__main__":
    main()
