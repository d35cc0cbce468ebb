"""Comparing Optuna, the records and MLflow, and making the first and last say what records do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.addresses import check_apart
from hpsearch.api.support.stores import storage_of, tracking_of
from hpsearch.api.sync import send
from hpsearch.audit.damage import damages
from hpsearch.audit.difference import Difference
from hpsearch.audit.optuna_comparison import compare_optuna
from hpsearch.audit.surroundings import look_around, look_at_schema
from hpsearch.errors import (
    DamagedError,
    FormatError,
    HpsearchError,
    StudyFileError,
    StudyLockedError,
)
from hpsearch.records.damaged_databases import damage_of, set_aside
from hpsearch.records.layout import SQLITE, Home
from hpsearch.records.read_only import readable_databases
from hpsearch.records.run_lock import held, running, unchanged
from hpsearch.study.opening import storage_name
from hpsearch.study.recorded import Recorded, find_runs
from hpsearch.study.storage.refill import refill_optuna
from hpsearch.study.storage.trials import open_storage, stored_trials
from hpsearch.study.stored_space import kept_arms
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.tracking.stores.own_store import follow_home

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.audit.mlflow_comparison import Comparison

COLUMNS = ("place", "subject", "problem", "remedy", "repaired", "study", "kind", "repairable")


def doctor(
    study: str | None = None,
    *,
    home: str | Path | None = None,
    storage: str | None = None,
    tracking_uri: str | None = None,
    repair: bool = False,
) -> pd.DataFrame:
    """List every difference between the records and the stores of Optuna and MLflow.

    Args:
        study: its name, or that of one of its runs; None: all studies.
        home: folder of all stores; None: HPSEARCH_HOME, else mlruns/ in the current folder.
        storage: Optuna's storage URL; None: HPSEARCH_STORAGE, else SQLite in `home`.
        tracking_uri: MLflow's URI; None: HPSEARCH_TRACKING_URI, else SQLite in `home`.
        repair: make Optuna and MLflow agree with the records.

    Returns:
        A row a difference: place, subject, problem, remedy, repaired; then study, its name,
        "" for the host; kind, the same for problems of one kind; and repairable, whether
        `repair` can mend it. No row: all is well.

    Raises:
        HpsearchError: there is no such study or home.
        StorageError: Optuna's storage can't be opened.
        TrackingError: MLflow can't be reached.
    """
    import pandas as pd

    stores = Home.find(Path(home) if home else None)
    if not stores.path.is_dir():
        raise HpsearchError(
            f"{stores.path} must be a home folder; a first study creates one: python -m hpsearch "
            "study studies/quickstart.toml"
        )
    database, uri = storage_of(stores, storage), tracking_of(stores, tracking_uri)
    host = [*look_around(stores, database, uri)]
    found: list[tuple[Difference, bool, str]] = [(difference, False, "") for difference in host]
    runs = find_runs(stores, study)
    if uri == stores.tracking_uri:
        follow_home(stores)
    with ExitStack() as stack:
        if not repair:
            readable = stack.enter_context(readable_databases(stores))
            database = readable.storage_url if database == stores.storage_url else database
            uri = readable.tracking_uri if uri == stores.tracking_uri else uri
        damaged = [*_damaged({database, uri}, stores, repair=repair and study is None)]
        found += [(difference, done, "") for difference, done in damaged]
        if not all(repaired for _, repaired in damaged):
            runs = []
        for run in runs if _apart(database, uri) else ():
            here = _Visit(stores, run, database, uri).differences(repair=repair)
            found += [(difference, done, run.study) for difference, done in here]
        passed_over = {difference.subject for difference, *_ in found}
        if _apart(database, uri) and any(run.name not in passed_over for run in runs):
            found += [(difference, False, "") for difference in look_at_schema(uri)]
    return pd.DataFrame([_row(*one) for one in found], columns=list(COLUMNS))


def _row(one: Difference, repaired: bool, study: str) -> tuple[object, ...]:
    remedy = one.remedy if one.repairable else f"by hand: {one.remedy}"
    told = one.place, one.subject, one.problem, remedy, repaired
    return (*told, study, one.kind or one.problem, one.repairable)


def _damaged(
    addresses: Collection[str], home: Home, *, repair: bool
) -> Iterator[tuple[Difference, bool]]:
    """SQLite files that are none, and whether they were set aside; nobody may have them open."""
    running_now = [study.name for study in home.all_studies() if running(study)]
    for address in sorted(address for address in addresses if address.startswith(SQLITE)):
        path = Path(address.removeprefix(SQLITE))
        wrong, remedy = (
            damage_of(path),
            "doctor --repair without a study name sets it aside and rebuilds it",
        )
        if not wrong:
            continue
        ours = path in (home.optuna, home.mlflow)  # others may have that of somebody else open
        if not ours:
            remedy = "it does not belong to this home: restore it from a backup"
        elif running_now:
            remedy = f"wait for {', '.join(running_now)}, then run doctor --repair"
        elif repair:
            remedy = f"set aside as {set_aside(path)}, rebuilt from the records"
        difference = Difference(
            "host",
            str(path),
            f"must be an SQLite database, got: {wrong}",
            remedy,
            repairable=ours and not running_now,
        )
        yield difference, repair and ours and not running_now


def _apart(storage: str, tracking_uri: str) -> bool:
    """Whether there are two databases to look into; that there are not was found already."""
    with suppress(HpsearchError):
        check_apart(storage, tracking_uri)
        return True
    return False


@dataclass(frozen=True)
class _Visit:
    """One run of a study, and where it is told."""

    home: Home
    run: Recorded
    storage: str
    uri: str

    def differences(self, *, repair: bool) -> list[tuple[Difference, bool]]:
        """Each with whether it was repaired."""
        try:
            _ = self.run.file
        except (StudyFileError, FormatError, DamagedError) as error:
            return [(_unreadable(self.run.name, error), False)]
        try:
            with (held if repair else unchanged)(self.home.study(self.run.study)):
                found, comparison = self._look()
                if not repair or not any(d.repairable for d in found):
                    return [(d, False) for d in found]
                if self._mend():
                    more, comparison = self._look()
                    found += [d for d in more if d not in found]
                if comparison is not None and comparison.restore_lost():
                    more, comparison = self._look()
                    found += [d for d in more if d not in found]
                if comparison is not None:
                    comparison.discard_wrong()
                self._repair(found)
                left, _ = self._look()
        except DamagedError as error:
            return [(_unreadable(self.run.name, error), False)]
        except StudyLockedError as error:
            return [(Difference("host", self.run.name, str(error), "", repairable=False), False)]
        new = [d for d in left if d not in found]
        return [(d, d not in left) for d in found] + [(d, False) for d in new]

    def _look(self) -> tuple[list[Difference], Comparison | None]:
        from hpsearch.audit.mlflow_comparison import Comparison
        from hpsearch.tracking.projector import has_parent
        from hpsearch.tracking.replay import mlflow_settings

        folder = self.run.folder
        damaged = list(damages(folder, self.run.name))
        found = [damage.difference for damage in damaged]
        if any(damage.blocks for damage in damaged):
            return found, None
        storage = open_storage(self.storage)
        arms: list[ArmPlace | None] = [*kept_arms(folder)]
        for arm in arms or [None]:
            study = self._optuna(arm)
            stored = stored_trials(storage, study)
            found += compare_optuna(stored, study, self.run.name, folder, arm)
        if not has_parent(folder):
            return found, None
        comparison = Comparison(self.run.name, folder, self.uri)
        with mlflow_settings():
            found += comparison.differences()
        return found, comparison

    def _mend(self) -> bool:
        """Take damaged files out of the way; whether there were any."""
        damaged = list(damages(self.run.folder, self.run.name))
        for damage in damaged:
            damage.repair()
        return bool(damaged)

    def _repair(self, found: list[Difference]) -> None:
        folder = self.run.folder
        if any(d.place == "Optuna" and d.repairable for d in found):
            directions, storage = self.run.file.directions, open_storage(self.storage)
            for arm in kept_arms(folder):
                refill_optuna(storage, self._optuna(arm), folder, arm, directions)
        if any(d.place == "MLflow" for d in found):
            send(self.home, self.run, self.uri)

    def _optuna(self, arm: ArmPlace | None) -> str:
        return storage_name(self.run.name, self.run.id, arm.name if arm else "")


def _unreadable(name: str, error: HpsearchError) -> Difference:
    """A run that this version can't read; the others are looked at all the same."""
    if isinstance(error, DamagedError):
        remedy = "restore the file from an export or a backup, or start again with --fresh"
    else:
        remedy = "use the version of hpsearch that wrote it, or move the run's folder away"
    return Difference("records", name, str(error), remedy, repairable=False)
