"""Optuna's samplers by name, in studies that are stopped and started again."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from hpsearch.records.layout import Home
from hpsearch.samplers.named import OPTUNA
from hpsearch.study.opening import open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt_after
from tests.harness.study import records, run, table

INSTALLED = [name for name, (_, needed) in OPTUNA.items() if not needed or find_spec(needed)]

# Without choices, which CMA-ES leaves to others; 6 x 9 combinations for brute force.
FINITE = [
    "space.trainer=momentum",
    "space.learning_rate={low=0.5, high=3.0, step=0.5}",
    "space.momentum={low=0.1, high=0.9, step=0.1}",
]


def stopped(path: Path, home: Path, *options: str, after: tuple[int, ...]) -> None:
    """Run a study that is left again and again, then to its end."""
    stores = Home(home)
    stores.create()
    for events_seen in after:
        read = read_study(path, options)
        opened = open_run(read, stores, fresh=False)
        interrupt_after(Study(read, opened, stores.storage_url, 0), events_seen)
        opened.close()
    run(path, home, *options)


@pytest.mark.parametrize("name", [*INSTALLED, "qmc"])
def test_restarts_change_nothing(study_file: Path, tmp_path: Path, name: str) -> None:
    options = [f"sampler.name={name}", *FINITE]
    run(study_file, tmp_path / "quiet", *options)
    stopped(study_file, tmp_path / "stopped", *options, after=(3, 14))
    assert table(tmp_path / "quiet") == table(tmp_path / "stopped")
    drawn = [tuple(r.params.items()) for r in records(tmp_path / "quiet")]
    assert len(set(drawn)) > len(drawn) / 2


def test_tpe_learns_from_the_stages_scores(study_file: Path, tmp_path: Path) -> None:
    options = [
        "space.trainer=sgd",
        "space.learning_rate.high=1e4",
        "stages=[{trials=40, epochs=1}, {trials=6, epochs=2}]",
        "confirmation={top=1, seeds=2, test_seeds=1, default=false}",
    ]
    study_file.write_text(study_file.read_text().replace("momentum = {", "# momentum = {"))
    late = {}
    for name in ("random", "tpe"):
        run(study_file, tmp_path / name, f"sampler.name={name}", *options)
        scores = [r.scores.get(1, 0.0) for r in records(tmp_path / name)[20:40]]
        late[name] = sorted(scores)[10]
    assert late["tpe"] > late["random"]
