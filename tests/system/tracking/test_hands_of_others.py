"""What people and other programs do to our stores: rename, delete, upgrade, and read meanwhile."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from urllib.request import urlopen

import optuna
import pytest
from mlflow import MlflowClient

from hpsearch import doctor, run_study, sync
from hpsearch.study.events import Event, StageStarted
from tests.harness.installed import NotInstalledError, beside_ours, modules
from tests.harness.kills import projected
from tests.harness.servers import START_SECONDS, free_port, kill_tree
from tests.harness.study_files import TINY

OLDER = "cc1f77228345"  # a revision of years ago


def client_of(home: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{home}/mlflow.db")


def experiments(home: Path) -> dict[str, str]:
    """The id of every experiment but MLflow's own, by its name."""
    found = client_of(home).search_experiments()
    return {e.name: e.experiment_id for e in found if e.name != "Default"}


def test_an_experiment_that_was_renamed_is_the_study_s(copied_home: Path) -> None:
    (experiment,) = experiments(copied_home).values()
    runs = projected(copied_home)
    (name,) = experiments(copied_home)
    client_of(copied_home).rename_experiment(experiment, "mine now")
    assert sync(home=copied_home)["problem"].tolist() == [""]
    assert experiments(copied_home) == {"mine now": experiment}
    client_of(copied_home).create_experiment(name)  # as a new run would
    assert sync(home=copied_home)["problem"].tolist() == [""]
    assert projected(copied_home) == runs
    assert doctor(home=copied_home).empty


def test_runs_that_somebody_deleted_are_sent_again(copied_home: Path) -> None:
    (experiment,) = experiments(copied_home).values()
    client, runs = client_of(copied_home), projected(copied_home)
    for run in client.search_runs([experiment])[:3]:
        client.delete_run(run.info.run_id)
    assert len(doctor(home=copied_home)) == 3
    assert doctor(home=copied_home, repair=True)["repaired"].all()
    assert doctor(home=copied_home).empty
    assert set(projected(copied_home)) == set(runs)
    assert len(client.search_runs([experiment])) == len(runs)


def test_an_experiment_that_was_deleted_is_restored_with_the_command_of_the_message(
    copied_home: Path,
) -> None:
    (experiment,) = experiments(copied_home).values()
    client = client_of(copied_home)
    client.delete_experiment(experiment)
    (problem,) = sync(home=copied_home)["problem"]
    address = f"MLFLOW_TRACKING_URI=sqlite:///{copied_home}/mlflow.db"
    restore = f"{address} mlflow experiments restore --experiment-id {experiment}"
    assert f"restore it with {restore}, or" in problem
    client.restore_experiment(experiment)
    assert doctor(home=copied_home).empty


def test_a_store_of_an_older_mlflow_is_told_of_with_the_command_that_upgrades_it(
    copied_home: Path,
) -> None:
    with closing(sqlite3.connect(copied_home / "mlflow.db")) as database:
        database.execute("update alembic_version set version_num = ?", (OLDER,))
        database.commit()
        (problem,) = sync(home=copied_home)["problem"]
        assert f"run mlflow db upgrade sqlite:///{copied_home}/mlflow.db to migrate" in problem
        # Nothing is upgraded unasked.
        assert database.execute("select version_num from alembic_version").fetchone() == (OLDER,)


@pytest.mark.parametrize("readers", ["transactions", "optuna"])
def test_readers_of_both_databases_hold_nothing_up(
    tmp_path: Path, copied_home: Path, readers: str
) -> None:
    # What a browser of SQLite files and a dashboard of Optuna do.
    path, open_ones = tmp_path / "tiny.toml", ExitStack()
    path.write_text(TINY.replace('"small"', '"other"'))
    seen = list[int]()

    def read(event: Event) -> None:
        if readers == "optuna":
            storage = f"sqlite:///{copied_home}/optuna.db"
            for name in optuna.get_all_study_names(storage):
                seen.append(len(optuna.load_study(study_name=name, storage=storage).trials))
            return
        for name, table in (("mlflow", "runs"), ("optuna", "trials")):
            database = open_ones.enter_context(
                closing(sqlite3.connect(copied_home / f"{name}.db", isolation_level=None))
            )
            database.execute("begin")  # which reads on until the study's end
            seen.append(database.execute(f"select count(*) from {table}").fetchone()[0])

    with open_ones:
        run_study(path, home=copied_home, workers=0, on_event=read)
    assert len(seen) > 3
    assert doctor(home=copied_home).empty


DASHBOARD = ("optuna-dashboard==0.21.0", "bottle==0.13.4")


@contextmanager
def dashboard(home: Path) -> Iterator[str]:
    """The address of Optuna's dashboard on the studies of a home."""
    try:
        place = modules(*DASHBOARD)
    except NotInstalledError as error:
        pytest.skip(f"NOT RUN: {DASHBOARD[0]} can't be installed: {error}")
    port = free_port()
    command = [sys.executable, str(place / "bin/optuna-dashboard"), f"sqlite:///{home}/optuna.db"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref"]
    with (home.parent / "dashboard.log").open("wb") as log:
        process = Popen(command, env=beside_ours(place), stdout=log, stderr=log)
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=10):
                break
            assert process.poll() is None, (home.parent / "dashboard.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        kill_tree(process.pid)
        process.wait()


def test_optunas_dashboard_shows_a_study_while_it_runs(tmp_path: Path, copied_home: Path) -> None:
    path, shown = tmp_path / "tiny.toml", list[int]()
    path.write_text(TINY.replace('"small"', '"other"'))

    def trials(address: str) -> Iterator[int]:
        with urlopen(f"{address}/api/studies", timeout=30) as answer:
            studies = json.load(answer)["study_summaries"]
        for study in studies:
            if study["study_name"].startswith("other "):
                place = f"{address}/api/studies/{study['study_id']}?after=0"
                with urlopen(place, timeout=30) as answer:
                    yield len(json.load(answer)["trials"])

    with dashboard(copied_home) as address:

        def look(event: Event) -> None:
            if isinstance(event, StageStarted) and event.stage == 1:
                shown.extend(trials(address))
                time.sleep(2.1)  # for so long it keeps what it has read

        result = run_study(path, home=copied_home, workers=0, on_event=look).result
        shown.extend(trials(address))
    assert shown == [5, sum(result.counts.values())]
    assert doctor(home=copied_home).empty
