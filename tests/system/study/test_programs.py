"""Studies of programs that are interrupted, killed, limited, or came from elsewhere."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from hpsearch import export_study, import_study, reproduce_trial, run_study, verify_study
from hpsearch.api.support.trials import best_configuration, study_trials
from hpsearch.errors import StudyFileError
from hpsearch.trainers.programs.program_process import GUARD
from tests.harness.programs import gone, running, study_of, study_of_shell, trained
from tests.harness.stores import new_home
from tests.harness.study import records, run

pytestmark = pytest.mark.usefixtures("without_mlflow")
# 20 by hand: HPSEARCH_KILLS=20 scripts/test tests/system/study/test_programs.py
KILLS = int(os.environ.get("HPSEARCH_KILLS", "2"))
WORKERS = (1, 2, 8) if "HPSEARCH_KILLS" in os.environ else (2,)
NO_PROBE = "probe = false"
ONE = "stages=[{trials=1, epochs=2}]"
TWO = "stages=[{trials=2, epochs=2}]"


def start(path: Path, home: Path, *options: str, workers: int = 2) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    command += ["--workers", str(workers), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for(marker: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Until such a process is there."""
    deadline = time.monotonic() + seconds
    while not running(marker):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def victims(
    process: subprocess.Popen[bytes], program: str = "train.awk"
) -> dict[str, list[psutil.Process]]:
    """The coordinator, its workers and their programs."""
    found: dict[str, list[psutil.Process]] = {"coordinator": [psutil.Process(process.pid)]}
    for child in found["coordinator"][0].children(recursive=True):
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if "hpsearch.execution.worker" in words:
            found.setdefault("worker", []).append(child)
        elif program in words and GUARD not in words:
            found.setdefault("program", []).append(child)
    return found


@pytest.mark.timeout(400)
@pytest.mark.parametrize("workers", WORKERS)
def test_kills_change_nothing_and_leave_nothing(tmp_path: Path, workers: int) -> None:
    tables, counts = [], []
    for name in ("calm", "troubled"):
        folder = tmp_path / name
        folder.mkdir()
        path = study_of(folder, NO_PROBE, "dry_start = 0", checkpoint=True, nap=0.2)
        home = new_home(folder / "home")
        options = ["--set", "confirmation={top=1, seeds=2}"]
        options += ["--set", "outcomes.lost_attempts=100"]  # chance may kill one program thrice
        process = start(path, home, *options, workers=workers)
        rng, kills = random.Random(workers), 0
        while name == "troubled" and kills < KILLS:
            time.sleep(rng.uniform(0.3, 1.5))
            if process.poll() is None:
                found = victims(process)
                kind = rng.choice([k for k in ("program", "worker", "coordinator") if k in found])
                if "worker" not in found:  # not there yet, or all over
                    continue
                rng.choice(found[kind]).kill()
                kills += 1
                if kind == "coordinator":
                    process.communicate()
            if process.poll() is not None:
                if process.returncode == 0:
                    break
                process = start(path, home, *options, workers=workers)
        _, err = process.communicate()
        if process.returncode == -signal.SIGKILL:
            process = start(path, home, *options, workers=workers)
            _, err = process.communicate()
        assert process.returncode == 0, err.decode()
        assert gone(str(folder))
        tables.append(study_trials("small", home=home).to_csv())
        # Beside the folder that they lie in, the two are to be the same.
        counts.append(
            Counter((*row[:-1], row[-1].split("/small/1/")[1]) for row in trained(folder))
        )
    assert tables[0] == tables[1]
    assert {*counts[0].values()} == {1}
    assert counts[1].keys() == counts[0].keys()
    # An epoch under way when its program ended is trained again, and no other one.
    again = sum(counts[1].values()) - sum(counts[0].values())
    assert again <= 2 * workers * KILLS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("workers", [0, 1])
