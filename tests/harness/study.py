"""A study run in this process, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, RDBStorage

from hpsearch.records.layout import Home
from hpsearch.records.result import Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.trial_record import TrialRecord
from hpsearch.study.events import Event
from hpsearch.study.opening import as_begun, open_run
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.stores import new_home
from tests.harness.study_files import GRID


def run(
    path: Path,
    home: Path,
    *overrides: str,
    workers: int = 0,
    fresh: bool = False,
    accept_code: bool = False,
    extend: bool = False,
    tell: Callable[[Event], None] = lambda event: None,
) -> Result:
    """Run a study in this process, without MLflow."""
    read, stores = read_study(path, overrides), Home(new_home(home))
    stores.create()
    read = read if fresh else as_begun(read, stores, overrides, extend=extend)
    opened = open_run(read, stores, fresh=fresh, accept_code=accept_code, extend=extend)
    try:
        return Study(read, opened, stores.storage_url, workers).execute(tell)
    finally:
        opened.close()


def records(home: Path, name: str = "small") -> list[TrialRecord]:
    return list(RunFolder(home / "studies" / name / "1").read_all("trial"))


def grid_file(study_file: Path) -> Path:
    head, _, rest = study_file.read_text().partition("[space]")
    study_file.write_text(f"{head}[space]\n{GRID}[[stages]]{rest.partition('[[stages]]')[2]}")
    return study_file


def stored(home: Path, name: str = "small", storage: str | BaseStorage = "") -> optuna.Study:
    """The only Optuna study of this name in a home, or in another storage."""
    storage = storage or RDBStorage(f"sqlite:///{home / 'optuna.db'}")  # for both calls
    (found,) = (n for n in optuna.get_all_study_names(storage) if n.startswith(f"{name} ("))
    return optuna.load_study(study_name=found, storage=storage)


def table(
    home: Path, name: str = "small", storage: str | BaseStorage = ""
) -> dict[object, object]:
    """All that must repeat: draws, states and values in Optuna; the record's scores and curves."""
    study = stored(home, name, storage)
    rows: dict[object, object] = {
        t.number: (t.state, t.params, t.intermediate_values, t.values) for t in study.trials
    }
    folder = RunFolder(home / "studies" / name / "1")
    for kind in ("trial", "confirmation", "test"):
        for r in folder.read_all(kind):
            curves = [(m.split, m.epoch, sorted(m.history.items())) for m in r.members]
            row = (r.params, r.stage, r.batch, r.outcome, r.scores, curves)
            rows[kind, r.number, r.seed_number] = row
    return rows


def spent(home: Path) -> int:
    """Epochs that the members of all trials were trained for."""
    return sum(member.epoch for record in records(home) for member in record.members)


def goals(home: Path) -> list[tuple[Any, ...]]:
    """What records say of objectives and constraints."""
    folder = RunFolder(home / "studies" / "small" / "1")
    found = [*folder.read_all("trial"), *folder.read_all("confirmation")]
    return [(r.kind, r.number, r.values, r.violations) for r in found]
