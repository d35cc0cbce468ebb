"""The commands as a user calls them."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
import typer

from hpsearch.cli import app
from hpsearch.cli.base import exits
from tests.harness.commands import Called, call, call_here
from tests.harness.study_files import REPOSITORY, SMALL
from tests.harness.tampering import tamper

SHORT = ["--set", "stages=[{trials=2, epochs=2}]", "--workers", "0"]
LONG = ["--set", "stages=[{trials=2, epochs=2}, {trials=2, epochs=300}]"]
LONG += ["--set", "confirmation={top=1, seeds=2, test_seeds=1, default=false}"]
HEAVY = ("optuna", "mlflow", "pandas", "sklearn", "numpy", "matplotlib")


class Finished(NamedTuple):
    """A study's first call, with its file and its stores; tests leave them whole."""

    path: Path
    home: Path
    done: Called


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    path, home = folder / "small.toml", folder / "home"
    path.write_text(SMALL)
    done = call("study", str(path), "--home", str(home))
    assert done.returncode == 0, done.stderr
    return Finished(path, home, done)


def test_help_loads_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "hpsearch", "--help"]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    names = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in loaded.splitlines()}
    assert "typer" in names
    assert not names & set(HEAVY)


@pytest.mark.parametrize("option", ["--storage", "--tracking-uri"])
def test_a_password_on_the_command_line_is_warned_of(option: str, tmp_path: Path) -> None:
    home = ["--home", str(tmp_path / "nowhere")]
    done = call_here("doctor", *home, option, "postgresql+psycopg://me:s3cret@127.0.0.1/mine")
    assert done.returncode == 1
    assert (
        "warning: everybody on this machine can read a password on a command line" in done.stderr
    )
    assert "s3cret" not in done.stdout + done.stderr
    assert "warning" not in call_here("doctor", *home, option, "sqlite:////tmp/mine.db").stderr