def test_no_program_outlives_its_study(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    marker = f"{tmp_path}/mark"
    script = f"sh -c 'sleep 100; : {marker}' & sleep 100; : {marker}"
    path = study_of_shell(tmp_path, script, NO_PROBE, "dry_start = 0")
    process = start(path, new_home(tmp_path / "home"), workers=workers)
    wait_for(marker, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == (130 if number is not signal.SIGKILL else -number), err.decode()
    assert b"Traceback" not in err
    assert gone(marker)


def test_a_worker_that_is_killed_takes_its_program_along(tmp_path: Path) -> None:
    marker = f"{tmp_path}/mark"
    script = f"[ -e {tmp_path}/go ] || {{ sleep 100; : {marker}; }}\n"
    script += 'echo "{\\"epoch\\": $2, \\"loss\\": $1}"'
    path = study_of_shell(tmp_path, script, NO_PROBE, "dry_start = 0")
    process = start(path, new_home(tmp_path / "home"), "--set", ONE, workers=1)
    found = victims(process, "train.sh")
    while not {"worker", "program"} <= found.keys():  # its own: other tests run such programs, too
        assert process.poll() is None
        time.sleep(0.05)
        found = victims(process, "train.sh")
    old = {p.pid for p in found["program"]}
    (tmp_path / "go").touch()
    found["worker"][0].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert not any(psutil.pid_exists(pid) for pid in old)
    (record,) = records(tmp_path / "home")
    assert [a.get("event", "lost") for a in record.attempts] == ["lost"]


def test_a_program_that_is_killed_is_run_again(tmp_path: Path) -> None:
    script = f"""
        if [ ! -e {tmp_path}/once ]; then touch {tmp_path}/once; kill -s KILL $$; fi
        echo "{{\\"epoch\\": $2, \\"loss\\": $1}}"
    """
    path = study_of_shell(tmp_path, script, NO_PROBE)
    run(path, tmp_path / "home", ONE)
    (record,) = records(tmp_path / "home")
    assert record.outcome == "complete"
    assert "ended by SIGKILL" in record.attempts[0]["reason"]


def test_a_program_that_is_killed_every_time_fails(tmp_path: Path) -> None:
    path = study_of_shell(
        tmp_path, 'case $1 in 0.0*) kill -s KILL $$;; esac; echo "{\\"loss\\": $1}"', NO_PROBE
    )
    run(path, tmp_path / "home", "stages=[{trials=6, epochs=1}]")
    found = records(tmp_path / "home")
    failed = [r for r in found if str(r.params["lr"]).startswith("0.0")]
    assert failed
    assert {r.outcome for r in failed} == {"failed"}
    assert failed[0].reason.startswith("3 times: program was ended by SIGKILL")


def test_a_limit_ends_a_program_that_ignores_sigterm(tmp_path: Path) -> None:
    marker = f"{tmp_path}/mark"
    script = f"""
        case $1 in
        0.0*) trap "" TERM; while :; do sleep 0.2; done; : {marker};;
        *) echo "{{\\"epoch\\": $2, \\"loss\\": $1}}";;
        esac
    """
    path = study_of_shell(tmp_path, script, NO_PROBE, "dry_start = 0")
    stages = "stages=[{trials=3, epochs=1}]"
    run(path, tmp_path / "home", stages, "limits={seconds=2}", "sampler.rule=3", workers=1)
    slow = [r for r in records(tmp_path / "home") if str(r.params["lr"]).startswith("0.0")]
    assert slow
    assert {(r.outcome, r.limit) for r in slow} == {("failed", "seconds")}
    assert "exceeded limits.seconds = 2" in slow[0].reason
    assert gone("train.sh")


def test_a_gpu_without_memory_is_a_limit_of_a_trial(tmp_path: Path) -> None:
    script = """
        case $1 in 0.0*) echo "CUDA error: out of memory" >&2; exit 1;; esac
        echo "{\\"epoch\\": $2, \\"loss\\": $1}"
    """
    path = study_of_shell(tmp_path, script, NO_PROBE, "dry_start = 0")
    run(path, tmp_path / "home", "stages=[{trials=6, epochs=1}]")
    full = [r for r in records(tmp_path / "home") if str(r.params["lr"]).startswith("0.0")]
    assert full
    assert {(r.outcome, r.limit) for r in full} == {("failed", "gpu_memory")}
    table = study_trials("small", home=tmp_path / "home")
    assert "ran out of GPU memory" in table.iloc[full[0].number]["reason"]


def test_the_log_holds_what_a_program_printed_up_to_its_cap(tmp_path: Path) -> None:
    script = """
        head -c 300000 /dev/zero | tr '\\0' x
        echo
        echo "{\\"epoch\\": $2, \\"loss\\": $1}"
        echo the end >&2
    """
    path = study_of_shell(tmp_path, script, NO_PROBE, "log_mb = 0.1")
    run(path, tmp_path / "home", ONE)
    text = next((tmp_path / "home/studies/small/1/trials").rglob("log.txt")).read_text()
    assert 100_000 < len(text) < 110_000
    assert "more bytes were printed; the last ones:)" in text
    assert text.rstrip().endswith("the end")


def test_an_imported_study_runs_no_command_that_nobody_trusts(tmp_path: Path) -> None:
    there, here = tmp_path / "there", new_home(tmp_path / "here")
    (tmp_path / "own").mkdir()
    path = study_of_shell(
        tmp_path / "own",
        f'touch {tmp_path}/ran; echo "{{\\"epoch\\": $2, \\"loss\\": $1}}"',
        NO_PROBE,
    )
    run_study(path, home=new_home(there), workers=0, overrides=[TWO])
    archive = export_study("small", tmp_path / "small.zip", home=there)
    (tmp_path / "ran").unlink()
    import_study(archive, home=here)
    for again in (
        lambda: verify_study("small", home=here),
        lambda: reproduce_trial("small", 0, home=here),
    ):
        with pytest.raises(StudyFileError, match="--trust-code FOLDER; the code in it") as told:
            again()
        assert "sh train.sh {lr} {epochs} {folder}" in str(told.value).replace("'", "")
    assert not (tmp_path / "ran").exists()
    found = verify_study("small", home=here, trust_code=tmp_path / "own")
    assert found.problems == []
    assert (tmp_path / "ran").exists()


def test_the_winner_run_by_hand_has_its_score(tmp_path: Path) -> None:
    path, home = study_of(tmp_path, NO_PROBE, checkpoint=True), tmp_path / "home"
    result = run(path, home)
    (tmp_path / "elsewhere").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "elsewhere")
        line = best_configuration("small", form="command", home=home)
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f'{{"epoch": 5, "loss": {result.validation.mean:.6f}}}'


def test_params_json_holds_what_the_trial_has(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(
        'cat $1 >> seen; echo >> seen; echo "{\\"epoch\\": $2, \\"loss\\": 1}"'
    )
    path = study_of(tmp_path, NO_PROBE)
    head, _, rest = path.read_text().partition("command")
    command = 'command = ["sh", "train.sh", "{params_json}", "{epochs}"]\ndry_start = 0\n'
    path.write_text(head + command + rest.partition("\n")[2])
    run(path, tmp_path / "home", ONE)
    (record,) = records(tmp_path / "home")
    decoder = json.JSONDecoder()
    said, _ = decoder.raw_decode((tmp_path / "seen").read_text())
    assert said["lr"] == record.params["lr"]
    assert (said["epochs"], said["n_epochs"], said["fold"], said["purpose"]) == (2, 2, 0, "search")