@pytest.mark.usefixtures("without_mlflow")
def test_a_traceback_holds_no_password(study_file: Path, nowhere: Path) -> None:
    address = "postgresql+psycopg://me:s3/cr#t?@127.0.0.1:9/mine"
    options = ["--home", str(nowhere), "--workers", "0", "--debug"]
    done = call(
        "study", str(study_file), *options, env={**os.environ, "HPSEARCH_STORAGE": address}
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "me:***@127.0.0.1:9/mine" in done.stderr
    assert "s3/cr" not in done.stdout + done.stderr


def test_import_loads_nothing_heavy() -> None:
    code = f"import hpsearch, sys; sys.exit(bool(set(sys.modules) & set({HEAVY})))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_command_has_a_row_in_the_documents() -> None:
    rows = (REPOSITORY / "docs/commands.md").read_text()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert commands
    for name in commands:
        assert re.search(rf"^\| `python -m hpsearch {name}\b", rows, re.MULTILINE), name


@pytest.mark.parametrize(
    "package", ["hpsearch", "hpsearch.samplers", "hpsearch.claims", "hpsearch.testing"]
)
def test_exported_names_exist_and_unknown_ones_are_refused(package: str) -> None:
    module = import_module(package)
    for name in module.__all__:
        assert hasattr(module, name)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_who_asks_how_a_study_is_loads_no_figures_and_no_models() -> None:
    heavy = {"matplotlib", "plotly", "sklearn", "mlflow", "scipy.optimize", "scipy.stats"}
    code = f"import hpsearch, sys; hpsearch.study_status; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout == "set()\n", shown.stderr


def test_study_without_a_file_lists_the_studies() -> None:
    done = call("study", cwd=REPOSITORY)
    assert done.returncode == 0
    assert "studies/quickstart.toml  Three optimizers on scikit-learn's digits" in done.stdout
    listed = json.loads(call("study", "--json", cwd=REPOSITORY).stdout)
    assert {entry["file"] for entry in listed} == {
        f"studies/{path.name}" for path in (REPOSITORY / "studies").glob("*.toml")
    }


def test_a_study_runs_and_prints_what_it_found(finished: Finished) -> None:
    out, err = finished.done.stdout, finished.done.stderr
    for text in ("Best trials of small", "Narrowed ranges", "on the test set, used once"):
        assert text in out
    assert "stage 1/3, 2 epochs: 14/14" in err
    assert "can't write to MLflow" not in err
    before, address = out.splitlines()[-2:]
    assert before.endswith(f"MLflow  python -m hpsearch ui --home {finished.home}, then")
    assert address.strip() == "http://127.0.0.1:5000/s/small"


def test_the_second_time_nothing_is_run_and_a_deleted_store_is_filled_again(
    finished: Finished,
) -> None:
    path, home, _ = finished
    again = call_here("study", str(path), "--home", str(home))
    assert again.returncode == 0
    assert "nothing was run" in again.stdout
    assert again.stderr == ""
    for database in home.glob("mlflow.db*"):
        database.unlink()
    third = call_here("study", str(path), "--home", str(home), "--json")
    assert json.loads(third.stdout)["mlflow"]["complete"]
    assert (home / "mlflow.db").exists()


def test_json_is_one_object_on_stdout(finished: Finished) -> None:
    path, home, _ = finished
    done = call_here("study", str(path), "--home", str(home), "--json")
    said = json.loads(done.stdout)
    assert said["study"] == "small"
    assert sum(said["counts"].values()) == 21
    assert said["best_params"]["trainer"] in ("sgd", "momentum", "adam")
    assert said["validation"]["low"] < said["validation"]["mean"] < said["validation"]["high"]
    assert 0 < said["test"]["mean"] < 1
    assert {row["parameter"] for row in said["ranges"]} >= {"trainer", "learning_rate"}
    names = {path.name for path in Path(said["artifacts"]).iterdir()}
    assert names == {
        "study.toml",
        "study.json",
        "result.json",
        "trials.csv",
        "narrowing.csv",
        "narrowing.json",
        "search.png",
        "stages.csv",
        "expected_best.csv",
        "incumbents.json",
        "figures",
        "report.html",
        "confusion.csv",
        "confusion.png",
    }
    assert said["mlflow"]["complete"]
    assert said["mlflow"]["tracking_uri"] == f"sqlite:///{home / 'mlflow.db'}"
    assert said["mlflow"]["experiment_id"]
    assert said["mlflow"]["parent_run_id"]


@pytest.mark.usefixtures("without_mlflow")
def test_a_batch_too_small_for_the_workers_is_said_with_the_number_to_set(
    study_file: Path, home: Path
) -> None:
    done = call_here(
        *("study", str(study_file), "--home", str(home), *SHORT),
        *("--workers", "4", "--set", "sampler.batch=1"),
    )
    assert "sampler.batch = 1 keeps 3 of 4 workers busy" in done.stderr
    assert "sampler.batch = 2" in done.stderr


def test_a_wrong_study_file_exits_2_and_creates_nothing(study_file: Path, nowhere: Path) -> None:
    done = call_here(
        "study", str(study_file), "--home", str(nowhere), "--set", "space.learning_rat=1"
    )
    assert done.returncode == 2
    assert "space.learning_rat: must be one of" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("override", "code", "text"),
    [
        ("network.name=lenet", 2, "network.name: lenet must have images of at least 16 x 16"),
        ("data.shots=5000", 1, "data.shots must be at most"),
    ],
)
def test_data_that_does_not_fit_is_said_and_creates_nothing(
    study_file: Path, nowhere: Path, override: str, code: int, text: str
) -> None:
    done = call_here("study", str(study_file), "--home", str(nowhere), "--set", override)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--storage", "nonsense"), "Optuna storage 'nonsense'"),
        (("--storage", "sqlite:////no/such/folder/x.db"), "must be a database that can be opened"),
        (("--storage", "sqlite://"), "must be a database that outlives this process"),
        (("--tracking-uri", "nonsense"), "must be a URI"),
        (("--storage", "sqlite:///x.db", "--tracking-uri", "sqlite:///x.db"), "two databases"),
        (("--storage", "postgresql://h:abc/d"), "must have a port from 1 to 65535"),
        (("--tracking-uri", "http://h:99999"), "must have a port from 1 to 65535"),
        (("--home", "what?"), "not contain '?', '#' or '%20'"),
        (("--home", "a%20b"), "not contain '?', '#' or '%20'"),
    ],
)
def test_wrong_stores_exit_1_without_a_traceback(
    study_file: Path, home: Path, option: tuple[str, str], text: str
) -> None:
    done = call_here("study", str(study_file), "--home", str(home), *option)
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_without_room_is_one_line(study_file: Path, home: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "hpsearch",
        "plan",
        str(study_file),
        "--trials",
        "0",
        "--json",
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: cannot write to the output, or")


def test_missing_mnist_is_one_line_that_says_what_to_set(study_file: Path, nowhere: Path) -> None:
    empty = {"HPSEARCH_DATA": str(nowhere), "XDG_CACHE_HOME": str(nowhere / "cache")}
    empty |= {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    options = ["--home", str(nowhere), "--set", "data.name=mnist"]
    done = call_here("study", str(study_file), *options, env=empty)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert "set HPSEARCH_DATA to the folder that holds mnist/" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_exits_130_and_the_same_command_goes_on(
    study_file: Path, home: Path, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    if number == signal.SIGTERM:  # a projector ends at one as at the other
        request.getfixturevalue("without_mlflow")
    options = ["--home", str(home), "--workers", "1", *LONG]
    command = [sys.executable, "-m", "hpsearch", "study", str(study_file), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(home.glob("studies/small/1/trials/*/record.json")):
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "run the same command again to resume" in err
    assert "Traceback" not in err
    done = call_here("study", str(study_file), *options, "--json")
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["counts"].values()) == 3


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.4, 0.6, 0.7, 0.8, 1.0])
def test_an_interrupt_while_modules_load_is_one_line_and_130(
    study_file: Path, nowhere: Path, seconds: float
) -> None:
    command = [sys.executable, "-m", "hpsearch", "study", str(study_file), "--home", str(nowhere)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not catches(process.pid, signal.SIGTERM):  # from the first line of the program on
        time.sleep(0.001)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    *_, line = err.splitlines()
    assert line.startswith("interrupted")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("number", "value", "said"),
    [
        (
            resource.RLIMIT_AS,
            400_000_000,
            "ulimit -v, the limit of memory, must be at least 1200 MB",
        ),
        (resource.RLIMIT_DATA, 300_000_000, "ulimit -d, the limit of memory, must be at least"),
        (resource.RLIMIT_NOFILE, 16, "ulimit -n, the limit of open files, must be at least 32"),
    ],
)
def test_limits_that_leave_too_little_are_one_line(number: int, value: int, said: str) -> None:
    command = [sys.executable, "-m", "hpsearch", "study", "studies/quickstart.toml"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(number, (value, value)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {said}")
    assert len(done.stderr.splitlines()) == 1


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = re.findall(r"SigCgt:\s*([0-9a-f]+)", status)
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_an_unreachable_mlflow_costs_nothing_and_the_next_run_catches_up(
    study_file: Path, home: Path
) -> None:
    away = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    options = ["study", str(study_file), "--home", str(home), *SHORT, "--json"]
    done = call_here(*options, "--tracking-uri", "http://127.0.0.1:9", env=away)
    assert done.returncode == 0, done.stderr
    assert "warning: can't write to MLflow at http://127.0.0.1:9" in done.stderr
    assert not json.loads(done.stdout)["mlflow"]["complete"]
    again = call_here(*options)
    assert json.loads(again.stdout)["mlflow"]["complete"]


def test_records_are_sent_compared_drawn_and_carried_away(
    finished: Finished, tmp_path: Path
) -> None:
    home = finished.home
    where = ["--home", str(home)]
    (row,) = json.loads(call_here("sync", "small", *where, "--json").stdout)
    assert row["study"] == "small"
    assert row["problem"] == ""
    well = call_here("doctor", *where)
    assert well.returncode == 0
    assert "no differences" in well.stderr
    (home / "optuna.db").unlink()
    ill = call_here("doctor", *where)
    assert ill.returncode == 1
    assert "Optuna" in ill.stdout
    assert call_here("doctor", *where, "--repair").returncode == 0
    assert call_here("report", "small", *where).stdout.endswith("report.html\n")
    assert call_here("report", "smal", *where).returncode == 2
    archive = tmp_path / "small.zip"
    assert call_here("export", "small", *where, "--to", str(archive)).stdout == f"{archive}\n"
    elsewhere = call_here("import", str(archive), "--home", str(tmp_path / "elsewhere"))
    assert f"ui --home {tmp_path / 'elsewhere'}" in elsewhere.stderr
    assert elsewhere.returncode == 0, elsewhere.stderr


def test_data_lists_the_data_sets_and_where_they_are() -> None:
    rows = json.loads(call_here("data", "--json").stdout)
    assert [row["name"] for row in rows] == ["digits", "mnist", "cifar10"]
    assert all(row["where"] for row in rows)


def test_ui_without_a_store_says_how_to_get_one(nowhere: Path) -> None:
    done = call_here("ui", "--home", str(nowhere))
    assert done.returncode == 1
    assert "python -m hpsearch study" in done.stderr


def test_show_and_status_print_what_was_found(finished: Finished) -> None:
    _, home, done = finished
    where = ["--home", str(home)]
    shown = call_here("show", "small", *where)
    assert shown.stdout.splitlines()[1:9] == done.stdout.splitlines()[1:9]
    assert "nothing was run" in shown.stdout
    assert call_here("show", "small", *where, "--best").stdout.startswith(
        "# The winner of small: trial"
    )
    assert json.loads(call_here("show", "small", *where, "--best", "--format", "json").stdout)[
        "hidden"
    ]
    table = call_here("show", "small", *where, "--trials", "--csv").stdout
    assert table.splitlines()[0].startswith("trial,outcome,drawn_in_stage,batch,epochs,curves")
    rows = json.loads(call_here("show", "small", *where, "--trials", "--json").stdout)
    assert [row["trial"] for row in rows] == list(range(21))
    assert "small  finished  3/3" in call_here("status", *where).stdout
    (row,) = json.loads(call_here("status", "small", *where, "--json").stdout)
    best = max(r["score_8"] for r in rows if r["score_8"] is not None)
    assert (row["state"], row["best"]) == ("finished", best)
    wrong = call_here("show", "smll", *where)
    assert wrong.returncode == 2
    assert "did you mean 'small'?" in wrong.stderr


def test_delete_asks_first(study_file: Path, home: Path) -> None:
    assert call_here("study", str(study_file), "--home", str(home), *SHORT).returncode == 0
    for answer in ("n\n", ""):
        refused = call_here("delete", "small", "--home", str(home), answer=answer)
        assert refused.returncode == 1
        assert "Optuna study 'small (" in refused.stderr
    assert (home / "studies/small/1").exists()
    done = call_here("delete", "small", "--home", str(home), "--yes")
    assert (done.returncode, done.stdout) == (0, "deleted small\n")
    assert not (home / "studies/small").exists()


@pytest.mark.usefixtures("without_mlflow")
def test_reproduce_and_verify_exit_1_where_something_differs(study_file: Path, home: Path) -> None:
    where = ["--home", str(home)]
    short = ["--set", "stages=[{trials=4, epochs=2}]", "--workers", "0"]
    assert call_here("study", str(study_file), *where, *short).returncode == 0
    done = call_here("reproduce", "small", "0", *where)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "equal"), done.stderr
    verified = call_here("verify", "small", *where, "--trials", "1")
    assert (verified.returncode, verified.stdout.split()[-1]) == (0, "equal"), verified.stderr

    def change(said: dict[str, Any]) -> None:
        said["members"][0]["history"]["train_loss"][0] += 1e-9

    tamper(home / "studies/small/1/trials/00000/record.json", change)
    differs = call_here("reproduce", "small", "0", *where)
    assert differs.returncode == 1
    assert "first difference: epoch 1, split 0: train_loss" in differs.stdout
    failed = call_here("verify", "small", *where, "--trials", "4", "--json")
    assert failed.returncode == 1
    assert not json.loads(failed.stdout)["equal"]


def test_init_then_plan(tmp_path: Path, nowhere: Path) -> None:
    path = tmp_path / "new.toml"
    where = {"HPSEARCH_HOME": str(nowhere)}
    assert call_here("init", str(path), "--trainer", "sgd", env=where).returncode == 0
    done = call_here("plan", str(path), "--trials", "2", "--set", "data.shots=5", env=where)
    assert done.returncode == 0, done.stderr
    for text in ("stage 3", "confirmation", "refit and test", "with", "of states while it runs"):
        assert text in done.stdout
    counted = json.loads(call_here("plan", str(path), "--trials", "0", "--json", env=where).stdout)
    assert counted["phases"][1]["promoted"] == 6
    assert call_here("init", str(path), env=where).returncode == 2
    assert json.loads(call_here("init", "--schema").stdout)["title"] == "StudyFile"
    assert not nowhere.exists()


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_interrupt_while_a_module_loads_is_one(
    wrapped: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as interrupt:
            if not wrapped:
                raise
            raise ImportError("initialization failed") from interrupt

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, exits(debug=False):
        load()
    assert signal.getsignal(signal.SIGTERM) == before
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted; run the same command again to resume\n"


def test_an_interrupt_in_a_weak_references_callback_is_not_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Watched:
        pass

    references = []

    def forget() -> None:
        watched = Watched()
        references.append(weakref.ref(watched, lambda _: signal.raise_signal(signal.SIGTERM)))
        del watched
        time.sleep(30)

    before = sys.unraisablehook
    with pytest.raises(SystemExit) as ended, exits(debug=False):
        forget()
    assert references[0]() is None
    assert ended.value.code == 130
    assert sys.unraisablehook == before
    assert capsys.readouterr().err == "interrupted; run the same command again to resume\n"


def test_an_interrupt_that_somebody_drops_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with suppress(BaseException):  # as compiled code does that clears an error
            signal.raise_signal(signal.SIGTERM)
        time.sleep(30)

    with pytest.raises(SystemExit) as ended, exits(debug=False):
        work()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted; run the same command again to resume\n"


def test_an_interrupt_does_not_wait_for_a_process_that_is_waited_for() -> None:
    """subprocess asks for the very type of the exception, and waits to the end for others."""
    words = """
        import os, signal, subprocess, threading
        from hpsearch.cli.base import exits
        sleep, none = ["sleep", "60"], {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGTERM]).start()
        with exits(debug=False), subprocess.Popen(sleep, **none) as process:
            try:
                process.wait()
            finally:
                print(process.pid, flush=True)
    """
    command = [sys.executable, "-c", dedent(words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.returncode == 130


def test_an_interrupt_that_somebody_cleans_up_after_comes_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cleaned = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            time.sleep(0.5)  # until it would be sent again
            cleaned.append(True)

    with pytest.raises(SystemExit) as ended, exits(debug=False):
        work()
    assert cleaned
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted; run the same command again to resume\n"


def test_an_interrupt_that_a_library_logs_shows_no_traceback() -> None:
    words = """
        import logging
        from hpsearch.cli.base import exits
        with exits(debug=False):
            try:
                raise KeyboardInterrupt
            except BaseException as error:
                logging.getLogger("library").error("while resetting", exc_info=True)
                logging.getLogger("library").error("more")
                raise
    """
    command = [sys.executable, "-c", dedent(words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "more\ninterrupted; run the same command again to resume\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_encoding_that_lacks_signs_of_ours_ends_nothing(
    finished: Finished, encoding: str
) -> None:
    command = [sys.executable, "-m", "hpsearch", "show", "small", "--home", str(finished.home)]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert "winner" in shown
    assert "?" in shown  # for the dots between the ends of an interval


def test_the_version_is_said() -> None:
    done = call_here("--version")
    assert (done.returncode, done.stdout) == (0, f"hpsearch {version('hpsearch')}\n")


def test_a_folder_without_studies_is_named(tmp_path: Path) -> None:
    done = call_here("status", "--home", str(tmp_path))
    assert f"no studies in {tmp_path} yet" in done.stderr
